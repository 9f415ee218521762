"""What waits for a second person, and determinations that are missing."""

from typing import Any

from billing.errors.refusal import BillingError, Category, Refusal

RECORD_DETERMINATION = (
    "Record counsel's determination in the admin under Compliance, Determinations. Then another person, an "
    "administrator, must approve it."
)

FIND_A_SECOND = (
    "An administrator can give someone that role. For 30 days, whoever made or changed an account does not count as a "
    "second person beside it, until an independent administrator vouches for the two (Compliance, Vouchings)."
)


class DeterminationInvalid(BillingError):
    """Something in the form of the determination is missing or not valid."""

    code = "determination_invalid"
    without_quotes = "Something in the form is missing or not valid."
    category = Category.CONFLICT


class SecondPersonRequired(Refusal):
    code = "second_person_required"
    category = Category.CONFLICT
    message = "You prepared this determination, so another person with the role administrator must approve it."


class OnePersonBehindBoth(BillingError):
    """One person could act with both accounts, so they do not count as two people."""

    code = "one_person_behind_both"
    category = Category.CONFLICT

    def __init__(self, first: Any, second: Any, why: list[str]) -> None:
        super().__init__(
            f"This needs two people, and one person could act as {first} and as {second}: {'; '.join(why)}. There are "
            "three ways out. Another person does it. Or an administrator who is independent of both vouches for "
            "them: in the admin under Compliance, Vouchings. Or the account is made on the server: "
            "python manage.py create_administrator EMAIL.",
            about=second,
        )


class VouchedByOneOfThem(Refusal):
    code = "vouched_by_one_of_them"
    category = Category.CONFLICT
    message = "Choose two people, and neither of them may be you. A third person vouches for two others."


class SentForApproval(BillingError):
    """It was not refused, and it did not begin: another person must approve it. ``about`` is the request."""

    code = "sent_for_approval"
    category = Category.WAITS

    def __init__(self, request: Any, to: list[str]) -> None:
        who = f"{', '.join(to)}." if to else f"nobody yet. {FIND_A_SECOND}"
        super().__init__(
            f"With {request.money} the Office would get back more than one person may give in 24 hours. Nothing was "
            f"given back yet. Sent for approval to: {who}",
            about=request,
        )


class OwnRequest(Refusal):
    code = "own_request"
    category = Category.CONFLICT
    message = "You asked for this yourself, so another person with the role finance must decide."
    remedy = "If you do not want it any more, withdraw it."


class NotYourRequest(Refusal):
    code = "not_your_request"
    category = Category.FORBIDDEN
    message = "Another person asked for this, so only that person can withdraw it."
    remedy = "To say no to it, turn it down."


class PersonMustAsk(Refusal):
    code = "person_must_ask"
    category = Category.FORBIDDEN
    message = "This is above the limit, so two people must stand behind it. A service or a job cannot ask for it."


class RequesterMayNoLonger(BillingError):
    """The person who asked for this is not allowed to any more."""

    code = "requester_may_no_longer"
    category = Category.CONFLICT

    def __init__(self, request: Any) -> None:
        super().__init__(
            f"{request.requested_by} asked for this and is not allowed to any more. Turn it down. A person who is "
            "allowed can ask for it again.",
            about=request,
        )


class RequestDecided(BillingError):
    """Somebody has already decided about the request, or it has expired."""

    code = "request_decided"
    category = Category.CONFLICT

    def __init__(self, request: Any) -> None:
        was = "has expired" if request.has_expired else f"was already {request.status}"
        super().__init__(f"This request {was}. If it is still needed, ask for it again.", about=request)


class AmountChanged(BillingError):
    """What would be given back or credited is another amount now than the one that was asked for."""

    code = "amount_changed"
    category = Category.CONFLICT

    def __init__(self, asked: Any, now: Any) -> None:
        super().__init__(
            f"{asked} was asked for. Now it would be {now}. Turn this request down, and ask for the new amount."
        )


class DeterminationDecided(BillingError):
    """The determination was already approved, withdrawn or replaced, and that cannot change."""

    code = "determination_decided"
    category = Category.CONFLICT

    def __init__(self, determination: Any, what: str) -> None:
        super().__init__(
            f"This determination was already {what}, and that cannot change. If it is wrong now, prepare a new one.",
            about=determination,
        )


class NotSent(BillingError):
    """A request to Stripe that a rule of ours holds back. What an operation asked before it may have been done."""


class DeterminationMissing(NotSent):
    """In live mode, a request that can charge needs counsel's determination."""

    code = "determination_missing"
    category = Category.CONFLICT

    def __init__(self, why: str) -> None:
        super().__init__(f"Live charging is refused, and nothing was sent to Stripe: {why} {RECORD_DETERMINATION}")
