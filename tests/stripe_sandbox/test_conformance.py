"""The check of shapes finds each kind of deviation, and nothing where there is none."""

from typing import Any

import pytest

from stripe_sandbox.schema.conformance import error_faults, faults, response_faults
from stripe_sandbox.schema.load import new
from stripe_sandbox.store import Store
from stripe_sandbox.views import shown


def view(kind: str, **values: Any) -> dict[str, Any]:
    return shown(Store(), new(kind, **values))


CUSTOMER = view("customer", id="cus_1", created=1)
CLOCK = view("test_helpers.test_clock", id="clock_1", created=1, status="ready")
NOWHERE = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
GONE = {"id": "cus_1", "object": "customer", "deleted": True}


def page(*data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(data), "has_more": False, "url": "/v1/customers", **more}


def event(carried: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"id": "evt_1", "object": "event", "created": 1, "type": "customer.updated", "data": {"object": carried}},
        **{"api_version": None, "livemode": False, "pending_webhooks": 0, "request": None},
    }


@pytest.mark.parametrize(
    "shown",
    [
        CUSTOMER,
        CUSTOMER | {"test_clock": "clock_1"},
        CUSTOMER | {"test_clock": CLOCK},
        GONE,
        page(),
        page(CUSTOMER, GONE),
        page(CUSTOMER, object="search_result", next_page=None),
        page(object="search_result", next_page="abc", total_count=0),
        event(CUSTOMER),
        event({}),
    ],
    ids=str,
)
def test_what_conforms_has_no_fault(shown: dict[str, Any]) -> None:
    assert faults(shown) == []


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (CUSTOMER | {"created": "yesterday"}, 'customer.created: "yesterday" is not of type "integer"'),
        (CUSTOMER | {"created": None}, 'customer.created: null is not of type "integer"'),
        ({k: v for k, v in CUSTOMER.items() if k != "id"}, 'customer: "id" is a required property'),
        (CUSTOMER | {"colour": "red"}, "customer: Additional properties are not allowed ('colour' was unexpected)"),
        (
            CUSTOMER | {"address": NOWHERE | {"planet": "Mars"}},
            "customer.address: Additional properties are not allowed ('planet' was unexpected)",
        ),
        (CUSTOMER | {"tax_exempt": "perhaps"}, 'customer.tax_exempt: "perhaps" is not one of "exempt"'),
        (CUSTOMER | {"metadata": {"floor": 2}}, 'customer.metadata.floor: 2 is not of type "string"'),
        (CUSTOMER | {"preferred_locales": ["en", 5]}, 'customer.preferred_locales[1]: 5 is not of type "string"'),
        (CUSTOMER | {"test_clock": CLOCK | {"name": 5}}, 'customer.test_clock.name: 5 is not of type "string"'),
        (CUSTOMER | {"test_clock": CLOCK | {"object": "clock"}}, 'customer.test_clock.object: "clock" is not one of'),
        (CUSTOMER | {"test_clock": 5}, 'customer.test_clock: 5 is not of type "object"'),
        (GONE | {"name": "Maple"}, "customer: Additional properties are not allowed ('name' was unexpected)"),
        (GONE | {"deleted": False}, "customer.deleted: true was expected"),
        (page(CUSTOMER, CUSTOMER | {"created": None}), 'customer.created: null is not of type "integer"'),
        (page(has_more="no"), 'list.has_more: "no" is not of type "boolean"'),
        (page(next_page=None), "list: Additional properties are not allowed ('next_page' was unexpected)"),
        (page(object="search_result"), 'search_result: "next_page" is a required property'),
        (event(CUSTOMER | {"created": None}), 'customer.updated: customer.created: null is not of type "integer"'),
        ({"object": "dragon"}, "'dragon' is not an object that the schema describes"),
        ({"object": "error", "error": {}}, "'error' is not an object that the schema describes"),
        ({"id": "cus_1"}, "None is not an object that the schema describes"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_deviation_is_told_with_its_kind_and_field(shown: dict[str, Any], told: str) -> None:
    (found,) = faults(shown)
    assert found.startswith(told)


def test_a_deleted_discount_keeps_its_shape() -> None:
    """But for its end. Source: https://docs.stripe.com/api/discounts/delete"""
    full = view("discount", id="di_1", start=1, source={"type": "coupon", "coupon": "ten"})
    deleted = {name: value for name, value in full.items() if name != "end"} | {"deleted": True}
    assert faults(full) == faults(deleted) == []
    assert faults(full | {"deleted": True})
    assert faults({"id": "di_1", "object": "discount", "deleted": True})


@pytest.mark.parametrize(
    ("kind", "field", "told"),
    [
        # left out where Stripe has no value: `field?: T` in stripe-node's types
        ("customer", "tax", 'customer.tax: null is not of type "object"'),
        ("refund", "failure_reason", 'refund.failure_reason: null is not of type "string"'),
        ("price", "tiers", 'price.tiers: null is not of type "array"'),
        ("payment_method", "sepa_debit", 'payment_method.sepa_debit: null is not of type "object"'),
        # null where Stripe has no value, and always there: `field: T | null`
        ("customer", "description", 'customer: "description" is a required property'),
        ("charge", "refunded", 'charge: "refunded" is a required property'),
        ("refund", "reason", 'refund: "reason" is a required property'),
        ("price", "recurring", 'price: "recurring" is a required property'),
        # always there with a value, although stripe-python says Optional
        ("customer", "balance", 'customer: "balance" is a required property'),
        ("customer", "metadata", 'customer: "metadata" is a required property'),
        # left out or null
        ("customer", "currency", ""),
        ("customer", "address", ""),
    ],
)
def test_a_field_without_a_value_is_left_out_or_null_as_stripe_has_it(kind: str, field: str, told: str) -> None:
    made = view(kind, id="x_1", **({"product": "prod_1"} if kind == "price" else {}))
    assert faults(made) == []
    if field in made:
        del made[field]
    else:
        made[field] = None
    assert faults(made) == ([told] if told else [])


def test_a_part_of_an_object_says_null_and_leaves_out_as_stripe_does() -> None:
    customer = view("customer", id="cus_1", created=1, shipping={"name": "Maple", "carrier": None, "address": None})
    assert customer["shipping"] == {"name": "Maple", "carrier": None}
    assert customer["invoice_settings"] == dict.fromkeys(
        ("custom_fields", "default_payment_method", "footer", "rendering_options")
    )
    assert faults(customer) == []
    del customer["invoice_settings"]["footer"]
    assert faults(customer) == ['customer.invoice_settings: "footer" is a required property']


def test_every_deviation_is_told_at_once() -> None:
    assert len(faults(CUSTOMER | {"created": "yesterday", "livemode": 1, "colour": "red"})) == 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/v1/customers", CUSTOMER),
        ("get", "/v1/customers/{whatever}", CUSTOMER),
        ("get", "/v1/customers/{customer}", GONE),
        ("delete", "/v1/customers/{customer}", GONE),
        ("get", "/v1/customers", page(CUSTOMER)),
        ("get", "/v1/customers/search", page(CUSTOMER, object="search_result", next_page=None)),
        ("get", "/v1/products/{product}/features", page({"object": "product_feature"})),
        ("get", "/v1/customers/{customer}/cash_balance", {"object": "cash_balance"}),
    ],
)
def test_an_answer_as_declared_has_no_fault(method: str, path: str, body: dict[str, Any]) -> None:
    assert response_faults(method, path, body) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("post", "/v1/customers", CLOCK, "'test_helpers.test_clock' where a customer is due"),
        ("post", "/v1/customers", CUSTOMER | {"created": None}, 'customer.created: null is not of type "integer"'),
        ("post", "/v1/customers/{customer}", GONE, "customer: deleted, where it is due in full"),
        ("get", "/v1/products/{id}", GONE | {"object": "product"}, "product: deleted, where it is due in full"),
        ("delete", "/v1/customers/{customer}", CUSTOMER, "customer: in full where it was deleted"),
        ("get", "/v1/customers", CUSTOMER, "'customer' where a list is due"),
        ("get", "/v1/customers", page(CUSTOMER, GONE), "customer: deleted, where it is due in full"),
        ("get", "/v1/customers", page(CLOCK), "'test_helpers.test_clock' where a customer is due"),
        ("get", "/v1/customers", page(has_more=None), 'list.has_more: null is not of type "boolean"'),
        ("get", "/v1/customers/search", page(CUSTOMER), "'list' where a search_result is due"),
    ],
)
def test_an_answer_otherwise_than_declared_is_told(method: str, path: str, body: dict[str, Any], told: str) -> None:
    assert response_faults(method, path, body) == [told]


def test_an_answer_of_an_operation_that_is_not_in_the_schema_is_an_error() -> None:
    with pytest.raises(LookupError):
        response_faults("get", "/v1/dragons", CUSTOMER)


def test_a_refusal_has_the_shape_of_an_error() -> None:
    assert error_faults({"error": {"type": "api_error", "message": "An unknown error occurred."}}) == []
    assert error_faults({"error": {"message": "no"}}) == ['error.error: "type" is a required property']
    (found,) = error_faults({"error": {"type": "card_error", "payment_intent": "pi_1"}})
    assert found == 'error.error.payment_intent: "pi_1" is not of type "object"'
