"""Pydantic's models and types as JSON Schema: their own, in one set of definitions with all the others."""

import dataclasses
import json
import subprocess
import sys
import typing
import warnings
from dataclasses import dataclass
from typing import Any, Optional

import pydantic
import pytest
from jsonschema import Draft202012Validator

from agenttrace.capture.tools import tool_parameters

INTEGER, STRING = {"type": "integer"}, {"type": "string"}


def declare(*annotations: Any) -> dict[str, Any]:
    """The schema of a function with parameters a, b, … of those annotations, checked to be one."""

    def function(a, b, c): ...

    for name, annotation in zip("abc", annotations, strict=False):
        function.__annotations__[name] = annotation
    schema: dict[str, Any] = tool_parameters(function)
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    for reference in _references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]
    return schema


def _references(part: Any) -> typing.Iterator[str]:
    if isinstance(part, dict):
        for name, item in part.items():
            yield from [item] if name == "$ref" else _references(item)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


def definition_of(cls: Any) -> Any:
    """The definition that a parameter of type ``cls`` refers to."""
    schema = declare(cls)
    return schema["$defs"][schema["properties"]["a"]["$ref"].removeprefix("#/$defs/")]


class Engine(pydantic.BaseModel):
    power: int = pydantic.Field(gt=0, description="In kW.")
    previous: Optional["Engine"] = None


class Wheel(pydantic.BaseModel):
    size: int = 17


class Car(pydantic.BaseModel):
    """A car."""

    engine: Engine
    wheels: list[Wheel] = []


def test_pydantic_models() -> None:
    """Pydantic's own schema, its definitions moved to the top and shared by all parameters."""
    schema = declare(Car, Engine, list[Wheel])
    assert schema["properties"]["a"] == {"$ref": "#/$defs/Car"}
    assert schema["properties"]["b"] == {"$ref": "#/$defs/Engine"}
    assert schema["properties"]["c"]["items"] == {"$ref": "#/$defs/Wheel"}
    assert sorted(schema["$defs"]) == ["Car", "Engine", "Wheel"]
    assert schema["$defs"]["Car"]["description"] == "A car."
    assert schema["$defs"]["Engine"]["properties"]["power"]["exclusiveMinimum"] == 0
    assert sorted(declare(Wheel, Car, Car | None)["$defs"]) == ["Car", "Engine", "Wheel"]


def test_pydantic_models_of_one_name_are_told_apart() -> None:
    """Two models called Wheel, one within each of two others, keep a definition each."""
    other = pydantic.create_model("Wheel", radius=(float, ...))
    bicycle = pydantic.create_model("Bicycle", wheels=(list[other], ...))
    definitions = declare(Car, bicycle, dataclasses.make_dataclass("Wheel", [("x", int)]))["$defs"]
    renamed = definitions["Bicycle"]["properties"]["wheels"]["items"]["$ref"].removeprefix("#/$defs/")
    assert "radius" in definitions[renamed]["properties"]
    assert (
        "size"
        in definitions[definitions["Car"]["properties"]["wheels"]["items"]["$ref"][len("#/$defs/") :]]["properties"]
    )


def test_other_types_that_pydantic_describes() -> None:
    """Its secrets and addresses, its data classes, models inside data classes."""

    @pydantic.dataclasses.dataclass
    class Checked:
        size: int = pydantic.Field(le=5)

    @dataclass
    class Garage:
        cars: list[Car]

    schema = declare(pydantic.SecretStr, Garage, Checked)
    assert schema["properties"]["a"]["format"] == "password"
    assert schema["$defs"]["Garage"]["properties"]["cars"]["items"] == {"$ref": "#/$defs/Car"}
    assert schema["$defs"]["Checked"]["properties"]["size"]["maximum"] == 5


class NoJson:
    pass


class Loose(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    tool: NoJson
    size: int = pydantic.Field(3, ge=1, description="How large.")
    action: typing.Callable[[int], int] | None = None


class Refusing(pydantic.BaseModel):
    x: int

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    @classmethod
    def __get_pydantic_json_schema__(cls, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError


class Unfinished(pydantic.BaseModel):
    x: int
    y: "NeverDefined"  # type: ignore[name-defined]  # noqa: F821  # what makes it unfinished


class Extra(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        json_schema_extra={"examples": [typing.cast("Any", object())], "note": float("inf"), "x-ok": 1}
    )

    big: int = pydantic.Field(le=2**70)


def test_models_that_pydantic_cannot_describe_are_read_field_by_field() -> None:
    """A field without a JSON form, a generator that raises, a name that is not defined: the other fields stay."""
    loose = definition_of(Loose)
    assert loose["properties"]["tool"] == {"title": "NoJson"}
    assert loose["properties"]["size"] == {**INTEGER, "minimum": 1, "description": "How large.", "default": 3}
    assert loose["required"] == ["tool"]
    assert definition_of(Refusing)["properties"] == {"x": INTEGER}
    assert definition_of(Unfinished)["properties"] == {"x": INTEGER, "y": {}}
    extra = definition_of(Extra)
    assert extra["x-ok"] == 1
    assert "note" not in extra
    assert extra["properties"]["big"]["type"] == "integer"


def test_pydantic_warns_nobody() -> None:
    """What pydantic has to say about a schema that the user did not ask for is not shown."""
    model = pydantic.create_model("Warned", x=(Any, object()))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        definition_of(model)
    assert not caught


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pydantic.v1 does not work there")
def test_models_of_pydantic_version_1() -> None:
    """The old generation's schema is brought to today's draft."""
    from pydantic import v1

    inner = v1.create_model("Inner", pair=(tuple[int, str], ...))
    outer = v1.create_model("Outer", inner=(inner, ...), more=(list[inner], []))
    schema = declare(outer, inner)
    assert sorted(schema["$defs"]) == ["Inner", "Outer"]
    assert schema["$defs"]["Inner"]["properties"]["pair"]["prefixItems"] == [INTEGER, STRING]


def test_pydantic_is_never_imported() -> None:
    """A program without pydantic pays nothing for it."""
    code = (
        "import sys\nfrom dataclasses import dataclass\nfrom agenttrace.capture.tools import tool_parameters\n"
        "@dataclass\nclass A:\n    x: int\ndef f(a: A, b: int): ...\n"
        "assert tool_parameters(f)['$defs']\nassert not [name for name in sys.modules if name.startswith('pydantic')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
