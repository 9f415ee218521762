"""Findings: the table of their kinds, and how they are reported, decided by a person, and resolved.

There is at most one open finding of a kind about a subject. None is deleted.

Every kind says when its matter is over. ``resolve`` is called then, by code that sees it at Stripe, or by
``billing.matters`` for a rule about our own rows (``Kind.is_over``). Where no code can know it, a person closes it.

What a person closed stays closed. The finding keeps the facts that it rested on. The same facts do not open it again,
until the matter was over in between. Other facts open a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from billing import clock
from billing.models import (
    Adjustment,
    Finding,
    Job,
    Notification,
    Office,
    Payment,
    Plan,
    PlanPrice,
    ReceivedEvent,
    Reconciliation,
    Subscription,
    SubscriptionItem,
    User,
)
from billing.models.invoice import STAYS_A_DRAFT
from billing.models.statuses import FINAL, LIVE
from billing.text import fields

ADDRESSES_ALIKE = "addresses_alike"
CHECK_FAILED = "check_failed"
DRAFTS_WAIT = "drafts_wait"
CONTACT_DIFFERS = "contact_differs"
UNKNOWN_CUSTOMER, SECOND_CUSTOMER, NOT_LINKED = "unknown_customer", "second_customer", "customer_not_linked"
SCHEDULE = "schedule"
OF_UNKNOWN_CUSTOMERS = (UNKNOWN_CUSTOMER, SECOND_CUSTOMER, NOT_LINKED)
"""Kinds about a customer that no Office has. A customer has one of them at a time."""
TEXT = "text_about_a_patient"
Judged = Office | Plan | PlanPrice | User
JUDGED: tuple[type[Judged], ...] = (Office, Plan, PlanPrice, User)
"""What has names, addresses and codes that people typed, here or at Stripe."""
MAIL_REPORTED_AFTER = 6
"""How many attempts an e-mail has had when it is told that it waits: about a quarter of an hour."""
Rule = Callable[[Finding], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    ``says`` is what it means, and ``over`` is when its matter is over. ``severity`` holds unless the report says more
    exactly. ``is_over`` is the rule about our own rows, if one can be written. ``by_rule`` says that code closes it
    when it is over: with ``is_over``, or where Stripe shows it. Otherwise only a person can know.
    """

    says: str
    severity: Finding.Severity
    over: str
    by_rule: bool = True
    is_over: Rule | None = None
    by_person: bool = True


def _no_foreign_price(finding: Finding) -> bool:
    row = Subscription.objects.filter(stripe_id=finding.subject, deleted_at=None).first()
    if row is None or row.status in FINAL:
        return True
    items = SubscriptionItem.objects.filter(subscription=row, removed_at=None, plan_price=None)
    ours = PlanPrice.objects.filter(stripe_price_id__in=items.values("price_id")).values("stripe_price_id")
    return row.items.exists() and not items.exclude(price_id__in=ours).exists()


def _at_most_one_is_live(finding: Finding) -> bool:
    return Subscription.objects.filter(office=finding.office, deleted_at=None, status__in=LIVE).count() < 2


def _no_draft_waits(finding: Finding) -> bool:
    row = Subscription.objects.filter(public_id=finding.subject).first()
    return row is None or not row.is_live or not row.invoices.filter(STAYS_A_DRAFT).exists()


def _is_not_billed_while_archived(finding: Finding) -> bool:
    office = finding.office
    return office is None or office.archived_at is None or not office.has_live_subscription


def _is_no_longer_at_stripe(finding: Finding) -> bool:
    office = finding.office
    if office is None:
        return True
    managed = Subscription.objects.filter(office=office, deleted_at=None, schedule__isnull=False)
    stored = [*(office.coming_schedules or ()), *managed.values_list("schedule", flat=True)]
    return finding.subject not in {one["id"] for one in stored}


def _is_not_deleted(finding: Finding) -> bool:
    office = finding.office
    return office is None or office.archived_at is not None or office.customer_deleted_at is None


def _has_address(finding: Finding) -> bool:
    office = finding.office
    return office is None or bool(office.billing_email and office.has_a_name)


def _is_not_sold_here(finding: Finding) -> bool:
    plan = Plan.objects.filter(public_id=finding.subject).first()
    if plan:
        return plan.archived_at is not None
    return not PlanPrice.objects.filter(public_id=finding.subject).for_sale(clock.billing()).exists()


def _needs_no_answer(finding: Finding) -> bool:
    row = Adjustment.objects.filter(public_id=finding.subject).first()
    return row is None or not row.answer_by


def _nothing_to_prevent(finding: Finding) -> bool:
    row = Payment.objects.filter(public_id=finding.subject).first()
    return row is None or row.disputed or not row.refundable.amount


def _is_not_parked(finding: Finding) -> bool:
    return not ReceivedEvent.objects.filter(stripe_id=finding.subject, status=ReceivedEvent.Status.PARKED).exists()


def _runs_again(finding: Finding) -> bool:
    return not Job.objects.filter(name=finding.subject, attempts__gt=0).exists()


def _mail_leaves(finding: Finding) -> bool:
    waiting = Notification.objects.filter(state=Notification.State.WAITING)
    return not waiting.filter(attempts__gte=MAIL_REPORTED_AFTER).exists()


def _mail_goes_on(finding: Finding) -> bool:
    stopped = (Notification.State.PARKED, Notification.State.UNKNOWN)
    return not Notification.objects.filter(public_id=finding.subject, state__in=stopped).exists()


def _has_its_customer(finding: Finding) -> bool:
    return Office.objects.filter(payment_provider_customer_id=finding.subject).exists()


def texts_of(row: Judged) -> dict[str, str]:
    """Return the texts of the row that people typed, by column."""
    named = (one.name for one in row._meta.concrete_fields)
    return {name: getattr(row, name) for name in named if f"{type(row).__name__}.{name}" in fields.TYPED}


def _would_be_kept(finding: Finding) -> bool:
    for model in JUDGED:
        row = model._default_manager.filter(public_id=finding.subject).first()
        if row is not None:
            return not fields.wrong(model.__name__, texts_of(row))
    return True


NOTICE, WARNING, CRITICAL = Finding.Severity.NOTICE, Finding.Severity.WARNING, Finding.Severity.CRITICAL

KINDS: dict[str, Kind] = {
    "drift": Kind(
        "A row here differed from Stripe, although nothing was on its way.",
        WARNING,
        "It was repaired, or a later comparison finds no difference.",
    ),
    "not_compared": Kind(
        "An Office could not be compared with Stripe.", CRITICAL, "A later comparison could compare it."
    ),
    CONTACT_DIFFERS: Kind(
        "The customer at Stripe has another name, e-mail address or language than its Office.",
        WARNING,
        "A later comparison finds them equal, or ours were sent to Stripe.",
    ),
    "contact_missing": Kind(
        "An Office was adopted without a name or an e-mail address.", NOTICE, "It has both.", is_over=_has_address
    ),
    TEXT: Kind(
        "A name, address or code here may be about a patient.",
        WARNING,
        "Somebody changed it, and the rules for typed text now accept it.",
        is_over=_would_be_kept,
    ),
    "events_missed": Kind("Events of Stripe did not arrive.", CRITICAL, "A later comparison found all events here."),
    "event_parked": Kind(
        "An event failed so often that it waits for a person.",
        CRITICAL,
        "The event was put back.",
        is_over=_is_not_parked,
    ),
    "audit_entry_forged": Kind(
        "An audit entry was not written by this software.",
        CRITICAL,
        "A person looked into it and closes it.",
        by_rule=False,
    ),
    "audit_entries_unmarked": Kind(
        "Audit entries have no mark of our key.",
        CRITICAL,
        "A person checked whether the version before wrote them, and closes it.",
        by_rule=False,
    ),
    "audit_trail_changed": Kind("The audit trail was changed.", CRITICAL, "The trail is verified again and is whole."),
    "job_failed": Kind("A job failed several times in a row.", CRITICAL, "The job ran well.", is_over=_runs_again),
    "mail_waits": Kind(
        "E-mails cannot be sent, so invitations and links for a new password do not arrive.",
        CRITICAL,
        "No e-mail waits any more after several attempts.",
        is_over=_mail_leaves,
    ),
    "mail_parked": Kind(
        "The mail server refused an e-mail, so it waits for a person.",
        WARNING,
        "The e-mail was sent again.",
        is_over=_mail_goes_on,
    ),
    "mail_unknown": Kind(
        "Nobody knows whether an e-mail was sent.",
        NOTICE,
        "The e-mail was sent again, or it is older than 90 days.",
        is_over=_mail_goes_on,
    ),
    "backfill_unfinished": Kind(
        "An adoption was left unfinished.",
        WARNING,
        "A later adoption of the same products has ended.",
    ),
    UNKNOWN_CUSTOMER: Kind(
        "Stripe has a customer without an Office here.",
        WARNING,
        "An Office has the customer, the customer was deleted, or it no longer subscribes to one of our plans.",
        is_over=_has_its_customer,
    ),
    SECOND_CUSTOMER: Kind(
        "A second customer at Stripe has an Office's id.",
        WARNING,
        "The customer was deleted, or no longer has that id.",
        is_over=_has_its_customer,
    ),
    NOT_LINKED: Kind(
        "A customer at Stripe has the id of an Office that has no customer.",
        CRITICAL,
        "An Office has the customer, the customer was deleted, or it no longer has that id.",
        is_over=_has_its_customer,
    ),
    "customer_deleted": Kind(
        "An Office's customer was deleted at Stripe.",
        CRITICAL,
        "The Office was archived, or has a customer again.",
        is_over=_is_not_deleted,
    ),
    "unknown_price": Kind(
        "A subscription has a price that is not one of our plans.",
        WARNING,
        "The subscription ended, or all its prices are ours.",
        is_over=_no_foreign_price,
    ),
    "second_live_subscription": Kind(
        "An Office has more than one live subscription.",
        CRITICAL,
        "At most one is live.",
        is_over=_at_most_one_is_live,
    ),
    DRAFTS_WAIT: Kind(
        "A subscription has invoices that stay drafts, until a person pays them.",
        WARNING,
        "No draft of it waits any more, or the subscription ended.",
        is_over=_no_draft_waits,
    ),
    SCHEDULE: Kind(
        "A schedule at Stripe starts, changes or ends a subscription by itself.",
        WARNING,
        "The schedule has ended, or was released or canceled.",
        is_over=_is_no_longer_at_stripe,
    ),
    "archived_and_billed": Kind(
        "An Office is archived and has a live subscription at Stripe.",
        CRITICAL,
        "No subscription is live, or the Office is not archived any more.",
        is_over=_is_not_billed_while_archived,
    ),
    "not_for_sale_at_stripe": Kind(
        "A plan or price is for sale here and not at Stripe.",
        WARNING,
        "It is for sale at Stripe again, or no longer here.",
        is_over=_is_not_sold_here,
    ),
    "price_differs": Kind(
        "A price here has another amount, currency or interval than at Stripe.",
        WARNING,
        "They are the same, or the price is no longer sold here.",
        is_over=_is_not_sold_here,
    ),
    "dispute": Kind(
        "A payment is disputed, and Stripe waits for an answer.",
        CRITICAL,
        "No answer is needed any more.",
        is_over=_needs_no_answer,
    ),
    "fraud_warning": Kind(
        "A card's bank warns that a payment may be fraud.",
        CRITICAL,
        "The whole payment was refunded, or it is disputed.",
        is_over=_nothing_to_prevent,
    ),
    "dispute_lost": Kind("A dispute was lost.", WARNING, "A person has dealt with the Office about it.", by_rule=False),
    "refund_failed": Kind(
        "The bank did not accept a refund.", CRITICAL, "A person gave the money back in another way.", by_rule=False
    ),
    "operation_abandoned": Kind(
        "An operation was never done at Stripe. Nothing asks for it again by itself.",
        CRITICAL,
        "A person asked for it again, or decided against it.",
        by_rule=False,
    ),
    "operation_lost": Kind(
        "Stripe did something that the database lost.", CRITICAL, "A person has looked at what it was.", by_rule=False
    ),
    "emergency_role": Kind(
        "Somebody has a role of the vendor for one hour.",
        CRITICAL,
        "A person looked at what was done with it, and closed this.",
        by_rule=False,
    ),
    "roles_to_review": Kind(
        "People have more roles than they may need, because a role was split.",
        WARNING,
        "A person has reviewed who has which role.",
        by_rule=False,
    ),
    ADDRESSES_ALIKE: Kind(
        "Two rows have the same e-mail address, but for the size of letters beyond ASCII.",
        WARNING,
        "A person has changed or deactivated one of the two.",
        by_rule=False,
    ),
    CHECK_FAILED: Kind(
        "Something that the product needs does not work.", CRITICAL, "The check is green again.", by_person=False
    ),
    "determination_to_renew": Kind(
        "A determination should be renewed, because something was added or changed since.",
        WARNING,
        "A determination is in force that covers it.",
        by_person=False,
    ),
    "determination_lapsed": Kind(
        "Live charging is refused, because no determination is in force.",
        CRITICAL,
        "A determination is in force.",
        by_person=False,
    ),
}
"""All kinds. A report of another kind is a defect."""


def report(
    kind: str,
    subject: str,
    *,
    office: Office | None,
    detail: str,
    severity: str = "",
    resolution: str = "",
    facts: str = "",
    comparison: Reconciliation | None = None,
) -> Finding:
    """Report a finding of this kind about this subject, and return it. Repeating is safe.

    If there is an open one, it gets the new detail, severity and facts, and keeps the time when it was first found.
    If a person closed it and it rested on the same ``facts``, it stays closed. With ``resolution`` it is about
    something that is over already: it is put on record and resolved at once. ``comparison`` is the one that tells it.
    """
    values = {"detail": detail, "severity": severity or KINDS[kind].severity, "facts": facts}
    decided = None if resolution else _decided(kind, subject, facts)
    if decided:
        return decided
    found, is_new = Finding.objects.get_or_create(
        kind=kind, subject=subject, resolved_at=None, defaults={"office": office, **values}
    )
    changed = [name for name, value in values.items() if getattr(found, name) != value]
    for name in changed:
        setattr(found, name, values[name])
    if changed and not is_new:
        found.save(update_fields=changed)
    if comparison:
        comparison.findings.add(found)
    if resolution:
        resolve(kind, subject, resolution=resolution)
    return found


def _decided(kind: str, subject: str, facts: str) -> Finding | None:
    """Return the finding with these facts that a person closed, if the decision holds.

    An open one with other facts is over then: it is again as it was when the person decided.
    """
    about = Finding.objects.filter(kind=kind, subject=subject)
    decided = about.filter(decision_holds=True, facts=facts).first()
    if decided:
        again = "it is again as it was when a person closed it"
        about.filter(resolved_at=None).update(resolved_at=clock.wall(), resolution=again)
    return decided


def decide(finding: Finding, *, resolution: str) -> bool:
    """Close an open finding for a person. Return False if it is no longer open."""
    is_open = Finding.objects.filter(pk=finding.pk, resolved_at=None)
    return bool(is_open.update(resolved_at=clock.wall(), resolution=resolution, decision_holds=True))


def resolve(kind: str, *subjects: str, resolution: str) -> None:
    """Resolve the open findings of this kind about these subjects: the matter is over. Repeating is a no-op.

    What a person decided about it no longer holds. If it begins again, it is told again.
    """
    if subjects:
        end(Finding.objects.filter(kind=kind, subject__in=subjects), resolution=resolution)


def end(findings: QuerySet[Finding], *, resolution: str) -> None:
    """Resolve those of these findings that are open, and end the decisions about the others."""
    findings.filter(Q(resolved_at=None) | Q(decision_holds=True)).update(
        resolution=Case(When(resolved_at=None, then=Value(resolution)), default=F("resolution")),
        resolved_at=Coalesce("resolved_at", Value(clock.wall())),
        decision_holds=False,
    )
