"""What a field without a value shows is read from stripe-node's types."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox.schema.load import API_VERSION, OBJECTS
from stripe_sandbox.schema.presence import STORED, presence, told_apart

KEPT = json.loads(STORED.read_text())
TYPES = {
    "package.json": '{"version": "1.2.3"}',
    "cjs/apiVersion.js": "exports.ApiVersion = '2026-08-26.dahlia';",
    "cjs/shared.d.ts": "export interface Place {\n    city: string | null;\n    planet?: string;\n}\n",
    "cjs/resources/Dragons.d.ts": """
import { Place as _Place } from '../shared.js';
export interface Dragon {
    /**
     * Its own: 'dragon'; not `object?: 'kite'`.
     */
    object: 'dragon';
    hoard: number;
    rider?: string | Knight | null;
    lair?: _Place;
    heads: Array<Dragon.Head>;
    colour: Dragon.Colour | null;
    names: {
        [key: string]: string;
    };
}
export interface DeletedDragon {
    object: 'dragon';
    deleted: true;
}
export declare namespace Dragon {
    interface Head {
        teeth?: number;
        eyes: Head.Eyes;
    }
    type Colour = 'green' | 'red';
    namespace Head {
        interface Eyes {
            left?: string;
        }
    }
}
""",
}
TOLD = {
    "always": ["heads.eyes", "hoard", "names"],
    "left_out": ["heads.eyes.left", "heads.teeth", "lair", "lair.planet"],
    "null_or_left_out": ["rider"],
}


def optional(**schema: Any) -> dict[str, Any]:
    return {**schema, "nullable": True}


def dragon() -> dict[str, Any]:
    """The schema as stripe-python's annotations give it: everything but its lists is Optional."""
    eyes = optional(type="object", properties={"left": optional(type="string")})
    head = {"type": "object", "properties": {"teeth": optional(type="integer"), "eyes": eyes}}
    place = {"city": optional(type="string"), "planet": optional(type="string")}
    fields = {
        "object": {"type": "string", "enum": ["dragon"]},
        "hoard": optional(type="integer"),
        "rider": optional(anyOf=[{"type": "string"}, {"$ref": "#/components/schemas/knight"}]),
        "lair": optional(type="object", properties=place),
        "heads": {"type": "array", "items": head},
        "colour": optional(type="string", enum=["green", "red"]),
        "names": optional(type="object", additionalProperties={"type": "string"}),
    }
    return {"type": "object", "properties": fields, "required": ["object", "heads"]}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in TYPES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_what_may_be_left_out_and_what_may_be_null_are_told_apart_also_in_parts(package: Path) -> None:
    found = presence(package, {"dragon": dragon()}, "2026-08-26.dahlia")
    assert found["kinds"] == {"dragon": TOLD}
    assert found["api_version"] == "2026-08-26.dahlia"
    assert "stripe-node 1.2.3" in found["source"]


def test_types_of_another_version_of_the_api_are_refused(package: Path) -> None:
    with pytest.raises(LookupError, match=r"2026-08-26\.dahlia, not 2027-01-01\.fig"):
        presence(package, {"dragon": dragon()}, "2027-01-01.fig")


def test_the_schema_says_what_is_always_there_and_what_may_be_null() -> None:
    schema = told_apart("dragon", dragon(), copy.deepcopy(TOLD))
    fields, head = schema["properties"], schema["properties"]["heads"]["items"]
    assert schema["required"] == ["object", "hoard", "heads", "colour", "names"]
    assert {name for name, field in fields.items() if field.get("nullable")} == {"rider", "colour"}
    assert head["required"] == ["eyes"]
    assert "required" not in head["properties"]["eyes"]
    assert fields["lair"]["required"] == ["city"]


def test_a_field_that_the_schema_does_not_have_is_refused() -> None:
    with pytest.raises(LookupError, match=r"fields that dragon does not have: tail$"):
        told_apart("dragon", dragon(), {"left_out": ["tail"]})


def test_every_kind_of_the_schema_is_told_of_in_its_own_version() -> None:
    assert KEPT["api_version"] == API_VERSION
    assert set(KEPT["kinds"]) == set(OBJECTS) - {"error"}
