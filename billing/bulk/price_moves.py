"""A price move: many Offices from one price to another. It is previewed first, Office by Office, then confirmed.

The preview is a bulk act that changes nothing: each of its rows keeps what Stripe calculated for that Office, and when.
Within the hour that a preview holds, a person confirms them together, and that is a second bulk act. An Office that
changed since its preview is left out, and its row says why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing import clock, errors
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.bulk import starting
from billing.bulk.kinds import BulkKind, Cannot, Result, Work, register
from billing.models import BulkAct, BulkRow, Office, PlanPrice, Subscription
from billing.models.statuses import CHANGEABLE, LIVE
from billing.money import Money
from billing.operations.engine import previews
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.change import ChangeSubscription

BATCH = 300
"""Offices in one move. All of them are previewed, looked at and confirmed within the hour that the first one holds."""
NOW, NEXT_PERIOD = "now", "not_at_all"
WHEN = {
    NOW: "Now: what differs for the rest of the period is charged or credited now",
    NEXT_PERIOD: "From the next period on: nothing is charged or credited for the present one",
}
CHANGED = Cannot("It changed since its preview.")
LAPSED = Cannot("Its preview is older than an hour.")
NOT_PREVIEWED = Cannot("It has no preview.")
Judged = dict[int, dict[str, Any] | Cannot]


@dataclass(slots=True)
class Totals:
    """What the previewed Offices come to in one currency, in minor units. A trial is no recurring revenue yet."""

    currency: str
    offices: int = 0
    before: int = 0
    after: int = 0
    charged: int = 0
    credited: int = 0

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)

    @property
    def rows(self) -> list[tuple[str, Money]]:
        return [
            ("Monthly recurring revenue before", self.money(self.before)),
            ("Monthly recurring revenue after", self.money(self.after)),
            ("Charged now", self.money(self.charged)),
            ("Kept as credit now", self.money(self.credited)),
        ]


@dataclass(slots=True)
class Previewed:
    """The totals of a preview so far. ``lapses_at`` is when the first of its Offices can no longer be confirmed."""

    totals: dict[str, Totals] = field(default_factory=dict)
    offices: int = 0
    lapses_at: datetime | None = None


def present_at(price: PlanPrice) -> list[Office]:
    """Return the Offices whose present subscription has this price, at most one batch."""
    live = Subscription.objects.filter(plan_price=price, status__in=LIVE, deleted_at=None)
    found = Office.objects.filter(
        archived_at=None, payment_provider_subscription_id__in=live.values("stripe_id")
    ).order_by("pk")
    return list(found[:BATCH])


def preview(old: PlanPrice, new: PlanPrice, *, when: str, by: Actor, reason: str) -> BulkAct:
    """Begin the preview of a move. Nothing changes.

    Raises: NothingToChange: both are the same. NothingToActOn: no Office can be moved; it says why.
        And what ``starting.start`` raises.
    """
    if old == new:
        raise errors.NothingToChange("the old price and the new one are the same.")
    given = {"old": str(old.public_id), "new": str(new.public_id), "settle": when}
    offices = present_at(old)
    try:
        return starting.start(PREVIEW, offices, by=by, reason=reason, given=given)
    except errors.NothingToActOn:
        raise errors.NothingToActOn(_why_none(offices, given)) from None


def _why_none(offices: Sequence[Office], given: Mapping[str, Any]) -> str:
    """Say why none of them can be moved. The page of a move does not list them."""
    left_out = [one for one in _can_be_previewed(offices, given).values() if isinstance(one, Cannot)]
    if not left_out:
        return "No Office has a live subscription at this price."
    return " ".join(["None of the Offices can be moved. Why one cannot:", *sorted({one.why for one in left_out})])


def confirm(act: BulkAct, *, by: Actor) -> BulkAct:
    """Begin the move of the Offices that this preview is of. Money may move, as was shown. Once.

    Raises: PreviewStale: it was confirmed before, or has not ended. NothingToActOn: none can be moved any more. And
        what ``starting.start`` raises.
    """
    offices = [row.office for row in act.rows.select_related("office")]
    given = {**act.given, "preview": act.pk}

    def check() -> None:
        """Under the lock of the preview, so that of two people one begins the move."""
        fresh = BulkAct.objects.select_for_update().get(pk=act.pk)
        if fresh.ended_at is None or moved_by(fresh) is not None:
            raise errors.PreviewStale

    return starting.start(MOVE, offices, by=by, reason=act.reason, given=given, check=check)


def moved_by(act: BulkAct) -> BulkAct | None:
    """Return the move that was confirmed with this preview, or None."""
    return BulkAct.objects.filter(kind=MOVE.name, given__preview=act.pk).first()


def prices_of(act: BulkAct) -> tuple[PlanPrice, PlanPrice]:
    """Return the old price and the new one."""
    found = PlanPrice.objects.select_related("plan")
    return found.get(public_id=act.given["old"]), found.get(public_id=act.given["new"])


def come_to(act: BulkAct) -> Previewed:
    """Return the sums of what was previewed. One statement."""
    seen = Previewed()
    for given in act.rows.filter(state=BulkRow.State.DONE).values_list("given", flat=True):
        one = given["result"]
        total = seen.totals.setdefault(one["currency"], Totals(one["currency"]))
        total.offices += 1
        total.before += one["before"]
        total.after += one["after"]
        total.charged += one["charged"]
        total.credited += one["credited"]
        lapses = datetime.fromisoformat(one["as_of"]) + previews.LASTS
        seen.lapses_at = min(seen.lapses_at or lapses, lapses)
        seen.offices += 1
    return seen


def _of_offices(offices: Sequence[Office], keys: Iterable[str]) -> dict[int, Subscription]:
    """Return the present subscription of each Office. One query."""
    rows = Subscription.objects.filter(office__in=[one.pk for one in offices], stripe_id__in=list(keys))
    return {row.office_id: row for row in rows.select_related("plan_price")}


def _present(offices: Sequence[Office]) -> dict[int, Subscription]:
    return _of_offices(offices, {one.payment_provider_subscription_id for one in offices})


def _can_be_previewed(offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    old = PlanPrice.objects.get(public_id=given["old"])
    new = PlanPrice.objects.select_related("plan").get(public_id=given["new"])
    present, found = _present(offices), Judged()
    for office in offices:
        subscription = present.get(office.pk)
        why = _why_not(office, subscription, old, new, given["settle"])
        if why or subscription is None:
            found[office.pk] = Cannot(why)
        else:
            found[office.pk] = {
                "quantity": subscription.quantity,
                "before": subscription.monthly_amount,
                "is_revenue": subscription.counts_as_revenue,
            }
    return found


def _why_not(office: Office, subscription: Subscription | None, old: PlanPrice, new: PlanPrice, settle: str) -> str:
    if subscription is None or subscription.plan_price_id != old.pk:
        return "It does not have the old price any more."
    if subscription.status not in CHANGEABLE:
        return f"Its subscription is {subscription.status.replace('_', ' ')}, and cannot be changed."
    if old.currency != new.currency:
        return f"It is billed in {old.currency.upper()}, and the new price is in {new.currency.upper()}."
    same = (old.interval, old.interval_count) == (new.interval, new.interval_count)
    if settle == NEXT_PERIOD and not same:
        return f"It is charged {old.how_often}, and the new price {new.how_often}: that begins a new period now."
    return ""


def _previewed(work: Work) -> Result:
    seen = previews.preview(_change(work), work.office, by=work.by, reason=work.reason)
    new = PlanPrice.objects.get(public_id=work.given["new"])
    quantity = work.own["quantity"]
    now = work.given["settle"] == NOW and seen.now
    data = {
        "as_of": seen.as_of.isoformat(),
        "currency": new.currency,
        "before": work.own["before"] if work.own["is_revenue"] else 0,
        "after": new.monthly_amount(quantity if new.per_seat else 1) if work.own["is_revenue"] else 0,
        "charged": seen.charged.amount if now else 0,
        "credited": max(0, -seen.total.amount) if now else 0,
    }
    charged = Money(data["charged"], new.currency)
    return Result(f"{charged} is charged now." if charged.amount else "Nothing is charged now.", data)


def _change(work: Work, as_of: datetime | None = None) -> ChangeSubscription:
    return ChangeSubscription(price=work.given["new"], settle=work.given["settle"], as_of=as_of)


def _can_be_moved(offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    """Hold each Office against its preview: it has the same price and seats, and the hour is not over."""
    rows = BulkRow.objects.filter(act=given["preview"], state=BulkRow.State.DONE)
    seen = {row.office_id: row.given for row in rows}
    old, present, now = PlanPrice.objects.get(public_id=given["old"]), _present(offices), clock.billing()
    seen_at = {key: datetime.fromisoformat(one["result"]["as_of"]) for key, one in seen.items()}
    changed = previews.changed_since([(one, seen_at[one.pk]) for one in offices if one.pk in seen_at])
    found = Judged()
    for office in offices:
        previewed, subscription = seen.get(office.pk), present.get(office.pk)
        if previewed is None:
            found[office.pk] = NOT_PREVIEWED
        elif subscription is None or _differs(office, subscription, previewed, old):
            found[office.pk] = CHANGED
        elif now - seen_at[office.pk] > previews.LASTS:
            found[office.pk] = LAPSED
        elif office.pk in changed:
            found[office.pk] = CHANGED
        else:
            as_of = seen_at[office.pk].isoformat()
            found[office.pk] = {"quantity": previewed["quantity"], "before": previewed["before"], "as_of": as_of}
    return found


def _differs(office: Office, subscription: Subscription, previewed: Mapping[str, Any], old: PlanPrice) -> bool:
    same = (subscription.plan_price_id, subscription.quantity, subscription.monthly_amount)
    return same != (old.pk, previewed["quantity"], previewed["before"]) or subscription.status not in CHANGEABLE


def _moved(work: Work) -> str:
    office, old = work.office, PlanPrice.objects.get(public_id=work.given["old"])
    subscription = _present([office]).get(office.pk)
    if subscription is None or _differs(office, subscription, work.own, old):
        raise errors.PreviewStale
    perform(_change(work, datetime.fromisoformat(work.own["as_of"])), office, by=work.by, reason=work.reason)
    return "Moved to the new price."


PREVIEW = register(
    BulkKind(
        name="preview_price_move",
        title="Preview of a price move",
        says="Stripe calculates what each Office would pay at the new price. Nothing changes.",
        power=Power.OPERATE,
        judge=_can_be_previewed,
        work=_previewed,
    )
)
MOVE = register(
    BulkKind(
        name="move_price",
        title="Move to another price",
        says="Each Office gets the new price, as its preview showed it. If a payment is declined, the Office keeps the "
        "old price, and the others go on.",
        power=Power.OPERATE,
        judge=_can_be_moved,
        work=_moved,
        is_red=True,
    )
)
