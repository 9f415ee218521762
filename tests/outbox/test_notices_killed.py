"""Workers that are killed at random moments while they send notices: none is lost, none comes twice."""

import asyncio
import random
from collections import Counter
from functools import partial

import pytest
from django.db import transaction

from billing import clock, notices
from billing.audit import actor, trail
from billing.models import Finding, Invoice, Notification
from billing.models.statuses import InvoiceStatus
from tests.conftest import an_office
from tests.outbox.conftest import MailServer, a_wait_is_over, use
from tests.processes import until
from tests.webhooks.test_worker import compared_today

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
UNDER_WAY = ("waiting", "sending")


class SlowServer(MailServer):
    """Takes its time before and after it has an e-mail, so that a worker dies at any point of the conversation."""

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(random.uniform(0, 0.05))
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(random.uniform(0, 0.05))
        return answer


@pytest.fixture
def slow_server(settings, monkeypatch):
    since = clock.billing()
    settings.OFFICE_MAIL_SINCE = since
    monkeypatch.setenv("OFFICE_MAIL_SINCE", since.isoformat())
    server = SlowServer()
    use(server, settings, monkeypatch)
    server.controller.start()
    yield server
    server.controller.stop()


def receipts(office, count):
    now = clock.billing()
    for number in range(count):
        amounts = {"subtotal": 1_000, "total": 1_000, "amount_paid": 1_000, "amount_remaining": 0}
        times = {"created_at": now, "paid_at": now}
        Invoice.objects.create(
            office=office, stripe_id=f"in_{number}", number=f"A-{number:04}", ticket=1, currency="usd",
            status=InvoiceStatus.PAID, **amounts, **times,
        )  # fmt: skip
    with transaction.atomic():
        notices.put(office, before={"cancel_at": None, "payment_provider_subscription_id": "", "confirmed_at": None})
    assert Notification.objects.count() == count


def arrived_are(server, enough):
    return len(server.received) >= enough


def none_is(states):
    a_wait_is_over()
    return not Notification.objects.filter(state__in=states).exists()


@pytest.mark.parametrize(("mails", "kills"), [(12, 3), pytest.param(300, 25, marks=pytest.mark.slow)])
def test_none_is_lost_and_none_comes_twice_and_each_unknown_one_is_shown(
    stripe, slow_server, started, record_property, mails, kills
):
    chance = random.Random(kills)
    compared_today()
    with trail.acting(actor.job("tests")):
        receipts(an_office(name="Maple Practice"), mails)

    for _ in range(kills):
        worker, had = started("manage.py", "worker"), len(slow_server.received)
        wanted = had + chance.randint(1, max(1, mails // kills - 1))
        until(partial(arrived_are, slow_server, wanted))
        chance.choice((lambda: None, lambda: asyncio.run(asyncio.sleep(chance.uniform(0, 0.1)))))()
        worker.kill()
        worker.wait()
        a_wait_is_over()
    started("manage.py", "worker")
    until(partial(none_is, ["waiting"]))
    until(partial(none_is, UNDER_WAY))

    arrived = Counter(mail["Message-ID"].strip("<>").partition("@")[0] for mail in slow_server.received)
    states = {str(key): state for key, state in Notification.objects.values_list("public_id", "state")}
    unknown = {key for key, state in states.items() if state == "unknown"}
    record_property("states", dict(Counter(states.values())))
    record_property("unknown ones that arrived", len(unknown & set(arrived)))
    assert set(states.values()) <= {"sent", "unknown"}
    assert {key for key, state in states.items() if state == "sent"} <= set(arrived)
    assert set(arrived.values()) == {1}
    shown = Finding.objects.filter(kind="mail_unknown", resolved_at=None)
    assert set(shown.values_list("subject", flat=True)) == unknown
    assert len(unknown) <= kills
