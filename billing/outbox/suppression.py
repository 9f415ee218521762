"""The suppression list: addresses that asked for no reminders, or to which e-mails come back.

An address that asked gets no reminders (``STOPPABLE``), but still gets receipts, and notices about access and payments.
An address that bounced gets no notice at all. Links and alerts are not held back: somebody waits for them.
"""

import uuid

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from billing import errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.models import Notification, Office, SuppressedAddress

Kind = Notification.Kind
Why = SuppressedAddress.Why

STOPPABLE = (Kind.TRIAL_ENDS, Kind.CARD_EXPIRES)
NOTICES = (
    *(Kind.PAYMENT_FAILED, Kind.AUTHENTICATION_NEEDED, Kind.RECEIPT, Kind.CANCELLED, Kind.ACCESS_ENDS),
    *STOPPABLE,
)
SALT = "billing.outbox.suppression"
FROM_MAIL = actor.job("unsubscribe")
REASON = "e-mails to this address"


def why_not(row: Notification) -> str:
    """Return why this e-mail is held back, in words, or "" if it is not. One query for a notice."""
    found = found_for(row.address) if row.kind in NOTICES else None
    if found is None or (found.why == Why.ASKED and row.kind not in STOPPABLE):
        return ""
    return f"not sent: {found}"


def found_for(address: str) -> SuppressedAddress | None:
    """Return the row of this address, if it is on the list."""
    return SuppressedAddress.objects.filter(digest=SuppressedAddress.digest_of(address)).first()


def put_on(office: Office, *, why: str, by: Actor) -> None:
    """Put the Office's billing address on the list, or change why it is on it. Repeating is a no-op.

    Raises: NotPermitted.
    """
    grants.require_on_record(by, Power.MANAGE, office, what="stop e-mails")
    _add(office, office.billing_email, Why(why), by)


def take_off(office: Office, *, by: Actor) -> None:
    """Take the Office's billing address off the list. Repeating is a no-op. Raises: NotPermitted."""
    grants.require_on_record(by, Power.MANAGE, office, what="stop e-mails")
    with trail.acting(by, office=office, reason=REASON), transaction.atomic():
        digest = SuppressedAddress.digest_of(office.billing_email)
        if SuppressedAddress.objects.filter(digest=digest).delete()[0]:
            trail.record_act(office, "the billing address gets e-mails again", office=office)


def stop_link(row: Notification) -> str:
    """Return the address where the reader of this reminder turns reminders off, or "" if it is none."""
    if row.kind not in STOPPABLE:
        return ""
    signed = Signer(salt=SALT).sign(str(row.public_id))
    return settings.SITE_URL + reverse("stop-mail", query={"link": signed})


def open_by(signed: str) -> Notification:
    """Return the reminder in which this link was. Raises: LinkNotValid."""
    try:
        public_id = uuid.UUID(Signer(salt=SALT).unsign(signed))
    except (BadSignature, ValueError):
        raise errors.LinkNotValid from None
    found = Notification.objects.select_related("office").filter(public_id=public_id, kind__in=STOPPABLE).first()
    if found is None or found.office is None:
        raise errors.LinkNotValid
    return found


def stop_by(signed: str) -> None:
    """Put the address that got this reminder on the list. Repeating is a no-op. Raises: LinkNotValid."""
    row = open_by(signed)
    assert row.office  # open_by
    _add(row.office, row.address, Why.ASKED, FROM_MAIL)


def _add(office: Office, address: str, why: Why, by: Actor) -> None:
    digest = SuppressedAddress.digest_of(address)
    with trail.acting(by, office=office, reason=REASON), transaction.atomic():
        row, is_new = SuppressedAddress.objects.get_or_create(digest=digest, defaults={"why": why})
        if not is_new and (row.why == why or by == FROM_MAIL):
            return  # a wish does not end what staff wrote down
        row.why = why
        row.save(update_fields=["why"])
        trail.record_act(office, f"a billing address gets fewer e-mails: {why.label}", office=office)
