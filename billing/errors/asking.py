"""What is wrong with the asking, whatever was asked: its words, its key, its preview, its moment."""

from datetime import datetime
from typing import Any

from billing.errors.base import BillingError


class ReasonRequired(BillingError):
    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("Say why: a reason of 3 to 200 characters is kept in the audit trail.")


class TextNotNeutral(BillingError):
    code = "text_not_neutral"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The text seems to contain {what}. It is kept for years and seen by many: say it without, and never "
            "anything about a patient."
        )


class NothingToChange(BillingError):
    code = "nothing_to_change"

    def __init__(self, what: str) -> None:
        super().__init__(f"Nothing would change: {what}")


class DateInvalid(BillingError):
    code = "date_invalid"


class PreviewStale(BillingError):
    code = "preview_stale"

    def __init__(self) -> None:
        super().__init__(
            "The preview is older than an hour, or something changed since. Look at a new one and confirm that."
        )


class OperationInProgress(BillingError):
    code = "operation_in_progress"

    def __init__(self, other: Any, asked_by: str) -> None:
        super().__init__(
            f"Another change of this Office's billing is not settled yet: “{other.kind}”, asked by {asked_by}. "
            "Wait for its outcome, then try again.",
            operation=other,
        )


class ReconciliationUnderWay(BillingError):
    code = "reconciliation_under_way"

    def __init__(self) -> None:
        super().__init__(
            "Another process is comparing everything with Stripe just now. It shows under Reconciliations; where it "
            "was killed, it is gone on with in a minute and a half."
        )


class BackfillUnfinished(BillingError):
    code = "backfill_unfinished"

    def __init__(self, began_at: datetime) -> None:
        super().__init__(
            f"The backfill of {began_at:%d %B %Y %H:%M} UTC is unfinished. Give the same products to go on with it, or "
            "end it first: manage.py reconcile --abandon"
        )


class ProductUnknown(BillingError):
    code = "product_unknown"

    def __init__(self) -> None:
        super().__init__("Stripe has no such product. Its id begins with prod_ and shows in Stripe's dashboard.")


class FindingOver(BillingError):
    code = "finding_over"

    def __init__(self) -> None:
        super().__init__("This does not hold any more: it was seen to, or is otherwise at Stripe by now.")


class IdempotencyKeyInvalid(BillingError):
    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key is 1 to 255 visible ASCII characters without spaces, such as a UUID.")


class IdempotencyKeyReused(BillingError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came before with another request. Repeat that one unchanged, or send this "
            "one with a new key."
        )


class RequestInProgress(BillingError):
    """A twin with the same Idempotency-Key is being carried out: there is no answer to give yet."""

    code = "request_in_progress"
    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__(
            "The same request, with the same Idempotency-Key, is still being carried out. Wait a few seconds "
            "and ask again with the same key: the answer will be that one's."
        )
