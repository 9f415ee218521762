"""Stripe's own example of every kind of object against the schema: where they differ, the derivation is suspect."""

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox.schema.conformance import faults
from stripe_sandbox.schema.load import OBJECTS

FILE = Path(os.environ.get("STRIPE_FIXTURES", Path(__file__).parents[3] / "shared/stripe/fixtures3.json"))
WITHOUT_EXAMPLE = {"error"}
# The examples show what the API version of our schema no longer has; both left it with 2025-03-31.basil.
# Source: https://docs.stripe.com/changelog/basil
OF_AN_OLDER_VERSION = {
    "event": [  # its example is of a plan; usage records, and with them how to add them up, are gone
        "plan.created: plan: Additional properties are not allowed ('aggregate_usage' was unexpected)"
    ],
    "invoice": [  # became parent.subscription_details.subscription
        "invoice: Additional properties are not allowed ('subscription' was unexpected)"
    ],
}


@functools.cache
def examples() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip("Stripe's file of examples is not at hand: STRIPE_FIXTURES may name it")
    return json.loads(FILE.read_text())["resources"]


def test_stripe_has_an_example_of_every_kind() -> None:
    assert {one.get("object") for one in examples().values()} >= set(OBJECTS) - WITHOUT_EXAMPLE


@pytest.mark.parametrize("kind", sorted(set(OBJECTS) - WITHOUT_EXAMPLE))
def test_stripes_examples_conform_in_full_and_deleted(kind: str) -> None:
    shown = [one for one in examples().values() if one.get("object") == kind]
    assert [fault for one in shown for fault in faults(one)] == OF_AN_OLDER_VERSION.get(kind, [])
