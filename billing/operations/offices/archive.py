"""Closing an Office's file, and opening it again. Stripe is not asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from billing import clock, errors
from billing.access import grants
from billing.models import Office
from billing.models.operation import Kind
from billing.operations.engine.declaration import Asked, Here
from billing.operations.engine.registry import operation
from billing.operations.engine.unsettled import require_settled
from billing.operations.offices.open_links import may_have_link


@dataclass(frozen=True, kw_only=True)
class Filing(Here[Office, Office]):
    """What closing an Office's file and opening it again have in common."""

    permission = "change_office"
    only_vendor_may = "archive an Office or bring it back"

    @staticmethod
    def office_of(subject: Office) -> Office:
        return subject

    def subject_in(self, office: Office) -> Office:
        return office


@operation
@dataclass(frozen=True, kw_only=True)
class ArchiveOffice(Filing):
    """Close the Office's file: its members see it no more. For the vendor's staff; nothing may be live or due.

    Nothing of its billing changes any more, and nothing is deleted. Money does not move.

    Raises:
        OfficeArchived: it is archived already.
        StillBilled: a subscription is live, something is due, or a payment link may be open.
        OperationInProgress: nobody knows yet how another change ended.
    """

    kind = Kind.ARCHIVE_OFFICE

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and not subject.has_live_subscription

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if subject.has_live_subscription:
            raise errors.StillBilled(subject, f"its subscription is {subject.subscription_status}. Cancel it first.")
        if subject.balance_due:
            due = f"{subject.balance} are due. Collect, void or write off its open invoices."
            raise errors.StillBilled(subject, due)
        require_settled(subject, asked.by)
        if may_have_link(subject):
            raise errors.StillBilled(subject, "somebody could still pay for it. Withdraw its payment link first.")
        return self

    def carry_out(self, subject: Office) -> Office:
        return _filed(subject, archived_at=clock.wall())


@operation
@dataclass(frozen=True, kw_only=True)
class UnarchiveOffice(Filing):
    """Open the Office's file again. For the vendor's staff.

    It can be billed again, and its members see it as before. Money does not move.

    Raises:
        NotArchived: there is nothing to bring back.
    """

    kind = Kind.UNARCHIVE_OFFICE
    on_archived = True

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.archived_at is not None

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if not subject.archived_at:
            raise errors.NotArchived(subject)
        return self

    def carry_out(self, subject: Office) -> Office:
        return _filed(subject, archived_at=None)


def _filed(office: Office, *, archived_at: datetime | None) -> Office:
    """Its members' grants are those of its state."""
    office.archived_at = archived_at
    office.save(update_fields=["archived_at"])
    grants.write_grants_of(office)
    return office
