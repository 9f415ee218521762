"""The limits of requests and the time that answers take, as the settings of the control plane say."""

import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from tests.stripe_sandbox.conftest import Sandbox

REASON = "Stripe-Rate-Limited-Reason"


def asked_for(sandbox: Sandbox, seconds: float, *paths: str) -> set[str]:
    """Ask as fast as possible for so long. Return why requests were refused."""
    found, until = set(), time.monotonic() + seconds
    while time.monotonic() < until:
        for path in paths:
            answer = sandbox.ask("GET", path)
            if answer.status_code == 429:
                found.add(answer.headers[REASON])
    return found


def most_in_a_second(moments: list[float]) -> int:
    return max(sum(first <= one < first + 0.97 for one in moments) for first in moments)


@pytest.mark.parametrize(
    ("limit", "paths", "reason"),
    [
        ({"requests_per_second": 20}, ("customers", "invoices"), "global-rate"),
        ({"requests_per_endpoint": 20}, ("customers",), "endpoint-rate"),
        ({"requests_per_second": 500, "requests_per_endpoint": 20}, ("customers",), "endpoint-rate"),
    ],
)
def test_no_second_has_more_requests_than_allowed_and_the_refusal_says_which_limit_it_was(
    sandbox: Sandbox, limit: dict[str, Any], paths: tuple[str, ...], reason: str
) -> None:
    sandbox.control("settings", **limit)
    sandbox.http.delete("/_sandbox/requests")
    reasons = asked_for(sandbox, 2.2, *paths)
    log = sandbox.http.get("/_sandbox/requests").json()["requests"]
    let_through = [one["came"] for one in log if one["status"] == 200]

    assert most_in_a_second(let_through) <= 20
    assert len(let_through) >= 40
    assert reasons == {reason}


def test_an_endpoint_is_one_whatever_the_id_and_each_has_a_limit_of_its_own(sandbox: Sandbox) -> None:
    customers = [sandbox.customer()["id"] for _ in range(3)]
    sandbox.control("settings", requests_per_endpoint=3)
    answers = [sandbox.ask("GET", f"customers/{one}").status_code for one in [*customers, customers[0]]]
    assert answers == [200, 200, 200, 429]
    assert [sandbox.ask("GET", "invoices").status_code for _ in range(3)] == [200, 200, 200]


def test_each_answer_takes_as_long_as_the_settings_say_and_none_waits_for_another(sandbox: Sandbox) -> None:
    sandbox.control("settings", latency_seconds=0.3)
    began = time.monotonic()
    waiting = [threading.Thread(target=sandbox.ask, args=("GET", "customers")) for _ in range(5)]
    for one in waiting:
        one.start()
    for one in waiting:
        one.join()
    assert 0.3 <= time.monotonic() - began < 1.0


def test_the_spread_of_the_times_repeats_with_the_seed(sandbox: Sandbox) -> None:
    def times() -> list[float]:
        sandbox.control("reset", seed=7)
        sandbox.control("settings", latency_seconds=0.05, latency_spread_seconds=0.4)
        moments = [time.monotonic()]
        for _ in range(4):
            sandbox.ask("GET", "customers")
            moments.append(time.monotonic())
        return [after - before for before, after in pairwise(moments)]

    first, second = times(), times()
    assert all(0.05 <= one < 0.6 for one in first)
    assert max(first) - min(first) > 0.05
    assert first == pytest.approx(second, abs=0.05)
