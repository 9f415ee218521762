"""Checks of what lies between Stripe and us, by what processes noted (``billing.observations``). They ask nobody."""

from datetime import datetime, timedelta

from django.conf import settings

from billing.durations import how_long, many
from billing.models import StripeAccount, Subscription
from billing.models.observation import Level
from billing.models.statuses import REVENUE
from billing.monitoring.outcome import Outcome, Seen, amber, green, red, unknown
from billing.observations import ACCOUNT, CLOCK, ENDPOINT, SIGNATURES, STRIPE

NO_ANSWER_TOO_LONG = timedelta(minutes=15)
STALE = timedelta(hours=3)
"""A worker asks each hour."""
SILENT = timedelta(days=35)
"""A month and a few days: each live subscription that renews monthly has events within that."""
SIGNATURES_COUNT_FOR, WHILE_NONE_IS_RIGHT = timedelta(hours=1), timedelta(days=3)
"""Stripe sends an event again for three days, ever more seldom. So hours pass in which nothing comes."""
FEW_SIGNATURES = 3
ASK = "A worker asks Stripe each hour. To ask now: python manage.py doctor"
SET_UP = "Run: python manage.py setup_stripe --register-endpoint"


def stripe(seen: Seen) -> Outcome:
    """Whether Stripe answers, and accepts our key."""
    account, noted = seen.observed.get(ACCOUNT), seen.observed.get(STRIPE)
    if account and account.state == Level.RED:
        return red(
            "STRIPE_SECRET_KEY belongs to another Stripe account or mode than this database.",
            "Use the key of the right account. Web and workers do not start with this one.",
            account.code,
        )
    if noted and noted.code == "key_refused":
        return red(
            f"Stripe has refused STRIPE_SECRET_KEY since {_clock(noted.since)}. Nothing is sent to Stripe or read "
            "there.",
            "Put a current key of the same account in .env, and restart web and workers. A restricted key must be "
            "allowed to read the account.",
            noted.code,
        )
    if noted and noted.code == "no_answer":
        return (red if seen.now - noted.since > NO_ANSWER_TOO_LONG else amber)(
            f"Stripe has not answered since {_clock(noted.since)}.",
            "Look at the network of this machine and at https://status.stripe.com. What waits goes on by itself.",
            noted.code,
        )
    if not StripeAccount.objects.using(seen.using).exists():
        return red("This database has no Stripe account yet.", "Run: python manage.py setup_stripe", "not_set_up")
    if noted is None:
        return unknown("Nobody has asked Stripe yet.", ASK)
    age = seen.now - noted.seen_at
    if age > STALE:
        return amber(f"Nobody has asked Stripe for {how_long(age.total_seconds())}.", ASK, "not_asked")
    return green("Stripe answers, and accepts the key.")


def clock(seen: Seen) -> Outcome:
    noted = seen.observed.get(CLOCK)
    if noted is None:
        return unknown("The clock was not compared with Stripe's yet.", ASK)
    off = noted.figures.get("seconds", 0)
    if noted.state == Level.GREEN:
        return green(f"The clock of this machine is {how_long(abs(off))} off Stripe's.")
    return red(
        f"The clock of a machine is {how_long(abs(off))} {'behind' if off > 0 else 'ahead of'} Stripe's.",
        "Set it right and let it be set by NTP. From five minutes on, every event of Stripe is refused.",
    )


def webhook_endpoint(seen: Seen) -> Outcome:
    """Whether Stripe sends our events to our address. The last event that came is named in any case."""
    noted = seen.observed.get(ENDPOINT)
    if noted is None:
        return unknown("The webhook endpoint at Stripe was not looked at yet.", ASK)
    if noted.code == "":
        return green("Stripe has our webhook endpoint, and it is enabled.")
    if noted.code == "by_hand":
        return green("No endpoint is registered at Stripe. On a developer's machine, `stripe listen` sends the events.")
    says = {
        "missing": "Stripe has no webhook endpoint with our address, so no event arrives.",
        "disabled": "The webhook endpoint at Stripe is disabled, so no event arrives.",
        "version": "The webhook endpoint at Stripe sends events of another API version.",
        "events": "The webhook endpoint at Stripe does not send all the events that are needed.",
        "not_allowed": "STRIPE_SECRET_KEY may not read the webhook endpoints, so nobody sees whether they are right.",
        "two": "Stripe has a second webhook endpoint with our address, so each event comes twice.",
    }
    if noted.state == Level.RED:
        return red(says[noted.code], SET_UP, noted.code)
    if noted.code == "not_allowed":
        return amber(says[noted.code], "Give the restricted key the permission to read and write them.", noted.code)
    return amber(says[noted.code], "Delete the one that setup_stripe did not make, in Stripe's dashboard.", noted.code)


def last_event(seen: Seen) -> Outcome:
    """How long ago the last event with a right signature came."""
    came = seen.last_received
    silent_for = seen.now - came if came else None
    says = "No event from Stripe has come yet."
    if silent_for is not None:
        says = f"The last event from Stripe came {how_long(silent_for.total_seconds())} ago."
        if silent_for <= SILENT:
            return green(says)
    if not _has_old_subscription(seen):
        return green(says)
    todo = "Send a test event in Stripe's dashboard, and look at the deliveries of the endpoint there."
    return amber(says, todo)


def webhook_signatures(seen: Seen) -> Outcome:
    """Whether what comes to our address is signed with a secret that we know.

    Anybody can send something without a signature. It is red only while nothing with a right one comes.
    """
    if not settings.STRIPE_WEBHOOK_SECRETS:
        return red("No webhook secret is set, so every event is refused.", SET_UP, "no_secret")
    noted = seen.observed.get(SIGNATURES)
    if noted is None or noted.figures["times"] < FEW_SIGNATURES:
        return green("Webhooks come with a right signature, or none came.")
    times, first = noted.figures["times"], datetime.fromisoformat(noted.figures["first"])
    came = seen.last_received
    none_is_right = came is None or came <= first
    if seen.now - noted.seen_at > (WHILE_NONE_IS_RIGHT if none_is_right else SIGNATURES_COUNT_FOR):
        return green("No webhook was refused for its signature lately.")
    says = f"{many(times, 'webhook')} came with a wrong or old signature, the first at {_clock(first)}."
    if not none_is_right:
        return amber(
            f"{says} Others were right.", "If a secret was rolled, keep the old one in STRIPE_WEBHOOK_SECRETS."
        )
    return red(
        f"{says} None has been right since then.",
        "Put the signing secret that Stripe's dashboard shows for the endpoint into STRIPE_WEBHOOK_SECRETS, and "
        "restart web. Stripe sends the events again. If it is right already, let Stripe send an event again: its "
        "dashboard has Resend.",
        "all_refused",
    )


def _has_old_subscription(seen: Seen) -> bool:
    live = Subscription.objects.using(seen.using).filter(status__in=REVENUE, deleted_at=None)
    return live.filter(created_at__lt=seen.now - SILENT).exists()


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
