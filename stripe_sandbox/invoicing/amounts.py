"""An invoice's amounts: its lines, less discounts, plus taxes. Integer minor units; each part is rounded half up once.

It is rounded to what its currency can charge (``currencies.unit``), so that a sum of parts can be charged too.

Source: https://docs.stripe.com/billing/invoices/subscription, https://docs.stripe.com/billing/taxes/tax-rates
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from stripe_sandbox import balances, coupons, currencies, discounts
from stripe_sandbox.store import Row, Store

ZERO = Fraction(0)


def rounded(value: Fraction, currency: str) -> int:
    """Round to minor units that the currency can charge, halves away from zero."""
    unit = currencies.unit(currency)
    whole = (abs(value) / unit * 2 + 1) // 2 * unit
    return int(whole if value >= 0 else -whole)


def share(amount: int, part: int, whole: int, currency: str) -> int:
    """Return ``amount`` × ``part`` / ``whole``, rounded."""
    return rounded(Fraction(amount * part, whole), currency) if whole else 0


def spread(amount: int, parts: list[int], currency: str) -> list[int]:
    """Split ``amount`` in proportion to the parts. The shares add up to exactly ``amount``."""
    done, given, shares = 0, 0, []
    for part in parts:
        done += part
        shares.append(share(amount, done, sum(parts), currency) - given)
        given += shares[-1]
    return shares


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
    """Compute the draft invoice's amounts from its lines, discounts, tax rates and its customer's balance."""
    lines = [_Line(row, row["amount"]) for row in store.all("line_item", invoice=invoice["id"])]
    at = store.now(invoice["customer"])
    for line in lines:
        if line.row["discountable"]:
            _discount(store, [line], line.row["discounts"], at)
    _discount(store, [line for line in lines if line.row["discountable"]], invoice["discounts"], at)
    for line in lines:
        keys = line.row["_tax_rates"] or invoice["default_tax_rates"]
        line.taxes = taxes([store.objects["tax_rate"][key] for key in keys], line.left, line.row["currency"])
        _keep(store, line)
    _total(store, invoice, lines)


def _discount(store: Store, lines: list[_Line], keys: Iterable[str], at: int) -> None:
    """Apply each discount in turn to what the earlier ones left."""
    for key in keys:
        row = store.objects["discount"][key]
        if not discounts.active(store, row, at):
            continue
        coupon = store.objects["coupon"][row["source"]["coupon"]]
        parts = [(line.left, _product(line.row)) for line in lines]
        for line, off in zip(lines, taken_off(coupon, parts, lines[0].row["currency"] if lines else ""), strict=True):
            line.take(key, off)


def taken_off(coupon: Row, parts: list[tuple[int, str | None]], currency: str) -> list[int]:
    """Return what the coupon takes off each of these amounts with their products: a percentage, or a share."""
    base = [left if left > 0 and coupons.applies_to(coupon, product) else 0 for left, product in parts]
    if coupon["percent_off"] is not None:
        return [rounded(left * percent(coupon["percent_off"]), currency) for left in base]
    return spread(min(coupons.amount_off(coupon, currency), sum(base)), base, currency)


def _product(line: Row) -> str | None:
    return ((line["pricing"] or {}).get("price_details") or {}).get("product")


def taxes(rates: list[Row], amount: int, currency: str) -> list[Row]:
    """Return what these rates take of an amount. Inclusive taxes are within it; the others are added to the rest."""
    inside = sum((percent(rate["percentage"]) for rate in rates if rate["inclusive"]), ZERO)
    parts = {
        rate["id"]: rounded(amount * percent(rate["percentage"]) / (1 + inside), currency)
        for rate in rates
        if rate["inclusive"]
    }
    net = amount - sum(parts.values())
    for rate in rates:
        if not rate["inclusive"]:
            parts[rate["id"]] = rounded(net * percent(rate["percentage"]), currency)
    return [tax(rate, parts[rate["id"]], net) for rate in rates]


def tax(rate: Row, amount: int, taxable: int) -> Row:
    """Return one tax as a line shows it."""
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def exclusive(taxes: Iterable[Row]) -> int:
    """Return the sum of the taxes that are added to the amount."""
    return sum(one["amount"] for one in taxes if one["tax_behavior"] == "exclusive")


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
    """Return the line less its discounts, before taxes."""
    return line["amount"] - sum(one["amount"] for one in line["discount_amounts"])


def gross(line: Row) -> int:
    """Return the line less its discounts, with taxes."""
    return net(line) + exclusive(line["taxes"])


def _total(store: Store, invoice: Row, lines: list[_Line]) -> None:
    summed: dict[str, Row] = {}
    for line in lines:
        for one in line.taxes:
            key = one["tax_rate_details"]["tax_rate"]
            sum_up = summed.setdefault(key, {**one, "amount": 0, "taxable_amount": 0})
            sum_up["amount"] += one["amount"]
            sum_up["taxable_amount"] += one["taxable_amount"]
    off: dict[str, int] = {}
    for line in lines:
        for key, amount in line.discounts.items():
            off[key] = off.get(key, 0) + amount
    outside = exclusive(summed.values())
    inside = sum(one["amount"] for one in summed.values()) - outside
    subtotal = sum(line.row["amount"] for line in lines)
    total = sum(line.left for line in lines) + outside
    balance = balances.of(store.need("customer", invoice["customer"]), invoice["currency"])
    due = total + balance if total + balance >= currencies.least(invoice["currency"]) else 0
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
        "total_taxes": list(summed.values()),
        "starting_balance": balance,
        "amount_due": due,
        "amount_remaining": due,
    }
    store.change(invoice, **values)


def refresh(store: Store, invoice: Row) -> None:
    """Compute the draft's totals again, and send an event if one changed."""
    names = ("subtotal", "total", "amount_due", "amount_remaining")
    before = {name: invoice[name] for name in names}
    compute(store, invoice)
    changed = {name: value for name, value in before.items() if invoice[name] != value}
    if changed:
        store.emit("invoice.updated", invoice, changed)
