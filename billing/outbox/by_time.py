"""The notices that time alone brings: a trial or access that ends, a card that expires, and reminders to pay.

Each hour a job looks for them. One that was put already is left out, so each is told once.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain, islice

from django.db import transaction

from billing import clock, notices
from billing.jobs import job
from billing.models import Invoice

AT_ONCE = 200


@job("notices", every=timedelta(hours=1))
def put_due() -> None:
    """Put what is due into the outbox, while Offices get e-mails at all. Repeating is a no-op."""
    at = clock.billing()
    if notices.are_on(at):
        _keep(chain(notices.of_time(at), notices.failed_payments(Invoice.objects.all(), at)))


def _keep(found: Iterable[notices.Notice]) -> None:
    left = iter(found)
    while some := list(islice(left, AT_ONCE)):
        with transaction.atomic():
            notices.keep(some)
