"""The life of an invoice: draft → open → paid | void | uncollectible, and what time does to it.

Source: https://docs.stripe.com/invoicing/integration/workflow-transitions
"""

from collections.abc import Callable
from typing import Any

from stripe_sandbox import addresses, balances, card_rules, discounts, payment_rows, payments, timeline
from stripe_sandbox.dates import DAY, HOUR
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.invoicing import amounts
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

DEFAULT_DAYS_UNTIL_DUE = 30
MOST_DAYS_UNTIL_DUE = 3_650
SETTLED: list[Callable[[Store, Row], None]] = []
"""Told when an invoice is paid, voided or given up: a subscription follows its invoices."""
UNPAID: list[Callable[[Store, Row], None]] = []
"""Told when an attempt by itself failed (``next_payment_attempt`` is None after the last), or it is overdue."""


def check_days(days: int) -> None:
    """Raises: a 400 for days until an invoice is due that nobody can mean."""
    if not 0 <= days <= MOST_DAYS_UNTIL_DUE:
        raise invalid(f"This value must be between 0 and {MOST_DAYS_UNTIL_DUE}.", param="days_until_due")


def draft(store: Store, customer: Row, *, subscription: Row | None = None, reason: str, **values: Any) -> Row:
    """A draft without lines. ``values`` are fields of the invoice."""
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
        starting_balance=customer["balance"],
        _subscription=subscription and subscription["id"],
        _intent=None,
        _tries=0,
        _tried_at=None,
        **given,
    )


def finalise(store: Store, invoice: Row) -> None:
    """It is open, with a number, and a payment intent if something is to be paid; else it is paid."""
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
        _mark_paid(store, invoice, 0)


def _use_balance(store: Store, customer: Row, invoice: Row) -> int:
    """What the customer's balance is after this invoice took from it or gave to it."""
    before, total = customer["balance"], invoice["total"]
    after = min(total + before, 0)
    if after != before:
        balances.adjust(
            store, customer, after - before, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"]
        )
    return after


def _use_up(store: Store, invoice: Row) -> None:
    """A coupon for one invoice is at its end with the first that it lowered."""
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


def pay(store: Store, invoice: Row, *, method_id: str | None = None, out_of_band: bool = False) -> None:
    """It is paid; or the card's refusal, or its wish to be authenticated, is raised after the attempt was recorded.

    Source: https://docs.stripe.com/api/invoices/pay
    """
    if invoice["status"] == "draft":
        finalise(store, invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"This invoice can no longer be paid: it is {invoice['status']}.")
    if out_of_band:
        cancel_payment(store, invoice)
        _mark_paid(store, invoice, invoice["amount_remaining"], amount_paid_off_stripe=invoice["amount_remaining"])
        return
    customer = store.need("customer", invoice["customer"])
    method = (
        method_id
        or invoice["default_payment_method"]
        or card_rules.usable_method(store, customer, store.get("subscription", invoice["_subscription"]))
    )
    if not method:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please either attach a "
            "payment method or pass one in.",
            code="invoice_no_payment_method_types" if invoice["collection_method"] == "send_invoice" else "",
        )
    intent = store.objects["payment_intent"][invoice["_intent"]]
    payments.collect(store, intent, method)
    if intent["status"] == "requires_action":
        raise StripeError(
            402,
            "card_error",
            "This payment requires additional user action before it can be completed successfully.",
            code="invoice_payment_intent_requires_action",
            payment_intent=shown(store, intent),
            payment_method=shown(store, store.objects["payment_method"][method]),
        )


def attempt_failed(store: Store, invoice: Row, *, authentication: bool = False) -> None:
    """One attempt more is counted, and told."""
    store.change(invoice, "invoice.updated", attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if authentication:
        store.emit("invoice.payment_action_required", invoice)
    store.emit("invoice.payment_failed", invoice)


def attempt_succeeded(store: Store, invoice: Row, amount: int) -> None:
    """The payment of ``amount`` is counted, and the invoice is paid."""
    for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
        times = {**payment["status_transitions"], "paid_at": store.now(invoice["customer"])}
        store.change(payment, status="paid", amount_paid=amount, status_transitions=times)
        store.emit("invoice_payment.paid", payment)
    store.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    _mark_paid(store, invoice, amount)


def follow_payment(store: Store, intent: Row) -> None:
    """Count the attempt to pay the invoice of this intent, if it has one."""
    invoice = store.get("invoice", intent["_invoice"])
    if invoice is None:
        return
    if intent["status"] in ("requires_payment_method", "requires_action"):
        attempt_failed(store, invoice, authentication=intent["status"] == "requires_action")
    else:
        attempt_succeeded(store, invoice, intent["amount"])


def settle_from_credit(store: Store, invoice: Row) -> None:
    """After a credit note on an open invoice: less is asked for, and where nothing is left it is paid."""
    intent = store.get("payment_intent", invoice["_intent"])
    if invoice["amount_remaining"] == 0:
        cancel_payment(store, invoice)
        _mark_paid(store, invoice, 0)
    elif intent:
        store.change(intent, amount=invoice["amount_remaining"])
        for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
            store.change(payment, amount_requested=invoice["amount_remaining"])


def _mark_paid(store: Store, invoice: Row, amount: int, **values: Any) -> None:
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
    """Nothing is asked for any more, as if it had never been. Credit that it took goes back."""
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"You can only pass in open or uncollectible invoices; this one is {invoice['status']}.")
    cancel_payment(store, invoice)
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
    """It is uncollectible: not expected to be paid, though it still can be."""
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


def cancel_payment(store: Store, invoice: Row) -> None:
    """The open payment of the invoice, if there is one, is canceled."""
    for payment in store.all("invoice_payment", invoice=invoice["id"], status="open"):
        intent = store.objects["payment_intent"][payment["_intent"]]
        now = store.now(invoice["customer"])
        store.change(intent, status="canceled", canceled_at=now, cancellation_reason="void_invoice", next_action=None)
        store.emit("payment_intent.canceled", intent)
        times = {**payment["status_transitions"], "canceled_at": now}
        store.change(payment, status="canceled", status_transitions=times)


def _tell(store: Store, invoice: Row) -> None:
    for listener in SETTLED:
        listener(store, invoice)


# ── by itself ─────────────────────────────────────────────────────────────────────────────────────────────


@timeline.timed("invoice")
def due(store: Store, invoice: Row) -> timeline.Due | None:
    """A draft is finalised, a failed one tried again, a sent one overdue."""
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        return invoice["automatically_finalizes_at"], advance
    if invoice["status"] != "open":
        return None
    if invoice["collection_method"] == "send_invoice":
        overdue = invoice["due_date"] and not invoice.get("_overdue")
        return (invoice["due_date"], _become_overdue) if overdue else None
    if invoice["auto_advance"] and invoice["next_payment_attempt"]:
        return invoice["next_payment_attempt"], attempt
    return None


def advance(store: Store, invoice: Row) -> None:
    """The draft is finalised, and collected or sent; or kept back while collection is paused."""
    if hold_back(store, invoice):
        return
    finalise(store, invoice)
    if invoice["status"] == "open":
        attempt(store, invoice)


def hold_back(store: Store, invoice: Row) -> bool:
    """While its subscription's collection is paused the draft stays one, or is void or uncollectible. Else False.

    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    subscription = store.get("subscription", invoice["_subscription"])
    paused = (subscription and subscription["pause_collection"]) or {}
    if not paused:
        return False
    if paused["behavior"] == "keep_as_draft":
        store.change(invoice, "invoice.updated", auto_advance=False, automatically_finalizes_at=None)
        return True
    finalise(store, invoice)
    if invoice["status"] == "open":
        (void if paused["behavior"] == "void" else give_up)(store, invoice)
    return True


def attempt(store: Store, invoice: Row) -> None:
    """The open invoice is sent, or its card charged; after a failure it is tried again on the declared days."""
    if invoice["collection_method"] == "send_invoice":
        store.emit("invoice.sent", invoice)
        return
    customer = store.need("customer", invoice["customer"])
    subscription = store.get("subscription", invoice["_subscription"])
    method = invoice["default_payment_method"] or card_rules.usable_method(store, customer, subscription)
    store.change(invoice, _tries=invoice["_tries"] + 1, _tried_at=store.now(invoice["customer"]))
    try:
        if method is None:
            attempt_failed(store, invoice)
        else:
            payments.collect(store, store.objects["payment_intent"][invoice["_intent"]], method)
    except StripeError as error:
        if error.status != 402:
            raise
    if invoice["status"] == "open":
        _plan_retry(store, invoice)


def _plan_retry(store: Store, invoice: Row) -> None:
    again = _next_try(store, invoice)
    store.change(invoice, "invoice.updated", next_payment_attempt=again, auto_advance=again is not None)
    for listener in UNPAID:
        listener(store, invoice)


def _next_try(store: Store, invoice: Row) -> int | None:
    """When the settings say that a failed invoice is tried again, counted from its last try; None after the last."""
    days, tries = store.settings["retry_days"], invoice["_tries"]
    return invoice["_tried_at"] + days[tries - 1] * DAY if tries <= len(days) else None


def plan_retries_anew(store: Store) -> None:
    """Retries that wait are at the times that today's settings say; one for which they have no day stays."""
    for invoice in store.all("invoice", status="open"):
        if invoice["next_payment_attempt"] and invoice["_tries"] and (again := _next_try(store, invoice)):
            again = max(again, store.now(invoice["customer"]))
            store.change(invoice, "invoice.updated", next_payment_attempt=again)


def _become_overdue(store: Store, invoice: Row) -> None:
    store.change(invoice, _overdue=True)
    store.emit("invoice.overdue", invoice)
    for listener in UNPAID:
        listener(store, invoice)


payments.ATTEMPTED.append(follow_payment)
