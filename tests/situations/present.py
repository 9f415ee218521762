"""Which of several subscriptions is the present one, and what a start leaves that never began."""

from tests.situations.dashboard import Dashboard
from tests.situations.situation import Right, moment, situation

STATUSES = "billing/subscriptions/overview#subscription-statuses"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")
TWO = ["second_live_subscription"]


def _an_unpaid_one(at: Dashboard, status: str) -> str:
    """Let Practice run from 1 March, fail on 1 April and have this status from 16 April on. It is 20 April then."""
    at.when_retries_end(status)
    one = at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("20 Apr"))
    at.pays_with("pm_card_visa")
    return one


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 147_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("20 May", 147_00, "usd"),
        cycles=[MARCH, APRIL, ("20 Apr", "20 May")],
        findings=TWO,
    ),
)
def a_paid_one_stands_beside_an_old_unpaid_one(at: Dashboard) -> None:
    """Of an unpaid one access should end; the active one is paid. It is the present one."""
    _an_unpaid_one(at, "unpaid")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 147_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("20 May", 147_00, "usd"),
        cycles=[MARCH, APRIL, ("20 Apr", "20 May")],
        findings=[],
    ),
)
def the_old_unpaid_one_is_ended_then(at: Dashboard) -> None:
    """One is left that is live, so the finding is over. What was owed is owed on: its invoice stays open."""
    old = _an_unpaid_one(at, "unpaid")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.we_hear()
    at.delete(f"subscriptions/{old}")


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 346_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("20 May", 147_00, "usd"),
        cycles=[MARCH, APRIL, ("20 Apr", "20 May")],
        findings=TWO,
    ),
)
def a_paid_one_stands_beside_an_old_past_due_one(at: Dashboard) -> None:
    """The active one is the present one, and it is not past due. Both bring something: 199.00 and 147.00."""
    _an_unpaid_one(at, "past_due")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 346_00},
        owed={"usd": 147_00},
        past_due_since=None,
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, ("2 Mar", "2 Apr"), APRIL, ("2 Apr", "2 May")],
        findings=TWO,
        on_the_page=("visa …4242",),
    ),
)
def the_younger_one_is_past_due(at: Dashboard) -> None:
    """The mirror image: the older one is paid, so it is the present one."""
    at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar"))
    good, bad = at.another_card("pm_card_visa"), at.another_card("pm_card_chargeCustomerFail")
    seats = {"price": at.price("seats-monthly"), "quantity": 3}
    young = at.subscribe(seats, default_payment_method=good)
    at.post(f"subscriptions/{young}", default_payment_method=bad)
    at.wait_until(moment("2 Apr 14:00"))


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="past_due",
        plan="Team",
        quantity=3,
        monthly={"usd": 346_00},
        owed={"usd": 346_00},
        past_due_since="2 Apr 13:00",
        next_charge=("2 May", 147_00, "usd"),
        cycles=[MARCH, ("2 Mar", "2 Apr"), APRIL, ("2 Apr", "2 May")],
        findings=TWO,
    ),
)
def both_are_past_due(at: Dashboard) -> None:
    """Of two alike, the one that started last is the present one. It failed on 2 April, an hour after its renewal."""
    at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar"))
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("2 Apr 14:00"))


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 346_00},
        owed={},
        past_due_since=None,
        next_charge=("2 Apr", 147_00, "usd"),
        cycles=[MARCH, ("2 Mar", "2 Apr")],
        findings=TWO,
    ),
)
def both_are_active(at: Dashboard) -> None:
    """Both are billed. The one that started last is the present one."""
    at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar"))
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH, ("2 Mar", "2 Apr")],
        findings=[],
    ),
)
def the_younger_one_is_canceled(at: Dashboard) -> None:
    """What is over does not count beside what is live, however young it is."""
    at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar"))
    young = at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.we_hear()
    at.delete(f"subscriptions/{young}")


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=3,
        monthly={"usd": 147_00},
        owed={},
        past_due_since=None,
        next_charge=("2 Apr", 147_00, "usd"),
        cycles=[MARCH, ("2 Mar", "2 Apr")],
        findings=[],
    ),
)
def a_new_one_follows_a_canceled_one(at: Dashboard) -> None:
    """The order that is usual: it left and came back."""
    old = at.subscribe("practice-monthly")
    at.delete(f"subscriptions/{old}")
    at.wait_until(moment("2 Mar"))
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})


@situation(
    STATUSES,
    right=Right(
        access="none",
        status="canceled",
        plan="Team",
        quantity=3,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH, ("2 Mar", "2 Apr")],
        findings=[],
    ),
)
def both_are_canceled_and_the_older_one_ended_last(at: Dashboard) -> None:
    """Of two that are over, the one that started last tells what the Office had."""
    old = at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar"))
    young = at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.delete(f"subscriptions/{young}")
    at.wait_until(moment("3 Mar"))
    at.delete(f"subscriptions/{old}")


@situation(
    "billing/subscriptions/trials#create-free-trials-without-payment",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("16 Apr", 199_00, "usd"),
        cycles=[("1 Mar", "15 Mar"), ("16 Mar", "16 Apr")],
        findings=TWO,
    ),
)
def a_paid_one_stands_beside_a_paused_one(at: Dashboard) -> None:
    """A trial that ended without a card is paused, and nothing is billed of it."""
    _a_trial_without_a_card(at, "pause", "seats-monthly")
    at.wait_until(moment("16 Mar"))
    at.pays_with("pm_card_visa")
    at.subscribe("practice-monthly")


# --- starts that wait or never began


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="none",
        status="incomplete",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH],
        findings=[],
    ),
)
def a_start_waits_for_its_payment(at: Dashboard) -> None:
    """For 23 hours its first invoice can still be paid. Until then nothing has begun."""
    at.pays_with("pm_card_chargeCustomerFail")
    at.subscribe("practice-monthly")


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="none",
        status="",
        plan=None,
        quantity=0,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[],
        findings=[],
    ),
)
def a_start_was_not_paid_in_time(at: Dashboard) -> None:
    """After 23 hours it is incomplete_expired, and its invoice is void: it never began."""
    at.pays_with("pm_card_chargeCustomerFail")
    at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar 14:00"))


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="none",
        status="",
        plan=None,
        quantity=0,
        monthly={},
        owed={"eur": 100_00},
        past_due_since=None,
        next_charge=None,
        cycles=[],
        findings=[],
    ),
)
def a_start_in_euro_was_not_paid_and_all_is_heard_late(at: Dashboard) -> None:
    """What we show does not depend on when we hear of it: its currency is that of its last subscription."""
    at.pays_with("pm_card_chargeCustomerFail")
    at.subscribe("practice-euro")
    at.stripe.control("clock", now=int(moment("2 Mar 14:00").timestamp()))
    at.one_off(100_00, "eur")


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="none",
        status="",
        plan=None,
        quantity=0,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[],
        findings=[],
    ),
)
def a_start_that_waits_is_given_up(at: Dashboard) -> None:
    """Canceling it voids its invoice. It is canceled at Stripe, and it never began."""
    at.pays_with("pm_card_chargeCustomerFail")
    waiting = at.subscribe("practice-monthly")
    at.we_hear()
    at.delete(f"subscriptions/{waiting}")


@situation(
    "billing/subscriptions/overview#payment-window",
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
        payments=[("failed", 199_00, True), ("succeeded", 199_00, True)],
    ),
)
def a_start_is_paid_at_the_second_try(at: Dashboard) -> None:
    """Paying the first invoice begins it."""
    at.pays_with("pm_card_chargeCustomerFail")
    at.subscribe("practice-monthly")
    at.we_hear()
    at.post(f"invoices/{at.newest_invoice()}/pay", payment_method=at.another_card("pm_card_visa"))


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 147_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH, MARCH],
        findings=[],
    ),
)
def a_second_start_waits_beside_an_active_one(at: Dashboard) -> None:
    """What has not begun does not take the place of what is paid. Its first invoice is open."""
    at.subscribe("practice-monthly")
    bad = at.another_card("pm_card_chargeCustomerFail")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3}, default_payment_method=bad)


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 147_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH, MARCH],
        findings=[],
    ),
)
def an_active_one_begins_while_a_start_waits(at: Dashboard) -> None:
    """The mirror image: the one that waits is the older one."""
    bad = at.another_card("pm_card_chargeCustomerFail")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3}, default_payment_method=bad)
    at.we_hear()
    at.subscribe("practice-monthly")


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00 + 147_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL, ("2 Apr", "2 May")],
        findings=[],
    ),
)
def a_start_waits_beside_a_past_due_one(at: Dashboard) -> None:
    """The one that is past due has begun, and is served. The one that waits is not."""
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("2 Apr"))
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})


@situation(
    "billing/subscriptions/overview#payment-window",
    right=Right(
        access="none",
        status="incomplete",
        plan="Team",
        quantity=3,
        monthly={},
        owed={"usd": 147_00},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH, ("2 Mar", "2 Apr")],
        findings=[],
    ),
)
def a_start_waits_after_a_canceled_one(at: Dashboard) -> None:
    """What can still begin comes before what is over."""
    old = at.subscribe("practice-monthly")
    at.wait_until(moment("2 Mar"))
    at.delete(f"subscriptions/{old}")
    at.pays_with("pm_card_chargeCustomerFail")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})


@situation(
    "billing/subscriptions/overview#payment-window",
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
def a_start_after_a_canceled_one_was_not_paid_in_time(at: Dashboard) -> None:
    """The start leaves nothing: the Office is one whose subscription was canceled, as before."""
    old = at.subscribe("practice-monthly")
    at.delete(f"subscriptions/{old}")
    at.pays_with("pm_card_chargeCustomerFail")
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 3})
    at.wait_until(moment("2 Mar 14:00"))


# --- trials that end without a card


def _a_trial_without_a_card(at: Dashboard, then: str, *items: str) -> str:
    """Take the card off, and start a trial of 14 days, at whose end this happens."""
    for card in at.get(f"customers/{at.customer}/payment_methods")["data"]:
        at.post(f"payment_methods/{card['id']}/detach")
    ends = {"end_behavior": {"missing_payment_method": then}}
    return at.subscribe(*items, trial_period_days=14, trial_settings=ends)


@situation(
    "billing/subscriptions/trials#create-free-trials-without-payment",
    right=Right(
        access="none",
        status="paused",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[("1 Mar", "15 Mar")],
        findings=[],
    ),
)
def a_trial_ends_without_a_card_and_is_paused(at: Dashboard) -> None:
    """A paused subscription makes no invoices until it is resumed."""
    _a_trial_without_a_card(at, "pause", "practice-monthly")
    at.wait_until(moment("15 Mar 14:00"))


@situation(
    "billing/subscriptions/trials#create-free-trials-without-payment",
    right=Right(
        access="none",
        status="canceled",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[("1 Mar", "15 Mar")],
        findings=[],
    ),
)
def a_trial_ends_without_a_card_and_is_canceled(at: Dashboard) -> None:
    """It was a subscription, with a trial: it began, and is over."""
    _a_trial_without_a_card(at, "cancel", "practice-monthly")
    at.wait_until(moment("15 Mar 14:00"))


@situation(
    "billing/subscriptions/trials#create-free-trials-without-payment",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="15 Mar 13:00",
        next_charge=("15 Apr", 199_00, "usd"),
        cycles=[("1 Mar", "15 Mar"), ("15 Mar", "15 Apr")],
        findings=[],
    ),
)
def a_trial_ends_without_a_card_and_is_invoiced(at: Dashboard) -> None:
    """The invoice is a draft for an hour, and nothing can pay it then: it is past due."""
    _a_trial_without_a_card(at, "create_invoice", "practice-monthly")
    at.wait_until(moment("15 Mar 14:00"))


@situation(
    "billing/subscriptions/trials",
    right=Right(
        access="full",
        status="trialing",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=("15 Mar", 199_00, "usd"),
        cycles=[("1 Mar", "15 Mar")],
        findings=[],
    ),
)
def a_trial_runs(at: Dashboard) -> None:
    """Nothing is charged for the trial. 199.00 are charged when it ends."""
    at.subscribe("practice-monthly", trial_period_days=14)


@situation(
    "billing/subscriptions/backdating",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=5,
        monthly={"usd": 444_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 245_00, "usd"),
        cycles=[("1 Mar", "1 Apr"), ("1 Mar", "1 Apr")],
        findings=TWO,
        on_the_page=("Practice, 199.00 USD a month, active, begun on 1 January 2030",),
    ),
)
def one_was_moved_here_with_the_day_on_which_it_had_begun(at: Dashboard) -> None:
    """The one that started last is the present one, not the one that was made last at Stripe."""
    at.subscribe({"price": at.price("seats-monthly"), "quantity": 5})
    began = int(moment("1 Jan").timestamp())
    at.subscribe("practice-monthly", backdate_start_date=began, proration_behavior="none")
