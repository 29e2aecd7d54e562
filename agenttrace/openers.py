"""What each form of mark records before the body runs: a call its arguments, a tool its schema, a block its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import OpenInferenceMimeTypeValues, SpanAttributes

from . import faults
from .context import attributes_from_context, using_metadata, using_tags
from .current import Context
from .recording import SpanOpener
from .semconv.masking import REDACTED, current_mask
from .span import Lists, split_lists
from .wrapping.callables import callable_name

if TYPE_CHECKING:
    from .capture.arguments import ArgumentReader
    from .kinds import Describer
    from .semconv.mask import Mask

__all__ = ["BlockOpener", "CallOpener", "DescribedCallOpener", "ToolCallOpener"]

_INPUT_VALUE = SpanAttributes.INPUT_VALUE
_INPUT_MIME_TYPE = SpanAttributes.INPUT_MIME_TYPE
_METADATA = SpanAttributes.METADATA
_TAGS = SpanAttributes.TAG_TAGS
_JSON = OpenInferenceMimeTypeValues.JSON.value
_TEXT = OpenInferenceMimeTypeValues.TEXT.value


class BlockOpener(SpanOpener):
    """Opens the spans of ``with`` blocks."""

    __slots__ = ()

    def __init__(self, kind: str, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(kind, name, options)
        self.records_output = False

    def prepare(self) -> None:
        """See `SpanOpener.prepare`."""
        from .kinds import describer_of

        super().prepare()
        self.describer: Describer | None = describer_of(self.kind)

    def add_start_attributes(
        self, attributes: dict[str, Any], context: Context, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Mask
    ) -> Lists | None:
        """What the mark was told about this block."""
        options = self.options
        lists: Lists | None = None
        try:
            if "input" in options and options.get("capture_input") is not False and mask.hides_input:
                attributes[_INPUT_VALUE] = REDACTED
            elif "input" in options and options.get("capture_input") is not False:
                value, process = options["input"], options.get("process_input")
                recorded = value if process is None else process({"input": value})
                attributes[_INPUT_VALUE], attributes[_INPUT_MIME_TYPE] = self.encode_input(recorded)
                if self.describer is not None:
                    lists = add_described(attributes, self.describer.asked(recorded))
            for option, scope, key in (("metadata", using_metadata, _METADATA), ("tags", using_tags, _TAGS)):
                if options.get(option):
                    attributes[key] = attributes_from_context(scope(options[option]).enclosed(context))[key]
        except BaseException as error:
            faults.contain(f"recording what {self.name} was told", error)
        return lists


class CallOpener(SpanOpener):
    """Opens the spans of calls of one function.

    Args:
        kind: The OpenInference span kind.
        name: The spans' name.
        options: The mark's options, checked.
        function: The function as it was given to the mark.
        drop_first: Whether its first parameter is an instance or class; None to go by its name.
        owner: The class whose method it is, where a class was marked.
    """

    __slots__ = ("_drop_first", "_encode_json", "_function", "_hides_only", "_process_input", "_reader")

    always_json: bool = False
    """Whether the input is a JSON object even where the only argument is a string."""

    def __init__(
        self,
        kind: str,
        name: str,
        options: Mapping[str, Any],
        function: Callable[..., Any],
        drop_first: bool | None = None,
        owner: type | None = None,
    ) -> None:
        subject = callable_name(function) if owner is None else owner.__name__
        super().__init__(kind, name, options, subject)
        self._function = function
        self._drop_first = drop_first
        self._process_input = options.get("process_input")
        self._reader: ArgumentReader | None = None
        self._hides_only: bool | None = None
        self._encode_json: Callable[[Any], str]

    def prepare(self) -> None:
        """See `SpanOpener.prepare`; the signature is read here."""
        from .capture.encode import encode_json

        super().prepare()
        self._encode_json = encode_json
        if self.records_input:
            self._reader = self._make_reader()

    @property
    def records_input(self) -> bool:
        """Whether the arguments are recorded at all."""
        return self.options.get("capture_input") is not False and _INPUT_VALUE not in self.given_attributes()

    def add_start_attributes(
        self, attributes: dict[str, Any], context: Context, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Mask
    ) -> Lists | None:
        """The arguments as they are before the call."""
        reader = self._reader
        if reader is None:
            return None
        if mask.hides_input:
            attributes[_INPUT_VALUE] = REDACTED
            return None
        try:
            bound = reader.read(args, kwargs)
            if reader.only is None and self._process_input is None:  # by far the most calls
                attributes[_INPUT_VALUE] = self._encode_json(bound)
                attributes[_INPUT_MIME_TYPE] = _JSON
            else:
                self._add_input(attributes, reader, bound)
        except BaseException as error:
            faults.contain(f"recording the input of {self.name}", error)
        return None

    def _make_reader(self) -> ArgumentReader:
        from .capture.arguments import ArgumentReader, takes_instance

        drop_first = takes_instance(self._function) if self._drop_first is None else self._drop_first
        return ArgumentReader(self._function, self.options.get("exclude_args") or (), drop_first)

    def _add_input(self, attributes: dict[str, Any], reader: ArgumentReader, bound: dict[str, Any]) -> Any:
        """Add the input; gives what the mark's own function made of the arguments, where it has one, else these."""
        processed: Any = bound
        if self._process_input is not None:
            processed = self._process_input(bound)
            text, mime_type = self.encode_input(processed)
        elif reader.only is None or self.always_json or not issubclass(type(bound.get(reader.only)), str):
            text, mime_type = self._encode_json(bound), _JSON
        else:
            text, mime_type = self._encode_text(reader.only, bound[reader.only])
        attributes[_INPUT_VALUE] = text
        attributes[_INPUT_MIME_TYPE] = mime_type
        return processed

    def _encode_text(self, name: str, value: Any) -> tuple[str, str]:
        """A call's only argument, a string."""
        if self._hides_only is None:
            from .semconv.secrets import is_secret_name

            self._hides_only = is_secret_name(name)
        if self._hides_only and current_mask().hides_secrets:
            return REDACTED, _TEXT
        return self.encode_input(value)


class ToolCallOpener(CallOpener):
    """Opens the spans of calls of one tool."""

    __slots__ = ()

    always_json: bool = True

    def static_attributes(self) -> dict[str, Any]:
        """See `SpanOpener.static_attributes`; what the mark wasn't told of the tool is read from its function."""
        from .capture.encode import encode_json, encode_text
        from .capture.tools import tool_description, tool_parameters

        read: dict[str, Any] = {}
        if self.options.get("description") is None:
            description = tool_description(self._function)
            if description:
                read[SpanAttributes.TOOL_DESCRIPTION] = encode_text(description)
        if self.options.get("parameters") is None:
            hidden = self.options.get("exclude_args") or ()
            read[SpanAttributes.TOOL_PARAMETERS] = encode_json(tool_parameters(self._function, hide_defaults=hidden))
        return {**read, **super().static_attributes()}


class DescribedCallOpener(CallOpener):
    """Opens the spans of calls of which their kind has more to say: model calls, embeddings, retrievers, rerankers."""

    __slots__ = ()

    def prepare(self) -> None:
        """See `SpanOpener.prepare`."""
        from .kinds import describer_of

        super().prepare()
        self.describer: Describer | None = describer_of(self.kind)
        if self._reader is None:
            self._reader = self._make_reader()

    def add_start_attributes(
        self, attributes: dict[str, Any], context: Context, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Mask
    ) -> Lists | None:
        """The arguments as they are before the call, and what they say of it."""
        reader, describer = self._reader, self.describer
        if reader is None or describer is None:
            return None
        processed: Any = None
        try:
            bound = reader.read(args, kwargs)
            if not self.records_input:
                processed = {}
            elif mask.hides_input:
                attributes[_INPUT_VALUE] = REDACTED
            else:
                processed = self._add_input(attributes, reader, bound)
        except BaseException as error:
            faults.contain(f"recording the input of {self.name}", error)
            return None
        try:
            return self._described(attributes, describer, bound, processed)
        except BaseException as error:
            faults.contain(f"reading the arguments of {self.name}", error)
            return None

    def _described(
        self, attributes: dict[str, Any], describer: Describer, bound: dict[str, Any], processed: Any
    ) -> Lists:
        """What the arguments say; of what was said in them, only what is recorded as the input may be told."""
        from .details import content_left_out

        reader = self._reader
        flat = describer.before(bound if reader is None else reader.spread(bound))
        if processed is not bound:
            flat = content_left_out(flat, self.kind, {})
            if isinstance(processed, Mapping):
                flat.update(describer.before(processed))
        return add_described(attributes, flat)


def add_described(attributes: dict[str, Any], flat: Mapping[str, Any]) -> Lists:
    """Add to ``attributes`` what ``flat`` says beyond them; gives the lists in it."""
    from .capture.reserved import encode_reserved

    single, lists = split_lists(encode_reserved(flat))
    for key, value in single.items():
        attributes.setdefault(key, value)
    return lists
