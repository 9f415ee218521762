"""The life of an invoice: draft → open → paid | void | uncollectible.

Source: https://docs.stripe.com/invoicing/integration/workflow-transitions
"""

from collections.abc import Callable
from typing import Any

from stripe_sandbox import addresses, balances, card_rules, discounts, payment_rows
from stripe_sandbox.dates import DAY, HOUR
from stripe_sandbox.errors import invalid
from stripe_sandbox.invoicing import amounts
from stripe_sandbox.store import Row, Store

DEFAULT_DAYS_UNTIL_DUE = 30
MOST_DAYS_UNTIL_DUE = 3_650
SETTLED: list[Callable[[Store, Row], None]] = []
"""Called when an invoice is paid, voided or marked uncollectible. A subscription follows its invoices."""


def check_days(days: int) -> None:
    """Refuse an impossible number of days until an invoice is due. Raises: a 400."""
    if not 0 <= days <= MOST_DAYS_UNTIL_DUE:
        raise invalid(f"This value must be between 0 and {MOST_DAYS_UNTIL_DUE}.", param="days_until_due")


def draft(store: Store, customer: Row, *, subscription: Row | None = None, reason: str, **values: Any) -> Row:
    """Make a draft without lines. ``values`` are fields of the invoice."""
    now = store.now(customer["id"])
    parent = subscription and {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {
            "subscription": subscription["id"],
            "metadata": subscription["metadata"],
            "subscription_proration_date": None,
        },
    }
    source = subscription or {}
    given = {
        "auto_advance": True,
        "collection_method": source.get("collection_method", "charge_automatically"),
        "default_payment_method": None,
        "default_tax_rates": source.get("default_tax_rates") or [],
        "discounts": list(source.get("discounts", [])),
        "metadata": {},
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_start": now,
        "period_end": now,
        "_days_until_due": source.get("days_until_due"),
        **values,
    }
    if given["auto_advance"]:
        given.setdefault("automatically_finalizes_at", now + HOUR)
    return store.add(
        "invoice",
        account_name="Local Stripe",
        account_country="US",
        automatic_tax={
            "enabled": False,
            "liability": None,
            "disabled_reason": None,
            "provider": None,
            "status": None,
        },
        billing_reason=reason,
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"] or "none",
        customer_tax_ids=[],
        issuer={"type": "self"},
        parent=parent,
        status="draft",
        status_transitions=dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        test_clock=customer["test_clock"],
        total_discount_amounts=[],
        total_pretax_credit_amounts=[],
        total_taxes=[],
        starting_balance=balances.of(customer, values["currency"]),
        _subscription=subscription and subscription["id"],
        _automatic=False,
        _debited=False,
        _intent=None,
        _tries=0,
        _tried_at=None,
        **given,
    )


def finalise(store: Store, invoice: Row) -> None:
    """Open the draft, with a number and, if something is to be paid, a payment intent. Otherwise it is paid at once."""
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    customer = store.need("customer", invoice["customer"])
    amounts.compute(store, invoice)
    now = store.now(customer["id"])
    number = invoice["number"]
    if not number:
        count = customer["next_invoice_sequence"] or 1
        number = f"{customer['invoice_prefix']}-{count:04}"
        store.change(customer, next_invoice_sequence=count + 1)
    due_date = invoice["due_date"]
    if invoice["collection_method"] == "send_invoice" and not due_date:
        days = invoice["_days_until_due"]
        due_date = now + (DEFAULT_DAYS_UNTIL_DUE if days is None else days) * DAY
    store.change(
        invoice,
        status="open",
        number=number,
        due_date=due_date,
        effective_at=invoice["effective_at"] or now,
        automatically_finalizes_at=None,
        ending_balance=_use_balance(store, customer, invoice),
        hosted_invoice_url=addresses.invoice_url(store.base_url, invoice["id"]),
        invoice_pdf=addresses.invoice_pdf(store.base_url, invoice["id"]),
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )
    _use_up(store, invoice)
    if invoice["amount_due"]:
        _open_intent(store, invoice)
    store.emit("invoice.finalized", invoice)
    if not invoice["amount_due"]:
        mark_paid(store, invoice, 0)


def _use_balance(store: Store, customer: Row, invoice: Row) -> int:
    """Take from the customer's balance, or add to it. Returns the new balance.

    What is too little to be charged is owed with the next invoice, and this one is then paid.

    Source: https://docs.stripe.com/billing/customer/balance
    """
    currency, links = invoice["currency"], {"invoice": invoice["id"]}
    before, total = balances.of(customer, currency), invoice["total"]
    after = min(total + before, 0)
    if after != before:
        balances.adjust(store, customer, after - before, "applied_to_invoice", currency=currency, **links)
    too_little = total + before if total + before > 0 and not invoice["amount_due"] else 0
    if too_little:
        balances.adjust(store, customer, too_little, "invoice_too_small", currency=currency, **links)
    return after + too_little


def _use_up(store: Store, invoice: Row) -> None:
    """End each discount whose coupon is for one invoice only and that lowered this invoice."""
    for one in invoice["total_discount_amounts"]:
        row = store.get("discount", one["discount"])
        if row and store.objects["coupon"][row["source"]["coupon"]]["duration"] == "once" and not row["invoice"]:
            discounts.end(store, row)


def _open_intent(store: Store, invoice: Row) -> None:
    customer = store.need("customer", invoice["customer"])
    subscription = store.get("subscription", invoice["_subscription"])
    method = invoice["default_payment_method"] or card_rules.usable_method(store, customer, subscription)
    intent = payment_rows.add_intent(
        store,
        invoice["amount_remaining"],
        invoice["currency"],
        invoice["customer"],
        method,
        description="Subscription update" if invoice["billing_reason"] == "subscription_update" else "Invoice payment",
        setup_future_usage="off_session" if subscription else None,
        _invoice=invoice["id"],
    )
    secret = {"client_secret": intent["client_secret"], "type": "payment_intent"}
    store.change(invoice, _intent=intent["id"], confirmation_secret=secret)
    store.emit("payment_intent.created", intent)
    payment_rows.add_invoice_payment(store, invoice, intent, invoice["amount_remaining"], is_default=True)


def settle_from_credit(store: Store, invoice: Row) -> None:
    """Ask for less after a credit note on the open invoice. If nothing is left, it is paid."""
    if invoice["amount_remaining"] == 0:
        cancel_payments(store, invoice)
        mark_paid(store, invoice, 0)
    else:
        ask_for_the_rest(store, invoice)


def ask_for_the_rest(store: Store, invoice: Row) -> None:
    """Let the default payment ask for what is left to pay. Source: is_default of an InvoicePayment."""
    for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
        if payment["is_default"]:
            store.change(payment, amount_requested=invoice["amount_remaining"])
            store.change(store.objects["payment_intent"][payment["_intent"]], amount=invoice["amount_remaining"])


def mark_paid(store: Store, invoice: Row, amount: int, **values: Any) -> None:
    """Mark the invoice paid, and send its events. ``amount`` minor units of it were paid now."""
    store.change(
        invoice,
        "invoice.updated",
        status="paid",
        amount_paid=invoice["amount_paid"] + amount,
        amount_remaining=0,
        next_payment_attempt=None,
        auto_advance=False,
        status_transitions={**invoice["status_transitions"], "paid_at": store.now(invoice["customer"])},
        **values,
    )
    store.emit("invoice.paid", invoice)
    store.emit("invoice.payment_succeeded", invoice)
    _tell(store, invoice)


def void(store: Store, invoice: Row) -> None:
    """Void the invoice, so that nothing is asked for any more. The credit that it took goes back."""
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"You can only pass in open or uncollectible invoices; this one is {invoice['status']}.")
    cancel_payments(store, invoice)
    customer = store.need("customer", invoice["customer"])
    taken = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if taken:
        balances.adjust(
            store, customer, -taken, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"]
        )
    times = {**invoice["status_transitions"], "voided_at": store.now(customer["id"])}
    store.change(invoice, status="void", next_payment_attempt=None, auto_advance=False, status_transitions=times)
    store.emit("invoice.voided", invoice)
    _tell(store, invoice)


def give_up(store: Store, invoice: Row) -> None:
    """Mark the invoice uncollectible. Nobody expects the payment, but it can still be paid."""
    if invoice["status"] not in ("draft", "open"):
        raise invalid(f"You can only mark open invoices uncollectible; this one is {invoice['status']}.")
    if invoice["status"] == "draft":
        finalise(store, invoice)
    if invoice["status"] != "open":
        return
    times = {**invoice["status_transitions"], "marked_uncollectible_at": store.now(invoice["customer"])}
    store.change(
        invoice, status="uncollectible", next_payment_attempt=None, auto_advance=False, status_transitions=times
    )
    store.emit("invoice.marked_uncollectible", invoice)
    _tell(store, invoice)


def is_on_its_way(store: Store, invoice: Row) -> bool:
    """Whether a debit of a bank account is on its way, so that nobody knows yet whether the invoice is paid."""
    intent = store.get("payment_intent", invoice["_intent"])
    return intent is not None and intent["status"] == "processing"


def refuse_on_its_way(store: Store, invoice: Row) -> None:
    """Refuse what would ask for the money again, or for less, while a debit is on its way. Raises: a 400."""
    if is_on_its_way(store, invoice):
        raise invalid(
            "This invoice has a payment that is processing; wait until it succeeds or fails.",
            code="payment_intent_unexpected_state",
        )


def cancel_payments(store: Store, invoice: Row) -> None:
    """Cancel the open payments of the invoice. The intent of the default one is canceled too; attached ones stay.

    Raises: a 400 while a debit is on its way.
    """
    refuse_on_its_way(store, invoice)
    for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
        cancel_payment(store, payment)
        intent = store.objects["payment_intent"][payment["_intent"]]
        if payment["is_default"]:
            now, reason = store.now(invoice["customer"]), "void_invoice"
            store.change(intent, status="canceled", canceled_at=now, cancellation_reason=reason, next_action=None)
            store.emit("payment_intent.canceled", intent)


def cancel_payment(store: Store, payment: Row) -> None:
    """Let this payment no longer pay its invoice."""
    times = {**payment["status_transitions"], "canceled_at": store.now(payment["_customer"])}
    store.change(payment, status="canceled", status_transitions=times)


def _tell(store: Store, invoice: Row) -> None:
    for listener in SETTLED:
        listener(store, invoice)
