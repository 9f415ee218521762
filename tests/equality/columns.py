"""The columns of our rows, derived from Stripe's answers. The tables below name what is compared."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.models import Invoice, Operation, Payment, Subscription
from tests.equality import meaning
from tests.equality.meaning import at, id_of
from tests.equality.theirs import LIVE, Object, Theirs

Columns = dict[str, Callable[[Object], Any]]


def of_office(theirs: Theirs) -> dict[str, Any]:
    """Return the Office's columns that each look must show."""
    brand, last4, expires = meaning.charged_card(theirs)
    return {
        "payment_method_brand": brand,
        "payment_method_last4": last4,
        "payment_method_expires": expires,
        "credit_balance": -theirs.customer["balance"],
        "credit_currency": theirs.customer["currency"] or "",
        "currency": _currency(theirs),
        **_present(meaning.present(theirs)),
    }


def _currency(theirs: Theirs) -> str:
    """Return the currency of the present subscription, or else of the last one."""
    found = meaning.present(theirs) or next(iter(meaning.latest_first(theirs.subscriptions)), None)
    return found["currency"] if found else ""


def _present(subscription: Object | None) -> dict[str, Any]:
    if subscription is None:
        return {
            "subscription_status": "",
            "payment_provider_subscription_id": "",
            "current_plan_id": None,
            "quantity": 0,
            "cancel_at": None,
            "collection_paused": "",
            "collection_paused_until": None,
            **dict.fromkeys(("current_period_start", "current_period_end", "trial_end", "billing_cycle_anchor_date")),
        }
    same = ("quantity", "current_period_start", "current_period_end", "trial_end")
    price, is_live = meaning.our_price(meaning.main_item(subscription)["price"]["id"]), subscription["status"] in LIVE
    return {
        "payment_provider_subscription_id": subscription["id"],
        "subscription_status": subscription["status"],
        "current_plan_id": price.plan_id if price else None,
        "billing_cycle_anchor_date": at(subscription["billing_cycle_anchor"]),
        "cancel_at": _ends(subscription) if is_live else None,
        "collection_paused": _paused(subscription) if is_live else "",
        "collection_paused_until": _resumes(subscription) if is_live else None,
        **{name: SUBSCRIPTION[name](subscription) for name in same},
    }


def of_schedules(theirs: Theirs) -> dict[str, Any]:
    """Return the Office's column that needs all schedules of its customer: those that have not started."""
    waiting = [one for one in theirs.schedules if one["status"] == "not_started"]
    waiting.sort(key=lambda one: (one["phases"][0]["start_date"], one["id"]))
    return {"coming_schedules": [_schedule(one) for one in waiting] or None}


def _schedule(its: Object | None) -> dict[str, Any] | None:
    """Return what a schedule says: from when on which prices, and whether its last end is the subscription's."""
    if its is None:
        return None
    phases = [
        {
            "starts_at": _written(one["start_date"]),
            "items": [[id_of(item["price"]), item["quantity"]] for item in one["items"]],
            "has_other_terms": False,  # the local Stripe has no other terms in a phase
        }
        for one in its["phases"]
    ]
    over_at = _written(its["phases"][-1]["end_date"])
    return {"id": its["id"], "phases": phases, "over_at": over_at, "cancels": its["end_behavior"] == "cancel"}


def _written(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()


def of_debts(theirs: Theirs) -> dict[str, Any]:
    """Return the Office's columns that need all its invoices."""
    owed, present = meaning.debts(theirs), meaning.present(theirs)
    return {
        "balance_due": owed.pop(_currency(theirs), 0),
        "other_debts": owed,
        "past_due_since": meaning.past_due_since(present, theirs),
        "also_live": [_terms(one, theirs) for one in meaning.live(theirs)[1:]],
    }


def _terms(subscription: Object, theirs: Theirs) -> dict[str, Any]:
    """Return what decides about access, of a live subscription that is not the present one."""
    names = ("current_period_start", "current_period_end", "trial_end", "cancel_at")
    times = {name: SUBSCRIPTION[name](subscription) for name in names}
    times["past_due_since"] = meaning.past_due_since(subscription, theirs)
    return {"status": subscription["status"], **{name: at and at.isoformat() for name, at in times.items()}}


def _ends(subscription: Object) -> datetime | None:
    """Return when it ends. A schedule that manages it decides alone.

    Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
    """
    if schedule := subscription["schedule"]:
        return at(schedule["phases"][-1]["end_date"]) if schedule["end_behavior"] == "cancel" else None
    if subscription["cancel_at"] is None and subscription["cancel_at_period_end"]:
        return at(meaning.ends_first(subscription)["current_period_end"])
    return at(subscription["cancel_at"])


def _paused(subscription: Object) -> str:
    return (subscription["pause_collection"] or {"behavior": ""})["behavior"]


def _resumes(subscription: Object) -> datetime | None:
    return at((subscription["pause_collection"] or {"resumes_at": None})["resumes_at"])


def _discount(name: str, otherwise: Any) -> Callable[[Object], Any]:
    """Return a function that reads this field of the coupon of the first discount of a subscription or an item."""

    def derive(its: Object) -> Any:
        found = [one["source"]["coupon"][name] for one in its["discounts"]]
        return otherwise if not found or found[0] is None else found[0]

    return derive


def _discount_percent(its: Object) -> Decimal | None:
    percent = _discount("percent_off", None)(its)
    return None if percent is None else Decimal(str(percent))


def _plan_price(item: Object) -> int | None:
    found = meaning.our_price(item["price"]["id"])
    return found.pk if found else None


def _default_intent(invoice: Object) -> str:
    """Return the payment intent that Stripe made for the invoice, or "" if it made none."""
    found = [one["payment"].get("payment_intent") for one in invoice["payments"]["data"] if one["is_default"]]
    return id_of(found[0]) if found else ""


def _when(transition: str) -> Callable[[Object], datetime | None]:
    return lambda invoice: at(invoice["status_transitions"][transition])


def _row(model: Any, stripe_id: str) -> int | None:
    """Return the primary key of our row for this object at Stripe."""
    return model.objects.filter(stripe_id=stripe_id).values_list("pk", flat=True).first() if stripe_id else None


def _subscription_of(invoice: Object) -> int | None:
    return _row(Subscription, meaning.subscription_of(invoice))


def _payment_of(adjusting: Object) -> int | None:
    return _row(Payment, id_of(adjusting["charge"]))


def _credited_invoice(note: Object) -> int | None:
    return _row(Invoice, id_of(note["invoice"]))


def _operation_of(made: Object) -> int | None:
    row = Operation.objects.filter(public_id=made["metadata"].get("operation")).first()
    return row.pk if row else None


DISCOUNT: Columns = {
    "discount_count": lambda its: len(its["discounts"]),
    "discount_percent": _discount_percent,
    "discount_amount": _discount("amount_off", 0),
    "discount_currency": _discount("currency", ""),
    "discount_duration": _discount("duration", ""),
    "discount_until": lambda its: at(its["discounts"][0]["end"]) if its["discounts"] else None,
}

SUBSCRIPTION: Columns = DISCOUNT | {
    "status": lambda its: its["status"],
    "plan_price_id": lambda its: _plan_price(meaning.main_item(its)),
    "quantity": lambda its: meaning.main_item(its).get("quantity", 0),
    "currency": lambda its: its["currency"],
    "monthly_amount": lambda its: sum(meaning.monthly(item) for item in meaning.items(its)),
    "created_at": lambda its: at(its["created"]),
    "started_at": lambda its: at(its["start_date"]),
    "ended_at": lambda its: at(its["ended_at"]),
    "current_period_start": lambda its: at(meaning.ends_first(its)["current_period_start"]),
    "current_period_end": lambda its: at(meaning.ends_first(its)["current_period_end"]),
    "billing_cycle_anchor": lambda its: at(its["billing_cycle_anchor"]),
    "trial_end": lambda its: at(its["trial_end"]),
    "cancel_at": _ends,
    "collection_paused": _paused,
    "collection_paused_until": _resumes,
    "schedule": lambda its: _schedule(its["schedule"]),
}

ITEM: Columns = DISCOUNT | {
    "subscription_id": lambda its: _row(Subscription, its["subscription"]),
    "price_id": lambda its: its["price"]["id"],
    "plan_price_id": _plan_price,
    "quantity": lambda its: its.get("quantity", 0),
    "currency": lambda its: its["price"]["currency"],
    "unit_amount": lambda its: meaning.unit_amount(its["price"]),
    "interval": lambda its: its["price"]["recurring"]["interval"],
    "interval_count": lambda its: its["price"]["recurring"]["interval_count"],
    "monthly_amount": meaning.monthly,
    "current_period_start": lambda its: at(its["current_period_start"]),
    "current_period_end": lambda its: at(its["current_period_end"]),
}

KINDS = {
    "subscription_create": "start",
    "subscription_cycle": "cycle",
    "subscription_update": "change",
    "manual": "one_off",
}

INVOICE: Columns = {
    "subscription_id": _subscription_of,
    "payment_intent_id": _default_intent,
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
    "starting_balance": lambda its: its["starting_balance"],
    "ending_balance": lambda its: its["ending_balance"],
    "overpaid": lambda its: its["amount_overpaid"],
    "auto_advance": lambda its: its["auto_advance"],
    "attempt_count": lambda its: its["attempt_count"],
    "next_payment_attempt": lambda its: at(its["next_payment_attempt"]),
    "period_start": lambda its: meaning.cycle(its)[0],
    "period_end": lambda its: meaning.cycle(its)[1],
    "created_at": lambda its: at(its["created"]),
    "due_at": lambda its: at(its["due_date"]),
    "finalised_at": _when("finalized_at"),
    "paid_at": _when("paid_at"),
    "voided_at": _when("voided_at"),
    "uncollectible_at": _when("marked_uncollectible_at"),
}

INVOICE_PAYMENT: Columns = {
    "invoice_id": lambda its: _row(Invoice, id_of(its["invoice"])),
    "payment_intent_id": lambda its: id_of(its["payment"].get("payment_intent")),
    "charge_id": lambda its: id_of(its["payment"].get("charge")),
    "status": lambda its: its["status"],
    "amount_paid": lambda its: its["amount_paid"] or 0,
    "is_default": lambda its: its["is_default"],
}


def payment(theirs: Theirs) -> Columns:
    return {
        "invoice_id": lambda its: _row(Invoice, meaning.invoice_of(its, theirs)),
        "payment_intent_id": lambda its: id_of(its["payment_intent"]),
        "status": lambda its: its["status"],
        "currency": lambda its: its["currency"],
        "amount": lambda its: its["amount"],
        "amount_refunded": lambda its: its["amount_refunded"],
        "disputed": lambda its: its["disputed"],
        "failure_code": lambda its: its["failure_code"] or "",
        "decline_code": lambda its: its["outcome"]["reason"] if its["status"] == "failed" else "",
        "card_brand": lambda its: meaning.card(its["payment_method_details"])[0],
        "card_last4": lambda its: meaning.card(its["payment_method_details"])[1],
        "created_at": lambda its: at(its["created"]),
        "returned_at": lambda its: at((its["failure_balance_transaction"] or {"created": None})["created"]),
    }


REASONS = {"duplicate": "duplicate", "fraudulent": "fraudulent", "requested_by_customer": "requested"}

ADJUSTMENT: Columns = {
    "operation_id": _operation_of,
    "status": lambda its: its["status"],
    "currency": lambda its: its["currency"],
    "amount": lambda its: its["amount"],
    "created_at": lambda its: at(its["created"]),
}


def refund(theirs: Theirs) -> Columns:
    return ADJUSTMENT | {
        "payment_id": _payment_of,
        "invoice_id": _paid_invoice(theirs),
        "reason": lambda its: REASONS.get(its["reason"], "other"),
        "failure_code": lambda its: its.get("failure_reason") or "",
    }


def dispute(theirs: Theirs) -> Columns:
    return ADJUSTMENT | {
        "operation_id": lambda its: None,
        "payment_id": _payment_of,
        "invoice_id": _paid_invoice(theirs),
        "taken_at": lambda its: at(_moved(its, lambda amount: amount < 0)),
        "returned_at": lambda its: at(_moved(its, lambda amount: amount > 0)),
    }


def _moved(its: Object, which: Callable[[int], bool]) -> int | None:
    """When the bank moved the money. A bank takes and gives back at most once."""
    return next((one["created"] for one in its["balance_transactions"] if which(one["amount"])), None)


def _paid_invoice(theirs: Theirs) -> Callable[[Object], int | None]:
    charges = {one["id"]: one for one in theirs.charges}
    return lambda its: _row(Invoice, meaning.invoice_of(charges[id_of(its["charge"])], theirs))


CREDIT_NOTE: Columns = ADJUSTMENT | {
    "payment_id": lambda its: None,
    "invoice_id": _credited_invoice,
    "reason": lambda its: REASONS.get(its["reason"], "other"),
}

PAYMENT_METHOD: Columns = {
    "brand": lambda its: meaning.card(its)[0],
    "last4": lambda its: meaning.card(its)[1],
    "expires": lambda its: meaning.card(its)[2],
}
