"""Where the names in a text annotation are looked up, and what stands for those that cannot be found.

Annotations are text under ``from __future__ import annotations`` and wherever a name is quoted. A name that exists for
type checkers only (imported under ``if TYPE_CHECKING:``) costs the schema just the part that it stands for: in
``list[Row] | None`` the list and the None stay known.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from types import CellType, FunctionType
from typing import Any

MAX_ANNOTATION_CHARACTERS = 2_000
"""Text annotations beyond this are not read: the compiler's time and stack are the user's."""

# What linters move under `if TYPE_CHECKING:` in modules whose annotations are text, by the module that has it.
_KNOWN_MODULES = {
    "datetime": ("date", "datetime", "time", "timedelta"),
    "decimal": ("Decimal",),
    "enum": ("Enum", "IntEnum"),
    "pathlib": ("Path", "PurePath"),
    "uuid": ("UUID",),
}
_TYPING_MODULES = ("collections.abc", "typing", "typing_extensions")
_MODULE_NAMES = frozenset({"collections", "decimal", "enum", "pathlib", "typing", "typing_extensions", "uuid"})
_DATETIME_AS_MODULE = re.compile(r"\bdatetime\s*\.")


class _UnresolvedType(type):
    """What may be done to a type in an annotation, done to one that is not known: it stays unknown."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __getitem__(cls, parameters: object) -> Any:
        return cls

    def __call__(cls, *args: object, **kwargs: object) -> Any:
        return cls


class Unresolved(metaclass=_UnresolvedType):
    """Stands for a type whose name could not be found."""


class Scope:
    """The names that an annotation can use, and the schemas that type variables stand for there.

    Args:
        layers: Where names are looked up, the first that has one wins. Builtins and the names that type checkers'
            imports usually bring come after them.
        bindings: The schema of each type variable that a generic class was given, by the variable.
    """

    def __init__(self, *layers: Mapping[str, object], bindings: Mapping[object, dict[str, Any]] | None = None) -> None:
        self.layers = layers
        self.bindings: Mapping[object, dict[str, Any]] = bindings or {}

    def bind(self, bindings: Mapping[object, dict[str, Any]]) -> Scope:
        """This scope with other type variables bound."""
        return Scope(*self.layers, bindings=bindings)

    def resolve(self, text: str, module: object = None, names: Mapping[str, object] | None = None) -> object:
        """What the annotation ``text`` means here.

        Args:
            text: An expression.
            module: The module (itself or its name) whose names come before those of this scope; None for none.
            names: Names that come before all others, as forward references of Python 3.14 bring them.

        Raises:
            Exception: Whatever evaluating the text raises; names that are not found are :class:`Unresolved`.
        """
        if len(text) > MAX_ANNOTATION_CHARACTERS:
            return Unresolved
        expression = text.strip()
        if expression.startswith("*"):  # the annotation of `*args: *Types`
            expression = f"Unpack[{expression[1:]}]"
        layers = (names or {}, *(() if module is None else (module_names(module),)), *self.layers)
        known = _Names(layers, _DATETIME_AS_MODULE.search(expression) is not None)
        # The text of the user's own annotation, as typing.get_type_hints evaluates it. `__import__` is there for typing
        # itself, which is C in parts and imports with the builtins of the code that calls it; `known` hides it from the
        # text.
        return eval(expression, {"__builtins__": {"__import__": builtins.__import__}}, known)  # noqa: S307


class _Names(Mapping[str, object]):
    """The names of a scope's layers, the builtins and the well-known ones; every other is :class:`Unresolved`."""

    def __init__(self, layers: tuple[Mapping[str, object], ...], datetime_is_module: bool) -> None:
        self.layers = layers
        self.datetime_is_module = datetime_is_module

    def __getitem__(self, name: str) -> object:
        for layer in self.layers:
            if name in layer:
                return layer[name]
        builtin = getattr(builtins, name, None)
        # Types only: no annotation needs `input` or `exit`.
        return builtin if isinstance(builtin, type) else self._well_known(name)

    def _well_known(self, name: str) -> object:
        if name in _MODULE_NAMES or (name == "datetime" and self.datetime_is_module):
            return importlib.import_module(name)
        for module_name, names in _KNOWN_MODULES.items():
            if name in names:
                return getattr(importlib.import_module(module_name), name)
        for module_name in _TYPING_MODULES:
            module = importlib.import_module(module_name)
            if name in module.__all__:
                return getattr(module, name)
        return Unresolved

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def module_names(module: object) -> Mapping[str, object]:
    """The names of ``module``, given by its name or itself; none when it is not loaded."""
    loaded = sys.modules.get(module) if isinstance(module, str) else module
    names = getattr(loaded, "__dict__", None)
    return names if isinstance(names, dict) else {}


def scope_of_function(function: FunctionType) -> Scope:
    """Where the annotations of ``function`` find their names.

    Variables of enclosing functions, type parameters, the module and, for a method, the class around it.
    """
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    closure = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
    parameters = {parameter.__name__: parameter for parameter in getattr(function, "__type_params__", ())}
    owner = _enclosing_class(function)
    class_names = {} if owner is None else _class_names(owner)
    return Scope(closure, parameters, function.__globals__, class_names)


def scope_of_class(owner: type) -> Scope:
    """Where the annotations in the body of ``owner`` find their names.

    The module comes before the class's own names, as typing.get_type_hints has it: a field ``date: date = None``
    means the type and not its default.
    """
    return Scope(module_names(owner.__module__), _class_names(owner))


def own_annotations(owner: type) -> dict[str, object]:
    """The annotations in the body of ``owner``, unresolved names as forward references."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(owner)


def _class_names(owner: type) -> dict[str, object]:
    parameters = {parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}
    # Its own name too: a class made in a function can mention itself.
    return {**vars(owner), owner.__name__: owner, **parameters}


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # the variable has no value yet
        return False


def _enclosing_class(function: FunctionType) -> type | None:
    """The class in whose body ``function`` was defined, when its module can reach that by name."""
    found: object = None
    names: Mapping[str, object] = function.__globals__
    for name in function.__qualname__.split(".")[:-1]:
        found = names.get(name)
        if not isinstance(found, type):
            return None
        names = vars(found)
    return found if isinstance(found, type) else None
