import inspect
import re
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
import stripe._event as stripe_event
import stripe.params._webhook_endpoint_create_params as endpoint_params
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import clock
from billing.audit import trail
from billing.look import look
from billing.models import AuditEntry, Finding, Office, ReceivedEvent, Subscription
from billing.projection import apply, take_ticket
from billing.stripe_api import gateway
from billing.webhooks import inbox
from billing.webhooks.routes import ROUTES, LookAt, route
from tests.conftest import an_office, post_delivery, subscribed_office

EVENT_TYPES = Path(__file__).with_name("event_types.txt")


def test_the_waiting_events_of_one_customer_are_one_look(stripe, subscribed):
    stripe.deliver()
    waiting = ReceivedEvent.objects.filter(customer_id=subscribed.payment_provider_customer_id).count()
    stripe.forget_requests()

    inbox.work_off()

    assert waiting > 8
    assert len(stripe.requests()) <= 4
    assert sum(one["path"].endswith("/payment_methods") for one in stripe.requests()) == 1


def test_where_no_event_is_about_a_card_the_cards_are_not_asked_for(stripe, subscribed):
    stripe.deliver_and_apply()
    stripe.advance(days=32)
    stripe.deliver()
    assert not ReceivedEvent.objects.filter(status="waiting", type="customer.updated").exists()
    stripe.forget_requests()

    inbox.work_off()

    assert {one["path"].rpartition("/")[2] for one in stripe.requests()} >= {"subscriptions", "charges"}
    assert len(stripe.requests()) <= 3
    assert not any(one["path"].endswith("/payment_methods") for one in stripe.requests())


def test_any_order_and_duplication_ends_in_the_same_rows(stripe, operator):
    seen = set()
    for seed in range(3):
        office = an_office(f"Office {seed}")
        subscribed_office(office, by=operator)
        stripe.deliver_and_apply(shuffle_seed=seed, duplicate=bool(seed % 2))
        office.refresh_from_db()
        seen.add((office.subscription_status, office.balance_due, office.invoices.count(), office.payments.count()))
    assert seen == {("active", 0, 1, 1)}


def test_an_older_look_never_overwrites_a_newer_one(stripe, operator, subscribed):
    older = gateway.looks.fetch(subscribed, ticket=take_ticket(subscribed.pk).look_ticket, at=clock.billing())
    stripe.control("clock", advance=1)
    gateway.subscriptions.cancel_subscription(
        subscribed.payment_provider_subscription_id, at_period_end=False, step=NoRecord()
    )
    newer = gateway.looks.fetch(subscribed, ticket=take_ticket(subscribed.pk).look_ticket, at=clock.billing())

    with trail.acting(operator):
        apply(newer)
        apply(older)

    assert Subscription.objects.get().status == "canceled"
    assert Office.objects.get(pk=subscribed.pk).subscription_status == "canceled"


class NoRecord:
    key = f"test:{uuid.uuid4()}"

    def asking(self, method, path, params, api_version):
        return path, params

    def answered(self, **_):
        pass


@pytest.mark.parametrize("kind", ["503", "429", "500"])
def test_with_stripe_down_events_wait_and_come_again(stripe, subscribed, kind):
    stripe.deliver()
    stripe.fail_next(kind)

    inbox.work_off()

    row = ReceivedEvent.objects.filter(status="waiting").first()
    assert row.attempts == 1
    assert row.last_error.startswith("stripe_unavailable")
    assert row.due_at > clock.wall()
    ReceivedEvent.objects.update(due_at=clock.wall())
    inbox.work_off()
    assert not ReceivedEvent.objects.filter(status="waiting").exists()


def broken(*_, **__):
    raise KeyError("a shape that we do not know")


def test_what_is_kept_of_an_error_names_nobody(stripe, subscribed, monkeypatch):
    def odd(*_, **__):
        raise KeyError("cus_Ab12Cd34Ef56Gh of billing@maple.example")

    stripe.deliver(limit=1)
    monkeypatch.setattr(inbox, "look", odd)

    inbox.work_off()

    assert ReceivedEvent.objects.get().last_error == "KeyError: 'cus_…56Gh of …"


def test_after_the_last_attempt_an_event_is_parked_and_can_be_replayed(stripe, subscribed, monkeypatch):
    stripe.deliver(limit=1)
    ReceivedEvent.objects.update(attempts=inbox.MOST_ATTEMPTS - 1, alone=True)
    monkeypatch.setattr(inbox, "look", broken)
    inbox.work_off()
    monkeypatch.undo()
    parked = ReceivedEvent.objects.get()
    assert parked.status == "parked"
    assert Finding.objects.get(kind="event_parked")

    assert inbox.replay(ReceivedEvent.objects.all()) == 1
    assert not Finding.objects.filter(kind="event_parked", resolved_at=None)
    inbox.work_off()

    assert ReceivedEvent.objects.get().status == "applied"


def test_a_dead_workers_events_are_taken_up_when_its_lease_ends(stripe, subscribed):
    stripe.deliver()
    inbox.claim()
    assert inbox.work_off() == 0 or not ReceivedEvent.objects.filter(
        status="applied", customer_id=subscribed.payment_provider_customer_id
    )
    ReceivedEvent.objects.update(lease_until=clock.wall() - timedelta(seconds=1))

    inbox.work_off()

    assert not ReceivedEvent.objects.filter(status="waiting").exists()


def test_a_lost_lease_settles_nothing(stripe, subscribed):
    stripe.deliver(limit=1)
    mine, held = inbox.claim()
    ReceivedEvent.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    theirs, _ = inbox.claim()

    inbox._settle(mine, held, "applied")

    row = ReceivedEvent.objects.get()
    assert (row.status, row.claim_id) == ("waiting", theirs)


def test_what_another_look_settled_is_not_settled_again_by_a_worker_that_lost_its_lease(stripe, subscribed):
    ours = {"customer_id": "", "type__startswith": "invoice_payment."}
    stripe.deliver()
    ReceivedEvent.objects.filter(**ours).update(due_at=clock.wall() - timedelta(days=1))
    mine, held = inbox.claim()
    assert [event.type for event in held] == ["invoice_payment.paid"]
    ReceivedEvent.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    ReceivedEvent.objects.filter(**ours).update(due_at=clock.wall() + timedelta(days=1))
    inbox.work_off()
    assert ReceivedEvent.objects.get(**ours).status == "applied"

    inbox._settle(mine, held, "ignored")
    inbox._put_off(mine, held, "KeyError: odd")

    row = ReceivedEvent.objects.get(**ours)
    assert (row.status, row.last_error) == ("applied", "")


def test_events_that_were_put_off_are_not_tried_again_because_another_comes(stripe, subscribed):
    first, second = [one for one in stripe.taken() if f'"{subscribed.payment_provider_customer_id}"' in one["body"]][:2]
    post_delivery(first)
    stripe.fail_next("503")
    inbox.work_off()
    assert ReceivedEvent.objects.get().due_at > clock.wall()
    post_delivery(second)

    assert inbox.work_off() == 1
    seen = {event.stripe_id: (event.status, event.attempts) for event in ReceivedEvent.objects.all()}
    assert seen == {first["event"]: ("waiting", 1), second["event"]: ("applied", 1)}


def test_after_a_long_outage_an_event_is_not_parked_before_it_was_tried_alone(stripe, subscribed, monkeypatch):
    for one in stripe.taken():
        post_delivery(one)
    ReceivedEvent.objects.update(attempts=inbox.MOST_ATTEMPTS + 8)
    monkeypatch.setattr(inbox, "look", broken)

    inbox.work_off(limit=1)

    put_off = ReceivedEvent.objects.exclude(last_error="")
    assert set(put_off.values_list("status", "alone")) == {("waiting", True)}


def test_an_unknown_customer_is_ignored_with_a_finding(stripe, subscribed):
    Office.objects.filter(pk=subscribed.pk).update(payment_provider_customer_id="cus_somebody_else")
    stripe.deliver(limit=3)
    for _ in range(inbox.UNKNOWN_CUSTOMER_ATTEMPTS):
        ReceivedEvent.objects.update(due_at=clock.wall())
        inbox.work_off()

    assert Finding.objects.get(kind="unknown_customer")
    assert not ReceivedEvent.objects.filter(status__in=["waiting", "parked"]).exists()


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("customer.subscription.updated", LookAt.CUSTOMER),
        ("customer.updated", LookAt.CARDS),
        ("payment_method.detached", LookAt.CARDS),
        ("setup_intent.succeeded", LookAt.CARDS),
        ("checkout.session.completed", LookAt.CARDS),
        ("invoice.paid", LookAt.INVOICE),
        ("invoice.upcoming", LookAt.IGNORE),
        ("invoice_payment.paid", LookAt.INVOICE),
        ("credit_note.created", LookAt.CREDIT_NOTE),
        ("charge.failed", LookAt.PAYMENT),
        ("charge.dispute.created", LookAt.DISPUTE),
        ("radar.early_fraud_warning.created", LookAt.FRAUD_WARNING),
        ("charge.refund.updated", LookAt.PAYMENT),
        ("refund.updated", LookAt.PAYMENT),
        ("price.created", LookAt.CATALOGUE),
        ("product.updated", LookAt.CATALOGUE),
        ("something.new", LookAt.IGNORE),
    ],
)
def test_the_routes_name_what_to_look_at(event_type, expected):
    assert route(event_type) is expected


def test_every_event_type_of_stripes_has_a_route():
    """A newer stripe-python may know more types. Each is added to the file with what to look at, or to be ignored."""
    decided = dict(line.split(": ") for line in EVENT_TYPES.read_text().splitlines() if not line.startswith("#"))

    for source in (stripe_event, endpoint_params):
        known = set(re.findall(r'"([a-z0-9_]+(?:\.[a-z0-9_]+)+)"', inspect.getsource(source)))
        assert sorted(known - set(decided)) == [], f"decide what to look at, in {EVENT_TYPES.name}"
        assert sorted(set(decided) - known) == [], f"no longer Stripe's: remove from {EVENT_TYPES.name}"
    assert {kind: route(kind).value for kind in decided} == decided
    assert [kind for kind in decided if not any(kind.startswith(prefix) for prefix in ROUTES)] == []


def test_one_event_that_cannot_be_applied_takes_no_other_along(stripe, subscribed, monkeypatch):
    stripe.deliver()
    customer = subscribed.payment_provider_customer_id
    ReceivedEvent.objects.create(
        stripe_id="evt_bad", type="invoice.paid", object_id="in_bad", customer_id=customer, created_at=clock.wall()
    )

    def choosy(office, **named):
        return broken() if "in_bad" in named.get("invoices", ()) else look(office, **named)

    monkeypatch.setattr(inbox, "look", choosy)
    for _ in range(2):
        inbox.work_off()
        ReceivedEvent.objects.update(due_at=clock.wall())

    assert set(ReceivedEvent.objects.filter(status="waiting").values_list("stripe_id", flat=True)) == {"evt_bad"}
    assert ReceivedEvent.objects.filter(status="applied", customer_id=customer).count() > 8


def test_what_a_webhook_changed_is_in_the_offices_own_trail(stripe, subscribed):
    stripe.deliver_and_apply()

    entry = AuditEntry.objects.filter(content_type__model="payment").last()
    assert (entry.office, entry.actor_kind, entry.actor_label) == (subscribed, "service", "Stripe webhooks")
    assert entry.reason.startswith("Stripe reported ")


def test_however_long_stripe_is_down_no_event_is_parked(stripe, subscribed):
    stripe.deliver(limit=1)
    ReceivedEvent.objects.update(attempts=500)
    stripe.fail_next("503")

    inbox.work_off()

    assert ReceivedEvent.objects.get().status == "waiting"


def test_an_event_that_names_only_a_charge_finds_its_office(stripe, subscribed):
    stripe.deliver_and_apply()
    charge = stripe.listed("charges")[0]["id"]
    stripe.control(f"charges/{charge}/dispute")
    stripe.deliver()
    event = ReceivedEvent.objects.get(type="charge.dispute.created")
    assert (event.customer_id, event.related_id) == ("", charge)

    inbox.work_off()

    event.refresh_from_db()
    assert event.status == "applied"


def test_an_event_that_comes_while_its_customer_is_looked_at_waits_for_a_look_of_its_own(
    stripe, subscribed, monkeypatch
):
    first, second = stripe.taken(limit=2)
    post_delivery(first)

    def meanwhile(office, **named):
        post_delivery(second)
        return look(office, **named)

    monkeypatch.setattr(inbox, "look", meanwhile)
    inbox.work_off(limit=1)
    monkeypatch.undo()

    late = ReceivedEvent.objects.get(stripe_id=second["event"])
    assert (late.status, late.claim_id) == ("waiting", None)
    tickets = Office.objects.get(pk=subscribed.pk).look_ticket
    inbox.work_off()
    late.refresh_from_db()
    assert late.status == "applied"
    assert Office.objects.get(pk=subscribed.pk).look_ticket == tickets + 1


def test_settled_events_are_purged_after_ninety_days_and_parked_ones_stay(stripe):
    now = clock.wall()
    for status, days in (("applied", 91), ("ignored", 91), ("parked", 91), ("applied", 89), ("waiting", 91)):
        ReceivedEvent.objects.create(
            stripe_id=f"evt_{status}_{days}",
            type="customer.updated",
            created_at=now,
            status=status,
            settled_at=None if status == "waiting" else now - timedelta(days=days),
        )

    assert inbox.purge_settled() is False

    left = set(ReceivedEvent.objects.values_list("stripe_id", flat=True))
    assert left == {"evt_parked_91", "evt_applied_89", "evt_waiting_91"}


MOST_STATEMENTS = 30
"""Of claiming, looking, applying and settling, where a month was renewed. One is where locked rows can be skipped."""


def test_a_look_at_a_renewal_takes_no_more_statements_than_it_did(stripe, office, operator):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    stripe.advance(days=32)
    stripe.deliver()
    with CaptureQueriesContext(connection) as asked:
        assert inbox.work_off(limit=1) == 1
    statements = [one["sql"] for one in asked.captured_queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
    assert office.invoices.filter(status="paid").count() == 2
