"""The command ``python -m demo.past``. It lets fourteen months pass at the local Stripe, and plays ``demo.history``.

The local Stripe's clock must stand before the first act. Each act is an operation, or something that the local Stripe
does. What follows from it, such as renewals, comes back as webhooks, which the worker applies before time goes on. So
every row has the time that it had at Stripe. Prints one line for each month, and ends at the present moment.
"""

import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import httpx  # noqa: E402
from django.conf import settings  # noqa: E402

from billing import clock, errors, jobs  # noqa: E402
from billing.audit import actor, trail  # noqa: E402
from billing.models import Invoice, Office, Operation, ReceivedEvent, RolledUp, RollUp, Subscription  # noqa: E402
from billing.models.statuses import LIVE  # noqa: E402
from billing.operations.catalogue import publish_plans  # noqa: E402
from billing.operations.engine.begin import perform  # noqa: E402
from billing.stripe_api import sandbox_clock  # noqa: E402
from demo import desk, seed  # noqa: E402
from demo.history import HISTORY, Asked, Happened  # noqa: E402
from demo.stack import demo_password  # noqa: E402

STEP = timedelta(days=10)
CHARGED_AFTER = timedelta(hours=1, minutes=1)
"""How long after a renewal Stripe finalises its invoice and charges it, and somewhat more."""
SETTLE_SECONDS = 120
stripe = httpx.Client(
    base_url=settings.STRIPE_API_BASE,
    headers={"Authorization": f"Bearer {settings.STRIPE_API_KEY}"},
    timeout=SETTLE_SECONDS,
    trust_env=False,
)
expected_to_fail: set[int] = set()
"""The Offices whose bank did something, so that their next renewals are looked at one by one."""
Act = Asked | Happened


def main() -> None:
    if Office.objects.exists():
        sys.exit("The database has Offices already. A demo with a past needs an empty one.")
    by, now = actor.job("demo"), clock.wall()
    with trail.acting(by, reason="the demo's cast"):
        staff = seed.people(demo_password())
        seed.catalogue()
    publish_plans(by=by, reason="the demo's plans")
    play(now, actor.person(staff))
    desk.work()
    roll_up()


def play(now: datetime, by: actor.Actor) -> None:
    """Let time pass until ``now``, and do what is due on the way."""
    acts = sorted(
        ((ago.before(now), name, act) for name, acts in HISTORY.items() for ago, act in acts), key=lambda one: one[0]
    )
    at, happened = clock.billing(), Counter[str]()
    while at < now:
        month = at.strftime("%B %Y")
        at = min([now, at + STEP, *(due for due in what_is_due() if due > at), *(due for due, _, _ in acts[:1])])
        if at.strftime("%B %Y") != month and Office.objects.exists():
            say(month, happened)
        move_to(at)
        while acts and acts[0][0] <= at:
            _, name, act = acts.pop(0)
            happened[act.says] += 1
            do(act, name, by)
        settle()
    say(at.strftime("%B %Y"), happened)
    move_to(clock.wall())
    settle()


def what_is_due() -> Iterator[datetime]:
    """Yield when a subscription changes by itself. Time stops there, so that its history has the right moments."""
    live = Subscription.objects.filter(status__in=LIVE)
    for ends in live.values_list("cancel_at", "trial_end"):
        yield from (one for one in ends if one)
    for renews in live.filter(office__in=expected_to_fail).values_list("current_period_end", flat=True):
        if renews:
            yield renews + CHARGED_AFTER
    tried_again = Invoice.objects.values_list("next_payment_attempt", flat=True)
    yield from (one for one in tried_again.exclude(next_payment_attempt=None) if one)


def do(act: Act, name: str, by: actor.Actor) -> None:
    with trail.acting(by, reason="signed up"):
        office = seed.known_office(name)
    if isinstance(act, Happened):
        expected_to_fail.add(office.pk)
        control(act.path(office), act.body(office, clock.billing()))
        return
    asked, subject = act.make(office)
    try:
        perform(asked, subject, by=by, reason=act.reason)
    except errors.SentForApproval:
        if not act.waits_for_approval:
            raise


def move_to(moment: datetime) -> None:
    """Move the local Stripe's clock to this moment, unless it has ticked past it while something was done."""
    sandbox_clock.forget()
    if moment > clock.billing():
        control("clock", {"now": math.ceil(moment.timestamp())})
        sandbox_clock.forget()


def control(path: str, body: dict[str, object]) -> None:
    stripe.post(f"/_sandbox/{path}", json=body).raise_for_status()


def settle() -> None:
    """Wait until the worker has applied all that the local Stripe has to tell, and no process holds an old time."""
    until = time.monotonic() + SETTLE_SECONDS
    while waits():
        if time.monotonic() > until:
            sys.exit(f"The worker has not applied the events of {clock.billing():%d %B %Y} in {SETTLE_SECONDS} s.")
        time.sleep(0.05)
    time.sleep(sandbox_clock.FRESH_SECONDS)


def waits() -> bool:
    """Return whether an event is on its way, or the worker has something to do for one or for an operation."""
    undelivered = stripe.get("/v1/events", params={"delivery_success": "false", "limit": 1})
    return (
        bool(undelivered.raise_for_status().json()["data"])
        or ReceivedEvent.objects.filter(status=ReceivedEvent.Status.WAITING).exists()
        or Operation.objects.filter(status__in=Operation.UNSETTLED).exists()
    )


def roll_up() -> None:
    """Let the worker roll up the reports, so that the first page shows them at once."""
    asked = clock.wall()
    jobs.enqueue("roll-up-reports")
    until = time.monotonic() + SETTLE_SECONDS
    while not RollUp.objects.filter(report=RolledUp.Report.COLLECTIONS, made_at__gt=asked).exists():
        if time.monotonic() > until:
            sys.exit(f"The worker has not rolled up the reports in {SETTLE_SECONDS} s.")
        time.sleep(0.05)


def say(month: str, happened: Counter[str]) -> None:
    """Say what happened in this month, and begin to count anew."""
    told = ", ".join(f"{what}: {n}" for what, n in happened.items()) or "renewals only"
    print(f"  {month:<15} {told}", flush=True)  # noqa: T201
    happened.clear()


if __name__ == "__main__":
    main()
