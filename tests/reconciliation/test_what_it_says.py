"""What a comparison says: its page, the words of the command and the findings agree, whatever it met."""

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from billing.models import Finding, Invoice, Office, Payment, ReceivedEvent, Reconciliation, Subscription
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.reconciliation import decisions, runs
from billing.webhooks import inbox
from tests.admin.test_offices import signed_in
from tests.conftest import an_office, price, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


@pytest.fixture
def subscribed(stripe, operator, office):
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    stripe.deliver_and_apply()
    return Office.objects.get()


def seats(stripe, office, many=5):
    (item,) = stripe.listed("subscription_items", subscription=office.payment_provider_subscription_id)
    stripe.post(f"subscription_items/{item['id']}", quantity=many, proration_behavior="none")


def credit(stripe, office, amount=700):
    stripe.post(f"customers/{office.payment_provider_customer_id}", balance=-amount)


def nothing(stripe, office, operator, settings):
    pass


def lost_just_now(stripe, office, operator, settings):
    seats(stripe, office)
    stripe.taken()


def lost_an_hour_ago(stripe, office, operator, settings):
    lost_just_now(stripe, office, operator, settings)
    stripe.advance(hours=1)


def several_lost(stripe, office, operator, settings):
    seats(stripe, office)
    credit(stripe, office)
    stripe.post("refunds", charge=Payment.objects.get().stripe_id, amount=1_000)
    stripe.taken()


def a_month_lost(stripe, office, operator, settings):
    stripe.advance(days=32)
    stripe.taken()


def lost_with_all_traces(stripe, office, operator, settings):
    several_lost(stripe, office, operator, settings)
    ReceivedEvent.objects.all().delete()


def delivered_and_waiting(stripe, office, operator, settings):
    seats(stripe, office)
    stripe.deliver()


def one_lost_and_one_waiting(stripe, office, operator, settings):
    lost_just_now(stripe, office, operator, settings)
    delivered_and_waiting(stripe, subscribed_office(an_office("Another"), by=operator), operator, settings)


def without_repairs(stripe, office, operator, settings):
    settings.RECONCILE_REPAIRS = False
    lost_with_all_traces(stripe, office, operator, settings)


def an_invoice_in_two_lists(stripe, office, operator, settings):
    """It is among the open invoices and among the recent ones, so a comparison meets it twice."""
    settings.RECONCILE_REPAIRS = False
    charge = ChargeOffice(charge="training", amount=5_000, days_until_due=30)
    invoice = perform(charge, office, by=operator, reason="training")
    Invoice.objects.filter(pk=invoice.pk).update(total=4_000)
    stripe.taken()
    ReceivedEvent.objects.all().delete()


def three_customers_need_a_person(stripe, office, operator, settings):
    stripe.post(f"customers/{office.payment_provider_customer_id}", name="Another name")
    stripe.post("customers", **{"metadata[office]": str(office.public_id)})
    stranger = stripe.post("customers", name="Cedar Lane Clinic", email="billing@cedar.example")["id"]
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    stripe.post("subscriptions", customer=stranger, trial_period_days=14, **item)
    stripe.taken()
    ReceivedEvent.objects.all().delete()


def offices_that_cannot_be_compared(stripe, office, operator, settings):
    lost_just_now(stripe, office, operator, settings)
    gone = {"payment_provider_customer_id": "cus_nowhere", "test_clock": "clock_gone"}
    Office.objects.filter(pk=an_office("On a clock").pk).update(**gone)


def in_small_parts(stripe, office, operator, settings):
    settings.BUDGET = 0
    for number in range(2):
        credit(stripe, subscribed_office(an_office(f"Practice {number}"), by=operator))
    several_lost(stripe, office, operator, settings)


def closed_by_a_person_before(stripe, office, operator, settings):
    without_repairs(stripe, office, operator, settings)
    told()
    for found in Finding.objects.filter(resolved_at=None):
        decisions.close(found, by=operator, reason="as agreed")


SHAPES = [
    nothing,
    lost_just_now,
    lost_an_hour_ago,
    several_lost,
    a_month_lost,
    lost_with_all_traces,
    delivered_and_waiting,
    one_lost_and_one_waiting,
    without_repairs,
    an_invoice_in_two_lists,
    three_customers_need_a_person,
    offices_that_cannot_be_compared,
    in_small_parts,
    closed_by_a_person_before,
]


def told(*arguments):
    out = StringIO()
    call_command("reconcile", *arguments, stdout=out)
    return out.getvalue()


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize("full", [False, True], ids=["recent", "full"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: one.__name__)
def test_the_page_the_command_and_the_findings_say_the_same(
    stripe, subscribed, operator, settings, monkeypatch, shape, full
):
    shape(stripe, subscribed, operator, settings)
    monkeypatch.setattr(runs, "BUDGET_SECONDS", getattr(settings, "BUDGET", runs.BUDGET_SECONDS))
    before, behind = set(Finding.objects.values_list("pk", flat=True)), rows()

    words = told(*["--full"] * full)

    run, new = Reconciliation.objects.latest("began_at"), Finding.objects.exclude(pk__in=before)
    repaired = new.filter(kind="drift", resolution__startswith="repaired").count()
    left = new.filter(resolved_at=None).count()
    page = signed_in(operator.user).get(reverse("admin:billing_reconciliation_changelist")).content.decode()
    assert number(r"tell of each object: ([\d,]+)", words) == number(r" +([\d,]+) drifted\n", words) == repaired
    assert number(r"need a person: ([\d,]+)", words) == number(r" +([\d,]+) left\n", words) == left
    assert number(r"field-drifted[^>]*>\s*([\d,]+)", page) == repaired
    assert number(r"field-left[^>]*>\s*([\d,]+)", page) == left
    changed = [one for one, values in rows().items() if behind.get(one) != values]
    assert len(changed) == repaired + number(r" +([\d,]+) changes on their way\n", words)
    assert set(run.findings.all()) == set(new)


def rows():
    """Return what is held of each object, by its id, by hand: a repair is a change of one of these."""
    found: dict[str | None, tuple[object, ...]] = {
        one.payment_provider_customer_id: (one.credit_balance,) for one in Office.objects.all()
    }
    found |= {
        one.stripe_id: (one.status, one.quantity, one.monthly_amount, one.current_period_end)
        for one in Subscription.objects.all()
    }
    found |= {one.stripe_id: (one.status, one.total, one.amount_paid) for one in Invoice.objects.all()}
    found |= {one.stripe_id: (one.status, one.amount_refunded) for one in Payment.objects.all()}
    for office in Office.objects.all():
        found |= {one.stripe_id: (one.status, one.amount) for one in office.adjustments.all()}
    return found


@pytest.mark.parametrize("ago", [{}, {"minutes": 10}, {"hours": 1}], ids=["just now", "young", "old"])
def test_a_missed_event_names_the_office_and_what_changed(stripe, subscribed, ago):
    seats(stripe, subscribed)
    stripe.taken()
    stripe.advance(**ago or {"seconds": 1})

    told()

    found = Finding.objects.get(kind="drift")
    assert found.office == subscribed
    assert "quantity: 3 here, 5 at Stripe" in found.detail
    assert "customer.subscription.updated" in found.detail
    assert found.severity == ("critical" if "hours" in ago else "notice")
    assert not re.search(r"(sub|cus|si|evt)_", found.detail)


def test_a_missed_event_is_told_also_if_a_worker_is_faster_than_the_comparison(stripe, subscribed, monkeypatch):
    """The worker settles every event as soon as it is in the inbox, before the subscriptions are compared."""
    one_page = runs._one_page
    monkeypatch.setattr(runs, "_one_page", lambda *given: (one_page(*given), inbox.work_off()))
    lost_an_hour_ago(stripe, subscribed, None, None)

    told()

    assert "quantity: 3 here, 5 at Stripe" in Finding.objects.get(kind="drift").detail


def test_the_page_of_a_comparison_leads_to_its_findings(stripe, subscribed, operator):
    several_lost(stripe, subscribed, operator, None)
    told()
    run = Reconciliation.objects.get()
    client = signed_in(operator.user)
    page = client.get(reverse("admin:billing_reconciliation_change", args=[run.pk])).content.decode()
    link = re.search(r'href="([^"]*/finding/\?comparisons__id__exact=\d+)"', page)[1]

    shown = client.get(link).content.decode()

    assert shown.count("had not arrived") == run.findings.filter(kind="drift").count() > 1
