"""Real workers: killed while they send, several at once, and beside a mail server that does not answer."""

import contextlib
import signal
import socket
import threading

import pytest
from django.test import Client

from billing.models import Finding, Notification, OneTimeLink, ReceivedEvent
from billing.outbox import delivery
from tests.conftest import subscribed_office
from tests.outbox.conftest import a_wait_is_over, asked_to_reset, link_in, the_row, told_of_role
from tests.processes import PATIENCE_SECONDS, until
from tests.webhooks.test_worker import compared_today

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])

DEATHS = {
    "connected": ("billing/outbox/delivery.py", "_handing_over", "call", "waiting", 0),
    "link made": ("billing/outbox/kinds.py", "message", "return", "waiting", 0),
    "about to hand over": ("billing/outbox/delivery.py", "_hand_over", "call", "sending", 0),
    "handed over": ("billing/outbox/delivery.py", "_hand_over", "return", "sending", 1),
}


def killed_while_it_sent(started, place):
    *where, state, arrived = DEATHS[place]
    worker = started("-m", "tests.mortal", *where, "worker", "--once")
    assert worker.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert the_row().state == state
    return arrived


@pytest.mark.parametrize("place", DEATHS)
def test_a_link_arrives_at_least_once_and_works(stripe, mail_server, started, place):
    compared_today()
    asked_to_reset()
    arrived = killed_while_it_sent(started, place)
    assert len(mail_server.received) == arrived
    assert OneTimeLink.objects.count() == (the_row().state == "sending")

    delivery.work_off()
    assert len(mail_server.received) == arrived  # another worker leaves it alone until the lease ends
    for _ in range(2):  # given back, then sent
        a_wait_is_over()
        delivery.work_off()

    assert (the_row().state, len(mail_server.received)) == ("sent", arrived + 1)
    assert len({mail["Message-ID"] for mail in mail_server.received}) == 1
    assert {Client().get(link_in(mail)).status_code for mail in mail_server.received} == {200}


@pytest.mark.parametrize("place", DEATHS)
def test_a_notice_arrives_at_most_once_and_where_nobody_knows_a_finding_says_so(stripe, mail_server, started, place):
    compared_today()
    told_of_role()
    arrived = killed_while_it_sent(started, place)
    unknown = the_row().state == "sending"

    for _ in range(2):
        a_wait_is_over()
        delivery.work_off()

    assert the_row().state == ("unknown" if unknown else "sent")
    assert len(mail_server.received) == (arrived if unknown else 1)
    assert Finding.objects.filter(kind="mail_unknown", resolved_at=None).count() == unknown


def test_several_workers_send_each_e_mail_once(stripe, mail_server, started):
    compared_today()
    for number in range(12):
        asked_to_reset(f"person{number}@maple.example")

    workers = [started("manage.py", "worker", "--once") for _ in range(3)]

    assert [worker.wait(PATIENCE_SECONDS) for worker in workers] == [0, 0, 0]
    assert sorted(mail["To"] for mail in mail_server.received) == sorted(
        f"person{number}@maple.example" for number in range(12)
    )
    assert set(Notification.objects.values_list("state", "attempts")) == {("sent", 1)}


@pytest.fixture
def endless_server(monkeypatch):
    """A mail server that never ends its first line. It says a little of it each second, so nothing times out."""
    connected, end = threading.Event(), threading.Event()

    def talk(listener):
        with listener.accept()[0] as one, contextlib.suppress(OSError):
            connected.set()
            while not end.wait(1):
                one.sendall(b"2")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name, value in {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": listener.getsockname()[1]}.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("DEFAULT_FROM_EMAIL", "billing@vendor.example")
        thread = threading.Thread(target=talk, args=(listener,), daemon=True)
        thread.start()
        yield connected
        end.set()
        thread.join(5)


def test_a_mail_server_that_does_not_answer_holds_up_no_look_and_not_the_end(
    stripe, endless_server, operator, office, started
):
    compared_today()
    asked_to_reset()
    worker = started("manage.py", "worker")
    assert endless_server.wait(PATIENCE_SECONDS)
    subscribed_office(office, by=operator)
    assert set(stripe.deliver()) == {200}

    until(lambda: not ReceivedEvent.objects.filter(status="waiting").exists())

    assert the_row().claim_id  # it still waits for the mail server
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_SECONDS) == 0
