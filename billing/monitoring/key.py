"""A worker asks again while Stripe refuses the key, and takes up what waited for that as soon as it is accepted."""

import logging

from billing import accounts, clock, errors, observations
from billing.models import Job, Operation, ReceivedEvent
from billing.stripe_api import known_account

log = logging.getLogger(__name__)

REFUSED = errors.StripeKeyRefused.code


class KeyWatch:
    """Looks at each heartbeat of a worker. A worker that starts takes up what an earlier one had to put off."""

    def __init__(self) -> None:
        self.was_refused = True

    def look(self) -> None:
        """Ask Stripe if the key was refused. Raises: WrongStripeAccount: it is accepted now, and of another account."""
        noted = observations.seen(observations.STRIPE)
        if known_account.is_awaited() or (noted and noted.code == "key_refused"):
            observations.forget()  # another process may have noted it
            try:
                accounts.require_own_account()
            except (errors.StripeRejected, errors.StripeUnavailable):
                self.was_refused = True
                return
            known_account.confirm()
        if self.was_refused:
            take_up()
        self.was_refused = False


def take_up() -> int:
    """Make due now what was put off because Stripe refused the key. Return how much that was."""
    now = clock.wall()
    begun = f"{REFUSED}:"
    events = ReceivedEvent.objects.filter(
        status=ReceivedEvent.Status.WAITING, due_at__gt=now, last_error__startswith=begun
    ).update(due_at=now)
    jobs = Job.objects.filter(claim_id=None, due_at__gt=now, last_error__startswith=begun).update(due_at=now)
    unsettled = Operation.objects.filter(status=Operation.Status.UNKNOWN, error_code=REFUSED)
    operations = unsettled.filter(lease_until__gt=now).update(lease_until=now)
    if found := events + jobs + operations:
        log.info("Stripe accepts the key: %s events, jobs and operations that waited for it go on", found)
    return found
