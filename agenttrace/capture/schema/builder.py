"""Annotations to schemas: one builder for all the types of one call, with a bound on what it makes.

Classes stand once under ``$defs`` and are mentioned by ``$ref``, so that types may contain themselves and each other.
The builder reads them one after another from a queue and not one inside the other: the depth of a chain of classes
costs no stack.
"""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

from .classes import schema_of_class
from .metadata import apply_metadata
from .scope import Scope, Unresolved, module_names
from .special import Form, form_of
from .values import plain_text, plain_value

MAX_SCHEMA_CHARACTERS = 200_000
"""About how much JSON all the schemas of one call may take; types beyond it become the schema that allows anything."""

_MAX_DEPTH = 24
_MAX_DEFINITIONS = 300
_MAX_MEMBERS = 256
_NODE_CHARACTERS = 30
_REFERENCE = "#/$defs/"
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_TYPE_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}

_Reader: TypeAlias = Callable[[Sequence[Any], Scope], dict[str, Any]]


class SchemaBuilder:
    """Builds the schemas of one call's parameters.

    Example:
        >>> builder = SchemaBuilder()
        >>> builder.schema(list[int], Scope())
        {'type': 'array', 'items': {'type': 'integer'}}
        >>> builder.finish()
        {}
    """

    def __init__(self) -> None:
        self.definitions: dict[str, dict[str, Any]] = {}
        self.foreign: dict[str, Any] = {}
        """What other libraries' generators gave for definitions that bear the names they chose."""
        self.variants: defaultdict[int, set[str]] = defaultdict(set)
        """The sets of arguments that each generic class was given, by the identity of the class."""
        self._characters_left = MAX_SCHEMA_CHARACTERS
        self._depth = 0
        self._names: dict[Hashable, str] = {}
        # Annotations that are being read, with the name they got if they turned out to contain themselves.
        self._open: dict[Hashable, str | None] = {}
        self._pending: deque[tuple[str, Callable[[], dict[str, Any]]]] = deque()
        # Names are remembered by identity: what they stand for must live as long as this builder.
        self._kept: list[object] = []

    def schema(self, annotation: object, scope: Scope) -> dict[str, Any]:
        """The schema of ``annotation``; ``{}``, which allows anything, where it cannot be read or is too much.

        Args:
            annotation: What stands after a parameter's colon: a type, a special form, a text, anything at all.
            scope: Where names in text annotations are looked up.
        """
        if self._depth >= _MAX_DEPTH or not self.spend(_NODE_CHARACTERS):
            return {}
        self._depth += 1
        try:
            return self._read(annotation, scope)
        except Exception:  # an annotation that cannot be read costs only itself
            return {}
        finally:
            self._depth -= 1

    def spend(self, characters: int) -> bool:
        """Whether ``characters`` more of JSON fit; they count as used when they do."""
        if characters > self._characters_left:
            return False
        self._characters_left -= characters
        return True

    def text(self, value: object) -> str | None:
        """``value`` as a text for the schema; None when it is no text, empty, or there is no room left."""
        if not issubclass(type(value), str) or not value:
            return None
        text = plain_text(value)  # type: ignore[arg-type]  # issubclass tells mypy nothing of `value`
        return text if self.spend(len(text)) else None

    def define(self, key: Hashable, thing: object, name: str, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A reference to the definition of ``thing``, which is built later when it is new.

        Args:
            key: What tells it from others, made of its identity.
            thing: Kept alive, so that its identity stays its own.
            name: What the definition is called, with a number after it when the name is taken.
            build: Makes the definition; what it raises leaves a definition that allows anything.
        """
        if key not in self._names:
            if len(self.definitions) >= _MAX_DEFINITIONS or not self.spend(_NODE_CHARACTERS):
                return {}
            self._kept.append(thing)
            self._names[key] = self.claim(name)
            self._pending.append((self._names[key], build))
        return {"$ref": _REFERENCE + self._names[key]}

    def claim(self, name: str) -> str:
        """A name under ``$defs`` that is free, now taken by a definition that allows anything."""
        base = _NOT_IN_NAME.sub("_", plain_text(name, 100)).strip("_") or "Type"
        unique, number = base, 1
        while unique in self.definitions:
            number += 1
            unique = f"{base}_{number}"
        self.definitions[unique] = {}
        return unique

    def known(self, key: Hashable) -> dict[str, Any] | None:
        """The reference to what :meth:`remember` or :meth:`define` was told of under ``key``, or None."""
        return {"$ref": _REFERENCE + self._names[key]} if key in self._names else None

    def remember(self, key: Hashable, thing: object, name: str) -> dict[str, Any]:
        """A reference to the definition ``name``, from now on found under ``key``."""
        self._kept.append(thing)
        self._names[key] = name
        return {"$ref": _REFERENCE + name}

    def finish(self) -> dict[str, dict[str, Any]]:
        """Every definition that the schemas so far refer to, by name, complete."""
        while self._pending:
            name, build = self._pending.popleft()
            try:
                self.definitions[name] = build()
            except Exception:  # a class that cannot be read allows anything
                self.definitions[name] = {}
        return self.definitions

    def _read(self, annotation: object, scope: Scope) -> dict[str, Any]:
        form, parts = form_of(annotation)
        if annotation is Unresolved or form is Form.ANYTHING:
            return {}
        if form is Form.NOTHING:
            return {"not": {}}
        direct: dict[Form, _Reader] = {
            Form.TEXT: self._schema_of_text,
            Form.REFERENCE: self._schema_of_text,
            Form.VARIABLE: self._schema_of_variable,
            Form.SAME_AS: lambda parts, scope: self.schema(parts[0], scope),
            Form.ALIAS: self._schema_of_alias,
        }
        if form in direct:
            return direct[form](parts, scope)
        nested: dict[Form, _Reader] = {
            Form.ANNOTATED: self._schema_of_annotated,
            Form.CLASS: lambda parts, scope: schema_of_class(self, parts[0], parts[1], scope),
            Form.LITERAL: self._schema_of_literal,
            Form.UNION: self._schema_of_union,
        }
        key = (id(annotation), id(scope))
        return self._in_place_or_named(key, (annotation, scope), None, lambda: nested[form](parts, scope))

    def _in_place_or_named(
        self, key: Hashable, kept: object, name: str | None, build: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """What ``build`` makes, or a reference to it when it turns out to contain itself."""
        known = self.known(key)
        if known is not None:
            return known
        if key in self._open:
            claimed = self._open[key] or self.claim(name or "Recursive")
            self._open[key] = claimed
            return {"$ref": _REFERENCE + claimed}
        self._open[key] = None
        try:
            schema = build()
        finally:
            given = self._open.pop(key)
        if given is None:
            return schema
        self.definitions[given] = schema
        return self.remember(key, kept, given)

    def _schema_of_text(self, parts: Sequence[Any], scope: Scope) -> dict[str, Any]:
        text = parts[0]
        target = scope.resolve(*parts)
        key = (id(target), id(scope))
        if key in self._open and text.isidentifier():
            return self._in_place_or_named(key, target, text, dict)
        return self.schema(target, scope)

    def _schema_of_variable(self, parts: Sequence[Any], scope: Scope) -> dict[str, Any]:
        variable = parts[0]
        bound = scope.bindings.get(variable)
        if bound is not None:
            return copy.deepcopy(bound) if self.spend(len(json.dumps(bound))) else {}
        if getattr(variable, "__bound__", None) is not None:
            return self.schema(variable.__bound__, scope)
        constraints = getattr(variable, "__constraints__", ())
        return self._schema_of_union(constraints, scope) if constraints else {}

    def _schema_of_annotated(self, parts: Sequence[Any], scope: Scope) -> dict[str, Any]:
        schema = self.schema(parts[0], scope)
        before = len(json.dumps(schema))
        described = dict(schema)
        apply_metadata(described, parts[1])
        return described if self.spend(max(0, len(json.dumps(described)) - before)) else schema

    def _schema_of_literal(self, values: Sequence[Any], scope: Scope) -> dict[str, Any]:
        texts = [value.decode("utf-8", "replace") if type(value) is bytes else value for value in values]
        return self.enumeration(texts)

    def enumeration(self, values: Sequence[object]) -> dict[str, Any]:
        """The schema of a value that is one of ``values``; only their type when they are many.

        Raises:
            ValueError: One of them is no plain scalar.
        """
        # By type too: True equals 1 and is something else in JSON.
        plain = {(type(item), item): item for item in map(plain_value, values[: _MAX_MEMBERS + 1])}
        kinds = {kind for kind, _ in plain}
        name = _TYPE_NAMES.get(kinds.pop()) if len(kinds) == 1 else None
        schema: dict[str, Any] = {} if name is None else {"type": name}
        members = list(plain.values())
        if members and len(members) <= _MAX_MEMBERS and self.spend(len(json.dumps(members))):
            schema["enum"] = members
        return schema

    def _schema_of_union(self, members: Sequence[Any], scope: Scope) -> dict[str, Any]:
        if len(members) > _MAX_MEMBERS:
            return {}
        different: dict[str, dict[str, Any]] = {}
        for member in members:
            schema = self.schema(member, scope)
            nested = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
            different.update((json.dumps(part, sort_keys=True), part) for part in nested)
        alternatives = list(different.values())
        if {} in alternatives or not alternatives:
            return {}
        return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}

    def _schema_of_alias(self, parts: Sequence[Any], scope: Scope) -> dict[str, Any]:
        """``type Name[T] = ...``: in place, or under its name when it contains itself."""
        alias, arguments = parts
        bound = [self.schema(argument, scope) for argument in arguments]
        bindings = dict(zip(alias.__type_params__, bound, strict=False))
        inner = Scope(module_names(alias.__module__), bindings=bindings)
        key = ("alias", id(alias), json.dumps(bound))
        return self._in_place_or_named(key, alias, alias.__name__, lambda: self.schema(alias.__value__, inner))
