"""Nothing reaches Stripe that is not on the list, and each value is of its type: the local Stripe's log is the witness.

What a type looks like on the wire is written here by hand, and never taken from the product. OUTBOUND_EXAMPLES says how
much is tried.
"""

import contextlib
import json
import os
import re
import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from billing import clock, errors, invoice_lines
from billing.findings import report
from billing.models import (
    Invoice,
    Office,
    Operation,
    OperationStep,
    Payment,
    PaymentMethod,
    Plan,
    PlanPrice,
    Subscription,
    SubscriptionItem,
)
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.offices.contact import ChangeContact
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.start import StartSubscription
from billing.stripe_api import client, outbound, outbound_list, value_types
from billing.stripe_api.fixed_key import FixedKey
from tests import lengths
from tests.conftest import price_id, rolled_back
from tests.operations.test_lost_answers import LOST, REASON

EXAMPLES = int(os.environ.get("OUTBOUND_EXAMPLES", "60"))
SLOW_EXAMPLES = 25 * EXAMPLES
PHASES = (Phase.explicit, Phase.generate)
CALM = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "phases": PHASES}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ON_THE_WIRE: dict[str, str] = {
    "an id of ours": UUID,
    "an id of the vendor's catalogue or of a list at Stripe": r"[\w.-]{1,255}",
    "an id that Stripe gave and that is stored here": r"[!-~]{1,255}",
    "a discount code": r"[A-Za-z0-9_-]{1,200}",
    "a currency": r"[a-z]{3}",
    "a language": r"[a-z]{2,3}(-([A-Z]{2}|\d{3}))?",
    "an amount in minor units": r"-?\d{1,12}",
    "a count": r"\d{1,7}",
    "a whole percentage": r"[1-9]\d?|100",
    "a moment": r"\d{1,11}",
    "true or false": r"true|false",
    "the name of an Office": r"[^\x00-\x1f\x7f]{1,200}",
    "the name of a plan": r"[^\x00-\x1f\x7f]{1,200}",
    "the billing e-mail address of an Office": r'("[^\r\n]+"|[^\s@"]+)@[^\s@]+',
    "an address of this site": r"http://127\.0\.0\.1:8000/[\w/.-]*",
}
"""How a value of each type looks in a form. An id of Stripe's and a word say it in their names."""


class Witness:
    """Reads what the local Stripe was asked, and counts it."""

    def __init__(self, stripe: Any) -> None:
        self.stripe, self.counted = stripe, Counter[str]()

    def read(self) -> list[str]:
        """Return what the product sent off the list, and forget the log. A test's own requests are left out."""
        wrong = []
        for asked in (one for one in self.stripe.requests() if one["stripe_version"]):
            self.counted["requests that reached Stripe"] += 1
            wrong += self._wrong(asked["method"].lower(), asked["path"], asked["params"])
        self.stripe.forget_requests()
        return wrong

    def _wrong(self, method: str, path: str, params: dict[str, Any]) -> list[str]:
        lines = [line.split("\t") for line in outbound.text().splitlines()]
        rows = [(field, kind) for verb, one, field, kind in lines if verb.lower() == method and fits(path, one)]
        if not rows:
            return [f"{method} {path} is not on the list"]
        wrong = [] if any(of_path(path, kind) for field, kind in rows if field in ("", "*")) else [f"the id in {path}"]
        for name, value in fields_of(params):
            self.counted["values that reached Stripe"] += 1
            if not any(field == name and is_of(kind, value) for field, kind in rows):
                wrong.append(f"{method} {path}: {name}={value!r}")
        return wrong


def fits(path: str, pattern: str) -> bool:
    if path == "/v1/invoices/create_preview" or path == "/v1/credit_notes/preview":
        return path == pattern
    return bool(re.fullmatch(pattern.replace("*", "[^/]+"), path))


def of_path(path: str, kind: str) -> bool:
    return not kind or any(is_of(kind, part) for part in path.split("/"))


def is_of(kind: str, value: str) -> bool:
    if word := re.fullmatch("the word “(.*)”", kind):
        return value == word[1]
    if prefixes := re.fullmatch("an id of Stripe's, (.*)", kind):
        return any(re.fullmatch(f"{one[:-1]}[A-Za-z0-9_]+", value) for one in prefixes[1].split(" or "))
    return bool(re.fullmatch(ON_THE_WIRE[kind], value))


def fields_of(tree: Any, name: str = "") -> list[tuple[str, str]]:
    if not isinstance(tree, dict):
        return [(name, tree)]
    inner = [(f"{name}[]" if key.isdigit() else f"{name}.{key}" if name else key, one) for key, one in tree.items()]
    return [leaf for inner_name, one in inner for leaf in fields_of(one, inner_name)]


# --- what is thrown at it

SMUGGLED = st.sampled_from(
    [
        "Jane Roe, born 04/12/1961",
        "MRN 883122",
        "jane.roe@patient.example",
        "E11.9",
        "cus_1 Jane Roe",
        "in_1/../../customers",
        "sub_1?name=Jane",
        "4242424242424242",
        4242424242424242,
        "123-45-6789",
        "http://127.0.0.1:8000/?patient=Jane",
        "https://elsewhere.example/",
        "two\nlines",
        "",
        None,
        [],
        {},
        True,
        1.5,
    ]
)
SCALARS = SMUGGLED | st.text(max_size=30) | st.integers() | st.booleans() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2)
)
FITTING: dict[str, Any] = {
    "an id of ours": lambda: str(uuid.UUID(int=7)),
    "the billing e-mail address of an Office": lambda: "billing@maple.example",
    "an address of this site": lambda: "http://127.0.0.1:8000/done/",
    "true or false": lambda: True,
    "a currency": lambda: "usd",
    "a language": lambda: "pt-BR",
}


def fitting(kind: str) -> Any:
    if word := re.fullmatch("the word “(.*)”", kind):
        return word[1]
    if prefix := re.match("an id of Stripe's, ([a-z_]+)_…", kind):
        return f"{prefix[1]}_1A"
    if kind in ("an amount in minor units", "a count", "a whole percentage", "a moment"):
        return 12
    return FITTING.get(kind, lambda: "Maple")()


LINES = [line.split("\t") for line in outbound.text().splitlines()]
PATHS = sorted({(method.lower(), path) for method, path, _, _ in LINES})
NAMES = sorted({field for _, _, field, _ in LINES if field not in ("", "*")})
STRANGE = st.sampled_from(
    ["phone", "description", "metadata.patient", "metadata[patient]", "address.line", "name[x]", "idempotency_key"]
) | st.text(max_size=12)


@st.composite
def a_request(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """Return a request that is right, except where something else was drawn."""
    method, pattern = draw(st.sampled_from(PATHS))
    rows = [(field, kind) for verb, path, field, kind in LINES if (verb.lower(), path) == (method, pattern)]
    ids = [fitting(kind) for field, kind in rows if field == "*"] + [draw(SMUGGLED)] * draw(st.integers(0, 1))
    path = pattern.replace("*", str(draw(st.sampled_from(ids)))) if "*" in pattern else pattern
    params: dict[str, Any] = {}
    for field, kind in draw(st.lists(st.sampled_from(rows), max_size=4)):
        if field not in ("", "*"):
            put(params, field, draw(st.just(fitting(kind)) | st.just(fitting(kind)) | VALUES))
    for name in draw(st.lists(STRANGE | st.sampled_from(NAMES), max_size=1)):
        put(params, name, draw(VALUES))
    return method, path, params


def put(params: dict[str, Any], name: str, value: Any) -> None:
    """Put the value into the parameters, at a name such as ``items[].price``."""
    head, dot, rest = name.partition(".")
    if not dot:
        key, is_list = head.removesuffix("[]"), head.endswith("[]")
        params[key] = [value] if is_list else value
        return
    inner: dict[str, Any] = {}
    put(inner, rest, value)
    if head.endswith("[]"):
        params[head.removesuffix("[]")] = [inner]
    elif isinstance(params.get(head), dict):
        params[head].update(inner)
    else:
        params[head] = inner


def throw(asked: tuple[str, str, dict[str, Any]], counted: Counter[str]) -> None:
    method, path, params = asked
    counted["requests that were tried"] += 1
    try:
        if method == "get":
            client.get(path, params)
        elif method == "delete":
            client.delete(path, step=FixedKey(str(uuid.uuid4())))
        else:
            client.post(path, params, step=FixedKey(str(uuid.uuid4())))
    except errors.FieldNotAllowed as refused:
        counted["refused for a field"] += 1
        says_no_value(refused, params)
    except errors.ValueNotAllowed as refused:
        counted["refused for a value"] += 1
        says_no_value(refused, params)
    except (errors.StripeRejected, errors.CardDeclined, errors.StripeUnavailable):  # what it did with half a request
        counted["let through, and Stripe said no"] += 1


def says_no_value(refused: errors.BillingError, params: dict[str, Any]) -> None:
    said = str(refused)
    for marked in ("Jane", "jane", "MRN", "E11", "4242", "6789", "elsewhere"):
        assert marked not in said


def told(name: str, counted: Counter[str], record_property: Any) -> None:
    print(f"{name}: {dict(counted)}")  # noqa: T201
    record_property(name, json.dumps(counted))


def thrown_at_the_client(stripe, examples: int) -> Counter[str]:
    witness = Witness(stripe)

    @seed(20260928)
    @settings(max_examples=examples, **CALM)
    @given(st.lists(a_request(), min_size=8, max_size=8))
    def throws(requests):
        for one in requests:
            throw(one, witness.counted)
        assert witness.read() == []

    throws()
    return witness.counted


def test_whatever_the_client_is_given_only_the_list_reaches_stripe(stripe, record_property):
    counted = thrown_at_the_client(stripe, EXAMPLES)

    told("the client", counted, record_property)
    for outcome in ("refused for a field", "refused for a value", "requests that reached Stripe"):
        assert counted[outcome] > EXAMPLES // 2


@pytest.mark.slow
def test_whatever_the_client_is_given_only_the_list_reaches_stripe_at_length(stripe, record_property):
    told("the client at length", thrown_at_the_client(stripe, SLOW_EXAMPLES), record_property)


# --- every operation, with whatever was written down or typed for it


def asked_again(stripe, operation: Operation, step: OperationStep, params: dict[str, Any], path: str) -> None:
    """Let the worker ask for the operation again, as if an earlier version had written this down."""
    OperationStep.objects.filter(pk=step.pk).update(params=params, path=path, answered_at=None)
    Operation.objects.filter(pk=operation.pk).update(status="unknown", lease_until=clock.wall(), settled_at=None)
    resume_unsettled()


CHANGES = st.lists(st.tuples(STRANGE | st.sampled_from(NAMES), VALUES | SMUGGLED), min_size=1, max_size=3)


def thrown_at_operation(stripe, operator, office, declared, examples: int) -> Counter[str]:
    row = LOST[declared]
    subject = row.before(stripe, office, operator)
    wanted = row.asked(subject) if row.asked else declared()
    stripe.fail_next("503", method="POST", path_prefix=row.path)
    with pytest.raises(errors.StripeUnavailable):
        perform(wanted, subject, by=operator, reason=REASON)
    operation = Operation.objects.get(status="unknown")
    step = operation.steps.order_by("-pk")[0]
    witness = Witness(stripe)
    assert witness.read() == []

    @seed(20260928)
    @settings(max_examples=examples, **CALM)
    @given(CHANGES, st.none() | st.none() | SMUGGLED.map(str))
    def throws(changes, in_path):
        params = json.loads(json.dumps(step.params))
        for name, value in changes:
            put(params, name, value)
        path = step.path if in_path is None else re.sub(r"/[a-z]+_[^/]+", lambda _: f"/{in_path}", step.path)
        with rolled_back():
            witness.counted["requests that were tried"] += 1
            asked_again(stripe, operation, step, params, path)
        assert witness.read() == []

    throws()
    return witness.counted


def test_every_operation_sends_only_the_list_whatever_was_written_down(stripe, operator, office, record_property):
    declared = ChangeContact
    told("one operation", thrown_at_operation(stripe, operator, office, declared, EXAMPLES // 3), record_property)


@pytest.mark.slow
@pytest.mark.parametrize("declared", LOST, ids=lambda declared: declared.__name__)
def test_each_operation_sends_only_the_list_whatever_was_written_down(
    stripe, operator, office, declared, record_property
):
    counted = thrown_at_operation(stripe, operator, office, declared, EXAMPLES)

    told(declared.__name__, counted, record_property)
    assert counted["requests that were tried"] >= EXAMPLES


@pytest.mark.parametrize("name", ["two\nlines", "x" * 201, "\x1b[31m"])
@pytest.mark.parametrize("declared", [EnsureCustomer, ChangeContact])
def test_a_name_that_cannot_be_one_stays_here(stripe, operator, office, declared, name):
    if declared is ChangeContact:
        office = perform(EnsureCustomer(), office, by=operator, reason=REASON)
        stripe.forget_requests()
    with lengths.not_kept() if len(name) > 200 else contextlib.nullcontext():
        Office.objects.filter(pk=office.pk).update(name=name)
    wanted = EnsureCustomer() if declared is EnsureCustomer else ChangeContact(locale="es")

    with pytest.raises(errors.ValueNotAllowed, match="name must be the name of an Office"):
        perform(wanted, Office.objects.get(pk=office.pk), by=operator, reason=REASON)

    assert stripe.requests("POST") == []
    assert Operation.objects.filter(status="rejected", error_code="value_not_allowed").count() == 1


def test_a_card_that_is_none_is_refused_and_not_repeated(stripe, operator, office):
    wanted = StartSubscription(price=price_id("practice-monthly"), payment_method="Jane Roe")

    with pytest.raises(errors.ValueNotAllowed, match=r"\* must be an id of Stripe's, pm_") as refused:
        perform(wanted, office, by=operator, reason=REASON)

    assert "Jane" not in str(refused.value)
    assert [one["path"] for one in stripe.requests("POST")] == ["/v1/customers"]
    assert Witness(stripe).read() == []


# --- ids of another form

ODD = "acme.customer-42@old"
STORED: dict[str, Any] = {
    "customers": lambda office: Office.objects.filter(pk=office.pk).update(payment_provider_customer_id=ODD),
    "subscriptions": lambda office: Subscription.objects.update(stripe_id=ODD),
    "invoices": lambda office: Invoice.objects.update(stripe_id=ODD),
    "charges": lambda office: Payment.objects.update(stripe_id=ODD),
    "payment_methods": lambda office: PaymentMethod.objects.update(stripe_id=ODD),
    "products": lambda office: Plan.objects.filter(code="practice").update(stripe_product_id=ODD),
    "prices": lambda office: PlanPrice.objects.filter(code="practice-monthly").update(stripe_price_id=ODD),
}


@pytest.mark.parametrize("kind", STORED)
def test_an_id_of_any_form_is_sent_back_once_stripe_gave_it_and_not_before(stripe, subscribed, kind):
    stripe.deliver_and_apply()
    stripe.forget_requests()
    with pytest.raises(errors.ValueNotAllowed) as refused:
        client.get(f"/v1/{kind}/{ODD}")
    assert ODD not in str(refused.value)

    assert STORED[kind](subscribed) == 1
    with pytest.raises(errors.StripeObjectMissing):  # the local Stripe has no such ids
        client.get(f"/v1/{kind}/{ODD}")

    assert [one["path"] for one in stripe.requests("GET")] == [f"/v1/{kind}/{ODD}"]
    assert Witness(stripe).read() == []


def test_each_field_for_an_id_takes_a_stored_one(stripe, subscribed):
    stripe.deliver_and_apply()
    Office.objects.filter(pk=subscribed.pk).update(payment_provider_customer_id=ODD)
    SubscriptionItem.objects.update(stripe_id=ODD)
    for method, paths in outbound_list.ALLOWED.items():
        for path in (one for one, fields in paths.items() if "customer" in fields and "*" not in one):
            assert outbound.checked(method, path, {"customer": ODD})
    assert outbound.checked("post", "/v1/subscriptions/sub_1", {"items": [{"id": ODD}]})


@pytest.mark.parametrize("odd", ["../refunds", "a/b", "a?b=c", "a#b", "a%2Fb", "a b", "a\nb", "é", "..", "", "x" * 256])
def test_an_id_that_would_change_the_address_is_never_sent(stripe, office, odd):
    with lengths.not_kept() if len(odd) > 255 else contextlib.nullcontext():
        Office.objects.filter(pk=office.pk).update(payment_provider_customer_id=odd)
    with pytest.raises((errors.ValueNotAllowed, errors.FieldNotAllowed)):
        client.get(f"/v1/customers/{odd}")
    assert stripe.requests("GET") == []


def test_a_customer_that_only_a_finding_or_an_event_names_can_be_asked_for(stripe, office):
    report("unknown_customer", ODD, office=None, detail="x")
    assert outbound.checked("get", "/v1/subscriptions", {"customer": ODD})


# --- the list itself


def test_each_type_has_a_form_on_the_wire_that_is_written_by_hand():
    kinds = {kind for _, _, _, kind in LINES if kind and not kind.startswith(("the word", "an id of Stripe's"))}
    assert kinds == set(ON_THE_WIRE)


def test_a_fingerprint_is_that_of_a_file_with_the_list():
    assert outbound.text() == "".join(sorted(outbound.text().splitlines(keepends=True)))
    assert re.fullmatch("[0-9a-f]{64}", outbound.fingerprint_of(outbound.text()))
    assert outbound.fingerprint_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("post", "/v1/customers", {"metadata.office": str(uuid.UUID(int=1))}),
        ("post", "/v1/customers", {"metadata[office]": str(uuid.UUID(int=1))}),
        ("post", "/v1/customers", {"metadata": {}}),
        ("post", "/v1/subscriptions", {"items": []}),
        ("get", "/v1/customers/search", {"query": "name:'Jane'"}),
        ("get", "/v1/customers", {"name": "Jane"}),
        ("delete", "/v1/customers/cus_1", {}),
        ("put", "/v1/customers", {}),
    ],
)
def test_what_is_not_on_the_list_is_refused(db, method, path, params):
    with pytest.raises((errors.FieldNotAllowed, errors.ValueNotAllowed)) as refused:
        outbound.checked(method, path, params)
    assert "Jane" not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("post", "/v1/customers", {"name": 5}),
        ("post", "/v1/customers", {"email": "not an address"}),
        ("post", "/v1/customers", {"metadata": {"office": "Jane Roe"}}),
        ("post", "/v1/refunds", {"amount": "1000"}),
        ("post", "/v1/refunds", {"amount": True}),
        ("post", "/v1/refunds", {"amount": 4242424242424242}),
        ("post", "/v1/refunds", {"reason": "Jane asked"}),
        ("post", "/v1/invoiceitems", {"description": "Visit of Jane"}),
        ("post", "/v1/billing_portal/sessions", {"return_url": "https://elsewhere.example/"}),
        ("post", "/v1/billing_portal/sessions", {"return_url": "http://127.0.0.1:8000/done/?of=Jane"}),
        ("post", "/v1/subscriptions", {"items": [{"price": "price_1"}, {"price": "Jane Roe"}]}),
        ("get", "/v1/coupons/Jane Roe", {}),
        ("get", "/v1/promotion_codes", {"code": "Jane Roe"}),
        ("get", "/v1/customers/Jane", {}),
        ("delete", "/v1/subscriptions/Jane", {}),
    ],
)
def test_a_value_of_another_type_is_refused_and_not_repeated(db, method, path, params):
    with pytest.raises(errors.ValueNotAllowed) as refused:
        outbound.checked(method, path, params)
    assert not re.search("Jane|elsewhere|4242|1000", str(refused.value))


def test_an_office_that_was_taken_over_without_an_address_can_get_a_name(stripe, operator, office):
    office = perform(EnsureCustomer(), office, by=operator, reason=REASON)
    Office.objects.filter(pk=office.pk).update(billing_email="")

    office = perform(ChangeContact(name="Elm Street Practice"), office, by=operator, reason=REASON)

    assert (office.name, stripe.listed("customers")[0]["name"]) == ("Elm Street Practice", "Elm Street Practice")


def test_each_charge_of_the_catalogue_can_be_described():
    for charge, words in invoice_lines.CATALOGUE.items():
        assert outbound.checked("post", "/v1/invoiceitems", {"description": words, "metadata": {"charge": charge}})


KINDS = [one for one in vars(value_types).values() if isinstance(one, value_types.Type)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("odd", [60.0, 10**400, None, [1], {"a": 1}, (), b"x"])
def test_a_value_of_another_kind_fits_no_type_and_breaks_none(kind, odd):
    assert kind.fits(odd) is False
