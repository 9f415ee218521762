"""The operation of an Office that nobody knows the outcome of yet: no other can begin."""

from billing import errors
from billing.audit.actor import Actor
from billing.models import Office, Operation


def unsettled(office: Office) -> Operation | None:
    found = Operation.objects.filter(office=office, status__in=Operation.UNSETTLED)
    return found.select_related("actor").first()


def require_settled(office: Office, by: Actor) -> None:
    """Raises: OperationInProgress."""
    other = unsettled(office)
    if other is not None:
        raise errors.OperationInProgress(other, asked_by(other, by)) from None


def asked_by(operation: Operation, reader: Actor) -> str:
    """Who asked for it, as far as the reader may know: an Office's own people are told no addresses."""
    if reader.user is None or reader.user.is_staff:
        return operation.actor_label
    if operation.actor == reader.user:
        return "yourself"
    return "the vendor" if operation.actor is None or operation.actor.is_staff else "a colleague"
