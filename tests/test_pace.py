"""A worker's requests stay below Stripe's limits."""

import contextlib
import http.server
import itertools
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from billing import clock, errors
from billing.models import Office, ReceivedEvent, RequestBudget
from billing.stripe_api import gateway, outbound, outbound_list, pace, turns
from billing.webhooks import inbox

ENDPOINTS = ("get /v1/customers/*", "get /v1/subscriptions", "get /v1/invoices", "get /v1/charges", "get /v1/events")


@pytest.fixture(autouse=True)
def no_turns_of_another_test():
    turns.forget()
    yield
    turns.forget()


def moments(seconds, endpoint=ENDPOINTS[0]):
    """The moments at which requests may be made, for so long."""
    begun, made = time.monotonic(), []
    with pace.kept():
        while time.monotonic() - begun < seconds:
            pace.wait_for_turn(endpoint)
            made.append(time.monotonic())
    return made


def most_in_a_second(made):
    return max(sum(start <= at < start + 1 for at in made) for start in made)


@pytest.mark.parametrize(("in_all", "of_endpoint"), [(20, 1000), (1000, 20), (20, 20), (80, 20), (4, 20)])
def test_no_second_sees_more_than_the_settings(db, settings, in_all, of_endpoint):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = in_all, of_endpoint
    made, most = moments(2.2), min(in_all, of_endpoint)

    assert most_in_a_second(made) <= most
    assert len(made) >= most


@pytest.mark.django_db(transaction=True)
def test_the_limits_are_for_all_threads_and_all_endpoints_together(settings):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = 40, 20
    made = {endpoint: [] for endpoint in ENDPOINTS}

    def work(endpoint):
        made[endpoint].extend(moments(2.2, endpoint))
        connection.close()

    threads = [threading.Thread(target=work, args=[endpoint]) for endpoint in ENDPOINTS for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    together = [at for each in made.values() for at in each]
    assert most_in_a_second(together) <= 40
    assert all(most_in_a_second(each) <= 20 for each in made.values())
    assert all(made.values())


@pytest.mark.parametrize(
    ("in_all", "of_endpoint"),
    [(80, 20), (20, 10), (20, 5), (30, 20), (30, 10), (24, 12), (25, 20), (10, 5), (4, 2), (4, 1)],
)
def test_each_endpoint_has_turns_whatever_the_settings(settings, in_all, of_endpoint):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = in_all, of_endpoint
    since = 1_800_000_000_000_000
    for endpoint in {outbound.endpoint_of(method, path) for method, path in paths_of_the_list()}:
        turns.forget()
        found, now = [], since
        while turn := turns._turn(turns.lane_of(endpoint), now, since + 10 * turns.MICROSECONDS):
            found.append(turn)
            now = turn[0] - turns.CLOSE
        assert 10 * of_endpoint / 2 - 1 <= len(found) <= 10 * of_endpoint
        assert all(latest - moment >= turns.CLOSE for moment, latest in found)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["all", ENDPOINTS[0]])
def test_who_has_a_turn_already_does_not_ask_when_a_rest_begins(settings, name):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = 20, 4
    moments(0.01)
    lane, asked = turns.ALL if name == "all" else turns.lane_of(name), []

    def ask():
        turns.wait(ENDPOINTS[0], lambda: float("inf"))
        asked.append(time.monotonic())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for one in threads:
        one.start()
    time.sleep(0.05)
    lane.rest(1.5)
    rests_until = time.monotonic() + 1.4
    before = len(asked)
    for one in threads:
        one.join()
    assert all(at >= rests_until for at in asked[before:])
    assert len(asked) == 3


@pytest.mark.parametrize("seconds", [-3600, -5, 5, 3600])
def test_a_clock_that_is_set_meanwhile_holds_up_nobody(db, settings, monkeypatch, seconds):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = 20, 4
    turns.lane_of(ENDPOINTS[0]).waiting |= set(range(50))
    moments(0.01)
    read = turns._read

    def after_it_was_set():
        rows, now = read()
        now += seconds * turns.MICROSECONDS
        turns._process.saw(now, between=(time.monotonic(), time.monotonic()))
        return rows, now

    monkeypatch.setattr(turns, "_read", after_it_was_set)
    begun = time.monotonic()
    assert len(moments(2)) >= 2
    assert time.monotonic() - begun < 5


def test_requests_share_a_write(db, settings, django_assert_max_num_queries):
    settings.STRIPE_REQUESTS_PER_SECOND = settings.STRIPE_REQUESTS_PER_ENDPOINT = 400
    moments(0.01)
    turns.forget()
    lane = turns.lane_of(ENDPOINTS[0])
    lane.waiting |= set(range(50))
    with django_assert_max_num_queries(2):
        for _ in range(25):
            turns._next(lane, lambda: time.monotonic() + 1)


def test_a_slow_database_does_not_make_every_turn_come_too_late(db, settings, monkeypatch):
    settings.STRIPE_REQUESTS_PER_SECOND = settings.STRIPE_REQUESTS_PER_ENDPOINT = 20
    read = turns._read

    def slowly():
        found = read()
        time.sleep(0.2)
        return found

    monkeypatch.setattr(turns, "_read", slowly)
    take, taken = turns._next, []

    def taking(*given):
        taken.append(take(*given))
        return taken[-1]

    monkeypatch.setattr(turns, "_next", taking)
    made = moments(2.2)
    assert len(made) >= 5
    assert len(taken) <= len(made) + 2, "turns were lost, beside the first"
    assert most_in_a_second(made) <= 20


def test_two_processes_have_no_moment_in_common(db, settings, monkeypatch):
    settings.STRIPE_REQUESTS_PER_SECOND, settings.STRIPE_REQUESTS_PER_ENDPOINT = 80, 20
    shares = []
    for _ in range(6):
        monkeypatch.setattr(turns, "_process", turns._Process())  # each is another process
        turns._take_share(turns.lane_of(ENDPOINTS[0])) or turns._take_share(turns.lane_of(ENDPOINTS[0]))
        shares += turns._process.shares
    shares.sort()
    assert len(shares) >= 6
    assert all(ends <= begins for (_, ends), (begins, _) in itertools.pairwise(shares))


def test_who_is_no_worker_is_not_held_up(db, settings, django_assert_num_queries):
    settings.STRIPE_REQUESTS_PER_SECOND = 1
    with django_assert_num_queries(0):
        for _ in range(50):
            pace.wait_for_turn(ENDPOINTS[0])


def test_a_clock_that_went_back_far_stops_nobody(db):
    for key in (turns.SHARED, turns.ALL.key, turns.lane_of(ENDPOINTS[0]).key):
        RequestBudget.objects.create(pk=key, slot=2**60)
    begun = time.monotonic()
    moments(0.01)
    assert time.monotonic() - begun < 1
    assert RequestBudget.objects.get(pk=turns.SHARED).slot < 2**60


def test_a_clock_that_went_back_a_little_holds_up_nobody_for_long(db):
    moments(0.01)
    _, now = turns._read()
    RequestBudget.objects.filter(pk=turns.SHARED).update(slot=now + 59_000_000)
    turns.forget()
    begun = time.monotonic()
    moments(0.01)
    assert time.monotonic() - begun < 3


def test_all_rows_of_all_endpoints_are_different():
    keys = {turns.Lane(outbound.endpoint_of(method, path), int).key for method, path in paths_of_the_list()}
    assert len(keys) == len({(method, path) for method, path in paths_of_the_list()})
    assert all(1 < key < 2**63 for key in keys)


def paths_of_the_list():
    return [(method, path) for method, paths in outbound_list.ALLOWED.items() for path in paths]


def test_an_endpoint_is_one_whatever_the_id():
    assert outbound.endpoint_of("get", "/v1/customers/cus_1") == outbound.endpoint_of("get", "/v1/customers/cus_2")
    assert outbound.endpoint_of("get", "/v1/customers/cus_1") != outbound.endpoint_of("post", "/v1/customers/cus_1")


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
        rows, now = turns._read()

    assert refused.value.retry_after == rests
    assert rests - 0.5 <= (rows[turns.ALL.key] - now) / 1_000_000 <= rests
    for endpoint in ENDPOINTS if rests > 1 else ENDPOINTS[:2]:
        with pace.kept(), pace.one_look():
            pace._give_up_at.set(time.monotonic() + 0.1)
            with pytest.raises(errors.StripeUnavailable, match="took too long"):
                pace.wait_for_turn(endpoint)


@pytest.mark.parametrize(
    ("reason", "others_rest"),
    [
        ("endpoint-rate", False),
        ("endpoint-concurrency", False),
        ("global-rate", True),
        ("global-concurrency", True),
        ("resource-specific", True),
        ("", True),
    ],
)
def test_only_that_endpoint_rests_if_stripe_says_that_it_was_the_reason(db, settings, reason, others_rest):
    given = {"Stripe_Rate_Limited_Reason": reason} if reason else {}
    with (
        a_stripe_that_refuses(Retry_After="7", **given) as settings.STRIPE_API_BASE,
        pace.kept(),
        pytest.raises(errors.StripeUnavailable),
    ):
        gateway.looks.customer_of("ch_1")
    assert rests("get /v1/charges/*")
    assert rests("get /v1/invoices/*") == others_rest


def rests(endpoint):
    with pace.kept(), pace.one_look():
        pace._give_up_at.set(time.monotonic() + 0.2)
        try:
            pace.wait_for_turn(endpoint)
        except errors.StripeUnavailable:
            return True
    return False


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
