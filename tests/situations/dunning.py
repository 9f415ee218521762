"""Since when an Office is past due, and what of its invoices makes it so."""

from tests.situations.dashboard import Dashboard
from tests.situations.rewriting import a_bank_debits
from tests.situations.situation import Right, moment, situation

STATUSES = "billing/subscriptions/overview#subscription-statuses"
SENT = "billing/subscriptions/overview#subscription-statuses"
RETRIES = "billing/revenue-recovery/smart-retries"
MARCH, APRIL, MAY, JUNE = ("1 Mar", "1 Apr"), ("1 Apr", "1 May"), ("1 May", "1 Jun"), ("1 Jun", "1 Jul")
YEAR, NEXT_YEAR = ("1 Mar", "1 Mar 2031"), ("1 Mar 2031", "1 Mar 2032")


def _fails_on_1_april(at: Dashboard, *, then: str = "cancel") -> str:
    """Let Practice run from 1 March, and its card refuse from then on. It is 14:00 on 1 April then."""
    at.when_retries_end(then)
    one = at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("1 Apr 14:00"))
    return one


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        payments=[("succeeded", 199_00, True), ("failed", 199_00, True)],
    ),
)
def a_renewal_is_refused(at: Dashboard) -> None:
    """The invoice is a draft for an hour. At 13:00 the card is charged and refuses."""
    _fails_on_1_april(at)


@situation(
    RETRIES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def it_is_tried_again_in_vain(at: Dashboard) -> None:
    """Each retry fails. It is past due since the first of them."""
    _fails_on_1_april(at, then="past_due")
    at.wait_until(moment("10 Apr"))


@situation(
    STATUSES,
    right=Right(
        access="none",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 398_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 Jun", 199_00, "usd"),
        cycles=[MARCH, APRIL, MAY],
        findings=[],
    ),
)
def two_renewals_in_a_row_are_refused(at: Dashboard) -> None:
    """Its invoices are unpaid without a break since 1 April. The grace of 14 days is over."""
    _fails_on_1_april(at, then="past_due")
    at.wait_until(moment("1 May 14:00"))


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("1 Jun", 199_00, "usd"),
        cycles=[MARCH, APRIL, MAY],
        findings=[],
    ),
)
def the_second_renewal_is_paid_and_the_first_is_not(at: Dashboard) -> None:
    """Paying the latest invoice makes it active, although an older one stays open."""
    _fails_on_1_april(at, then="past_due")
    at.pays_with("pm_card_visa")
    at.post(f"invoices/{at.newest_invoice()}", auto_advance=False)
    at.wait_until(moment("1 May 14:00"))


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 398_00},
        past_due_since="1 Jun 13:00",
        next_charge=("1 Jul", 199_00, "usd"),
        cycles=[MARCH, APRIL, MAY, JUNE],
        findings=[],
    ),
)
def the_third_renewal_is_refused_after_one_that_was_paid(at: Dashboard) -> None:
    """The paid invoice of May ended what was before. It is past due anew since 1 June."""
    _fails_on_1_april(at, then="past_due")
    at.pays_with("pm_card_visa")
    at.post(f"invoices/{at.newest_invoice()}", auto_advance=False)
    at.wait_until(moment("1 May 14:00"))
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("1 Jun 14:00"))


@situation(
    RETRIES,
    right=Right(
        access="none",
        status="unpaid",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={"usd": 199_00},
        past_due_since="1 Apr 13:00",
        next_charge=None,
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def retries_end_and_it_is_unpaid(at: Dashboard) -> None:
    """Of an unpaid one access should end. It brings nothing."""
    _fails_on_1_april(at, then="unpaid")
    at.wait_until(moment("20 Apr"))


@situation(
    STATUSES,
    right=Right(
        access="none",
        status="unpaid",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH, APRIL],
        findings=["drafts_wait"],
        on_the_page=("Only paying the newest one does: 199.00 USD of 1 May 2030",),
    ),
)
def the_old_debt_of_an_unpaid_one_is_paid(at: Dashboard) -> None:
    """That does not bring it back: its newest invoice, a draft, must be finalised and paid."""
    _fails_on_1_april(at, then="unpaid")
    at.wait_until(moment("2 May"))
    at.pays_with("pm_card_visa")
    [debt] = at.get("invoices", customer=at.customer, status="open")["data"]
    at.post(f"invoices/{debt['id']}/pay")


@situation(
    RETRIES,
    right=Right(
        access="none",
        status="canceled",
        plan="Practice",
        quantity=1,
        monthly={},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=None,
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def retries_end_and_it_is_canceled(at: Dashboard) -> None:
    """What is canceled is over and not past due. Its invoice stays open, so it is owed."""
    _fails_on_1_april(at, then="cancel")
    at.wait_until(moment("20 Apr"))


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("20 May", 199_00, "usd"),
        cycles=[MARCH, APRIL, ("20 Apr", "20 May")],
        findings=[],
    ),
)
def it_comes_back_with_an_old_debt(at: Dashboard) -> None:
    """The new subscription is paid. The debt is the old one's."""
    _fails_on_1_april(at, then="cancel")
    at.wait_until(moment("20 Apr"))
    at.pays_with("pm_card_visa")
    at.subscribe("practice-monthly")


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 398_00},
        past_due_since="20 May 13:00",
        next_charge=("20 Jun", 199_00, "usd"),
        cycles=[MARCH, APRIL, ("20 Apr", "20 May"), ("20 May", "20 Jun")],
        findings=[],
    ),
)
def it_comes_back_with_an_old_debt_and_is_refused_later(at: Dashboard) -> None:
    """It has 14 days from the new failure on, whatever is open of the old one."""
    _fails_on_1_april(at, then="cancel")
    at.wait_until(moment("20 Apr"))
    at.pays_with("pm_card_visa")
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("20 May 14:00"))


@situation(
    "api/invoices/object#invoice_object-attempt_count",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 50_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def a_one_off_invoice_is_refused(at: Dashboard) -> None:
    """The subscription follows its own invoices. It is active, and paid."""
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    made = at.one_off(50_00, collection_method="charge_automatically")
    at.post(f"invoices/{made}/pay")


@situation(
    STATUSES,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 249_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def a_one_off_invoice_is_refused_before_a_renewal(at: Dashboard) -> None:
    """Both are owed. It is past due since its renewal was refused."""
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    made = at.one_off(50_00, collection_method="charge_automatically")
    at.post(f"invoices/{made}/pay")
    at.wait_until(moment("1 Apr 14:00"))


@situation(
    "invoicing/overview#invoice-statuses",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={},
        past_due_since=None,
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def the_refused_renewal_is_voided(at: Dashboard) -> None:
    """A void invoice asks for nothing, and its period was not asked for either."""
    _fails_on_1_april(at)
    at.post(f"invoices/{at.newest_invoice()}/void")


@situation(
    "invoicing/overview#invoice-statuses",
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
    ),
)
def the_refused_renewal_is_written_off(at: Dashboard) -> None:
    """Nobody expects an uncollectible invoice to be paid, so it is not owed."""
    _fails_on_1_april(at)
    at.post(f"invoices/{at.newest_invoice()}/mark_uncollectible")


# --- money on its way


def _is_debited_on_1_april(at: Dashboard) -> None:
    """Let the renewal of 1 April be debited from a bank account, and the bank not have decided yet."""
    at.when_retries_end("past_due")
    at.subscribe("practice-monthly")
    at.pays_with("pm_card_chargeCustomerFail")
    at.we_hear()
    at.answers_are(a_bank_debits)
    at.wait_until(moment("1 Apr 14:00"))


def _debited_on_1_april(at: Dashboard, account: str) -> None:
    """Let Practice run from 1 March, and be debited from this bank account from then on."""
    at.when_retries_end("past_due")
    at.subscribe("practice-monthly")
    at.pays_with(account)


@situation(
    "payments/ach-direct-debit",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="5 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        payments=[("succeeded", 199_00, True), ("failed", 199_00, True)],
    ),
)
def a_debit_is_returned(at: Dashboard) -> None:
    """It is debited on Monday 1 April at 13:00. The bank sends it back four business days later, on the 5th."""
    _debited_on_1_april(at, "pm_usBankAccount_insufficientFunds")
    at.wait_until(moment("5 Apr 14:00"))


@situation(
    "payments/ach-direct-debit",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="5 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def a_debit_is_returned_and_then_a_card_refuses(at: Dashboard) -> None:
    """Two weeks after the debit it still has access: the 14 days of grace began with the return, on the 5th."""
    _debited_on_1_april(at, "pm_usBankAccount_insufficientFunds")
    at.wait_until(moment("5 Apr 14:00"))
    at.pays_with("pm_card_chargeCustomerFail")
    at.wait_until(moment("16 Apr"))


@situation(
    "payments/ach-direct-debit",
    right=Right(
        access="none",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="5 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def a_debit_was_returned_two_weeks_ago(at: Dashboard) -> None:
    """The grace of 14 days is over."""
    _debited_on_1_april(at, "pm_usBankAccount_insufficientFunds")
    at.wait_until(moment("19 Apr 14:00"))


@situation(
    "payments/ach-direct-debit",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def a_card_refuses_and_then_a_debit_is_on_its_way(at: Dashboard) -> None:
    """It is past due since the card said no. The debit of the retry on 4 April may still pay."""
    _fails_on_1_april(at, then="past_due")
    at.pays_with("pm_usBankAccount_success")
    at.wait_until(moment("8 Apr"))


@situation(
    "payments/sepa-debit#timing",
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
        on_the_page=("…3000",),
    ),
)
def a_renewal_is_debited_and_the_bank_has_not_decided(at: Dashboard) -> None:
    """A debit takes days. Until then the subscription is active, and nothing has failed."""
    _is_debited_on_1_april(at)


@situation(
    "payments/sepa-debit#timing",
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="1 Apr 13:00",
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
        payments=[("succeeded", 199_00, True), ("failed", 199_00, True), ("failed", 199_00, True)],
    ),
)
def a_renewal_is_debited_and_the_bank_refuses(at: Dashboard) -> None:
    """The debit failed after days, so it is past due since it was begun. The card that is tried then fails too."""
    _is_debited_on_1_april(at)
    at.answers_are(None)
    at.wait_until(moment("4 Apr 14:00"))


@situation(
    "payments/sepa-debit#timing",
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
def a_renewal_is_debited_and_paid_by_card_in_the_end(at: Dashboard) -> None:
    """The mirror image: the bank refused, and a card paid."""
    _is_debited_on_1_april(at)
    at.answers_are(None)
    at.pays_with("pm_card_visa")
    at.wait_until(moment("4 Apr 14:00"))


# --- sent invoices


def _sent_by_the_year(at: Dashboard, code: str = "practice-yearly") -> str:
    """Let a year run that was paid by card, and send the invoices from then on, with 30 days to pay."""
    one = at.subscribe(code)
    at.post(f"subscriptions/{one}", collection_method="send_invoice", days_until_due=30)
    return one


@situation(
    SENT,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83},
        owed={"usd": 1_990_00},
        past_due_since=None,
        next_charge=("1 Mar 2032", 1_990_00, "usd"),
        cycles=[YEAR, NEXT_YEAR],
        findings=[],
    ),
)
def a_sent_invoice_is_almost_due(at: Dashboard) -> None:
    """It was sent on 1 March 2031 at 13:00, and is due 30 days later: until then nobody is late."""
    _sent_by_the_year(at)
    at.wait_until(moment("31 Mar 2031 12:00"))


@situation(
    SENT,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83},
        owed={"usd": 1_990_00},
        past_due_since="31 Mar 2031 13:00",
        next_charge=("1 Mar 2032", 1_990_00, "usd"),
        cycles=[YEAR, NEXT_YEAR],
        findings=[],
    ),
)
def a_sent_invoice_is_overdue(at: Dashboard) -> None:
    """It is past due since the due date, so the 14 days of grace have just begun."""
    _sent_by_the_year(at)
    at.wait_until(moment("31 Mar 2031 14:00"))


@situation(
    SENT,
    right=Right(
        access="none",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83},
        owed={"usd": 1_990_00},
        past_due_since="31 Mar 2031 13:00",
        next_charge=("1 Mar 2032", 1_990_00, "usd"),
        cycles=[YEAR, NEXT_YEAR],
        findings=[],
    ),
)
def a_sent_invoice_is_overdue_for_two_weeks(at: Dashboard) -> None:
    """14 days after the due date the grace is over."""
    _sent_by_the_year(at)
    at.wait_until(moment("14 Apr 2031 14:00"))


@situation(
    SENT,
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 165_83},
        owed={},
        past_due_since=None,
        next_charge=("1 Mar 2032", 1_990_00, "usd"),
        cycles=[YEAR, NEXT_YEAR],
        findings=[],
    ),
)
def a_sent_invoice_is_paid_late(at: Dashboard) -> None:
    """Paid, it is active again, and past due no more."""
    _sent_by_the_year(at)
    at.wait_until(moment("5 Apr 2031"))
    at.post(f"invoices/{at.newest_invoice()}/pay", paid_out_of_band=True)


@situation(
    "billing/collection-method",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since=None,
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def it_starts_with_a_sent_invoice(at: Dashboard) -> None:
    """It is active at once, and owes what it has two weeks to pay."""
    at.subscribe("practice-monthly", collection_method="send_invoice", days_until_due=14)
    at.wait_until(moment("1 Mar 14:00"))


@situation(
    SENT,
    right=Right(
        access="full",
        status="past_due",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 199_00},
        past_due_since="15 Mar 13:00",
        next_charge=("1 Apr", 199_00, "usd"),
        cycles=[MARCH],
        findings=[],
    ),
)
def its_first_invoice_was_sent_and_is_overdue(at: Dashboard) -> None:
    """Sent after an hour, due 14 days later."""
    at.subscribe("practice-monthly", collection_method="send_invoice", days_until_due=14)
    at.wait_until(moment("15 Mar 14:00"))


@situation(
    "invoicing/overview",
    right=Right(
        access="full",
        status="active",
        plan="Practice",
        quantity=1,
        monthly={"usd": 199_00},
        owed={"usd": 50_00},
        past_due_since=None,
        next_charge=("1 May", 199_00, "usd"),
        cycles=[MARCH, APRIL],
        findings=[],
    ),
)
def a_sent_one_off_invoice_is_overdue(at: Dashboard) -> None:
    """It is owed and late, but the subscription is paid."""
    at.subscribe("practice-monthly")
    at.one_off(50_00)
    at.wait_until(moment("2 Apr"))
