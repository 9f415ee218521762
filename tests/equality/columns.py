"""The columns of our rows, derived from Stripe's answers. The tables below name what is compared."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.models import Invoice, Operation, Payment, PlanPrice, Subscription
from tests.equality.theirs import LIVE, Object, Theirs

Columns = dict[str, Callable[[Object], Any]]


def card_of(customer: Object) -> dict[str, str]:
    method = (customer.get("invoice_settings") or {}).get("default_payment_method") or {}
    card = method.get("card")
    return {
        "payment_method_brand": card["brand"] if card else "",
        "payment_method_last4": card["last4"] if card else "",
        "payment_method_expires": f"{card['exp_year']}-{card['exp_month']:02}" if card else "",
    }


def current_of(subscription: Object | None) -> dict[str, Any]:
    """Return the Office's columns for its current subscription."""
    if subscription is None:
        return {"subscription_status": "", "payment_provider_subscription_id": "", "current_plan_id": None}
    same = ("quantity", "current_period_start", "current_period_end", "trial_end")
    price = PlanPrice.objects.filter(stripe_price_id=_item(subscription)["price"]["id"]).first()
    return {
        "payment_provider_subscription_id": subscription["id"],
        "subscription_status": subscription["status"],
        "current_plan_id": price.plan_id if price else None,
        "billing_cycle_anchor_date": _at(subscription["billing_cycle_anchor"]),
        "cancel_at": _ends(subscription) if subscription["status"] in LIVE else None,
        "collection_paused": _paused(subscription) if subscription["status"] in LIVE else "",
        "collection_paused_until": _resumes(subscription) if subscription["status"] in LIVE else None,
        **{name: SUBSCRIPTION[name](subscription) for name in same},
    }


def debt_of(theirs: Theirs) -> dict[str, Any]:
    unpaid = [one for one in theirs.invoices if one["status"] == "open" and one["amount_remaining"] > 0]
    failed = [one["status_transitions"]["finalized_at"] for one in unpaid if one["attempt_count"]]
    return {
        "balance_due": sum(one["amount_remaining"] for one in unpaid),
        "past_due_since": _at(min(failed, default=None)),
    }


def _at(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def id_of(value: Any) -> str:
    return value["id"] if isinstance(value, dict) else value or ""


def _item(subscription: Object) -> Object:
    (item,) = subscription["items"]["data"]
    return item


def _ends(subscription: Object) -> datetime | None:
    if subscription["cancel_at"] is None and subscription["cancel_at_period_end"]:
        return _at(_item(subscription)["current_period_end"])
    return _at(subscription["cancel_at"])


def _paused(subscription: Object) -> str:
    return (subscription["pause_collection"] or {"behavior": ""})["behavior"]


def _resumes(subscription: Object) -> datetime | None:
    return _at((subscription["pause_collection"] or {"resumes_at": None})["resumes_at"])


def _discount(name: str, otherwise: Any) -> Callable[[Object], Any]:
    """Return a function that reads this field of the coupon of a subscription's first discount."""

    def derive(subscription: Object) -> Any:
        found = [one["source"]["coupon"][name] for one in subscription["discounts"]]
        return otherwise if not found or found[0] is None else found[0]

    return derive


def _discount_percent(subscription: Object) -> Decimal | None:
    percent = _discount("percent_off", None)(subscription)
    return None if percent is None else Decimal(str(percent))


def _price(subscription: Object) -> int | None:
    found = PlanPrice.objects.filter(stripe_price_id=_item(subscription)["price"]["id"]).first()
    return found.pk if found else None


def _monthly(subscription: Object) -> int:
    price = _item(subscription)["price"]
    months = {"month": 1, "year": 12}[price["recurring"]["interval"]] * price["recurring"]["interval_count"]
    return round(price["unit_amount"] * _item(subscription)["quantity"] / months)


def _paid_by(invoice: Object) -> str:
    payments = invoice["payments"]["data"]
    default = [one for one in payments if one["is_default"]] or payments
    return id_of(default[0]["payment"].get("payment_intent")) if default else ""


def _periods(invoice: Object, end: str) -> list[datetime]:
    return [datetime.fromtimestamp(one["period"][end], UTC) for one in invoice["lines"]["data"]]


def _when(transition: str) -> Callable[[Object], datetime | None]:
    return lambda invoice: _at(invoice["status_transitions"][transition])


def _subscription_of(invoice: Object) -> int | None:
    named = id_of(((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription"))
    row = Subscription.objects.filter(stripe_id=named).first() if named else None
    return row.pk if row else None


def _invoice_of(charge: Object) -> int | None:
    intent = id_of(charge["payment_intent"])
    row = Invoice.objects.filter(payment_intent_id=intent).first() if intent else None
    return row.pk if row else None


def _payment_of(adjusting: Object) -> int | None:
    row = Payment.objects.filter(stripe_id=id_of(adjusting["charge"])).first()
    return row.pk if row else None


def _paid_invoice(adjusting: Object) -> int | None:
    row = Payment.objects.filter(stripe_id=id_of(adjusting["charge"])).first()
    return row.invoice_id if row else None


def _credited_invoice(note: Object) -> int | None:
    row = Invoice.objects.filter(stripe_id=id_of(note["invoice"])).first()
    return row.pk if row else None


def _operation_of(made: Object) -> int | None:
    row = Operation.objects.filter(public_id=made["metadata"].get("operation")).first()
    return row.pk if row else None


SUBSCRIPTION: Columns = {
    "status": lambda its: its["status"],
    "plan_price_id": _price,
    "quantity": lambda its: _item(its)["quantity"],
    "currency": lambda its: its["currency"],
    "monthly_amount": _monthly,
    "created_at": lambda its: _at(its["created"]),
    "started_at": lambda its: _at(its["start_date"]),
    "ended_at": lambda its: _at(its["ended_at"]),
    "current_period_start": lambda its: _at(_item(its)["current_period_start"]),
    "current_period_end": lambda its: _at(_item(its)["current_period_end"]),
    "billing_cycle_anchor": lambda its: _at(its["billing_cycle_anchor"]),
    "trial_end": lambda its: _at(its["trial_end"]),
    "cancel_at": _ends,
    "collection_paused": _paused,
    "collection_paused_until": _resumes,
    "discount_count": lambda its: len(its["discounts"]),
    "discount_percent": _discount_percent,
    "discount_amount": _discount("amount_off", 0),
    "discount_currency": _discount("currency", ""),
    "discount_duration": _discount("duration", ""),
    "discount_until": lambda its: _at(its["discounts"][0]["end"]) if its["discounts"] else None,
}

KINDS = {
    "subscription_create": "start",
    "subscription_cycle": "cycle",
    "subscription_update": "change",
    "manual": "one_off",
}

INVOICE: Columns = {
    "subscription_id": _subscription_of,
    "payment_intent_id": _paid_by,
    "number": lambda its: its["number"] or "",
    "status": lambda its: its["status"],
    "currency": lambda its: its["currency"],
    "subtotal": lambda its: its["subtotal"],
    "discount": lambda its: sum(one["amount"] for one in its["total_discount_amounts"] or []),
    "tax": lambda its: sum(one["amount"] for one in its["total_taxes"] or []),
    "total": lambda its: its["total"],
    "kind": lambda its: KINDS.get(its["billing_reason"], "other"),
    "collection": lambda its: its["collection_method"],
    "amount_paid": lambda its: its["amount_paid"],
    "amount_remaining": lambda its: its["amount_remaining"],
    "paid_elsewhere": lambda its: its.get("amount_paid_off_stripe") or 0,
    "credited_before_payment": lambda its: its["pre_payment_credit_notes_amount"],
    "credited_after_payment": lambda its: its["post_payment_credit_notes_amount"],
    "attempt_count": lambda its: its["attempt_count"],
    "next_payment_attempt": lambda its: _at(its["next_payment_attempt"]),
    "period_start": lambda its: min(_periods(its, "start"), default=_at(its["period_start"])),
    "period_end": lambda its: max(_periods(its, "end"), default=_at(its["period_end"])),
    "created_at": lambda its: _at(its["created"]),
    "due_at": lambda its: _at(its["due_date"]),
    "finalised_at": _when("finalized_at"),
    "paid_at": _when("paid_at"),
    "voided_at": _when("voided_at"),
    "uncollectible_at": _when("marked_uncollectible_at"),
}

PAYMENT: Columns = {
    "invoice_id": _invoice_of,
    "payment_intent_id": lambda its: id_of(its["payment_intent"]),
    "status": lambda its: its["status"],
    "currency": lambda its: its["currency"],
    "amount": lambda its: its["amount"],
    "amount_refunded": lambda its: its["amount_refunded"],
    "disputed": lambda its: its["disputed"],
    "failure_code": lambda its: its["failure_code"] or "",
    "decline_code": lambda its: its["outcome"]["reason"] if its["status"] == "failed" else "",
    "card_brand": lambda its: its["payment_method_details"]["card"]["brand"],
    "card_last4": lambda its: its["payment_method_details"]["card"]["last4"],
    "created_at": lambda its: _at(its["created"]),
}

REASONS = {"duplicate": "duplicate", "fraudulent": "fraudulent", "requested_by_customer": "requested"}

ADJUSTMENT: Columns = {
    "operation_id": _operation_of,
    "status": lambda its: its["status"],
    "currency": lambda its: its["currency"],
    "amount": lambda its: its["amount"],
    "created_at": lambda its: _at(its["created"]),
}

REFUND: Columns = ADJUSTMENT | {
    "payment_id": _payment_of,
    "invoice_id": _paid_invoice,
    "reason": lambda its: REASONS.get(its["reason"], "other"),
    "failure_code": lambda its: its.get("failure_reason") or "",
}

CREDIT_NOTE: Columns = ADJUSTMENT | {
    "payment_id": lambda its: None,
    "invoice_id": _credited_invoice,
    "reason": lambda its: REASONS.get(its["reason"], "other"),
}

DISPUTE: Columns = ADJUSTMENT | {
    "operation_id": lambda its: None,
    "payment_id": _payment_of,
    "invoice_id": _paid_invoice,
}

CARD: Columns = {
    "brand": lambda its: its["card"]["brand"],
    "last4": lambda its: its["card"]["last4"],
    "expires": lambda its: f"{its['card']['exp_year']}-{its['card']['exp_month']:02}",
}
