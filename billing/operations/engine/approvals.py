"""What another person decides about a request for approval, and that the one who asked withdraws it.

The one who approves sees a new preview and confirms that. Then the operation begins as any other does: with all its
checks, by this person, and with the reason of the one who asked.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction

from billing import errors
from billing.access import grants, roles, two_people
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import ApprovalRequest, Office
from billing.models.approval_request import ApprovalOutcome
from billing.operations.engine import previews, reasons, registry, second_person, stored
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import AtStripe, confirmed


def check_may_decide(office: Office, *, by: Actor) -> None:
    """Refuse who may not approve, before anything that they wrote is read. Raises: NotPermitted, StaffOnly."""
    grants.require_on_record(by, Power.APPROVE, office, what="decide about a request for approval")


def check_may_see(office: Office, *, by: Actor) -> None:
    """Refuse who may neither ask nor approve. Raises: NotPermitted, StaffOnly."""
    grants.require_on_record(by, Power.GIVE_BACK, office, what="see the requests for approval")


def preview(row: ApprovalRequest, *, by: Actor) -> Any:
    """Show what it comes to now. Nothing changes. Approve it with the ``as_of``.

    Raises: as ``approve``.
    """
    check_may_decide(row.office, by=by)
    row = _fresh(row)
    with _on_record("preview of a request for approval", row, by=by):
        _check(row, by=by)
    request, subject = _asked(row)
    return previews.preview(request, subject, by=by, reason=row.reason, approving=row)


def approve(row: ApprovalRequest, *, by: Actor, as_of: datetime) -> Any:
    """Begin the operation, as it was shown at ``as_of``, and return what it came to.

    Raises:
        NotPermitted, StaffOnly.
        OwnRequest, OnePersonBehindBoth: it needs two people.
        RequesterMayNoLonger: the one who asked lost the role.
        RequestDecided: it was decided before, or it has expired.
        AmountChanged: the Office would get back something else than what was asked for.
        And what ``begin.perform`` raises.
    """
    check_may_decide(row.office, by=by)
    row = _fresh(row)
    with _on_record("approve a request", row, by=by):
        _check(row, by=by)
    request, subject = _asked(row)
    return perform(confirmed(request, as_of), subject, by=by, reason=row.reason, approving=row)


def turn_down(row: ApprovalRequest, *, by: Actor, reason: str) -> ApprovalRequest:
    """End it without carrying it out. Raises: NotPermitted, ReasonRequired, OwnRequest, RequestDecided."""
    check_may_decide(row.office, by=by)
    return _ended(row, ApprovalOutcome.TURNED_DOWN, by=by, reason=reason)


def withdraw(row: ApprovalRequest, *, by: Actor, reason: str) -> ApprovalRequest:
    """End one's own request. Raises: NotPermitted, ReasonRequired, NotYourRequest, RequestDecided."""
    check_may_see(row.office, by=by)
    return _ended(row, ApprovalOutcome.WITHDRAWN, by=by, reason=reason)


def in_words(row: ApprovalRequest) -> str:
    """Say who can approve it, or how it ended."""
    if row.is_waiting:
        return str(errors.SentForApproval(row, [one.email for one in second_person.approvers(row)]))
    return f"It {'has expired' if row.has_expired else f'was {row.status}'}."


def _ended(row: ApprovalRequest, outcome: ApprovalOutcome, *, by: Actor, reason: str) -> ApprovalRequest:
    with _on_record(f"{outcome.label.lower()} request", row, by=by):
        is_own = row.requested_by == by.user
        if is_own and outcome is ApprovalOutcome.TURNED_DOWN:
            raise errors.OwnRequest(row)
        if not is_own and outcome is ApprovalOutcome.WITHDRAWN:
            raise errors.NotYourRequest(row)
        words = trail.checked_reason(reasons.given(reason, by=by))
        with trail.acting(by, office=row.office, reason=words), transaction.atomic(durable=True):
            fresh = second_person.locked(row)
            second_person.decide(fresh, outcome, by=by)
    return fresh


def _check(row: ApprovalRequest, *, by: Actor) -> None:
    person = roles.require(by, Power.APPROVE)
    if row.requested_by == person:
        raise errors.OwnRequest(row)
    two_people.require_two(row.requested_by, person)
    if not row.is_waiting:
        raise errors.RequestDecided(row)
    if not roles.has(row.requested_by, registry.at_stripe(row.kind).needs):
        raise errors.RequesterMayNoLonger(row)


def _fresh(row: ApprovalRequest) -> ApprovalRequest:
    return ApprovalRequest.objects.select_related("office", "requested_by").get(pk=row.pk)


def _asked(row: ApprovalRequest) -> tuple[AtStripe[Any, Any], Any]:
    """Return what was asked for, and what it is about, as it is now."""
    request = stored.read(registry.at_stripe(row.kind), row.request)
    return request, request.subject_in(row.office)


@contextlib.contextmanager
def _on_record(what: str, row: ApprovalRequest, *, by: Actor) -> Iterator[None]:
    with trail.acting(by, office=row.office):
        try:
            yield
        except errors.BillingError as refusal:
            trail.record_refusal(row, f"{what}: {refusal.on_record}", code=refusal.code)
            raise
