"""What an invoice comes to: its lines, less discounts, plus taxes. Integer minor units, rounded half up once a part.

Source: https://docs.stripe.com/billing/invoices/subscription, https://docs.stripe.com/billing/taxes/tax-rates
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from stripe_sandbox import discounts
from stripe_sandbox.store import Row, Store

ZERO = Fraction(0)


def rounded(value: Fraction) -> int:
    """To whole minor units, halves away from zero."""
    whole = (abs(value) * 2 + 1) // 2
    return int(whole if value >= 0 else -whole)


def share(amount: int, part: int, whole: int) -> int:
    """``amount`` × ``part`` / ``whole``, rounded."""
    return rounded(Fraction(amount * part, whole)) if whole else 0


def percent(rate: float | str) -> Fraction:
    return Fraction(str(rate)) / 100


@dataclass
class _Line:
    row: Row
    left: int
    discounts: dict[str, int] = field(default_factory=dict)
    taxes: list[Row] = field(default_factory=list)

    def take(self, discount: str, amount: int) -> None:
        if amount:
            self.left -= amount
            self.discounts[discount] = self.discounts.get(discount, 0) + amount


def compute(store: Store, invoice: Row) -> None:
    """The draft invoice's amounts follow from its lines, discounts, tax rates and its customer's balance."""
    lines = [_Line(row, row["amount"]) for row in store.all("line_item", invoice=invoice["id"])]
    at = store.now(invoice["customer"])
    for line in lines:
        if line.row["discountable"]:
            _discount(store, [line], line.row["discounts"], at)
    _discount(store, [line for line in lines if line.row["discountable"]], invoice["discounts"], at)
    for line in lines:
        line.taxes = _taxes(store, line.left, line.row["_tax_rates"] or invoice["default_tax_rates"])
        _keep(store, line)
    _total(store, invoice, lines)


def _discount(store: Store, lines: list[_Line], keys: Iterable[str], at: int) -> None:
    """Each discount in turn takes its part of what the ones before it left."""
    for key in keys:
        row = store.objects["discount"][key]
        if not discounts.active(store, row, at):
            continue
        coupon = store.objects["coupon"][row["source"]["coupon"]]
        mine = [line for line in lines if line.left > 0 and _applies(store, coupon, line.row)]
        if coupon["percent_off"] is not None:
            for line in mine:
                line.take(key, rounded(line.left * percent(coupon["percent_off"])))
            continue
        base = sum(line.left for line in mine)
        amount, before = min(_amount_off(coupon, lines[0].row["currency"]) if lines else 0, base), 0
        given = 0
        for line in mine:
            before += line.left
            upto = share(amount, before, base)
            line.take(key, upto - given)
            given = upto


def _amount_off(coupon: Row, currency: str) -> int:
    """Minor units that the coupon takes off in this currency."""
    if coupon["currency"] == currency:
        return coupon["amount_off"] or 0
    return ((coupon.get("currency_options") or {}).get(currency) or {}).get("amount_off", 0)


def _applies(store: Store, coupon: Row, line: Row) -> bool:
    products = (coupon.get("applies_to") or {}).get("products")
    if not products:
        return True
    details = (line["pricing"] or {}).get("price_details") or {}
    return details.get("product") in products


def _taxes(store: Store, amount: int, keys: Iterable[str]) -> list[Row]:
    rates = [store.objects["tax_rate"][key] for key in keys]
    inside = sum((percent(rate["percentage"]) for rate in rates if rate["inclusive"]), ZERO)
    parts = {
        rate["id"]: rounded(amount * percent(rate["percentage"]) / (1 + inside)) for rate in rates if rate["inclusive"]
    }
    net = amount - sum(parts.values())
    for rate in rates:
        if not rate["inclusive"]:
            parts[rate["id"]] = rounded(net * percent(rate["percentage"]))
    return [
        {
            "amount": parts[rate["id"]],
            "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
            "tax_rate_details": {"tax_rate": rate["id"]},
            "taxability_reason": "standard_rated",
            "taxable_amount": net,
            "type": "tax_rate_details",
        }
        for rate in rates
    ]


def _keep(store: Store, line: _Line) -> None:
    store.change(
        line.row,
        discount_amounts=[{"amount": amount, "discount": key} for key, amount in line.discounts.items()],
        pretax_credit_amounts=[
            {"amount": amount, "discount": key, "type": "discount", "credit_balance_transaction": None}
            for key, amount in line.discounts.items()
        ],
        taxes=line.taxes,
    )


def net(line: Row) -> int:
    """The line less its discounts, before taxes."""
    return line["amount"] - sum(one["amount"] for one in line["discount_amounts"])


def gross(line: Row) -> int:
    """The line less its discounts, with taxes."""
    return net(line) + sum(tax["amount"] for tax in line["taxes"] if tax["tax_behavior"] == "exclusive")


def _total(store: Store, invoice: Row, lines: list[_Line]) -> None:
    taxes: dict[str, Row] = {}
    for line in lines:
        for tax in line.taxes:
            key = tax["tax_rate_details"]["tax_rate"]
            sum_up = taxes.setdefault(key, {**tax, "amount": 0, "taxable_amount": 0})
            sum_up["amount"] += tax["amount"]
            sum_up["taxable_amount"] += tax["taxable_amount"]
    off: dict[str, int] = {}
    for line in lines:
        for key, amount in line.discounts.items():
            off[key] = off.get(key, 0) + amount
    inside = sum(tax["amount"] for tax in taxes.values() if tax["tax_behavior"] == "inclusive")
    outside = sum(tax["amount"] for tax in taxes.values() if tax["tax_behavior"] == "exclusive")
    subtotal = sum(line.row["amount"] for line in lines)
    total = sum(line.left for line in lines) + outside
    balance = store.need("customer", invoice["customer"])["balance"]
    due = max(total + balance, 0)
    values: dict[str, Any] = {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inside,
        "total": total,
        "total_excluding_tax": total - inside - outside,
        "total_discount_amounts": [{"amount": amount, "discount": key} for key, amount in off.items()],
        "total_pretax_credit_amounts": [
            {"amount": amount, "discount": key, "type": "discount", "credit_balance_transaction": None}
            for key, amount in off.items()
        ],
        "total_taxes": list(taxes.values()),
        "starting_balance": balance,
        "amount_due": due,
        "amount_remaining": due,
    }
    store.change(invoice, **values)


def refresh(store: Store, invoice: Row) -> None:
    """The draft's totals follow its lines, and that is told."""
    names = ("subtotal", "total", "amount_due", "amount_remaining")
    before = {name: invoice[name] for name in names}
    compute(store, invoice)
    changed = {name: value for name, value in before.items() if invoice[name] != value}
    if changed:
        store.emit("invoice.updated", invoice, changed)
