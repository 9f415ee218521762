"""A program that was written for the API as it was released goes on working: nothing that it relies on is gone.

Whoever releases a version writes what it promises: ``WRITE_RELEASED=1 .venv/bin/pytest tests/api/test_released.py``.
Until the first release, whoever changes the API on purpose does.
"""

import copy
import os
from pathlib import Path

import pytest
import yaml

from tests.api.promises import broken, promises
from tests.processes import ROOT

RELEASED = Path(__file__).with_name("released.txt")


@pytest.fixture(scope="module")
def document():
    return yaml.load((ROOT / "openapi.yaml").read_text(), yaml.CSafeLoader)


def test_nothing_that_was_released_is_gone(document):
    if os.environ.get("WRITE_RELEASED"):
        RELEASED.write_text("\n".join(sorted(promises(document))) + "\n")
    before = set(RELEASED.read_text().splitlines())

    assert len(before) > 500
    assert broken(before, promises(document)) == []


def without_an_address(document):
    del document["paths"]["/api/v1/plans/"]


def without_a_field(document):
    del document["components"]["schemas"]["Office"]["properties"]["time_zone"]


def with_another_type(document):
    document["components"]["schemas"]["Money"]["properties"]["amount"]["type"] = "string"


def with_a_field_that_must_be_sent(document):
    document["components"]["schemas"]["SignIn"]["required"].append("scope")


def with_fewer_values(document):
    document["components"]["schemas"]["IntervalEnum"]["enum"].remove("year")


def without_a_parameter(document):
    asked = document["paths"]["/api/v1/offices/{public_id}/invoices/"]["get"]["parameters"]
    asked[:] = [one for one in asked if one["name"] != "from"]


def with_an_answer_of_another_shape(document):
    answers = document["paths"]["/api/v1/offices/{public_id}/"]["get"]["responses"]
    answers["200"]["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/Subscription"}


@pytest.mark.parametrize(
    ("change", "tells"),
    [
        (without_an_address, "gone: GET /api/v1/plans/"),
        (without_a_field, "gone: Office.time_zone: string"),
        (with_another_type, "gone: Money.amount: integer"),
        (with_a_field_that_must_be_sent, "new: SignIn needs scope"),
        (with_fewer_values, "gone: IntervalEnum can be year"),
        (without_a_parameter, "gone: GET /api/v1/offices/{public_id}/invoices/ knows query from: string date-time"),
        (with_an_answer_of_another_shape, "gone: GET /api/v1/offices/{public_id}/ gives 200 application/json Office"),
    ],
)
def test_each_change_that_breaks_a_program_is_told(document, change, tells):
    changed = copy.deepcopy(document)
    change(changed)

    assert tells in broken(promises(document), promises(changed))


def test_what_is_added_breaks_nothing(document):
    more = copy.deepcopy(document)
    more["paths"]["/api/v1/news/"] = copy.deepcopy(more["paths"]["/api/v1/plans/"])
    more["components"]["schemas"]["News"] = {"properties": {"text": {"type": "string"}}, "required": ["text"]}
    preview = more["components"]["schemas"]["Preview"]
    preview["properties"]["since"] = {"type": "string"}
    preview["required"].append("since")
    more["components"]["schemas"]["IntervalEnum"]["enum"].append("decade")

    assert broken(promises(document), promises(more)) == []
