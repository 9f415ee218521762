"""Bulk acts and the worklist."""

from billing.errors.refusal import BillingError, Category, Refusal


class BulkKindUnknown(Refusal):
    code = "bulk_kind_unknown"
    category = Category.INVALID
    message = "This cannot be done to many Offices together."


class NothingToActOn(BillingError):
    code = "nothing_to_act_on"
    category = Category.CONFLICT
    message = "This cannot be done to any of the chosen Offices."
    remedy = "The reason is shown beside each one."


class TooManyOffices(BillingError):
    """More Offices were chosen than can be at once."""

    code = "too_many_offices"
    category = Category.INVALID

    def __init__(self, most: int) -> None:
        super().__init__(f"Choose at most {most:,} Offices at once.")


class DueChanged(Refusal):
    code = "due_changed"
    category = Category.CONFLICT
    message = "Another amount is due now than when this was confirmed, so nothing was charged."
    remedy = "Look at the invoice, and charge it by itself."


class NotAColleague(Refusal):
    code = "not_a_colleague"
    category = Category.INVALID
    message = "This person cannot work on Offices."
    remedy = "Choose somebody with the role of operator or finance."
