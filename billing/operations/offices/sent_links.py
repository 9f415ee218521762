"""Sending a link that was just made to the Office's billing e-mail address.

The link is stored nowhere. The e-mail has the id of the operation that made it, and the outbox asks Stripe for the
address when it sends the e-mail.
"""

import uuid

from django.conf import settings
from django.db import transaction

from billing import errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Notification, Office, Operation
from billing.models.operation import Kind

MAILS: dict[str, str] = {
    Kind.CREATE_PAYMENT_LINK: Notification.Kind.PAYMENT_LINK,
    Kind.MAKE_CARD_LINK: Notification.Kind.CARD_LINK,
}
"""The kind of the e-mail by that of the operation. A link to Stripe's portal works for minutes only."""
ON_THE_CONSOLE = "django.core.mail.backends.console.EmailBackend"


def can_send() -> bool:
    """Return whether a mail server is configured."""
    return settings.EMAIL_BACKEND != ON_THE_CONSOLE


def newest(office: Office, kind: str) -> Operation | None:
    """Return the newest operation of this kind that opened a page at Stripe. One that repeats it opens none."""
    made = office.operations.filter(kind=kind, status=Operation.Status.SUCCEEDED, steps__object_id__startswith="cs_")
    return made.first()


def send(office: Office, *, by: Actor, operation: uuid.UUID) -> None:
    """Send the link that this operation made, by e-mail, to the Office's billing address. Repeating is a no-op.

    Raises: NotPermitted, OfficeArchived, NothingToSend.
    """
    grants.require_on_record(by, Power.MANAGE, office, what="send a link")
    if office.archived_at:
        raise errors.OfficeArchived(office)
    made = office.operations.filter(public_id=operation, kind__in=MAILS, status=Operation.Status.SUCCEEDED).first()
    if made is None or not can_send():
        raise errors.NothingToSend
    with trail.acting(by, office=office, reason=made.reason), transaction.atomic():
        put = Notification.objects.put
        key = f"link:{made.public_id}"
        if Notification.objects.filter(dedupe_key=key).exists():
            return
        put(MAILS[made.kind], key, address=office.billing_email, office=office, operation=str(made.public_id))
        trail.record_act(made, "sent the link to the Office's billing e-mail address", office=office)
