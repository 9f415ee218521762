"""What Stripe's answers mean, by definitions from its documentation: which subscription counts, and what it brings.

Nothing here is our product's code, and each definition is another way to the value than the product's own.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from billing.models import PlanPrice
from tests.equality.theirs import LIVE, Object, Theirs

BEST_FIRST = (("active", "trialing"), ("past_due",), ("unpaid",), ("paused",), ("incomplete",))
"""The statuses, from the best for an Office on. After them comes what is over.

Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
"""
OVER = ("canceled", "incomplete_expired")
PER_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}


def at(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def id_of(value: Any) -> str:
    return value["id"] if isinstance(value, dict) else value or ""


# --- which subscription


def latest_first(subscriptions: Iterable[Object]) -> list[Object]:
    return sorted(subscriptions, key=lambda one: (one["start_date"], one["created"], one["id"]), reverse=True)


def present(theirs: Theirs) -> Object | None:
    """Return the subscription that tells how the Office stands, or None if none ever began or can still begin."""
    latest = latest_first(theirs.subscriptions)
    for statuses in BEST_FIRST:
        for subscription in latest:
            if subscription["status"] in statuses:
                return subscription
    return next((one for one in latest if has_begun(one, theirs)), None)


def live(theirs: Theirs) -> list[Object]:
    """Return all subscriptions that have begun and are not over, the best and latest first."""
    latest = latest_first(theirs.subscriptions)
    return [one for statuses in BEST_FIRST for one in latest if one["status"] in statuses and one["status"] in LIVE]


def has_begun(over: Object, theirs: Theirs) -> bool:
    """Return whether a subscription that is over ever began: its first invoice was paid, was sent, or asked nothing.

    Source: https://docs.stripe.com/billing/subscriptions/overview#payment-window
    """
    if over["status"] == "incomplete_expired":
        return False
    of_its_start = [one for one in invoices_of(over, theirs) if one["billing_reason"] == "subscription_create"]
    return all(
        one["status"] == "paid" or one["collection_method"] == "send_invoice" or one["total"] <= 0
        for one in of_its_start
    )


def invoices_of(subscription: Object, theirs: Theirs) -> list[Object]:
    return [one for one in theirs.invoices if subscription_of(one) == subscription["id"]]


def subscription_of(invoice: Object) -> str:
    return id_of(((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription"))


def past_due_since(subscription: Object | None, theirs: Theirs) -> datetime | None:
    """Return since when it is past due: go back from its latest finalised invoice as long as each is unpaid.

    A sent invoice is late from its due date on, and a charged one since it was finalised, if it was tried. If it was
    debited first, it is late since the bank sent that debit back.
    Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """
    if subscription is None or subscription["status"] not in ("past_due", "unpaid"):
        return None
    finalised = [one for one in invoices_of(subscription, theirs) if one["status"] != "draft"]
    finalised.sort(key=lambda one: (_finalised(one), not is_owed(one)), reverse=True)
    late: list[int] = []
    for invoice in finalised:
        if not is_owed(invoice):
            break
        if invoice["collection_method"] == "send_invoice":
            late.append(invoice["due_date"])
        elif invoice["attempt_count"]:
            late += _tried_in_vain(invoice, theirs)
    return at(min(late, default=None))


def _tried_in_vain(invoice: Object, theirs: Theirs) -> list[int]:
    """Return when the first attempt to charge an invoice failed. Empty: the bank has not said how it ends."""
    charges = [
        one for one in theirs.charges if invoice_of(one, theirs) == invoice["id"] and one["status"] != "succeeded"
    ]
    charges.sort(key=lambda one: one["created"])
    at_once = [one for one in charges if one["created"] - _finalised(invoice) <= 24 * 3600]
    if not charges or charges[0] not in at_once or not is_debit(charges[0]):
        return [_finalised(invoice)]
    back = charges[0]["failure_balance_transaction"]
    return [back["created"]] if back else []


def is_debit(charge: Object) -> bool:
    return charge["payment_method_details"]["type"] != "card"


def _finalised(invoice: Object) -> int:
    return invoice["status_transitions"]["finalized_at"]


def is_owed(invoice: Object) -> bool:
    return invoice["status"] == "open" and invoice["amount_remaining"] > 0


def debts(theirs: Theirs) -> dict[str, int]:
    """Return what is owed, minor units by currency. A currency of which nothing is owed is left out."""
    found: dict[str, int] = {}
    for invoice in filter(is_owed, theirs.invoices):
        found[invoice["currency"]] = found.get(invoice["currency"], 0) + invoice["amount_remaining"]
    return found


# --- what a subscription consists of


def items(subscription: Object) -> list[Object]:
    return subscription["items"]["data"]


def our_price(stripe_id: str) -> PlanPrice | None:
    return PlanPrice.objects.filter(stripe_price_id=stripe_id).first()


def main_item(subscription: Object) -> Object:
    """Return the first item whose price is one of ours, or else the first."""
    for item in items(subscription):
        if our_price(item["price"]["id"]):
            return item
    return items(subscription)[0]


def ends_first(subscription: Object) -> Object:
    """Return the item whose period ends first. Items of different intervals have different periods.

    Source: https://docs.stripe.com/billing/subscriptions/mixed-interval
    """
    return min(items(subscription), key=lambda item: item["current_period_end"])


def unit_amount(price: Object) -> int | None:
    """Return what one of it costs, or None if that depends on something else."""
    depends = price["billing_scheme"] != "per_unit" or price["transform_quantity"]
    return None if depends or price["recurring"]["usage_type"] != "licensed" else price["unit_amount"]


def monthly(item: Object) -> int:
    """Return the minor units that an item brings each month, rounded half up."""
    every, each = item["price"]["recurring"], unit_amount(item["price"])
    if each is None:
        return 0
    a_year = Fraction(each * item["quantity"] * PER_YEAR[every["interval"]], every["interval_count"])
    return int(a_year / 12 + Fraction(1, 2))


# --- what an invoice is for


def cycle(invoice: Object) -> tuple[datetime | None, datetime | None]:
    """Return the period of the lines that come from an item of the subscription and are no proration.

    Of lines with different periods, it is the one that ends first. Without such lines it is Stripe's own period.
    Source: https://docs.stripe.com/api/invoice-line-item/object#invoice_line_item_object-parent
    """
    own = []
    for line in invoice["lines"]["data"]:
        parent = line["parent"] or {}
        if parent.get("type") == "subscription_item_details" and not parent["subscription_item_details"]["proration"]:
            own.append((line["period"]["end"], line["period"]["start"]))
    end, start = min(own, default=(invoice["period_end"], invoice["period_start"]))
    return at(start), at(end)


def paid_by(invoice: Object) -> set[str]:
    """Return the ids of the payment intents and charges that pay the invoice, or are to pay it."""
    found = [one["payment"] for one in invoice["payments"]["data"]]
    return {id_of(one.get(kind)) for one in found for kind in ("payment_intent", "charge")} - {""}


def invoice_of(charge: Object, theirs: Theirs) -> str:
    """Return the id of the invoice that this charge pays, or tried to pay."""
    ids = {charge["id"], id_of(charge["payment_intent"])} - {""}
    return next((one["id"] for one in theirs.invoices if ids & paid_by(one)), "")


def card(method: Object) -> tuple[str, str, str]:
    """Return what tells a payment method apart: brand, last four digits and expiry. Other kinds have only digits."""
    if method["type"] != "card":
        return method["type"], method[method["type"]].get("last4") or "", ""
    shown = method["card"]
    return shown["brand"], shown["last4"], f"{shown['exp_year']}-{shown['exp_month']:02}"


def charged_card(theirs: Theirs) -> tuple[str, str, str]:
    """Return the card that the next invoice of the present subscription is charged to.

    Source: https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority
    """
    subscription = present(theirs)
    if subscription and subscription["status"] in LIVE and subscription["default_payment_method"]:
        return card(subscription["default_payment_method"])
    method = (theirs.customer.get("invoice_settings") or {}).get("default_payment_method")
    return card(method) if method else ("", "", "")
