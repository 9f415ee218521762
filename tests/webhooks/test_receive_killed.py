"""The web server is killed while it receives an event: what was answered is on disk, and Stripe comes again."""

import signal
import socket

import httpx
import pytest

from billing.models import ReceivedEvent
from demo.stack import free_port
from tests.conftest import LocalStripe, post_delivery
from tests.processes import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
RECEIVE = "billing/webhooks/receive.py"
MOMENTS = {
    "before it is kept": ((RECEIVE, "_insert", "call"), 0),
    "kept and not yet answered": ((RECEIVE, "_insert", "return"), 1),
}


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_event_that_was_not_answered_comes_again_and_is_there_once(stripe: LocalStripe, started, moment):
    fatal, kept = MOMENTS[moment]
    stripe.post("customers", name="Maple Street")
    (told,) = stripe.taken()
    port = free_port()
    server = started("-m", "tests.mortal", *fatal, "runserver", "--noreload", "--nothreading", f"127.0.0.1:{port}")
    until(lambda: listens(port))
    path = "/" + told["url"].split("/", 3)[3]

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"http://127.0.0.1:{port}{path}", content=told["body"], headers=told["headers"], trust_env=False)

    assert server.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert ReceivedEvent.objects.filter(stripe_id=told["event"]).count() == kept
    assert post_delivery(told).status_code == 200  # Stripe comes again
    assert ReceivedEvent.objects.filter(stripe_id=told["event"], status="waiting").count() == 1
