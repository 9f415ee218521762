"""A bank account that is verified by a small deposit: until its code is entered, nothing can be debited from it."""

from tests.situations.dashboard import Dashboard, Object
from tests.situations.situation import Right, moment, situation

VERIFIED = "payments/ach-direct-debit/set-up-payment"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")


def _account(at: Dashboard) -> Object:
    """Let the Office type its account's numbers. Return the setup intent, which waits for the deposit."""
    numbers = {"account_holder_type": "company", "account_number": "000123456789", "routing_number": "110000000"}
    named = {"name": "Maple Street Family Practice"}
    made = at.post("payment_methods", type="us_bank_account", us_bank_account=numbers, billing_details=named)
    return at.post(
        "setup_intents",
        customer=at.customer,
        payment_method=made["id"],
        payment_method_types=["us_bank_account"],
        mandate_data={"customer_acceptance": {"type": "offline"}},
        confirm=True,
    )


@situation(
    VERIFIED,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        payments=[("succeeded", 199_00, True), ("succeeded", 199_00, True)],
        on_the_page=("visa …4242",),
    ),
)
def an_account_waits_to_be_verified(at: Dashboard) -> None:
    """The account is not the customer's yet, so the card goes on paying and is what the page shows."""
    at.subscribe("practice-monthly")
    _account(at)
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    VERIFIED,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        payments=[("succeeded", 199_00, True), ("pending", 199_00, True)],
        on_the_page=("…6789",),
    ),
)
def an_account_is_verified_and_debited(at: Dashboard) -> None:
    """Its code was entered, and it was made the default. The debit of 1 April is on its way for four business days."""
    at.subscribe("practice-monthly")
    intent = _account(at)
    at.post(f"setup_intents/{intent['id']}/verify_microdeposits", descriptor_code="SM11AA")
    at.post(f"customers/{at.customer}", invoice_settings={"default_payment_method": intent["payment_method"]})
    at.wait_until(moment("1 Apr 14:00"))
