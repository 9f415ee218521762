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
# The examples are older than the API version of our schema. They show what left it with 2025-03-31.basil, and do not
# show the fields that were added after they were made. Source: https://docs.stripe.com/changelog
OF_AN_OLDER_VERSION = {
    "billing_portal.configuration": [
        "billing_portal.configuration.features.subscription_cancel.cancellation_reason: "
        '"feedback_options" is a required property'
    ],
    "billing_portal.session": ['billing_portal.session.flow: "customer_update" is a required property'],
    "event": [  # its example is of a plan; usage records, and with them how to add them up, are gone
        "plan.created: plan: Additional properties are not allowed ('aggregate_usage' was unexpected)"
    ],
    "invoice": [  # became parent.subscription_details.subscription
        "invoice: Additional properties are not allowed ('subscription' was unexpected)"
    ],
    "payment_intent": ['payment_intent: "allowed_payment_method_types" is a required property'],
    "setup_intent": ['setup_intent: "allowed_payment_method_types" is a required property'],
    "subscription": ['subscription.cancellation_details: "feedback_option" is a required property'],
}
OF_CONNECT = "transfer_data.destination: "
"""The examples show a connected account there with three of its fields. We have no use for Connect."""


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
    found = [fault for one in shown for fault in faults(one) if OF_CONNECT not in fault]
    assert found == OF_AN_OLDER_VERSION.get(kind, [])
