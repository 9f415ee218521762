"""A worker's requests stay below Stripe's limits."""

import contextlib
import http.server
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from billing import clock, errors
from billing.models import Office, ReceivedEvent, RequestBudget
from billing.stripe_api import gateway, pace
from billing.webhooks import inbox


def turns(seconds):
    """The moments at which requests may be made, for so long."""
    begun, made = time.monotonic(), []
    with pace.kept():
        while time.monotonic() - begun < seconds:
            pace.wait_for_turn()
            made.append(time.monotonic())
    return made


def test_no_second_sees_more_than_five_quarters_of_the_setting(db, settings):
    settings.STRIPE_REQUESTS_PER_SECOND = 20
    made = turns(1.3)

    assert max(sum(start <= at < start + 1 for at in made) for start in made) <= 25
    assert len(made) >= 20


@pytest.mark.django_db(transaction=True)
def test_the_budget_is_one_for_all_workers(settings):
    settings.STRIPE_REQUESTS_PER_SECOND = 20
    made, workers = [], 4

    def work():
        made.extend(turns(1.3))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    made.sort()
    assert max(sum(start <= at < start + 1 for at in made) for start in made) <= 25 + workers  # one each at the end
    assert len(made) >= 16


def test_requests_share_a_write(db, settings, django_assert_max_num_queries):
    settings.STRIPE_REQUESTS_PER_SECOND = 400
    RequestBudget.objects.create(pk=1)
    with django_assert_max_num_queries(2), pace.kept():
        for _ in range(pace.TAKEN_AT_ONCE):
            pace.wait_for_turn()


def test_who_is_no_worker_is_not_held_up(db, settings, django_assert_num_queries):
    settings.STRIPE_REQUESTS_PER_SECOND = 1
    with django_assert_num_queries(0):
        for _ in range(50):
            pace.wait_for_turn()


def test_a_clock_that_went_back_far_stops_nobody(db):
    RequestBudget.objects.create(pk=1, slot=2**40, taken=9)
    with pace.kept():
        pace.wait_for_turn()
    assert RequestBudget.objects.get().slot < 2**40


@contextlib.contextmanager
def a_stripe_that_refuses(**headers):
    """An HTTP server that answers every request with 429 and these headers."""

    class Refuses(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(429)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            body = b'{"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many"}}'
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("said", "rests"), [("7", 7), ("", 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 1), ("nan", 1), ("9999", 60), ("-3", 1)]
)
def test_after_a_429_no_worker_asks_before_stripe_wants_it(db, settings, said, rests):
    headers = {"Retry_After": said} if said else {}
    with a_stripe_that_refuses(**headers) as settings.STRIPE_API_BASE, pace.kept():
        with pytest.raises(errors.StripeUnavailable) as refused:
            gateway.looks.customer_of("ch_1")
        ahead = RequestBudget.objects.get().slot - pace._row()[1]

    assert refused.value.retry_after == rests
    assert rests * 4 - 4 <= ahead <= rests * 4 + 1
    with pace.kept(), pace.one_look():
        pace._give_up_at.set(time.monotonic() + 0.3)
        with pytest.raises(errors.StripeUnavailable, match="took too long"):
            pace.wait_for_turn()


def test_an_event_that_met_a_429_comes_again_no_sooner_than_stripe_wants_it(db, settings, office):
    Office.objects.filter(pk=office.pk).update(payment_provider_customer_id="cus_1")
    ReceivedEvent.objects.create(
        stripe_id="evt_1", type="customer.updated", customer_id="cus_1", created_at=clock.wall()
    )
    with a_stripe_that_refuses(Retry_After="37") as settings.STRIPE_API_BASE:
        inbox.work_off()

    row = ReceivedEvent.objects.get()
    assert row.status == "waiting"
    assert row.due_at - clock.wall() > timedelta(seconds=35)
