"""Money back above a limit waits for a second person.

The limit is one for each currency. It holds for what an Office gets back within 24 hours, by all kinds of operations
together. Above it no operation begins: what was asked for is stored as a row of its own, and another person approves
it (``engine.approvals``).
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from billing import clock, errors
from billing.access import roles, two_people
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import ApprovalRequest, Notification, Office, Operation, User
from billing.models.approval_request import ApprovalOutcome
from billing.money import Money
from billing.operations.engine import registry, stored
from billing.operations.engine.declaration import Declaration, Previewed, confirmed

COUNTED = timedelta(hours=24)
NOT_GIVEN = (Operation.Status.DECLINED, Operation.Status.REJECTED, Operation.Status.ABANDONED)


def limit(currency: str) -> Money:
    """Return what one person may give back. In a currency without a limit it is nothing."""
    return Money(settings.APPROVAL_LIMITS.get(currency, 0), currency)


def above_limit(exact: Declaration[Any, Any], subject: Any) -> Money | None:
    """Return what the Office would get back, if a second person must approve it. ``exact`` is prepared."""
    gives = exact.given_back(subject) if exact.needs is Power.GIVE_BACK else None
    if gives is None:
        return None
    lately = given_back_lately(exact.office_of(subject), gives.currency)
    return gives if (lately + gives).amount > limit(gives.currency).amount else None


def given_back_lately(office: Office, currency: str) -> Money:
    """Return what operations gave back to the Office in the last 24 hours, or may have given back."""
    since = clock.wall() - COUNTED
    kinds = [kind for kind, declared in registry.REGISTRY.items() if declared.needs is Power.GIVE_BACK]
    operations = office.operations.filter(Q(created_at__gte=since) | Q(settled_at__gte=since), kind__in=kinds)
    total = Money(0, currency)
    for operation in operations.exclude(status__in=NOT_GIVEN):
        request = stored.read(registry.at_stripe(operation.kind), operation.request)
        gave = request.given_back(request.subject_in(office))
        if gave and gave.currency == currency:
            total += gave
    return total


def waits(gives: Money) -> str:
    """Say that it will wait for a second person, to whoever is about to ask for it."""
    return (
        f"One person may give back at most {limit(gives.currency)} to an Office in 24 hours. With this it is more, so "
        "it is sent to another person for approval."
    )


def send(exact: Declaration[Any, Any], gives: Money, *, office: Office, by: Actor, reason: str) -> ApprovalRequest:
    """Store what was asked for, until another person decides, and tell everybody who can approve it by e-mail.

    Called in the transaction that checked it.

    Raises: PersonMustAsk. PreviewStale: the same preview was confirmed before.
    """
    if by.user is None:
        raise errors.PersonMustAsk
    as_of = exact.as_of if isinstance(exact, Previewed) else None
    if as_of and ApprovalRequest.objects.filter(office=office, kind=exact.kind, as_of=as_of).exists():
        raise errors.PreviewStale
    row = ApprovalRequest(
        office=office,
        kind=exact.kind.value,
        request=stored.written(confirmed(exact, None)),
        amount=gives.amount,
        currency=gives.currency,
        reason=reason,
        requested_by=by.user,
        as_of=as_of,
    )
    row.on_record = stored.parameters(exact)
    row.save(force_insert=True)
    for person in approvers(row):
        Notification.objects.put(
            Notification.Kind.APPROVAL_WAITS,
            f"approval_waits:{row.public_id}:{person.public_id}",
            user=person,
            office=office,
            request=str(row.public_id),
        )
    return row


def locked(row: ApprovalRequest) -> ApprovalRequest:
    """Return the request as it is now, for whoever decides it in this transaction. Raises: RequestDecided."""
    fresh = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("requested_by").get(pk=row.pk)
    if not fresh.is_waiting:
        raise errors.RequestDecided(fresh)
    return fresh


def check_amount(row: ApprovalRequest, exact: Declaration[Any, Any], subject: Any) -> None:
    """Check that the Office would get back what was asked for. Raises: AmountChanged."""
    now = exact.given_back(subject)
    if now != row.money:
        raise errors.AmountChanged(row.money, now)


def begin(row: ApprovalRequest, operation: Operation, *, by: Actor) -> None:
    """Write down that the operation is what was asked for, in the transaction that begins it."""
    decide(row, ApprovalOutcome.APPROVED, by=by, operation=operation)
    trail.record_act(operation, f"{row.requested_by} asked for it, and {by.label} approved it", office=row.office)


def decide(row: ApprovalRequest, outcome: ApprovalOutcome, *, by: Actor, operation: Operation | None = None) -> None:
    """Write the outcome. The row is one that ``locked`` returned."""
    row.outcome, row.decided_by, row.decided_at, row.operation = outcome, by.user, clock.wall(), operation
    row.decision_reason = "" if operation else trail.current().reason
    row.save(update_fields=["outcome", "decided_by", "decided_at", "decision_reason", "operation"])


def approvers(row: ApprovalRequest) -> list[User]:
    """Return who can approve it: everybody with the power who is another person than the one who asked."""
    others = roles.people_with(Power.APPROVE).exclude(pk=row.requested_by_id).order_by("email")
    return [one for one in others if two_people.are_two(row.requested_by, one)]
