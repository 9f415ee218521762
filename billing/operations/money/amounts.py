"""The rule that every amount which a person gives has to follow."""

from billing import errors
from billing.money import why_not_taken


def check_decimals(amount: int, currency: str) -> None:
    """Check that the currency has this amount: Stripe takes no fraction of a króna. Raises: AmountInvalid."""
    if why := why_not_taken(amount, currency):
        raise errors.AmountInvalid(why)
