"""What Stripe need not show is not needed: each reader of Stripe's objects reads them also without it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as ours

from billing import errors
from billing.models import Office
from billing.stripe_api import gateway, inbound
from billing.stripe_api.gateway import lists
from billing.webhooks.hints import hint_of
from stripe_sandbox.schema.conformance import faults
from tests.bare_stripe import Bare, answering, each_without_one_value, example
from tests.conftest import an_office
from tests.test_stripe_api import NoRecord

READERS: dict[str, tuple[str, tuple[str, ...], Callable[[dict[str, Any]], Any]]] = {
    # a name: the kind of object, what our requests expand, the reader
    "subscription": (
        "subscription",
        ("default_payment_method", "default_source", "discounts.source.coupon", "schedule"),
        inbound.subscriptions.subscription,
    ),
    "subscription_unexpanded": ("subscription", (), inbound.subscriptions.subscription),
    "discount": ("discount", ("source.coupon",), lambda data: inbound.subscriptions.discount(data, "usd")),
    "coupon": ("coupon", ("applies_to",), inbound.subscriptions.coupon),
    "amounts_off": ("coupon", ("currency_options",), inbound.subscriptions.amounts_off),
    "schedule": ("subscription_schedule", (), inbound.schedules.schedule),
    "invoice": ("invoice", ("payments",), inbound.invoices.invoice),
    "invoice_unexpanded": ("invoice", (), inbound.invoices.invoice),
    "previewed_invoice": ("invoice", (), inbound.invoices.previewed_invoice),
    "line": ("line_item", (), inbound.invoices.line),
    "payment": ("charge", ("refunds",), inbound.payments.payment),
    "price": ("price", ("product",), inbound.prices.price),
    "customer": ("customer", ("invoice_settings.default_payment_method",), inbound.customers.customer),
    "contact": ("customer", (), inbound.customers.contact),
    "payment_method": ("payment_method", (), inbound.customers.payment_method),
    "refund": ("refund", (), inbound.adjustments.refund),
    "credit_note": ("credit_note", (), inbound.adjustments.credit_note),
    "previewed_credit_note": ("credit_note", (), inbound.adjustments.previewed_credit_note),
    "fraud_warning": ("radar.early_fraud_warning", (), inbound.adjustments.fraud_warning),
    "dispute": ("dispute", (), inbound.adjustments.dispute),
    "event": ("event", (), hint_of),
}
# What the schema leaves open and Stripe does not: the price of an item, and of a list of recurring prices, recurs.
ALWAYS_THERE = {
    "subscription": ("items.data.price.recurring",),
    "subscription_unexpanded": ("items.data.price.recurring",),
    "price": ("recurring",),
}


@pytest.mark.parametrize("bare", Bare)
@pytest.mark.parametrize("name", READERS)
def test_what_is_read_is_an_object_as_stripe_may_show_it(name: str, bare: Bare) -> None:
    """The examples themselves: what the strict mode of the local Stripe says of them."""
    kind, expand, _ = READERS[name]
    assert [one for one in faults(example(kind, bare, expand)) if "event" not in one] == []


@pytest.mark.parametrize("bare", Bare)
@pytest.mark.parametrize("name", READERS)
def test_an_object_is_read_without_what_stripe_need_not_show(name: str, bare: Bare) -> None:
    kind, expand, read = READERS[name]
    read(example(kind, bare, (*expand, *ALWAYS_THERE.get(name, ()))))


@pytest.mark.parametrize("name", READERS)
def test_an_object_is_read_whichever_of_its_values_is_not_there(name: str) -> None:
    kind, expand, read = READERS[name]
    unread = []
    for place, data in each_without_one_value(kind, expand):
        try:
            read(data)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            unread.append(f"{place}: {error!r}")
    assert [one for one in unread if not one.startswith(ALWAYS_THERE.get(name, ("-",)))] == []
    assert len(unread) == len(ALWAYS_THERE.get(name, ()))


ALWAYS = ("items.data.price.recurring", "recurring", "price.recurring")
YEAR_AGO = datetime.now(UTC) - timedelta(days=365)
STEP = NoRecord()
ID = "00000000-0000-4000-8000-000000000007"
REFUSED = {"payment_methods.create_setup_intent", "payment_methods.create_card_link"}
"""What they return may be null at Stripe, and nobody can do anything without it: the refusal says so."""
ASKED: dict[str, Callable[[Office], Any]] = {
    # every function of the gateway that reads something of Stripe's answer
    "account.account": lambda office: gateway.account.account(livemode=False),
    "account.create_webhook_endpoint": lambda office: gateway.account.create_webhook_endpoint(
        f"{ours.SITE_URL}/stripe/webhook/", step=STEP
    ),
    "account.mend_webhook_endpoint": lambda office: gateway.account.mend_webhook_endpoint("we_1", step=STEP),
    "account.webhook_endpoints": lambda office: gateway.account.webhook_endpoints("url_1"),
    "adjustments.find_refund": lambda office: gateway.adjustments.find_refund("ch_1", operation=ID),
    "adjustments.find_credit_note": lambda office: gateway.adjustments.find_credit_note("in_1", operation=ID),
    "adjustments.preview_credit_note": lambda office: gateway.adjustments.preview_credit_note(
        "in_1", amount=5, refund=0, credit=0
    ),
    "adjustments.charges": lambda office: gateway.adjustments.refunds(gateway.adjustments.charges("cus_1", ["ch_9"])),
    "adjustments.disputes": lambda office: gateway.adjustments.disputes("ch_1"),
    "adjustments.fraud_warnings": lambda office: gateway.adjustments.fraud_warnings("ch_1"),
    "adjustments.credit_notes": lambda office: gateway.adjustments.credit_notes("cus_1"),
    "catalogue.has_product": lambda office: gateway.catalogue.has_product("prod_1"),
    "catalogue.is_product_for_sale": lambda office: gateway.catalogue.is_product_for_sale("prod_1"),
    "catalogue.fetch_price": lambda office: gateway.catalogue.fetch_price("price_1"),
    "charges.tax_rates_of": lambda office: gateway.charges.tax_rates_of("sub_1"),
    "invoices.finalise_invoice": lambda office: gateway.invoices.finalise_invoice("in_1", step=STEP),
    "coupons.find_coupon": lambda office: gateway.coupons.find_coupon("ten"),
    "coupons.find_promotion_code": lambda office: gateway.coupons.find_promotion_code("TEN", customer="cus_1"),
    "customers.find_customer": lambda office: gateway.customers.find_customer("a@maple.example", operation=ID),
    "customers.has_credit_adjustment": lambda office: gateway.customers.has_credit_adjustment("cus_1", operation=ID),
    "customers.fetch_customer": lambda office: gateway.customers.fetch_customer("cus_1"),
    "customers.create_portal_link": lambda office: gateway.customers.create_portal_link(
        "cus_1", return_url=f"{ours.SITE_URL}/", step=STEP
    ),
    "done.operations_seen": lambda office: gateway.done.operations_seen("cus_1"),
    "done.customer_made_for": gateway.done.customer_made_for,
    "invoices.fetch_invoice": lambda office: gateway.invoices.fetch_invoice("in_1"),
    "invoices.find_invoice": lambda office: gateway.invoices.find_invoice("cus_1", operation=ID),
    "invoices.preview_renewal": lambda office: gateway.invoices.preview_renewal("sub_1"),
    "invoices.was_sent": lambda office: gateway.invoices.was_sent("in_1", key="x"),
    "lists.customers": lambda office: lists.customers(),
    "lists.subscriptions": lambda office: lists.subscriptions(),
    "lists.subscriptions with owners": lambda office: lists.subscriptions(with_owners=True),
    "lists.invoices": lambda office: lists.invoices(since=YEAR_AGO),
    "lists.payments": lambda office: lists.payments(),
    "lists.refunds": lambda office: lists.refunds(),
    "lists.credit_notes": lambda office: lists.credit_notes(),
    "lists.disputes": lambda office: lists.disputes(),
    "lists.events": lambda office: lists.events("", since=None, undelivered=True),
    "lists.schedules": lambda office: lists.schedules(),
    "schedules.not_started": lambda office: gateway.schedules.not_started("cus_1"),
    "lists.prices": lambda office: lists.prices(),
    "looks.customer_of": lambda office: gateway.looks.customer_of("ch_1"),
    "looks.fetch": lambda office: gateway.looks.fetch(
        office,
        ticket=1,
        at=YEAR_AGO,
        invoices=["in_9"],
        payments=["ch_9"],
        disputes=["ch_9"],
        credit_notes=["in_9"],
        fraud_warnings=["ch_9"],
        payment_methods=True,
        cards=["pm_9"],
        schedules=["sub_sched_9"],
    ),
    "payment_links.find_payment_link": lambda office: gateway.payment_links.find_payment_link("cus_1"),
    "payment_methods.create_setup_intent": lambda office: gateway.payment_methods.create_setup_intent(
        "cus_1", office=ID, operation=ID, step=STEP
    ),
    "payment_methods.create_card_link": lambda office: gateway.payment_methods.create_card_link(
        "cus_1", return_url=f"{ours.SITE_URL}/", office=ID, operation=ID, step=STEP
    ),
    "payment_methods.has_setup_intent": lambda office: gateway.payment_methods.has_setup_intent("cus_1", operation=ID),
    "payment_methods.has_card_link": lambda office: gateway.payment_methods.has_card_link("cus_1", operation=ID),
    "payment_methods.card_set_up": lambda office: gateway.payment_methods.card_set_up("seti_1"),
    "payment_methods.card_set_up on a page": lambda office: gateway.payment_methods.card_set_up("cs_1"),
    "payment_methods.owner_of_card": lambda office: gateway.payment_methods.owner_of_card("pm_1"),
    "subscription_terms.preview_trial_end": lambda office: gateway.subscription_terms.preview_trial_end("sub_1", None),
    "subscriptions.find_subscription": lambda office: gateway.subscriptions.find_subscription("cus_1", operation=ID),
    "subscriptions.fetch_subscription": lambda office: gateway.subscriptions.fetch_subscription("sub_1"),
}


@pytest.mark.parametrize("bare", Bare)
def test_the_gateway_reads_each_answer_without_what_stripe_need_not_show(db: None, settings: Any, bare: Bare) -> None:
    office = an_office()
    office.payment_provider_customer_id = "cus_1"
    unread = []
    with answering(bare, ALWAYS) as settings.STRIPE_API_BASE:
        for name, ask in ASKED.items():
            try:
                ask(office)
            except errors.StripeRejected:
                assert (name, bare) in {(one, least) for one in REFUSED for least in (Bare.ABSENT, Bare.NULL)}
            except (LookupError, TypeError, AttributeError, ValueError) as error:
                unread.append(f"{name}: {error!r}")
            else:
                assert name not in REFUSED or bare is Bare.FULL, f"{name} reads what is not there"
    assert unread == []


def test_a_promotion_code_that_shows_no_coupon_is_no_code(settings: Any, db: None) -> None:
    with answering(Bare.FULL, without=["promotion.coupon"]) as settings.STRIPE_API_BASE:
        assert gateway.coupons.find_promotion_code("TEN", customer="customer_1") is None
