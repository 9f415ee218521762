"""What can be wrong with any request: its reason, its key, its preview, its moment."""

from datetime import datetime
from typing import Any

from billing.errors.refusal import BillingError, Category, Refusal


class ReasonRequired(Refusal):
    code = "reason_required"
    category = Category.INVALID
    message = "Give a reason of 3 to 200 characters. It is kept in the audit trail."


class TooManyRows(BillingError):
    """The list has more rows than an XLSX file can have. Choose CSV, or filter the list."""

    code = "too_many_rows"
    category = Category.INVALID

    def __init__(self, rows: int, most: int) -> None:
        super().__init__(
            f"The list has {rows:,} rows, and an XLSX file takes at most {most:,}. Choose CSV, or filter the list."
        )


class OneCurrencyAtATime(BillingError):
    """The file has one currency only, and the month has several. Choose one."""

    code = "one_currency_at_a_time"
    category = Category.INVALID

    def __init__(self, currencies: list[str]) -> None:
        super().__init__(
            f"This file has one currency only, and the month has several. Choose {' or '.join(currencies)}."
        )


OF_FORM = {"more": "Write a shorter one.", "control": "Type it again."}
"""What to do about a text that is too long or cannot be shown, by the first word of what it has."""


class TextNotNeutral(BillingError):
    """The text seems to contain something about a person or a secret. Leave that out."""

    code = "text_not_neutral"
    category = Category.INVALID

    def __init__(self, what: str, *, called: str = "text") -> None:
        if advice := OF_FORM.get(what.split(maxsplit=1)[0]):
            super().__init__(f"The {called} has {what}. {advice}")
            return
        super().__init__(
            f"The {called} seems to contain {what}. Leave that out, because the text is kept for years and many people "
            "see it. Never write anything about a patient."
        )


class NothingToChange(BillingError):
    """Everything is already as it was asked for."""

    code = "nothing_to_change"
    category = Category.CONFLICT

    def __init__(self, what: str) -> None:
        super().__init__(f"Nothing would change: {what}")


class DateInvalid(BillingError):
    """The date cannot be used, for example because it is in the past."""

    code = "date_invalid"
    category = Category.INVALID


class PreviewStale(Refusal):
    code = "preview_stale"
    category = Category.CONFLICT
    message = "The preview is older than one hour, or something has changed since then."
    remedy = "Make a new preview and confirm that one."


class OperationLost(Refusal):
    code = "operation_lost"
    category = Category.CONFLICT
    message = "Stripe did something for this Office that is not on record here, because the database lost it."
    remedy = "Look at the Office's page and at its open finding. Close the finding before you ask for anything more."


class DatabaseHeld(Refusal):
    code = "database_held"
    category = Category.HELD
    message = "The database was restored from a backup. Nothing can be changed until a person has released it."
    remedy = "Nothing was done. Try again after the people who run this software have released it."


class OperationInProgress(BillingError):
    """Another operation on this Office is not settled yet. Wait for its outcome, then try again."""

    code = "operation_in_progress"
    category = Category.CONFLICT

    def __init__(self, other: Any, asked_by: str) -> None:
        super().__init__(
            f"Another operation on this Office is not settled yet: “{other.in_words}”, asked for by {asked_by}. "
            "Wait for its outcome, then try again.",
            about=other,
        )


class PlanOperationInProgress(BillingError):
    """Another operation on this plan is not settled yet. Wait for its outcome, then try again."""

    code = "plan_operation_in_progress"
    category = Category.CONFLICT

    def __init__(self, other: Any) -> None:
        super().__init__(
            f"Another operation on this plan is not settled yet: “{other.in_words}”, asked for by {other.actor_label}. "
            "Wait for its outcome, then try again.",
            about=other,
        )


class ReconciliationUnderWay(Refusal):
    code = "reconciliation_under_way"
    category = Category.CONFLICT
    message = "A comparison with Stripe is already running."
    remedy = "You can see it under Comparisons. If its process was stopped, it can continue after 90 seconds."


class BackfillUnfinished(BillingError):
    """An earlier adoption of what is at Stripe has not finished. Continue or end it first."""

    code = "backfill_unfinished"
    category = Category.CONFLICT

    def __init__(self, began_at: datetime) -> None:
        super().__init__(
            f"The adoption that began on {began_at:%d %B %Y %H:%M} UTC is not finished. Give the same products to "
            "continue it, or end it first: manage.py reconcile --abandon"
        )


class ProductUnknown(Refusal):
    code = "product_unknown"
    category = Category.CONFLICT
    message = "Stripe has no product with this id."
    remedy = "A product's id begins with prod_. You find it in Stripe's dashboard."


class FindingOver(Refusal):
    code = "finding_over"
    category = Category.CONFLICT
    message = "This finding no longer applies. Somebody has dealt with it, or it is different at Stripe now."


class FindingClosesItself(Refusal):
    code = "finding_closes_itself"
    category = Category.CONFLICT
    message = "This finding closes by itself when its cause is over. A person cannot close it."


class IdempotencyKeyInvalid(Refusal):
    code = "idempotency_key_invalid"
    category = Category.MALFORMED
    message = "An Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID."


class IdempotencyKeyReused(Refusal):
    code = "idempotency_key_reused"
    category = Category.CONFLICT
    message = "This Idempotency-Key was already used for a different request."
    remedy = "Repeat that request unchanged, or send this request with a new key."


class RequestInProgress(Refusal):
    """The same request with the same Idempotency-Key is being carried out, so there is no answer yet."""

    code = "request_in_progress"
    retry_after_seconds = 5
    category = Category.CONFLICT
    message = "The same request, with the same Idempotency-Key, is still being carried out."
    remedy = "Wait a few seconds and send it again with the same key. You will get the answer to the first one."
