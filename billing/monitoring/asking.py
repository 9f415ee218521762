"""Asking Stripe for what nobody would tell: whose key this is, and whether the webhook endpoint is right.

What the answers show is noted (``billing.observations``). The checks read that.
"""

import logging
from datetime import timedelta

from django.db import Error as AnyDatabaseError

from billing import accounts, errors, observations
from billing.jobs import job
from billing.models import Observation
from billing.models.observation import Level
from billing.observations import ACCOUNT, ENDPOINT, STRIPE, note

log = logging.getLogger(__name__)


@job("ask-stripe", every=timedelta(hours=1))
def ask_hourly() -> None:
    """Ask Stripe. What is wrong is noted, and is no failure of this job."""
    ask()


def ask() -> dict[str, Observation]:
    """Ask Stripe for the account and the endpoint, note what is seen, and return it. Repeating is safe.

    It also works while the database is away. Then nothing is compared with our rows.
    """
    observations.forget()  # another process may have noted something else since
    try:
        accounts.require_own_account()
        note(ACCOUNT, Level.GREEN)
        _note_endpoint()
    except errors.WrongStripeAccount:
        note(ACCOUNT, Level.RED, "other_account")
    except errors.StripeUnavailable:
        note(STRIPE, Level.AMBER, "no_answer")
    except errors.BillingError as error:
        log.warning("Stripe was asked for the account and the endpoint: %s", error)
    except AnyDatabaseError as error:
        log.warning("what Stripe shows could not be compared with our rows: %s", type(error).__name__)
    return dict(observations.latest)


def _note_endpoint() -> None:
    try:
        note(ENDPOINT, *accounts.look_at_endpoint())
    except errors.StripeKeyRefused:  # a restricted key
        note(ENDPOINT, Level.AMBER, "not_allowed")
