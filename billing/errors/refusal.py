"""The base of all refusals, their categories, and what their texts never show. No class knows HTTP."""

import re
from enum import Enum
from typing import Any, ClassVar

STRIPE_ID = re.compile(
    r"\b(sub_sched|[a-z]{2,8}(?:_(?:test|live))?)_(?=[A-Za-z]*[A-Z0-9])([A-Za-z0-9]{8,})(?:_secret_[A-Za-z0-9]+)?"
)
"""Fits an id with any prefix, because Stripe adds new ones. An id has a digit or a capital letter; our words do not."""


def without_stripe_ids(text: str) -> str:
    """Return ``text`` with each of Stripe's ids cut to its prefix and last four characters, without client secrets."""
    return STRIPE_ID.sub(lambda found: f"{found[1]}_…{found[2][-4:]}", text)


def without_addresses(text: str) -> str:
    """Return ``text`` without e-mail addresses, also misspelt ones. For texts of others that we keep."""
    return re.sub(r"\S*@\S*", "…", text)


class Category(Enum):
    """The kind of a refusal. The API has one answer for each kind."""

    MALFORMED = "the request cannot be read"
    INVALID = "a given value is not valid"
    FORBIDDEN = "this person is not allowed to do it"
    NOT_FOUND = "it does not exist"
    CONFLICT = "it cannot be done in the present state"
    PAYMENT = "the payment was declined, or there is nothing to charge"
    STRIPE_REFUSED = "Stripe said no"
    UNKNOWN = "nobody knows yet"
    HELD = "nothing is done until a person has released the restored database"
    WAITS = "it waits for a second person"
    TOO_MANY = "it was asked too often"
    TOO_LARGE = "the request is too large"


class BillingError(Exception):
    """A request that was refused or is not settled. ``str(error)`` may be shown to a person.

    A subclass has a ``code`` and a ``category``. If its text is always the same, it also has a ``message`` and a
    ``remedy``, which says what would make the request possible.
    """

    code: ClassVar[str] = "billing_error"
    category: ClassVar[Category]
    message: ClassVar[str] = ""
    remedy: ClassVar[str] = ""
    without_quotes: ClassVar[str] = ""
    """The refusal in our own words only. For a message that may quote what a person typed."""

    def __init__(self, says: str = "", *, about: Any = None) -> None:
        super().__init__(says or f"{self.message} {self.remedy}".strip())
        self.about = about

    @property
    def on_record(self) -> str:
        """Return the refusal as the audit trail keeps it, without words that a person typed."""
        return self.without_quotes or str(self)


class Defect(BillingError):
    """A mistake in the program: it tried to do something that is never allowed."""

    code = "billing_error"
    category = Category.CONFLICT


class Refusal(BillingError):
    """A refusal that always has the same text, whatever it is about."""

    def __init__(self, about: Any = None) -> None:
        super().__init__(about=about)
