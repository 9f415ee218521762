"""``projection.apply`` by itself: what an older look may still write, and what it may not."""

from dataclasses import replace

import pytest

from billing import clock
from billing.audit import trail
from billing.models import Adjustment, Invoice, Office, Payment, PaymentMethod, Subscription, SubscriptionChange
from billing.operations.engine.begin import perform
from billing.operations.money.refund import RefundPayment
from billing.projection import apply, rows, take_ticket
from billing.stripe_api import gateway
from tests.conftest import subscribed_office


@pytest.fixture
def subscribed(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    with trail.acting(operator):
        yield Office.objects.get(pk=office.pk)


def seen(office):
    """All that Stripe shows of the Office now, with a ticket that was taken before."""
    ticket = take_ticket(office.pk).look_ticket
    everything = {
        "invoices": set(office.invoices.values_list("stripe_id", flat=True)),
        "payments": set(office.payments.values_list("stripe_id", flat=True)),
    }
    return gateway.looks.fetch(office, ticket=ticket, at=clock.billing(), payment_methods=True, **everything)


def as_written():
    models = (Office, Subscription, Invoice, Payment, Adjustment, PaymentMethod)
    return {model.__name__: [rows.values_of(row) for row in model.objects.order_by("pk")] for model in models}


def test_an_older_look_changes_nothing_of_what_a_newer_one_wrote(stripe, operator, subscribed):
    older = seen(subscribed)
    perform(RefundPayment(amount=500), subscribed.payments.get(), by=operator, reason="agreed")
    stripe.post(f"customers/{subscribed.payment_provider_customer_id}", balance=-700)
    stripe.advance(days=32)
    newer = seen(subscribed)
    apply(newer)
    expected = as_written()
    assert all(expected.values())

    apply(older)

    now = as_written()
    ticket = newer.ticket
    assert now["Office"][0].pop("look_ticket") == ticket == expected["Office"][0].pop("look_ticket")
    assert now == expected


def test_an_invoice_has_its_subscription_also_where_an_older_look_alone_saw_that(subscribed):
    """As of a customer that was deleted meanwhile: its invoices stay to be seen, its subscriptions do not."""
    older = seen(subscribed)
    for model in (Payment, Invoice, SubscriptionChange, Subscription):
        model.objects.all().delete()
    apply(replace(seen(subscribed), invoices=older.invoices, subscriptions=(), payments=()))
    assert Invoice.objects.get().subscription is None

    apply(older)

    invoice = Invoice.objects.get()
    assert (invoice.subscription, invoice.ticket) == (Subscription.objects.get(), older.ticket + 1)


def test_an_older_look_still_writes_what_the_newer_one_did_not_see(subscribed):
    """What one look was asked to see another need not have seen: tickets are compared object by object."""
    older = seen(subscribed)
    Payment.objects.all().delete()
    Invoice.objects.all().delete()
    newer = replace(seen(subscribed), invoices=(), payments=())
    apply(newer)
    assert not Invoice.objects.exists()

    office = apply(older)

    invoice = Invoice.objects.get()
    assert (invoice.ticket, Payment.objects.get().invoice) == (older.ticket, invoice)
    assert office.customer_ticket == newer.ticket
