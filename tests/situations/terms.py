"""How a subscription goes on: it ends, or its collection is paused. And with which card it is paid."""

from tests.situations.dashboard import Dashboard
from tests.situations.situation import Right, moment, situation

CANCEL = "billing/subscriptions/cancel"
PAUSE = "billing/subscriptions/pause-payment"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")


@situation(
    CANCEL,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH],
        findings=[],
    ),
)
def it_ends_with_its_period(at: Dashboard) -> None:
    """It is served until then, and no invoice comes."""
    one = at.subscribe("practice-monthly")
    at.post(f"subscriptions/{one}", cancel_at_period_end=True)


@situation(
    CANCEL,
    right=Right(
        access="none",
        status="canceled",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH],
        findings=[],
    ),
)
def it_ended_with_its_period(at: Dashboard) -> None:
    """On 1 April it is over."""
    one = at.subscribe("practice-monthly")
    at.post(f"subscriptions/{one}", cancel_at_period_end=True)
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    PAUSE,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH],
        findings=[],
    ),
)
def its_collection_is_paused_and_drafts_are_kept(at: Dashboard) -> None:
    """The status stays active. The renewal is a draft, and nobody is asked to pay one until it is resumed."""
    one = at.subscribe("practice-monthly")
    at.post(f"subscriptions/{one}", pause_collection={"behavior": "keep_as_draft"})
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    PAUSE,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def its_collection_is_paused_and_invoices_are_written_off(at: Dashboard) -> None:
    """The renewal is uncollectible: nobody expects it to be paid."""
    one = at.subscribe("practice-monthly")
    at.post(f"subscriptions/{one}", pause_collection={"behavior": "mark_uncollectible"})
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/subscriptions/payment-methods-setting",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
        on_the_page=("mastercard …4444",),
    ),
)
def it_has_a_card_of_its_own(at: Dashboard) -> None:
    """The subscription's own card is charged, and not the customer's."""
    at.subscribe("practice-monthly", default_payment_method=at.another_card("pm_card_mastercard"))
