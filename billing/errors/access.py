"""Who may not, and what waits for a determination."""

from typing import Any

from billing.errors.base import BillingError

RECORD_DETERMINATION = (
    "Record counsel's determination in the admin under Compliance, Determinations; another person, an "
    "administrator, must then approve it."
)


class NotPermitted(BillingError):
    code = "not_permitted"

    def __init__(self, what: str) -> None:
        super().__init__(f"You are not permitted to {what}. Ask an administrator for a role that is.")


class StaffOnly(NotPermitted):
    code = "staff_only"

    def __init__(self, what: str) -> None:
        BillingError.__init__(self, f"Only the vendor's staff may {what}. Ask them for it.")


class DeterminationInvalid(BillingError):
    code = "determination_invalid"
    without_quotes = "What was typed is missing something or cannot be."


class SecondPersonRequired(BillingError):
    code = "second_person_required"

    def __init__(self, determination: Any) -> None:
        super().__init__(
            "You prepared this determination, so another person must approve it: anyone else whose role is "
            "administrator.",
            determination=determination,
        )


class DeterminationDecided(BillingError):
    code = "determination_decided"

    def __init__(self, determination: Any, what: str) -> None:
        super().__init__(
            f"This determination was {what} already, and that stays so. Prepare a new one where it no longer holds.",
            determination=determination,
        )


class DeterminationMissing(BillingError):
    """Nothing was sent to Stripe: in live mode, what can charge waits for counsel's determination."""

    code = "determination_missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"Live charging is refused, and nothing was sent to Stripe: {why} {RECORD_DETERMINATION}")
