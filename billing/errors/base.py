"""What every refusal is, and what none of them shows."""

import re
from typing import Any

STRIPE_ID = re.compile(
    r"\b(sub_sched|[a-z]{2,8}(?:_(?:test|live))?)_(?=[A-Za-z]*[A-Z0-9])([A-Za-z0-9]{8,})(?:_secret_[A-Za-z0-9]+)?"
)
"""Any prefix, as Stripe adds some; what tells an id from our own words is a digit or a capital."""


def without_stripe_ids(text: str) -> str:
    """``text`` with each of Stripe's ids, and client secrets, cut to what is fit to be shown."""
    return STRIPE_ID.sub(lambda found: f"{found[1]}_…{found[2][-4:]}", text)


def without_addresses(text: str) -> str:
    """``text`` without e-mail addresses, also misspelt ones: for what is kept of others' words."""
    return re.sub(r"\S*@\S*", "…", text)


class BillingError(Exception):
    """A request that was refused or is not settled. ``str(error)`` is fit to be shown to a person."""

    code = "billing_error"
    without_quotes = ""
    """The refusal in words of ours alone, where the message may quote what somebody typed."""

    def __init__(self, message: str, **concerns: Any) -> None:
        super().__init__(message)
        self.concerns = concerns

    @property
    def on_record(self) -> str:
        """The refusal as the audit trail keeps it: without words that somebody typed."""
        return self.without_quotes or str(self)
