"""Objects that declare their fields: dataclasses, pydantic models, attrs classes, named tuples, msgspec structs.

They are written as their fields. The values are read from the instance itself, never through ``asdict``,
``model_dump`` or the like: those copy deeply, run the program's serializers and properties, and take a time that has
no bound. Fields that the author kept out of the ``repr`` (``repr=False``) or of pydantic's dump (``exclude=True``)
stay out, since that is how secrets are declared.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from .classes import MISSING, class_name, find_in_class, instance_fields, is_one_of, loaded, read_field
from .contents import Contents, Described, Instead, record

Converter = Callable[[Any], Described]


def record_converter(cls: type) -> Converter | None:
    """How to write instances of ``cls`` if it declares fields, else None.

    What is declared is read here, once for the class. The converter keeps the fields' names and not the class.
    """
    for marker, make_converter in _MAKERS.items():
        declared = find_in_class(cls, marker)
        # attrs' tuple is of a subclass that it makes for each class.
        if type(declared) is dict or (marker == "__attrs_attrs__" and is_one_of(type(declared), (tuple,))):
            return make_converter(declared)
    if is_one_of(cls, (loaded("msgspec", "Struct"),)):
        return _fields_converter(list(cls.__struct_fields__))  # type: ignore[attr-defined]
    return None


def named_tuple(value: Any) -> Contents:
    """A ``typing.NamedTuple`` or ``collections.namedtuple`` as its fields."""
    names = find_in_class(type(value), "_fields")
    size = min(len(names), tuple.__len__(value))
    # A subclass may have its own idea of its fields: zip ends with the shorter.
    return Contents(zip(names, tuple.__iter__(value), strict=False), size, True, class_name(type(value)))


def _dataclass(declared: Any) -> Converter:
    of_instance = loaded("dataclasses", "_FIELD")  # what tells fields from ClassVar and InitVar
    return _fields_converter(
        [name for name, field in declared.items() if field.repr and getattr(field, "_field_type", None) is of_instance]
    )


def _attrs(declared: Any) -> Converter:
    return _fields_converter([field.name for field in tuple.__iter__(declared) if field.repr])


def _pydantic(declared: Any) -> Converter:
    write = _fields_converter([name for name, field in declared.items() if field.repr and not field.exclude])

    def convert(value: Any) -> Described:
        if find_in_class(type(value), "__pydantic_root_model__") is True:
            root = instance_fields(value).get("root", MISSING)
            return write(value) if root is MISSING else Instead(root)
        extra = read_field(value, {}, "__pydantic_extra__")
        written = write(value)
        if type(extra) is not dict or not extra:
            return written
        return Contents(chain(written.source, extra.items()), None, True, written.name)

    return convert


def _pydantic_before_2(declared: Any) -> Converter:
    hidden = {name for name, field in declared.items() if not field.field_info.repr or field.field_info.exclude}

    def convert(value: Any) -> Described:
        fields = instance_fields(value)
        if "__root__" in fields:
            return Instead(fields["__root__"])
        # Extra fields stand beside the declared ones.
        shown = {name: item for name, item in fields.items() if name not in hidden}
        return record(class_name(type(value)), shown)

    return convert


def _fields_converter(names: list[str]) -> Callable[[Any], Contents]:
    def convert(value: Any) -> Contents:
        fields = instance_fields(value)
        found: dict[str, Any] = {}
        for name in names:
            item = fields[name] if name in fields else read_field(value, fields, name)
            if item is not MISSING:
                found[name] = item
        return record(class_name(type(value)), found)

    return convert


# By the attribute that each library leaves on the classes it makes; the first that is found decides.
_MAKERS: dict[str, Callable[[Any], Converter]] = {
    "__pydantic_fields__": _pydantic,
    "model_fields": _pydantic,
    "__dataclass_fields__": _dataclass,
    "__fields__": _pydantic_before_2,
    "__attrs_attrs__": _attrs,
}
