"""Why a period of the audit trail cannot be signed off."""

from billing.errors.refusal import BillingError, Category, Refusal


class PeriodInvalid(BillingError):
    """The last day is before the first one, or the period is too long."""

    code = "period_invalid"
    category = Category.INVALID

    def __init__(self, most: int) -> None:
        super().__init__(f"The last day must not be before the first one. A period has at most {most} days.")


class PeriodNotOver(BillingError):
    """The period has not ended, or has ended only just now."""

    code = "period_not_over"
    category = Category.CONFLICT

    def __init__(self, minutes: int) -> None:
        super().__init__(
            f"This period has not ended, or has ended only just now. You can sign it off {minutes} minutes after its "
            "end. By then everything that began in it is recorded."
        )


class NotSealedYet(Refusal):
    code = "not_sealed_yet"
    category = Category.CONFLICT
    message = "Not every entry of the period is sealed."
    remedy = (
        "A worker seals the trail each minute. Wait two minutes. If this is still refused, no worker is running: "
        "start one."
    )


class OwnActsAlone(Refusal):
    code = "own_acts_alone"
    category = Category.CONFLICT
    message = "Nobody but you did anything in this period."
    remedy = "Another auditor must sign it off."
