"""Whether our rows are what Stripe shows, field by field.

Stripe is read over HTTP past our own code, and each column is derived here a second time from Stripe's words: a
mistake in ``billing.stripe_api.inbound`` or ``billing.projection`` would otherwise be made on both sides and look
right. What is compared is what the tables below name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import httpx
from django.conf import settings

from billing.models import Invoice, Office, Operation, Payment, PlanPrice, Subscription
from tests.conftest import LocalStripe

LIVE = ("trialing", "active", "past_due", "unpaid", "paused")
Object = dict[str, Any]
Columns = dict[str, Callable[[Object], Any]]


@dataclass(frozen=True)
class Theirs:
    """Everything that Stripe has of one customer."""

    customer: Object
    subscriptions: list[Object] = field(default_factory=list)
    invoices: list[Object] = field(default_factory=list)
    charges: list[Object] = field(default_factory=list)
    refunds: list[Object] = field(default_factory=list)
    credit_notes: list[Object] = field(default_factory=list)
    disputes: list[Object] = field(default_factory=list)
    cards: list[Object] = field(default_factory=list)

    @property
    def current(self) -> Object | None:
        """The oldest live subscription, else the newest."""
        by_age = sorted(self.subscriptions, key=lambda one: (one["created"], one["id"]))
        live = [one for one in by_age if one["status"] in LIVE]
        return (live or by_age[-1:] or [None])[0]


def everything(stripe: LocalStripe, path: str, **params: Any) -> list[Object]:
    """All pages of a list, newest first."""
    headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
    found: list[Object] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        answer = stripe.http.get(f"/v1/{path}", params={"limit": 100, **params, **after}, headers=headers)
        page = answer.raise_for_status().json()
        found += page["data"]
        if not page["has_more"]:
            return found


def one(stripe: LocalStripe, path: str, **params: Any) -> Object:
    headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
    return stripe.http.get(f"/v1/{path}", params=params, headers=headers).raise_for_status().json()


def one_or_none(stripe: LocalStripe, path: str) -> Object | None:
    try:
        return one(stripe, path)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return None


def read(stripe: LocalStripe, customer: str, *, invoices_too: bool = True) -> Theirs:
    """What Stripe has of this customer now. A deleted one keeps what it was asked to pay, and has nothing else."""
    found = one(stripe, f"customers/{customer}", **{"expand[]": "invoice_settings.default_payment_method"})
    deleted = found.get("deleted", False)
    discounts = {"expand[]": "data.discounts.source.coupon"}
    subscriptions = [] if deleted else everything(stripe, "subscriptions", customer=customer, status="all", **discounts)
    if not invoices_too:
        return Theirs(found, subscriptions)
    charges = everything(stripe, "charges", customer=customer)
    return Theirs(
        found,
        subscriptions,
        everything(stripe, "invoices", customer=customer, **{"expand[]": "data.payments"}),
        charges,
        [one for charge in charges for one in everything(stripe, "refunds", charge=charge["id"])],
        everything(stripe, "credit_notes", customer=customer),
        [
            one
            for charge in charges
            if charge["disputed"]
            for one in everything(stripe, "disputes", charge=charge["id"])
        ],
        [] if deleted else everything(stripe, f"customers/{customer}/payment_methods", type="card"),
    )


def differences(office: Office, theirs: Theirs) -> list[str]:
    """Where the Office and its rows are not what Stripe shows; empty where they are equal."""
    return [
        *(
            _after_a_deletion(office)
            if theirs.customer.get("deleted")
            else differences_of_subscriptions(office, theirs)
        ),
        *_of_rows("invoice", office.invoices.filter(deleted_at=None), theirs.invoices, INVOICE),
        *_of_rows("payment", office.payments.all(), theirs.charges, PAYMENT),
        *_of_rows("refund", office.adjustments.filter(kind="refund"), theirs.refunds, REFUND),
        *_of_rows("credit note", office.adjustments.filter(kind="credit_note"), theirs.credit_notes, CREDIT_NOTE),
        *_of_rows("dispute", office.adjustments.filter(kind="dispute"), theirs.disputes, DISPUTE),
        *_of_cards(office, theirs),
        *_of_row("office", office, _debt(theirs)),
    ]


def differences_of_subscriptions(office: Office, theirs: Theirs) -> list[str]:
    """As ``differences``, of what every look must show: the card, the credit and the subscriptions."""
    seen = _card(theirs.customer) | _current(theirs.current) | {"credit_balance": -theirs.customer["balance"]}
    return [
        *_of_row("office", office, seen),
        *_of_rows("subscription", office.subscriptions.filter(deleted_at=None), theirs.subscriptions, SUBSCRIPTION),
    ]


def _after_a_deletion(office: Office) -> list[str]:
    found = [f"subscription {row.pk} is live" for row in office.subscriptions.filter(status__in=LIVE)]
    if office.customer_deleted_at is None:
        found.append("office: the customer is deleted at Stripe and not here")
    return [*found, *_of_row("office", office, _card({}) | {"credit_balance": 0})]


def _of_cards(office: Office, theirs: Theirs) -> list[str]:
    default = _id((theirs.customer.get("invoice_settings") or {}).get("default_payment_method"))
    columns = CARD | {"is_default": lambda its: its["id"] == default}
    return _of_rows("card", office.payment_methods.filter(detached_at=None), theirs.cards, columns)


def _of_rows(kind: str, rows: Iterable[Any], theirs: list[Object], columns: Columns) -> list[str]:
    ours = {row.stripe_id: row for row in rows}
    found = [f"{kind} {key}: Stripe has it, we do not" for key in sorted({one["id"] for one in theirs} - set(ours))]
    found += [f"{kind} {key}: we have it, Stripe does not" for key in sorted(set(ours) - {one["id"] for one in theirs})]
    for its in theirs:
        if row := ours.get(its["id"]):
            found += _of_row(f"{kind} {its['id']}", row, {name: derive(its) for name, derive in columns.items()})
    return found


def _of_row(subject: str, row: Any, expected: dict[str, Any]) -> list[str]:
    return [
        f"{subject}: {name} is {getattr(row, name)!r} here and {value!r} at Stripe"
        for name, value in expected.items()
        if getattr(row, name) != value
    ]


def _card(customer: Object) -> dict[str, str]:
    method = (customer.get("invoice_settings") or {}).get("default_payment_method") or {}
    card = method.get("card")
    return {
        "payment_method_brand": card["brand"] if card else "",
        "payment_method_last4": card["last4"] if card else "",
        "payment_method_expires": f"{card['exp_year']}-{card['exp_month']:02}" if card else "",
    }


def _current(subscription: Object | None) -> dict[str, Any]:
    """The Office's columns of its current subscription."""
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


def _debt(theirs: Theirs) -> dict[str, Any]:
    unpaid = [one for one in theirs.invoices if one["status"] == "open" and one["amount_remaining"] > 0]
    failed = [one["status_transitions"]["finalized_at"] for one in unpaid if one["attempt_count"]]
    return {
        "balance_due": sum(one["amount_remaining"] for one in unpaid),
        "past_due_since": _at(min(failed, default=None)),
    }


def _at(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def _id(value: Any) -> str:
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
    """This word of the coupon that a subscription's first discount came from."""

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
    return _id(default[0]["payment"].get("payment_intent")) if default else ""


def _periods(invoice: Object, end: str) -> list[datetime]:
    return [datetime.fromtimestamp(one["period"][end], UTC) for one in invoice["lines"]["data"]]


def _when(transition: str) -> Callable[[Object], datetime | None]:
    return lambda invoice: _at(invoice["status_transitions"][transition])


def _subscription_of(invoice: Object) -> int | None:
    named = _id(((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription"))
    row = Subscription.objects.filter(stripe_id=named).first() if named else None
    return row.pk if row else None


def _invoice_of(charge: Object) -> int | None:
    intent = _id(charge["payment_intent"])
    row = Invoice.objects.filter(payment_intent_id=intent).first() if intent else None
    return row.pk if row else None


def _payment_of(adjusting: Object) -> int | None:
    row = Payment.objects.filter(stripe_id=_id(adjusting["charge"])).first()
    return row.pk if row else None


def _paid_invoice(adjusting: Object) -> int | None:
    row = Payment.objects.filter(stripe_id=_id(adjusting["charge"])).first()
    return row.invoice_id if row else None


def _credited_invoice(note: Object) -> int | None:
    row = Invoice.objects.filter(stripe_id=_id(note["invoice"])).first()
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
    "paid_elsewhere": lambda its: its["amount_paid_off_stripe"] or 0,
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
    "payment_intent_id": lambda its: _id(its["payment_intent"]),
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


def broken_invariants(office: Office) -> list[str]:
    """What must hold in our own rows, whatever Stripe shows."""
    found = []
    remaining = Invoice.objects.filter(office=office, status="open", deleted_at=None)
    if office.balance_due != sum(remaining.values_list("amount_remaining", flat=True)):
        found.append(f"balance_due is {office.balance_due}, not the sum of the open invoices")
    for row in Subscription.objects.filter(office=office):
        found += _broken_history(row)
    if Payment.objects.filter(office=office).exclude(invoice=None).exclude(invoice__office=office).exists():
        found.append("a payment belongs to another Office's invoice")
    return found


def _broken_history(row: Subscription) -> list[str]:
    """Each change begins where the one before ended, and the last one ends where the row is."""
    steps = [("", None, 0)]
    found = []
    for change in row.changes.order_by("pk"):
        if (change.status_before, change.price_before_id, change.quantity_before) != steps[-1]:
            found.append(f"subscription {row.pk}: change {change.pk} does not begin where the one before ended")
        steps.append((change.status_after, change.price_after_id, change.quantity_after))
    if steps[-1] != (row.status, row.plan_price_id, row.quantity):
        found.append(f"subscription {row.pk}: its history ends elsewhere than the row")
    return found
