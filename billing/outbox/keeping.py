"""What becomes of e-mails later: a person sends one again, and a job deletes the old ones."""

from datetime import timedelta

from django.db import transaction

from billing import clock
from billing.audit import trail
from billing.audit.actor import Actor
from billing.findings import resolve
from billing.jobs import job
from billing.models import Notification, OneTimeLink
from billing.outbox.suppression import NOTICES

State = Notification.State
KEPT_FOR = timedelta(days=90)
PURGED_AT_ONCE = 1000


def send_again(row: Notification, *, by: Actor) -> bool:
    """Let a parked e-mail, or one of which nobody knows whether it was sent, wait again.

    Return False if it is neither any more.
    """
    stopped = Notification.objects.filter(pk=row.pk, state__in=[State.PARKED, State.UNKNOWN])
    goes_to = {"recipient": ""} if row.kind in NOTICES else {}  # the Office's address as it is then
    waits = {"state": State.WAITING, "attempts": 0, "due_at": clock.wall(), "claim_id": None, "lease_until": None}
    with trail.acting(by, office=row.office, reason="an e-mail that did not arrive"), transaction.atomic():
        if not stopped.update(**waits, **goes_to):
            return False
        trail.record_act(row, f"sent again: {row}")
        for kind in ("mail_parked", "mail_unknown"):
            resolve(kind, str(row.public_id), resolution="it was sent again")
    return True


@job("purge-mail", every=timedelta(days=1))
def purge_settled() -> bool:
    """Delete up to a thousand e-mails of more than 90 days ago, and as many links that expired then. Parked ones stay.

    Return True if there may be more.
    """
    before = clock.wall() - KEPT_FOR
    settled = [State.SENT, State.DROPPED, State.UNKNOWN]
    old = Notification.objects.filter(state__in=settled, created_at__lt=before).order_by()
    mails, _ = Notification.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:PURGED_AT_ONCE])).delete()
    ended = OneTimeLink.objects.filter(expires_at__lt=before).order_by()
    links, _ = OneTimeLink.objects.filter(pk__in=list(ended.values_list("pk", flat=True)[:PURGED_AT_ONCE])).delete()
    return PURGED_AT_ONCE in (mails, links)
