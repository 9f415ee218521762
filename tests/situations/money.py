"""What is owed in which currency, what pays it, what stands on the balance, and which period an invoice is for."""

from tests.situations.dashboard import Dashboard
from tests.situations.situation import Right, moment, situation

CURRENCIES = "billing/customer#customer-currency"
MARCH, APRIL = ("1 Mar", "1 Apr"), ("1 Apr", "1 May")


# --- currencies


@situation(
    CURRENCIES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 50_00, "eur": 100_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def it_owes_two_currencies(at: Dashboard) -> None:
    """A one-off invoice may have another currency. Two currencies are never one sum."""
    at.subscribe("practice-monthly")
    at.one_off(100_00, "eur")
    at.one_off(50_00, "usd")


@situation(
    CURRENCIES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"eur": 100_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def it_owes_another_currency_only(at: Dashboard) -> None:
    """Euros are not shown as dollars."""
    at.subscribe("practice-monthly")
    at.one_off(100_00, "eur")


@situation(
    CURRENCIES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"jpy": 5000},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def it_owes_a_currency_without_decimals(at: Dashboard) -> None:
    """5,000 yen are the amount 5000, and have no decimals."""
    at.subscribe("practice-monthly")
    at.one_off(5000, "jpy")


@situation(
    CURRENCIES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"eur": 189_00},
        owed={"eur": 189_00},
        past_due_since="2 Apr 13:00",
        next_charge=("2 May", 189_00, "eur"),
        cycles=[MARCH, ("2 Mar", "2 Apr"), ("2 Apr", "2 May")],
        findings=[],
    ),
)
def it_comes_back_in_another_currency(at: Dashboard) -> None:
    """Without an active subscription a customer may change its currency. What is owed is then in euro."""
    old = at.subscribe("practice-monthly")
    at.delete(f"subscriptions/{old}")
    at.wait_until(moment("2 Mar"))
    at.subscribe("practice-euro")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("2 Apr 14:00"))


@situation(
    CURRENCIES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"eur": 189_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("20 May", 189_00, "eur"),
        cycles=[MARCH, APRIL, ("20 Apr", "20 May")],
        findings=[],
    ),
)
def it_comes_back_in_another_currency_with_an_old_debt(at: Dashboard) -> None:
    """The old debt stays in dollars."""
    at.when_retries_end("cancel")
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("20 Apr"))
    at.pays_with("pm_card_visa")
    at.subscribe("practice-euro")


# --- what pays an invoice


def _refused_on_1_april(at: Dashboard) -> str:
    """Let a renewal be refused, and return its invoice. It is 14:00 on 1 April then."""
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("1 Apr 14:00"))
    return at.newest_invoice()


@situation(
    "invoicing/integration/manual-payments#pay-an-invoice-out-of-band",
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
        payments=[("succeeded", 199_00, True), ("failed", 199_00, True)],
    ),
)
def a_refused_renewal_is_paid_outside_of_stripe(at: Dashboard) -> None:
    """Somebody paid by a check, and staff mark the invoice as paid. No payment at Stripe tells of it."""
    invoice = _refused_on_1_april(at)
    at.post(f"invoices/{invoice}/pay", paid_out_of_band=True)


@situation(
    "api/invoices/attach_payment",
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
        payments=[("succeeded", 199_00, True), ("failed", 199_00, True), ("succeeded", 199_00, True)],
    ),
)
def a_refused_renewal_is_paid_by_another_payment(at: Dashboard) -> None:
    """An invoice has several payments, and not only the default one pays it. The payment is the invoice's."""
    invoice = _refused_on_1_april(at)
    paid = _a_payment(at, 199_00)
    at.we_hear()
    at.post(f"invoices/{invoice}/attach_payment", payment_intent=paid)


@situation(
    "api/invoices/attach_payment",
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
        payments=[("succeeded", 199_00, True), ("succeeded", 50_00, True)],
    ),
)
def a_sent_invoice_is_paid_by_another_payment(at: Dashboard) -> None:
    """The mirror image: nothing was tried before, and both are told at once."""
    at.subscribe("practice-monthly")
    invoice = at.one_off(50_00)
    paid = _a_payment(at, 50_00)
    at.post(f"invoices/{invoice}/attach_payment", payment_intent=paid)


@situation(
    "payments/payment-intents",
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
        payments=[("succeeded", 199_00, True), ("succeeded", 70_00, False)],
    ),
)
def somebody_pays_without_an_invoice(at: Dashboard) -> None:
    """A payment by itself belongs to no invoice."""
    at.subscribe("practice-monthly")
    _a_payment(at, 70_00)


@situation(
    "invoicing/partial-payments",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 30_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
        payments=[("succeeded", 199_00, True), ("succeeded", 20_00, True)],
    ),
)
def a_part_of_a_sent_invoice_is_paid(at: Dashboard) -> None:
    """20.00 of 50.00 are paid, so 30.00 are owed."""
    at.subscribe("practice-monthly")
    invoice = at.one_off(50_00)
    at.post(f"invoices/{invoice}/attach_payment", payment_intent=_a_payment(at, 20_00))


@situation(
    "invoicing/partial-payments",
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
        payments=[("succeeded", 199_00, True), *[("succeeded", 10_00, True)] * 11],
    ),
)
def a_sent_invoice_is_paid_in_eleven_parts(at: Dashboard) -> None:
    """An invoice shows ten of its payments, and has more on the next page. Each of the eleven belongs to it."""
    at.subscribe("practice-monthly")
    invoice = at.one_off(110_00)
    for _ in range(11):
        at.post(f"invoices/{invoice}/attach_payment", payment_intent=_a_payment(at, 10_00))


@situation(
    "invoicing/partial-payments",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 189_00, "usd"),
        cycles=[MARCH],
        findings=[],
        credit={"usd": 10_00},
        payments=[("succeeded", 199_00, True), ("succeeded", 60_00, True)],
        on_the_page=("10.00 USD more was paid than was due",),
        in_the_statement="10.00 USD more was paid than was due, kept as credit",
        not_in_the_statement="Payment of -",
    ),
)
def a_sent_invoice_is_paid_with_too_much(at: Dashboard) -> None:
    """The mirror image: 60.00 came for 50.00, and 10.00 become credit."""
    at.subscribe("practice-monthly")
    invoice = at.one_off(50_00)
    at.post(f"invoices/{invoice}/attach_payment", payment_intent=_a_payment(at, 60_00))


def _a_payment(at: Dashboard, amount: int) -> str:
    """Let another system charge a card by itself, and return its payment intent."""
    card = {"payment_method": at.another_card("pm_card_visa"), "off_session": True, "confirm": True}
    return at.post("payment_intents", customer=at.customer, amount=amount, currency="usd", **card)["id"]


# --- the balance


@situation(
    "billing/customer/balance",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 214_00, "usd"),
        cycles=[MARCH],
        findings=[],
        credit={"usd": -15_00},
    ),
)
def a_debt_is_put_on_the_balance(at: Dashboard) -> None:
    """A balance above zero is added to the next invoice: 199.00 and 15.00."""
    at.subscribe("practice-monthly")
    at.post(f"customers/{at.customer}/balance_transactions", amount=15_00, currency="usd")


@situation(
    "billing/customer/balance",
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
        not_in_the_statement="Kept as credit",
        invoice=(199_00, 0, 0, 199_00),
        payments=[("succeeded", 199_00, True), ("succeeded", 214_00, True)],
    ),
)
def a_debt_on_the_balance_was_charged(at: Dashboard) -> None:
    """The renewal took the debt with it, so nothing was kept as credit."""
    at.subscribe("practice-monthly")
    at.post(f"customers/{at.customer}/balance_transactions", amount=15_00, currency="usd")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/customer/balance",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 214_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        not_in_the_statement="Kept as credit",
    ),
)
def a_debt_on_the_balance_was_charged_in_vain(at: Dashboard) -> None:
    """The debt is now owed with the invoice: 214.00 in all."""
    at.subscribe("practice-monthly")
    at.post(f"customers/{at.customer}/balance_transactions", amount=15_00, currency="usd")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/customer/balance",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 149_00, "usd"),
        cycles=[MARCH],
        findings=[],
        credit={"usd": 50_00},
    ),
)
def credit_is_put_on_the_balance(at: Dashboard) -> None:
    """The mirror image: below zero it is taken off the next invoice."""
    at.subscribe("practice-monthly")
    at.post(f"customers/{at.customer}/balance_transactions", amount=-50_00, currency="usd")


@situation(
    "billing/customer/balance",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 98_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        credit={"usd": 101_00},
        payments=[("succeeded", 199_00, True)],
        invoice=(199_00, 0, 0, 199_00),
    ),
)
def credit_paid_a_whole_renewal(at: Dashboard) -> None:
    """300.00 of credit paid 199.00, and 101.00 are left. Nothing was charged."""
    at.subscribe("practice-monthly")
    at.post(f"customers/{at.customer}/balance_transactions", amount=-300_00, currency="usd")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/customer/balance",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=1,
        monthly={"usd": 49_00},
        owed={},
        past_due_since=None,
        next_charge=("1 Apr", 23_71, "usd"),
        cycles=[MARCH],
        findings=[],
        credit={"usd": 25_29},
        in_the_statement="Kept as credit",
        invoice=(-25_29, 0, 0, -25_29),
    ),
)
def fewer_seats_are_settled_at_once(at: Dashboard) -> None:
    """Of March, 16 of 31 days are left: 50.58 come back and 25.29 are due. The rest of 25.29 becomes credit."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 2})
    at.wait_until(moment("16 Mar"))
    at.post(f"subscription_items/{at.item(one)}", quantity=1, proration_behavior="always_invoice")


@situation(
    "billing/customer/balance",
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
        in_the_statement="Paid from credit",
        not_in_the_statement="debt",
        payments=[("succeeded", 199_00, True), ("succeeded", 149_00, True)],
    ),
)
def credit_paid_a_part_of_a_renewal(at: Dashboard) -> None:
    """50.00 of credit and 149.00 of the card make 199.00."""
    at.subscribe("practice-monthly")
    at.post(f"customers/{at.customer}/balance_transactions", amount=-50_00, currency="usd")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/customer/balance",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 214_00, "eur": 100_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def a_debt_on_the_balance_and_another_currency_are_owed(at: Dashboard) -> None:
    """Both together: 199.00 and the debt of 15.00 in dollars, and 100.00 in euro."""
    at.subscribe("practice-monthly")
    at.one_off(100_00, "eur")
    at.post(f"customers/{at.customer}/balance_transactions", amount=15_00, currency="usd")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("1 Apr 14:00"))


# --- the period of an invoice


@situation(
    "billing/subscriptions/prorations",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=5,
        monthly={"usd": 245_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 245_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def more_seats_are_settled_with_the_next_invoice(at: Dashboard) -> None:
    """The renewal has prorations of March. It is for April all the same."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 2})
    at.wait_until(moment("11 Mar"))
    at.post(f"subscription_items/{at.item(one)}", quantity=5)
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/subscriptions/prorations",
    right=Right(
        access="full",
        status="active",
        plan="Team",
        quantity=1,
        monthly={"usd": 49_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 49_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def fewer_seats_are_settled_with_the_next_invoice(at: Dashboard) -> None:
    """The mirror image: a credit of March. From 16 March 12:00 to 1 April are 16 of 31 days."""
    one = at.subscribe({"price": at.price("seats-monthly"), "quantity": 2})
    at.wait_until(moment("16 Mar"))
    at.post(f"subscription_items/{at.item(one)}", quantity=1)
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/invoices/subscription#adding-invoice-items",
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
        invoice=(249_00, 0, 0, 249_00),
    ),
)
def something_else_is_billed_with_a_renewal(at: Dashboard) -> None:
    """A line that somebody added has a period of its own, here of two years. The renewal is for April."""
    one = at.subscribe("practice-monthly")
    two_years = {"start": int(moment("1 Jan").timestamp()), "end": int(moment("1 Jan 2032").timestamp())}
    at.post("invoiceitems", customer=at.customer, subscription=one, amount=50_00, currency="usd", period=two_years)
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "billing/subscriptions/prorations",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83},
        owed={},
        past_due_since=None,
        next_charge=("11 Mar 2031", 1_990_00, "usd"),
        cycles=[MARCH, ("11 Mar", "11 Mar 2031")],
        findings=[],
    ),
)
def it_changes_to_another_interval(at: Dashboard) -> None:
    """The year begins at once, and is invoiced at once. What is left of March is credited."""
    one = at.subscribe("practice-monthly")
    at.wait_until(moment("11 Mar"))
    at.post(f"subscription_items/{at.item(one)}", price=at.price("practice-yearly"))
