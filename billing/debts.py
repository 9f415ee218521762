"""Who owes, since when, and what each Office should pay first. Whoever lists or counts debts reads it here.

An invoice that is sent should be paid from the day on which it is due, and any other one since it was made final.
A sent invoice that is not due yet is owed, but nobody waits for it yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Min, Q, QuerySet, When
from django.db.models.functions import Coalesce

from billing.declines import Decline
from billing.models import Invoice, Office, Operation, Payment
from billing.models.invoice import OWED
from billing.models.statuses import PaymentStatus

NOT_DUE = -1
AGES = (NOT_DUE, 0, 8, 15, 31)
"""From how many days on each bucket is. The first is of invoices that are sent and not due yet."""
ASKED_SINCE = Case(
    When(collection=Invoice.Collection.SENT, then=Coalesce("due_at", "finalised_at", "created_at")),
    default=Coalesce("finalised_at", "created_at"),
)
"""``asked_since`` of an invoice, for the database."""


def asked_since(invoice: Invoice) -> datetime:
    """Return since when it should be paid. If that is in the future, it is not due yet."""
    due = invoice.due_at if invoice.collection == Invoice.Collection.SENT else None
    return due or invoice.finalised_at or invoice.created_at


def is_due(invoice: Invoice, *, at: datetime) -> bool:
    return invoice.collection != Invoice.Collection.SENT or asked_since(invoice) <= at


def owed_for(days: int, *, at: datetime) -> Q:
    """Return the condition for owed invoices of the age that begins with ``days``. Name ``asked_since`` first."""
    not_due = Q(collection=Invoice.Collection.SENT, asked_since__gt=at)
    if days == NOT_DUE:
        return not_due
    condition = ~not_due if days == 0 else Q(asked_since__lte=at - timedelta(days=days))
    later = [one for one in AGES if one > days]
    return condition & Q(asked_since__gt=at - timedelta(days=later[0])) if later else condition


def owing() -> Q:
    """Return the condition for Offices that owe something on an open invoice, archived ones left out."""
    return Q(archived_at=None, pk__in=Invoice.objects.filter(OWED).order_by().values("office"))


def by_office() -> QuerySet[Any]:
    """Return a row for each Office that owes: its ``key``, and ``since`` when its oldest debt should be paid."""
    archived = Office.objects.filter(archived_at__isnull=False).order_by()
    owed = Invoice.objects.filter(OWED).exclude(office__in=archived).order_by()
    return owed.annotate(key=F("office_id")).values("key").annotate(since=Min(ASKED_SINCE))


@dataclass(frozen=True, slots=True)
class Debt:
    """The invoice that an Office should pay first, and what became of it so far.

    ``declined`` is the newest payment of it that failed. ``under_way``: the bank has not decided about one yet.
    """

    invoice: Invoice
    declined: Payment | None = None
    under_way: bool = False

    @property
    def since(self) -> datetime:
        return asked_since(self.invoice)

    @property
    def decline(self) -> Decline | None:
        """Return why the newest payment failed, if anything was tried."""
        failed = self.declined
        if failed is None or not (failed.decline_code or failed.failure_code or self.invoice.attempt_count):
            return None
        return failed.failure


def of(invoice: Invoice, payments: Iterable[Payment]) -> Debt:
    """Return the debt. ``payments`` are the newest first, and may be of other invoices too."""
    own = [one for one in payments if one.invoice_id == invoice.pk]
    failed = (one for one in own if one.status == PaymentStatus.FAILED)
    return Debt(invoice, next(failed, None), any(one.status == PaymentStatus.PENDING for one in own))


def first_of(offices: Iterable[int]) -> dict[int, Debt]:
    """Return what each of these Offices should pay first, by its key. Two statements for all of them."""
    owed = Invoice.objects.filter(OWED, office__in=list(offices)).order_by(ASKED_SINCE, "pk").defer("lines")
    first: dict[int, Invoice] = {}
    for invoice in owed.select_related("office__current_plan", "office__follow_up__assigned_to"):
        first.setdefault(invoice.office_id, invoice)
    tried = Payment.objects.filter(
        invoice__in=[one.pk for one in first.values()], status__in=(PaymentStatus.FAILED, PaymentStatus.PENDING)
    )
    of_invoice: dict[int | None, list[Payment]] = {}
    for payment in tried if first else ():
        of_invoice.setdefault(payment.invoice_id, []).append(payment)
    return {key: of(invoice, of_invoice.get(invoice.pk, ())) for key, invoice in first.items()}


def with_unsettled(offices: Iterable[int]) -> set[int]:
    """Return which of these Offices have an operation whose outcome is not known yet: nothing else can begin."""
    unsettled = Operation.objects.filter(office__in=list(offices), status__in=Operation.UNSETTLED)
    return set(unsettled.order_by().values_list("office", flat=True))
