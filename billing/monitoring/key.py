"""A worker asks again while Stripe refuses the key, and takes up what waited for that as soon as it is accepted."""

import logging

from billing import accounts, errors, observations, waits
from billing.stripe_api import known_account, pace

log = logging.getLogger(__name__)


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
                with pace.one_look():
                    accounts.require_own_account()
            except (errors.StripeRejected, errors.StripeUnavailable):
                self.was_refused = True
                return
            known_account.confirm()
        if self.was_refused and (found := waits.is_over(waits.KEY)):
            log.info("Stripe accepts the key: %s events, jobs and operations that waited for it go on", found)
        self.was_refused = False
