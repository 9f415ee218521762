"""What a change would cost, in words and to the cent, before anybody confirms it. Nothing changes here."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from billing import clock, coming, errors, invoice_lines
from billing.access import grants, roles
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.models import ApprovalRequest, Office, Operation, PlanPrice
from billing.models.statuses import InvoicesBecome, SubscriptionStatus
from billing.money import Money, is_too_little, least_charge
from billing.operations.engine import second_person
from billing.operations.engine.declaration import Asked, Declaration, OnSubscription, Previewed
from billing.operations.engine.losses import Loss
from billing.operations.engine.standing import Row, Standing, compared
from billing.operations.engine.unsettled import require_settled
from billing.stripe_api import charging
from billing.stripe_api.gateway.coupons import Coupon
from billing.stripe_api.inbound.states import PreviewedInvoice

LASTS = timedelta(hours=1)
ADD_ONE = "Add one before that. Otherwise the invoice is not paid, and the subscription becomes past due."


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    amount: Money
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The invoice that would come: now, or at ``at``. ``as_of`` is the moment it was reckoned for: confirm with it.

    ``tax_within`` is the part of ``tax`` that is within the prices of the lines; the rest is on top of them.
    ``charged`` is what is asked for after credit; a negative ``total`` is kept as credit. ``put_off`` is too little to
    be charged: the next invoice asks for it. ``title`` says when and how, where neither "now" nor "with the next
    invoice" does; ``says`` what one should know beside the amounts. ``lacks_card``: it would be charged now, and there
    is nothing on file to charge. ``discount_afterwards``: the discount that a code gives, in words.
    """

    now: bool
    at: datetime | None
    as_of: datetime
    lines: tuple[Line, ...]
    discount: Money
    tax: Money
    tax_within: Money
    total: Money
    charged: Money
    put_off: Money
    afterwards: str = ""
    says: str = ""
    title: str = ""
    lacks_card: bool = False
    discount_afterwards: str = ""

    @property
    def tax_on_top(self) -> Money:
        return Money(self.tax.amount - self.tax_within.amount, self.tax.currency)


def preview(
    wanted: Declaration[Any, Any],
    subject: Any,
    *,
    by: Actor,
    reason: str = "",
    approving: ApprovalRequest | None = None,
) -> Any:
    """Show what the operation would come to. Nothing changes. Confirm it by ``perform`` with its ``as_of``.

    If a second person must approve it, what is shown says so in ``waits``. ``approving`` is the request that this
    second person looks at.

    Raises: NotPermitted, StaffOnly, OfficeArchived, OperationInProgress, DeterminationMissing, and what ``prepare``
        raises; StripeUnavailable.
    """
    if not isinstance(wanted, Previewed):
        raise TypeError(f"{wanted.kind} has no preview")
    as_of, asked = clock.billing(), Asked(by, reason)  # before anything is read
    exact, fresh = _prepared(wanted, subject, asked)
    return _seen(exact, fresh, as_of, asked, approving=approving)


def _prepared(wanted: Declaration[Any, Any], subject: Any, asked: Asked) -> tuple[Any, Any]:
    """Return the exact request and its subject as it is now. Nothing is locked. Raises what refuses a preview."""
    office = wanted.office_of(subject)
    check_may_preview(type(wanted), office, by=asked.by)
    office = Office.objects.get(pk=office.pk)
    if office.archived_at and not wanted.on_archived:
        raise errors.OfficeArchived(office)
    require_settled(office, asked.by)
    fresh = wanted.naming(subject).subject_in(office)
    if wanted.needs_determination:
        charging.require_determination()
    named = wanted.look_up(fresh, asked).naming(fresh)
    named.check_subject(fresh)
    named.check_typed(fresh)
    return named.prepare(fresh, asked), fresh


def _seen(exact: Any, fresh: Any, as_of: datetime, asked: Asked, *, approving: ApprovalRequest | None = None) -> Any:
    """Return what the prepared request would come to."""
    office = exact.office_of(fresh)
    if approving:
        second_person.check_amount(approving, exact, fresh)
    seen = exact.preview(fresh, as_of, asked)
    gives = None if approving else second_person.above_limit(exact, fresh)
    if gives:
        return replace(seen, waits=second_person.waits(gives))
    is_of_subscription = isinstance(exact, OnSubscription) and isinstance(seen, Preview)
    return naming_the_present(seen, office) if is_of_subscription else seen


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What a person confirms: the preview, what is lost, and how the Office stands before and after. Each may be empty.

    ``lacks_card``: it would be charged now, and there is nothing on file to charge, so it cannot be confirmed.
    """

    preview: Any
    loss: Loss | None
    rows: tuple[Row, ...]
    as_of: datetime
    lacks_card: bool = False

    @property
    def is_empty(self) -> bool:
        return self.preview is None and self.loss is None and not self.rows


def second_step(
    wanted: Declaration[Any, Any],
    subject: Any,
    *,
    by: Actor,
    reason: str = "",
    nothing_to_show: tuple[type[errors.BillingError], ...] = (),
) -> SecondStep:
    """Return what a person confirms. Nothing changes. Stripe is asked only for a preview.

    If the preview is refused with one of ``nothing_to_show``, there is none. If the request is done already, or
    there is neither a preview nor a loss, all is empty. Raises: what ``preview`` raises.
    """
    as_of, asked = clock.billing(), Asked(by, reason)
    exact, fresh = _prepared(wanted, subject, asked)
    if exact.already_so(fresh, asked):
        return SecondStep(None, None, (), as_of)
    seen = None
    if isinstance(exact, Previewed):
        with contextlib.suppress(*nothing_to_show):
            seen = _seen(exact, fresh, as_of, asked)
    office, lost = exact.office_of(fresh), exact.loses(fresh, as_of)
    if seen is None and lost is None:
        return SecondStep(None, None, (), as_of)
    stands = exact.compares(fresh, Standing.of(office), seen)
    rows = compared(stands[0], stands[1], office, seen) if stands else ()
    return SecondStep(seen, lost, rows, as_of, getattr(seen, "lacks_card", False))


def loss_of(wanted: Declaration[Any, Any], subject: Any, *, by: Actor, reason: str = "") -> Loss | None:
    """Return what the request ends or gives up now. Stripe is asked nothing. Raises: what ``preview`` raises."""
    if type(wanted).loses is Declaration.loses:
        return None
    asked = Asked(by, reason)
    exact, fresh = _prepared(wanted, subject, asked)
    lost: Loss | None = None if exact.already_so(fresh, asked) else exact.loses(fresh, clock.billing())
    return lost


def to_preview(declared: type[Declaration[Any, Any]]) -> Power:
    """Return what a person must be able to do, to see what it would come to.

    An Office's own people who only look may preview what its managers may do. What only the vendor may do is previewed
    by those who may do it.
    """
    return declared.needs if roles.only_vendor(declared.needs) else Power.PREVIEW


def check_may_preview(declared: type[Declaration[Any, Any]], office: Office, *, by: Actor) -> None:
    """Refuse who may not see it, before anything that they wrote is read. Raises: NotPermitted, StaffOnly."""
    power = to_preview(declared)
    to = declared.asks_to if power is declared.needs else ""
    grants.require_on_record(by, power, office, what=f"preview of {declared.kind}", to=to)


def naming_the_present(seen: Preview, office: Office) -> Preview:
    """The preview; where more than one subscription is live, it says of which it is."""
    present, others = office.current_subscription, office.other_live_subscriptions
    if not present or not others:
        return seen
    beside = " and ".join(one.in_words for one in others)
    says = f"{seen.says} This is about: {present.in_words}. It is not about what is live beside it: {beside}."
    return replace(seen, says=says.strip())


def check_unchanged(office: Office, as_of: datetime | None) -> None:
    """The preview of ``as_of`` is of the last hour, and since then nothing was done to the Office and no period
    began: the amounts are the ones that were shown, and a confirmation that comes twice is carried out once.

    Raises: PreviewStale.
    """
    if as_of is not None and changed_since([(office, as_of)]):
        raise errors.PreviewStale


def changed_since(seen: Sequence[tuple[Office, datetime]]) -> set[int]:
    """Return the keys of those Offices whose preview of this moment does not hold any more. One statement."""
    now = clock.billing()
    at = {office.pk: clock.on_the_wall(as_of) for office, as_of in seen}
    found = {
        office.pk
        for office, as_of in seen
        if not now - LASTS <= as_of <= now or (office.current_period_start and as_of < office.current_period_start)
    }
    if not at:
        return found
    first, undone = min(at.values()), (Operation.Status.REJECTED, Operation.Status.ABANDONED)
    since = Operation.objects.filter(Q(created_at__gte=first) | Q(settled_at__gte=first), office__in=list(at))
    for key, begun, settled in since.exclude(status__in=undone).values_list("office", "created_at", "settled_at"):
        if max(begun, settled or begun) >= at[key]:
            found.add(key)
    return found


def shown(
    invoice: PreviewedInvoice,
    *,
    now: bool,
    at: datetime | None,
    as_of: datetime,
    of: Office | None = None,
    afterwards: str = "",
    says: str = "",
    title: str = "",
) -> Preview:
    """The previewed invoice with our own words for what it consists of.

    ``of`` is the Office, where it is an invoice of its present subscription. Then the preview also says if the invoice
    will not be collected, or if it will be charged and there is nothing on file to charge.
    """
    prices = invoice_lines.prices_of(line["price"] for line in invoice.lines)
    if not invoice.is_whole:
        first = f"Stripe shows only the first {len(invoice.lines)} lines here. The total is of all of them."
        says = f"{says} {first}".strip()

    def money(amount: int) -> Money:
        return Money(amount, invoice.currency)

    stays = _not_collected(of, now=now, at=at) if of else ""
    more = stays or _says_put_off(invoice) or (_says_no_method(invoice, of) if of else "")
    return Preview(
        now=now,
        at=at,
        as_of=as_of,
        lines=tuple(
            Line(
                invoice_lines.words(line, prices.get(line["price"])),
                money(line["amount"]),
                line["period_start"],
                line["period_end"],
            )
            for line in invoice.lines
        ),
        discount=money(-invoice.discount),
        tax=money(invoice.tax),
        tax_within=money(invoice.tax_within),
        total=money(invoice.total),
        charged=money(0 if stays else invoice.amount_due),
        put_off=money(0 if stays else invoice.put_off),
        afterwards=afterwards,
        says=f"{says} {more}".strip(),
        title=title,
        lacks_card=now and not stays and invoice.amount_due > 0 and _has_nothing_to_charge(invoice, of),
    )


def _has_nothing_to_charge(invoice: PreviewedInvoice, office: Office | None) -> bool:
    return office is not None and not invoice.is_sent and not office.has_payment_method


def _not_collected(office: Office, *, now: bool, at: datetime | None) -> str:
    """Return why an invoice of the present subscription, made now or then, will not be collected. "" if it will."""
    if office.subscription_status == SubscriptionStatus.UNPAID and not now:
        return "The subscription is unpaid: this invoice stays a draft and is not charged."
    if coming.is_collected(office, at=None if now else at):
        return ""
    become = dict(InvoicesBecome.choices).get(office.collection_paused, "not collected")
    return f"Collection is paused: this invoice is {become}."


def _says_put_off(invoice: PreviewedInvoice) -> str:
    if not invoice.put_off:
        return ""
    amount, least = Money(invoice.put_off, invoice.currency), least_charge(invoice.currency)
    at_least = f" It charges at least {Money(least, invoice.currency)}." if invoice.put_off < least else ""
    return (
        f"{amount} is too little for Stripe to charge.{at_least} The invoice counts as paid, and the next one asks for "
        "this amount too."
    )


def _says_no_method(invoice: PreviewedInvoice, office: Office) -> str:
    if not invoice.amount_due or invoice.is_sent or office.has_payment_method:
        return ""
    due = Money(invoice.amount_due, invoice.currency)
    return f"{due} will be charged, and no payment method is on file. {ADD_ONE}"


def without_periods(invoice: PreviewedInvoice) -> PreviewedInvoice:
    return replace(invoice, lines=tuple({**line, "period_start": None, "period_end": None} for line in invoice.lines))


def reckoned(price: PlanPrice, quantity: int, coupon: Coupon | None = None) -> PreviewedInvoice:
    """The first invoice of an Office of which Stripe knows nothing: one line, without taxes and credit."""
    whole = price.money.times(quantity)
    applies = coupon is not None and (not coupon.products or price.plan.stripe_product_id in coupon.products)
    off = coupon.discount.taken_off(whole).amount if coupon and applies else 0
    due = whole.amount - off
    put_off = due if is_too_little(due, whole.currency) else 0
    line = {"price": price.stripe_price_id, "charge": "", "quantity": quantity, "amount": whole.amount, "tax": 0}
    return PreviewedInvoice(
        currency=whole.currency,
        subtotal=whole.amount,
        discount=off,
        tax=0,
        tax_within=0,
        total=due,
        amount_due=due - put_off,
        put_off=put_off,
        is_sent=False,
        period_start=None,
        period_end=None,
        lines=({**line, "proration": False, "period_start": None, "period_end": None},),
    )
