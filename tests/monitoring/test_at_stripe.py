"""What was silent: a refused key, an endpoint that is gone, a wrong secret, a clock that is off."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client

from billing import accounts, clock, errors, observations
from billing.models import Observation, ReceivedEvent, WorkerHeartbeat
from billing.monitoring import asking
from billing.monitoring.key import KeyWatch
from billing.stripe_api import gateway
from billing.stripe_api.gateway.account import EndpointState
from billing.webhooks import inbox, refused_signatures
from tests.api.test_api import path, signed_in
from tests.conftest import post_delivery
from tests.monitoring.seen import codes, levels, one


@pytest.fixture
def watched(stripe):
    """Return the local Stripe, after it was asked, and with a worker that lives."""
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())
    asking.ask()
    return stripe


def endpoint(stripe):
    (found,) = stripe.listed("webhook_endpoints")
    return found


def health():
    answer = Client().get("/healthz")
    return answer.status_code, answer.json()["codes"]


def test_what_is_set_up_as_it_should_be_is_green(watched):
    seen = levels()

    assert {seen[name] for name in ("stripe", "clock", "webhook_endpoint", "webhook_signatures")} == {"green"}
    assert health() == (200, [])


def test_a_key_that_stripe_refuses_is_red_and_reads_and_entitlement_go_on(watched, settings, subscribed, auditor):
    settings.STRIPE_API_KEY = "sk_test_revoked"
    with pytest.raises(errors.StripeKeyRefused):
        gateway.looks.customer_of("in_1")

    assert health() == (503, ["stripe_key_refused"])
    assert Client().get("/readyz").status_code == 200
    answer = signed_in(auditor.user).get(path(subscribed, "entitlement/"))
    assert (answer.status_code, answer.json()["access"]) == (200, "full")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda stripe, one: stripe.delete(f"webhook_endpoints/{one['id']}"), "missing"),
        (lambda stripe, one: stripe.post(f"webhook_endpoints/{one['id']}", disabled="true"), "disabled"),
        (
            lambda stripe, one: stripe.post(f"webhook_endpoints/{one['id']}", **{"enabled_events[]": "invoice.paid"}),
            "events",
        ),
        (
            lambda stripe, one: (
                stripe.delete(f"webhook_endpoints/{one['id']}"),
                stripe.post("webhook_endpoints", url=one["url"], **{"enabled_events[]": "*"}),  # no version
            ),
            "version",
        ),
        (
            lambda stripe, one: stripe.post(f"webhook_endpoints/{one['id']}", url="http://127.0.0.1:8000/elsewhere/"),
            "missing",
        ),
    ],
)
def test_what_somebody_did_to_the_endpoint_at_stripe_is_red_once_stripe_was_asked(watched, change, code):
    change(watched, endpoint(watched))

    asking.ask()

    assert health() == (503, [f"webhook_endpoint_{code}"])
    assert "setup_stripe --register-endpoint" in one("webhook_endpoint").outcome.todo


def test_a_second_endpoint_with_our_address_is_amber(watched):
    watched.post("webhook_endpoints", url=endpoint(watched)["url"], **{"enabled_events[]": "invoice.paid"})

    asking.ask()

    assert codes("webhook_endpoint") == {"webhook_endpoint_two": "amber"}


@pytest.mark.parametrize(
    ("version", "events", "enabled", "fault"),
    [
        ("2026-08-26.dahlia", ["*"], True, ""),
        ("2025-01-01.acacia", ["*"], True, "version"),
        ("", ["*"], True, "version"),
        ("2026-08-26.dahlia", ["invoice.paid"], True, "events"),
        ("2026-08-26.dahlia", ["*"], False, "disabled"),
    ],
)
def test_why_an_endpoint_is_not_right(version, events, enabled, fault):
    assert EndpointState("we_1", "x", tuple(events), "", enabled, version).fault == fault


@pytest.mark.parametrize(
    ("seconds", "level", "words"),
    [
        (55, "green", ""),
        (-55, "green", ""),
        (65, "red", "behind"),
        (-65, "red", "ahead of"),
        (3610, "red", "60 minutes behind"),
        (-90_000, "red", "25 hours ahead of"),
    ],
)
def test_a_clock_that_is_more_than_a_minute_off_stripes_is_red(watched, seconds, level, words):
    watched.control("settings", date_seconds=seconds)

    asking.ask()

    assert str(one("clock").level) == level
    assert words in one("clock").outcome.seen
    assert health() == ((200, []) if level == "green" else (503, ["clock"]))


def test_one_lost_answer_is_no_outage_and_three_in_a_row_are(watched):
    for times, expected in ((2, "green"), (1, "amber")):
        for _ in range(times):
            watched.fail_next("503")
            with pytest.raises(errors.StripeUnavailable):
                gateway.account.account(livemode=False)
        assert str(one("stripe").level) == expected
    Observation.objects.update(since=clock.wall() - timedelta(minutes=16))
    assert codes("stripe") == {"stripe_no_answer": "red"}

    gateway.account.account(livemode=False)
    assert str(one("stripe").level) == "green"


@pytest.fixture
def delivery(watched, subscribed):
    observations.forget()
    return watched.taken()[0]


WRONG = f"t=1,v1={'0' * 64}"
"""A signature in its form, by no secret of ours."""


def refused(delivery, times, **headers):
    for _ in range(times):
        answer = post_delivery(delivery, headers={"Stripe-Signature": WRONG, **headers})
        assert answer.status_code == 400
        refused_signatures._next_write = 0.0  # a minute later


def test_a_wrong_secret_is_red_until_an_event_with_a_right_one_comes(delivery):
    refused(delivery, 3)

    assert health() == (503, ["webhook_signatures_all_refused"])
    assert "3 webhooks" in one("webhook_signatures").outcome.seen

    assert post_delivery(delivery).status_code == 200
    assert codes("webhook_signatures") == {"webhook_signatures": "amber"}
    Observation.objects.filter(pk="webhook_signatures").update(seen_at=clock.wall() - timedelta(minutes=61))
    assert not codes("webhook_signatures")


def test_it_stays_red_while_stripe_waits_to_send_again_and_none_was_right(delivery):
    refused(delivery, 3)
    Observation.objects.filter(pk="webhook_signatures").update(seen_at=clock.wall() - timedelta(hours=5))
    assert codes("webhook_signatures") == {"webhook_signatures_all_refused": "red"}

    Observation.objects.filter(pk="webhook_signatures").update(seen_at=clock.wall() - timedelta(days=4))
    assert not codes("webhook_signatures")


def test_a_secret_that_is_wrong_from_now_on_is_red_also_if_others_were_wrong_before_a_right_one(delivery):
    refused(delivery, 3)
    assert post_delivery(delivery).status_code == 200

    refused(delivery, 3)

    assert codes("webhook_signatures") == {"webhook_signatures_all_refused": "red"}
    assert Observation.objects.get(pk="webhook_signatures").figures["times"] == 3


def test_within_a_minute_they_are_counted_and_written_once(delivery, django_assert_num_queries):
    post_delivery(delivery, headers={"Stripe-Signature": WRONG})
    with django_assert_num_queries(0):
        for _ in range(50):
            post_delivery(delivery, headers={"Stripe-Signature": WRONG})
    refused_signatures._next_write = 0.0
    post_delivery(delivery, headers={"Stripe-Signature": WRONG})

    assert Observation.objects.get(pk="webhook_signatures").figures["times"] == 52


def test_what_comes_to_another_address_does_not_count(delivery):
    elsewhere = {**delivery, "url": "http://x/stripe/webhook/00000000-0000-4000-8000-000000000000/"}
    refused(elsewhere, 5)

    assert not codes("webhook_signatures")


@pytest.mark.parametrize(("minutes", "level"), [(4, "green"), (6, "amber"), (31, "red")])
def test_events_that_wait_for_long_are_told(watched, minutes, level):
    at = clock.wall() - timedelta(minutes=minutes)
    ReceivedEvent.objects.create(stripe_id="evt_1", type="x", created_at=at, received_at=at)

    assert levels()["waiting_events"] == level


def test_a_note_costs_nothing_while_nothing_changes(watched, django_assert_num_queries):
    with django_assert_num_queries(1):  # of the account
        accounts.require_own_account()


def test_what_waits_for_the_key_goes_on_as_soon_as_a_worker_sees_that_it_is_accepted(watched, settings, subscribed):
    key, settings.STRIPE_API_KEY = settings.STRIPE_API_KEY, "sk_test_revoked"
    watch = KeyWatch()
    watch.look()
    assert set(watched.deliver()) == {200}
    inbox.work_off()
    watch.look()
    waiting = ReceivedEvent.objects.filter(status="waiting")
    ReceivedEvent.objects.update(due_at=clock.wall() + timedelta(minutes=15))
    assert waiting.filter(last_error__startswith="stripe_key_refused").exists()

    settings.STRIPE_API_KEY = key
    watch.look()
    inbox.work_off()

    assert not waiting.exists()
    assert health() == (200, [])


def test_a_restricted_key_that_may_not_read_the_account_or_the_endpoints_is_told(watched):
    watched.fail_next("forbidden", path_prefix="/v1/webhook_endpoints")
    asking.ask()
    assert codes("webhook_endpoint") == {"webhook_endpoint_not_allowed": "amber"}

    watched.fail_next("forbidden", path_prefix="/v1/account")
    asking.ask()
    assert health() == (503, ["stripe_key_refused"])


def test_addresses_that_are_not_ours_cost_one_query_a_minute(stripe, client, django_assert_num_queries):
    paths = [f"/stripe/webhook/{uuid.uuid4()}/" for _ in range(20)]
    client.post(paths[0], "{}", content_type="application/json")

    with django_assert_num_queries(0), django_assert_num_queries(0, using="optional"):
        for path in paths:
            assert client.post(path, "{}", content_type="application/json").status_code == 400


def test_what_has_not_the_form_of_a_signature_says_nothing_about_the_secret(delivery):
    for header in ("", "x", "t=1", "t=1,v1=short", "v1=" + "0" * 64):
        for _ in range(3):
            post_delivery(delivery, headers={"Stripe-Signature": header})
            refused_signatures._next_write = 0.0

    assert not Observation.objects.filter(pk="webhook_signatures").exists()
