"""Notices: the e-mails about its billing that an Office gets by itself. What is told, once for each reason.

``put`` is called where rows that mirror Stripe change, in the same transaction. What time alone brings is put by the
job ``notices`` (``billing.outbox.by_time``). ``still_holds`` is asked again when the e-mail is sent.

Moments are of the billing clock. Nothing is told of what happened before OFFICE_MAIL_SINCE, a week ago or earlier, or
between a backup and its restore: the database that was lost may have told it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from billing import clock, coming, debts, errors, present_subscription, zones
from billing.batches import each
from billing.declines import of as decline_of
from billing.held import Gap
from billing.models import Invoice, Notification, Office, Payment, Subscription
from billing.models.invoice import OWED
from billing.models.statuses import LIVE, InvoiceStatus, PaymentStatus, SubscriptionStatus

Kind = Notification.Kind

LATE = timedelta(days=7)
"""What is older is not told any more. It is shorter than the outbox keeps rows, so nothing is told again."""
ENDS_SOON = timedelta(days=3)
"""How long before access ends it is told."""
NOT_BEGUN = (SubscriptionStatus.INCOMPLETE, SubscriptionStatus.INCOMPLETE_EXPIRED)
CONFIRM = "authentication_required"
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Notice:
    """What one Office is told. ``reason`` is told once. ``about`` are ids, days and numbers."""

    kind: str
    office: Office
    reason: str
    about: dict[str, Any]


def are_on(at: datetime) -> bool:
    """Return whether Offices get e-mails at this moment (billing clock)."""
    return _since() <= at


def _since() -> datetime:
    """Return from when on Offices are told of what happens. The end of all times: they are told of nothing."""
    since: datetime | None = settings.OFFICE_MAIL_SINCE
    return NEVER if since is None else since


def put(office: Office, *, before: Mapping[str, Any]) -> None:
    """Put the notices of what the Office's rows show into the outbox. Repeating is a no-op.

    ``before`` are the columns of the Office before. Call it in the transaction in which the rows changed.
    """
    at = clock.billing()
    if not are_on(at) or office.archived_at:
        return
    keep([*_receipts(office, at), *_ends(office, at), *_arranged_end(office, before)])
    if office.owes_something:
        keep(failed_payments(Invoice.objects.filter(office=office), at))


def keep(found: Iterable[Notice]) -> int:
    """Put those into the outbox that are not there yet. Return how many. Call it in a transaction."""
    wanted = {one.reason: one for one in found if one.office.billing_email}
    known = Notification.objects.filter(dedupe_key__in=wanted).values_list("dedupe_key", flat=True) if wanted else ()
    new = [wanted[reason] for reason in wanted.keys() - set(known)]
    for one in new:
        Notification.objects.put(one.kind, one.reason, office=one.office, **one.about)
    return len(new)


def failed_payments(invoices: QuerySet[Invoice], at: datetime) -> list[Notice]:
    """Return what is told of payments that failed: of each Office its oldest such invoice, on the days of the setting.

    Of several days that have come, only the last is told. A start that was declined is not told: who started it saw it.
    """
    days = settings.PAYMENT_REMINDER_DAYS
    if not days:
        return []
    tried = Q(collection=Invoice.Collection.CHARGED, attempt_count__gt=0)
    overdue = Q(collection=Invoice.Collection.SENT, due_at__lte=at)
    recent = at - timedelta(days=days[-1]) - LATE - present_subscription.TRIED_WITHIN
    asked = invoices.filter(tried & Q(finalised_at__gt=recent) | overdue & Q(due_at__gt=recent), OWED)
    asked = asked.filter(office__archived_at=None).exclude(subscription__status__in=NOT_BEGUN)
    rows = list(asked.select_related("office").order_by("office_id", debts.ASKED_SINCE, "pk"))
    attempts, gap = _attempts(rows), Gap()
    found: dict[int, Notice] = {}
    for row in rows:
        failed_at = _failed_at(row, attempts.get(row.pk, []))
        if failed_at is None or failed_at < _since() or row.office_id in found:
            continue
        if any(one.status == PaymentStatus.PENDING for one in attempts.get(row.pk, [])):
            continue  # another debit is on its way
        day = (at - failed_at).days + 1
        reached = max((one for one in days if one <= day), default=None)
        if reached is None or not _is_new(failed_at + timedelta(days=reached - 1), gap, at):
            continue
        must_confirm = _must_confirm(row, attempts.get(row.pk, []))
        kind = Kind.AUTHENTICATION_NEEDED if must_confirm else Kind.PAYMENT_FAILED
        about = {"invoice": str(row.public_id), "day": reached}
        found[row.office_id] = Notice(kind, row.office, f"payment_failed:{row.public_id}:{reached}", about)
    return list(found.values())


def of_time(at: datetime) -> Iterator[Notice]:
    """Yield what time alone brings at this moment: trials and access that end, and cards that expire."""
    gap = Gap()
    for office in each(Office.objects.filter(coming.trial_ends(at))):
        if office.trial_end and not gap.has(office.trial_end - coming.TRIAL_SOON):
            yield _of_day(Kind.TRIAL_ENDS, office, office.trial_end)
    for office in each(Office.objects.filter(coming.card_expires(at))):
        expires, began = office.payment_method_expires, office.current_period_start
        if began and expires < f"{began:%Y-%m}":
            continue  # it was charged since, so this was told before, or is known
        if office.current_period_end and not gap.has(office.current_period_end - coming.CHARGED_SOON):
            yield Notice(Kind.CARD_EXPIRES, office, f"card_expires:{office.public_id}:{expires}", {"expires": expires})
    for office in each(Office.objects.filter(_access_may_end(at))):
        ends = access_ends(office, at)
        if ends and not gap.has(ends - ENDS_SOON) and not _was_just_told_of_end(office):
            yield _of_day(Kind.ACCESS_ENDS, office, ends)


def access_ends(office: Office, at: datetime) -> datetime | None:
    """Return when the Office's access ends, if that is within three days. None: it does not, or later.

    What was past due before OFFICE_MAIL_SINCE is not told.
    """
    since, ends = office.past_due_since, []
    if office.has_live_subscription and office.cancel_at:
        ends.append(office.cancel_at)
    if office.subscription_status == SubscriptionStatus.PAST_DUE and since and since >= _since():
        ends.append(since + settings.PAST_DUE_GRACE)
    first = min(ends, default=None)
    return first if first and at < first <= at + ENDS_SOON else None


def is_in(office: Office, condition: Q) -> bool:
    """Return whether the Office's row meets this condition now."""
    return Office.objects.filter(condition, pk=office.pk).exists()


def still_holds(row: Notification, at: datetime) -> bool:
    """Return whether what this notice tells is still so. What was paid meanwhile is not asked for again."""
    office, about = row.office, row.context
    if office is None or office.archived_at or not are_on(at):
        return False
    if row.kind in (Kind.PAYMENT_FAILED, Kind.AUTHENTICATION_NEEDED):
        owed = Invoice.objects.filter(OWED, office=office, public_id=about["invoice"])
        return owed.exists() and not Payment.objects.filter(invoice__in=owed, status=PaymentStatus.PENDING).exists()
    if row.kind == Kind.RECEIPT:
        paid = Invoice.objects.filter(office=office, public_id=about["invoice"], deleted_at=None)
        return paid.filter(status=InvoiceStatus.PAID).exists()
    if row.kind == Kind.CANCELLED:
        of = Subscription.objects.get(public_id=about["subscription"])
        if of.ended_at is not None or not of.is_live or of.cancel_at is None:
            return of.ended_at is not None
        return _day(office, of.cancel_at) == about.get("day")
    if row.kind == Kind.TRIAL_ENDS:
        is_same = office.trial_end is not None and _day(office, office.trial_end) == about["day"]
        return is_same and is_in(office, coming.trial_ends(at))
    if row.kind == Kind.CARD_EXPIRES:
        is_same = office.payment_method_expires == about["expires"]
        return is_same and is_in(office, coming.card_expires(at))
    if row.kind == Kind.ACCESS_ENDS:
        ends = access_ends(office, at)
        return ends is not None and _day(office, ends) == about["day"]
    raise errors.Defect(f"Nobody says when a notice of the kind {row.kind} holds.")


def _access_may_end(at: datetime) -> Q:
    soon, grace = at + ENDS_SOON, settings.PAST_DUE_GRACE
    ends = Q(cancel_at__gt=at, cancel_at__lte=soon, subscription_status__in=LIVE)
    unpaid = Q(
        subscription_status=SubscriptionStatus.PAST_DUE, past_due_since__gt=at - grace, past_due_since__lte=soon - grace
    )
    return coming.NOT_ARCHIVED & (ends | unpaid)


def _receipts(office: Office, at: datetime) -> list[Notice]:
    paid = office.invoices.filter(status=InvoiceStatus.PAID, deleted_at=None, amount_paid__gt=0, paid_at__gt=at - LATE)
    rows = list(paid.filter(paid_at__gte=_since()).order_by("paid_at", "pk"))
    gap = Gap() if rows else None
    return [
        Notice(Kind.RECEIPT, office, f"receipt:{row.public_id}", {"invoice": str(row.public_id)})
        for row in rows
        if gap and row.paid_at and _is_new(row.paid_at, gap, at)
    ]


def _ends(office: Office, at: datetime) -> list[Notice]:
    """Return the subscriptions that are over, unless another goes on, or their end was told when it was arranged."""
    if office.has_live_subscription:
        return []
    over = office.subscriptions.filter(status=SubscriptionStatus.CANCELED, ended_at__gte=_since(), deleted_at=None)
    served = over.filter(changes__status_before__in=LIVE, ended_at__gt=at - LATE).distinct()
    found = []
    for row in served:
        if row.ended_at and _is_new(row.ended_at, Gap(), at) and not _was_told(row, office):
            found.append(_of_subscription(row, office, f"ended:{row.public_id}"))
    return found


def _was_told(row: Subscription, office: Office) -> bool:
    """Return whether the Office was told of this end when it was arranged. An earlier one is another end."""
    if not row.cancel_at or not row.ended_at or row.ended_at < row.cancel_at:
        return False
    arranged = Notification.objects.filter(dedupe_key=f"cancelled:{row.public_id}:{_day(office, row.cancel_at)}")
    return arranged.exclude(state=Notification.State.DROPPED).exists()


def _arranged_end(office: Office, before: Mapping[str, Any]) -> list[Notice]:
    """Return the end that the present subscription has now and had not before. A first look arranges nothing."""
    is_same = before["payment_provider_subscription_id"] == office.payment_provider_subscription_id
    if not office.cancel_at or before["cancel_at"] == office.cancel_at or not is_same or not before["confirmed_at"]:
        return []
    row = office.current_subscription
    if row is None:
        return []
    day = _day(office, office.cancel_at)
    return [_of_subscription(row, office, f"cancelled:{row.public_id}:{day}", day=day)]


def _of_subscription(row: Subscription, office: Office, reason: str, **about: Any) -> Notice:
    return Notice(Kind.CANCELLED, office, reason, {"subscription": str(row.public_id), **about})


def _of_day(kind: Kind, office: Office, end: datetime) -> Notice:
    day = _day(office, end)
    return Notice(kind, office, f"{kind}:{office.public_id}:{day}", {"day": day})


def _day(office: Office, end: datetime) -> str:
    return zones.last_day_of(end, office.time_zone).isoformat()


def _was_just_told_of_end(office: Office) -> bool:
    """Return whether the Office was told of an end in the last week: it was arranged just before it."""
    told = Notification.objects.filter(office=office, kind=Kind.CANCELLED, created_at__gt=clock.wall() - LATE)
    return office.cancel_at is not None and told.exists()


def _is_new(then: datetime, gap: Gap, at: datetime) -> bool:
    return max(_since(), at - LATE) <= then and not gap.has(then)


def _attempts(invoices: list[Invoice]) -> dict[int, list[Payment]]:
    """Return the attempts to collect each invoice that have not succeeded, by its key, oldest first. One query."""
    found: dict[int, list[Payment]] = {}
    tried = Payment.objects.filter(invoice__in=[row.pk for row in invoices]).exclude(status=PaymentStatus.SUCCEEDED)
    for one in tried.order_by("created_at", "pk") if invoices else ():
        found.setdefault(one.invoice_id or 0, []).append(one)
    return found


def _must_confirm(row: Invoice, attempts: list[Payment]) -> bool:
    """Return whether the payer's bank wants a confirmation: it said so, or the payment waits and nothing was charged.

    Source: https://docs.stripe.com/payments/paymentintents/lifecycle (``requires_action``: there is no charge yet)
    """
    if attempts:
        return _code(attempts[-1]) == CONFIRM
    return row.collection == Invoice.Collection.CHARGED and row.office.has_payment_method


def _failed_at(row: Invoice, attempts: list[Payment]) -> datetime | None:
    if row.collection == Invoice.Collection.SENT:
        return row.due_at
    known = [
        present_subscription.Attempt(one.created_at, one.returned_at, one.status == PaymentStatus.PENDING)
        for one in attempts[:1]
    ]
    return present_subscription.first_failure(row.finalised_at or row.created_at, next(iter(known), None))


def _code(payment: Payment) -> str:
    return decline_of(payment.decline_code or payment.failure_code).code
