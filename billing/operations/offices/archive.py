"""Archive an Office, and bring it back. Stripe is not asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from billing import clock, errors, schedules
from billing.access import grants
from billing.access.roles import Power
from billing.models import Office
from billing.models.operation import Kind
from billing.operations.engine.declaration import AboutOffice, Asked, Here
from billing.operations.engine.losses import Loss, loss
from billing.operations.engine.registry import operation
from billing.operations.engine.unsettled import require_settled
from billing.operations.offices.open_links import may_have_link


@dataclass(frozen=True, kw_only=True)
class Filing(AboutOffice, Here[Office, Office]):
    """Hold what archiving an Office and bringing it back have in common."""

    permission = "change_office"
    needs, asks_to = Power.OPERATE, "archive an Office or bring it back"


@operation
@dataclass(frozen=True, kw_only=True)
class ArchiveOffice(Filing):
    """Archive the Office. Its members cannot see it any more. Only for the vendor's staff.
    No subscription may be live or scheduled, and nothing may be due.

    From then on its billing cannot be changed. Nothing is deleted. Money does not move. Repeating is refused.

    Raises:
        OfficeArchived: it is already archived.
        StillBilled: a subscription is live or scheduled, something is due, or a payment link may be open.
        OperationInProgress: another operation is not settled yet.
    """

    kind = Kind.ARCHIVE_OFFICE
    done = "archived the Office"

    @classmethod
    def offered(cls, subject: Office) -> bool:
        if subject.archived_at or subject.has_live_subscription or subject.owes_something:
            return False
        owes_later = any(one.amount < 0 for one in (subject.credit, *subject.credits_in_other_currencies))
        return not (owes_later or schedules.coming(subject) or may_have_link(subject))

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if subject.has_live_subscription:
            raise errors.StillBilled(subject, f"its subscription is {subject.subscription_status}. Cancel it first.")
        if coming := schedules.coming(subject):
            starts = schedules.told_of_coming(coming[0], subject.time_zone)
            raise errors.StillBilled(subject, f"{starts} Cancel the schedule in Stripe's dashboard first.")
        if subject.owes_something:
            due = f"{subject.debts_in_words} is still due. Collect, void or write off its open invoices."
            raise errors.StillBilled(subject, due)
        if any(one.amount < 0 for one in (subject.credit, *subject.credits_in_other_currencies)):
            owed = f"it has {subject.credit_in_words}, which no invoice will use. Set its credit to zero first."
            raise errors.StillBilled(subject, owed)
        require_settled(subject, asked.by)
        if may_have_link(subject):
            raise errors.StillBilled(subject, "somebody could still use its payment link. Withdraw the link first.")
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        members = subject.memberships.count()
        who = "Its one member does" if members == 1 else f"Its {members:,} members do"
        credits = (subject.credit, *subject.credits_in_other_currencies)
        unused = f"It has {subject.credit_in_words}, which stays unused." if any(one.amount for one in credits) else ""
        return loss(
            f"{who} not see the Office any more." if members else "It has no members.",
            "Nothing can be billed to it until somebody brings it back.",
            unused,
        )

    def carry_out(self, subject: Office) -> Office:
        return _filed(subject, archived_at=clock.wall())


@operation
@dataclass(frozen=True, kw_only=True)
class UnarchiveOffice(Filing):
    """Bring an archived Office back. Only for the vendor's staff.

    It can be billed again, and its members can see it again. Money does not move. Repeating is refused.

    Raises:
        NotArchived: the Office is not archived.
    """

    kind = Kind.UNARCHIVE_OFFICE
    done = "brought the Office back"
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
    """Save the state, and write the grants of its members that follow from it."""
    office.archived_at = archived_at
    office.save(update_fields=["archived_at"])
    grants.write_grants_of(office)
    return office
