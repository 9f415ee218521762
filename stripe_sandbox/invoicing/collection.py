"""The collection of an invoice: it is charged or sent, tried again, or becomes overdue.

Source: https://docs.stripe.com/invoicing/automatic-collection
"""

from collections.abc import Callable

from stripe_sandbox import balances, card_rules, payments, timeline
from stripe_sandbox.dates import DAY
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.invoicing import invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

ON_ITS_WAY: list[Callable[[Store, Row], None]] = []
"""Called when a debit of a bank account is on its way to pay the invoice."""
UNPAID: list[Callable[[Store, Row], None]] = []
"""Called when an automatic attempt failed (after the last one ``next_payment_attempt`` is None), or it is overdue."""


def pay(store: Store, invoice: Row, *, method_id: str | None = None, out_of_band: bool = False) -> None:
    """Pay the invoice now. Money moves.

    Raises: the card's decline or its request for authentication (402), after the attempt was recorded. A 400 for an
    invoice that cannot be paid.

    Source: https://docs.stripe.com/api/invoices/pay
    """
    if invoice["status"] == "draft":
        invoices.finalise(store, invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"This invoice can no longer be paid: it is {invoice['status']}.")
    invoices.refuse_on_its_way(store, invoice)
    if out_of_band:
        invoices.cancel_payments(store, invoice)
        invoices.mark_paid(
            store, invoice, invoice["amount_remaining"], amount_paid_off_stripe=invoice["amount_remaining"]
        )
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


def advance(store: Store, invoice: Row) -> None:
    """Finalise the draft, and collect or send it. While collection is paused, hold it back."""
    if hold_back(store, invoice):
        return
    invoices.finalise(store, invoice)
    if invoice["status"] == "open":
        attempt(store, invoice)


def hold_back(store: Store, invoice: Row) -> bool:
    """Hold the draft back while its subscription's collection is paused. Returns whether it is paused.

    The draft then stays a draft, or is void or uncollectible, as the pause says.

    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    subscription = store.get("subscription", invoice["_subscription"])
    paused = (subscription and subscription["pause_collection"]) or {}
    if not paused:
        return False
    if paused["behavior"] == "keep_as_draft":
        store.change(invoice, "invoice.updated", auto_advance=False, automatically_finalizes_at=None)
        return True
    invoices.finalise(store, invoice)
    if invoice["status"] == "open":
        (invoices.void if paused["behavior"] == "void" else invoices.give_up)(store, invoice)
    return True


def attempt(store: Store, invoice: Row) -> None:
    """Send the open invoice, or charge its card. After a failure it is tried again on the days of the settings."""
    if invoice["collection_method"] == "send_invoice":
        store.emit("invoice.sent", invoice)
        return
    customer = store.need("customer", invoice["customer"])
    subscription = store.get("subscription", invoice["_subscription"])
    method = invoice["default_payment_method"] or card_rules.usable_method(store, customer, subscription)
    tries, now = invoice["_tries"] + 1, store.now(invoice["customer"])
    store.change(invoice, _automatic=True, _tries=tries, _tried_at=now)
    try:
        if method is None:
            attempt_failed(store, invoice)
        else:
            payments.collect(store, store.objects["payment_intent"][invoice["_intent"]], method)
    except StripeError as error:
        if error.status != 402:
            raise
    store.change(invoice, _automatic=False)
    if invoice["status"] == "open" and not invoices.is_on_its_way(store, invoice):
        _plan_retry(store, invoice)


def attempt_failed(store: Store, invoice: Row, *, authentication: bool = False) -> None:
    """Record a failed attempt, and send its events."""
    store.change(invoice, "invoice.updated", **_attempted(invoice))
    if authentication:
        store.emit("invoice.payment_action_required", invoice)
    store.emit("invoice.payment_failed", invoice)


def _attempted(invoice: Row) -> Row:
    """Return the fields after an attempt. Any attempt counts as the first, and later only those made by itself.

    Source: the field attempt_count of https://docs.stripe.com/api/invoices/object
    """
    count = invoice["attempt_count"]
    return {"attempted": True, "attempt_count": count + 1 if invoice["_automatic"] else max(count, 1)}


def credit(store: Store, invoice: Row, payment: Row, received: int) -> None:
    """Count a payment of which ``received`` minor units came. What is more than the invoice asks for becomes credit.

    Source: https://docs.stripe.com/invoicing/partial-payments, and amount_overpaid of the invoice
    """
    paid = min(received, invoice["amount_remaining"])
    times = {**payment["status_transitions"], "paid_at": store.now(invoice["customer"])}
    store.change(payment, status="paid", amount_paid=paid, status_transitions=times)
    store.emit("invoice_payment.paid", payment)
    attempted = _attempted(invoice) if payment["is_default"] else {}
    if paid < invoice["amount_remaining"]:
        left = {name: invoice[name] + by for name, by in (("amount_paid", paid), ("amount_remaining", -paid))}
        store.change(invoice, "invoice.updated", **attempted, **left)
        invoices.ask_for_the_rest(store, invoice)
        return
    invoices.cancel_payments(store, invoice)
    over = received - paid
    invoices.mark_paid(store, invoice, paid, **attempted, amount_overpaid=over)
    if over:
        customer, links = store.objects["customer"][invoice["customer"]], {"invoice": invoice["id"]}
        balances.adjust(store, customer, -over, "invoice_overpaid", currency=invoice["currency"], **links)


def _debit_came_back(store: Store, invoice: Row) -> None:
    """Try again as after a declined card. The days count from now, when the attempt is known to have failed."""
    tries, now = max(invoice["_tries"], 1), store.now(invoice["customer"])
    store.change(invoice, _debited=False, _tries=tries, _tried_at=now)
    attempt_failed(store, invoice)
    if invoice["auto_advance"]:
        _plan_retry(store, invoice)


def follow_payment(store: Store, intent: Row) -> None:
    """Let the invoice of this intent know what became of it. The failure of an attached payment changes nothing."""
    for payment in store.all("invoice_payment", _intent=intent["id"], status="open"):
        invoice = store.objects["invoice"][payment["invoice"]]
        if intent["status"] == "succeeded":
            credit(store, invoice, payment, intent["amount_received"])
        elif intent["status"] == "canceled":
            invoices.cancel_payment(store, payment)
        elif intent["status"] == "processing" and payment["is_default"]:
            store.change(invoice, "invoice.updated", **_attempted(invoice), next_payment_attempt=None, _debited=True)
            for listener in ON_ITS_WAY:
                listener(store, invoice)
        elif payment["is_default"] and invoice["_debited"]:
            _debit_came_back(store, invoice)
        elif payment["is_default"] and intent["status"] in ("requires_payment_method", "requires_action"):
            attempt_failed(store, invoice, authentication=intent["status"] == "requires_action")


# ── by itself ─────────────────────────────────────────────────────────────────────────────────────────────


@timeline.timed("invoice")
def due(store: Store, invoice: Row) -> timeline.Due | None:
    """Return what happens next: a draft is finalised, a failed invoice is tried again, a sent one becomes overdue."""
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        return invoice["automatically_finalizes_at"], advance
    if invoice["status"] != "open":
        return None
    if invoice["collection_method"] == "send_invoice":
        overdue = invoice["due_date"] and not invoice.get("_overdue")
        return (invoice["due_date"], _become_overdue) if overdue else None
    if invoice["auto_advance"] and invoice["next_payment_attempt"] and not invoice["_debited"]:
        return invoice["next_payment_attempt"], attempt
    return None


def _plan_retry(store: Store, invoice: Row) -> None:
    again = _next_try(store, invoice)
    store.change(invoice, "invoice.updated", next_payment_attempt=again, auto_advance=again is not None)
    for listener in UNPAID:
        listener(store, invoice)


def _next_try(store: Store, invoice: Row) -> int | None:
    """Return when a failed invoice is tried again, by the settings and its last attempt. None after the last one."""
    days, tries = store.settings["retry_days"], invoice["_tries"]
    return invoice["_tried_at"] + days[tries - 1] * DAY if tries <= len(days) else None


def plan_retries_anew(store: Store) -> None:
    """Move the waiting retries to the times that today's settings say. A retry without a day in the settings stays."""
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
