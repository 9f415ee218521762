"""All rows that say how an Office stands, read in one place. The number of statements does not grow with the rows."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce

from billing.models import (
    Finding,
    Invoice,
    Membership,
    Office,
    OfficeNote,
    Operation,
    Payment,
    PaymentMethod,
    Subscription,
    SubscriptionItem,
)
from billing.models.invoice import OWED, STAYS_A_DRAFT
from billing.models.operation import Kind
from billing.models.statuses import FINAL, PaymentStatus

SHOWN = 6
"""How many rows a table on the page has. A link leads to all of them."""
OPERATIONS_READ = 25
NOTES_SHOWN = 5
INVOICES_READ = 40
PAYMENTS_READ = 400
"""An Office has one or two a month, and each further try is one more."""
ENDING = (Kind.CANCEL_SUBSCRIPTION, Kind.CANCEL_ON_DATE)
DECIDE_THE_END = (*ENDING, Kind.RESUME_RENEWAL)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the pages of one Office show. Lists are newest first.

    ``asked_for`` are the invoices that a person can pay: open ones, and drafts that stay drafts; the oldest first.
    ``payments`` are those of the last 12 months, and the newest before them. ``ended_by`` is the operation that ended
    the present subscription.
    """

    office: Office
    subscriptions: tuple[Subscription, ...] = ()
    methods: tuple[PaymentMethod, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    asked_for: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()
    operations: tuple[Operation, ...] = ()
    ended_by: Operation | None = None
    findings: tuple[Finding, ...] = ()
    members: tuple[Membership, ...] = ()
    notes: tuple[OfficeNote, ...] = ()
    has_older_notes: bool = False

    @property
    def present(self) -> Subscription | None:
        """Return the subscription that the Office's columns show."""
        shown = self.office.payment_provider_subscription_id
        return next((one for one in self.subscriptions if one.stripe_id == shown), None)

    @property
    def other_live(self) -> list[Subscription]:
        return [one for one in self.subscriptions if one.is_live and one is not self.present]

    @property
    def default_method(self) -> PaymentMethod | None:
        return next((one for one in self.methods if one.is_default and not one.detached_at), None)

    @property
    def last_failure(self) -> Payment | None:
        """Return the newest failed payment of what is still asked for."""
        asked_for = {one.pk for one in self.asked_for}
        failed = (one for one in self.payments if one.status == PaymentStatus.FAILED and one.invoice_id in asked_for)
        return next(failed, None)

    @property
    def under_way(self) -> list[Payment]:
        """Return the payments about which the bank has not decided yet."""
        return [one for one in self.payments if one.status == PaymentStatus.PENDING]

    @property
    def unsettled(self) -> Operation | None:
        return next((one for one in self.operations if one.status in Operation.UNSETTLED), None)


def for_page(offices: QuerySet[Office]) -> QuerySet[Office]:
    """Return the Offices with their plan, and with whether they have what most have none of: findings and notes."""
    findings = Finding.objects.filter(office=OuterRef("pk"), resolved_at=None)
    notes = OfficeNote.objects.filter(office=OuterRef("pk"))
    return offices.select_related("current_plan").annotate(has_findings=Exists(findings), has_notes=Exists(notes))


def read(office: Office) -> Rows:
    """Read them. The Office remembers its subscriptions and payment methods, so whoever asks it later reads no more.

    ``office`` is one of ``for_page``.
    """
    prefetch_related_objects([office], Prefetch("subscriptions", _subscriptions()), "payment_methods")
    subscriptions = tuple(office.subscriptions.all())
    if any(getattr(one, "has_more_items", True) for one in subscriptions):
        items = SubscriptionItem.objects.filter(removed_at=None).select_related("plan_price__plan")
        prefetch_related_objects(subscriptions, Prefetch("items", items))
    kept = office.invoices.filter(deleted_at=None).annotate(is_asked_for=OWED | STAYS_A_DRAFT)
    invoices = list(kept.order_by("-is_asked_for", "-created_at", "-pk")[:INVOICES_READ])
    payments = list(office.payments.all()[:PAYMENTS_READ])
    operations = list(office.operations.all()[:OPERATIONS_READ])
    noted = office.notes.select_related("author") if getattr(office, "has_notes", True) else ()
    notes = list(noted[: NOTES_SHOWN + 1])
    return Rows(
        office=office,
        subscriptions=subscriptions,
        methods=tuple(office.payment_methods.all()),
        invoices=tuple(sorted(invoices, key=lambda one: (one.created_at, one.pk), reverse=True)),
        asked_for=tuple(sorted((one for one in invoices if one.is_asked_for), key=lambda one: one.created_at)),
        payments=tuple(payments),
        operations=tuple(operations),
        ended_by=_ended_by(office, operations),
        findings=tuple(office.findings.filter(resolved_at=None)) if getattr(office, "has_findings", True) else (),
        members=tuple(office.memberships.in_force().select_related("user").order_by("role", "pk")),
        notes=tuple(notes[:NOTES_SHOWN]),
        has_older_notes=len(notes) > NOTES_SHOWN,
    )


def _subscriptions() -> QuerySet[Subscription]:
    """Return subscriptions with how many items they have, and whether these say more than the subscription does.

    They do if there is a second price, or a discount on one.
    """
    items = SubscriptionItem.objects.filter(subscription=OuterRef("pk"), removed_at=None)
    main = Q(plan_price=OuterRef("plan_price"), quantity=OuterRef("quantity"), discount_count=0)
    counted = items.order_by().values("subscription").annotate(number=Count("pk")).values("number")
    return Subscription.objects.select_related("plan_price__plan").annotate(
        item_count=Coalesce(Subquery(counted), 0), has_more_items=Exists(items.filter(Q(plan_price=None) | ~main))
    )


def _ended_by(office: Office, newest: list[Operation]) -> Operation | None:
    """Return the operation that ended the present subscription, if one of ours did.

    A cancellation that was taken back later ended nothing.
    """
    if office.subscription_status not in FINAL:
        return None
    if len(newest) < OPERATIONS_READ:
        done = [one for one in newest if one.kind in DECIDE_THE_END and one.status == Operation.Status.SUCCEEDED]
    else:
        done = list(office.operations.filter(kind__in=DECIDE_THE_END, status=Operation.Status.SUCCEEDED)[:SHOWN])
    ended = office.payment_provider_subscription_id
    last = next((one for one in done if one.request.get("subscription") == ended), None)
    return last if last and last.kind in ENDING else None
