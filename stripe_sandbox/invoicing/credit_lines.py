"""The lines of a credit note: shares of an invoice's lines, discounts and taxes, to the cent.

A share is always the difference of two rounded sums: what all notes so far and this one take, less what the notes so
far took. So notes that together credit everything also credit every cent of discount and tax.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from stripe_sandbox import currencies
from stripe_sandbox.errors import invalid, missing, required
from stripe_sandbox.handlers import Params, merged
from stripe_sandbox.invoicing import amounts
from stripe_sandbox.store import Row, Store


def share(whole: int, of: int, before: int, part: int, currency: str) -> int:
    """Return the share of ``whole`` that belongs to ``part`` of ``of``, if ``before`` was taken already."""
    return amounts.share(whole, before + part, of, currency) - amounts.share(whole, before, of, currency)


def parts(store: Store, invoice: Row, notes: list[Row], params: Params) -> list[Row]:
    """Return the values of the note's lines. ``notes`` are the earlier notes that count."""
    if "amount" in params:
        return [_of_amount(invoice, notes, params["amount"])]
    taken = [line for note in notes for line in store.all("credit_note_line_item", _credit_note=note["id"])]
    found: list[Row] = []
    for n, given in enumerate(params["lines"]):
        name = f"lines[{n}]"
        if given["type"] == "custom_line_item":
            found.append(_custom(store, given, invoice["currency"], name))
            continue
        line = _invoice_line(store, invoice, given, name)
        before = [one for one in taken + found if one.get("invoice_line_item") == line["id"]]
        found.append(_of_line(store, line, before, given, name))
    return found


def sums(lines: list[Row]) -> dict[str, Any]:
    """Return the totals of a note with these lines."""
    taxes = _added([tax for line in lines for tax in line["taxes"]])
    discounts = _joined([one for line in lines for one in line["discount_amounts"]])
    exclusive = amounts.exclusive(taxes)
    every_tax = sum(one["amount"] for one in taxes)
    subtotal = sum(line["amount"] for line in lines)
    discount = sum(one["amount"] for one in discounts)
    total = subtotal - discount + exclusive
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - (every_tax - exclusive),
        "discount_amount": discount,
        "discount_amounts": discounts,
        "pretax_credit_amounts": [{**one, "type": "discount"} for one in discounts],
        "total_taxes": taxes,
        "total": total,
        "total_excluding_tax": total - every_tax,
    }


def _of_amount(invoice: Row, notes: list[Row], amount: int) -> Row:
    """Make one line for an amount that includes the invoice's taxes in proportion."""
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param="amount")
    total, before, currency = invoice["total"], sum(one["total"] for one in notes), invoice["currency"]
    currencies.check(amount, currency, "amount")
    credited = {_rate(tax): tax for tax in _added([tax for note in notes for tax in note["total_taxes"]])}
    taxes = []
    for tax in invoice["total_taxes"] or ():
        old = credited.get(_rate(tax), {"amount": 0, "taxable_amount": 0})
        part = {**tax, "amount": max(0, share(tax["amount"], total, 0, before + amount, currency) - old["amount"])}
        if tax.get("taxable_amount") is not None:
            taxable = share(tax["taxable_amount"], total, 0, before + amount, currency)
            part["taxable_amount"] = max(0, taxable - old["taxable_amount"])
        taxes.append(part)
    return _part(amount - amounts.exclusive(taxes), taxes, type="custom_line_item", description="Credit", quantity=1)


def _invoice_line(store: Store, invoice: Row, given: Params, name: str) -> Row:
    key = given.get("invoice_line_item", "")
    line = store.get("line_item", key)
    if line is None or line["invoice"] != invoice["id"]:
        raise missing("line_item", key, f"{name}[invoice_line_item]")
    return line


def _of_line(store: Store, line: Row, earlier: list[Row], given: Params, name: str) -> Row:
    """Make a share of an invoice's line, by quantity or by amount before discounts and exclusive taxes."""
    whole, count, currency = line["amount"], line["quantity"] or 1, line["currency"]
    before = sum(one["amount"] for one in earlier)
    counted = sum(one["quantity"] or 0 for one in earlier)
    if ("quantity" in given) == ("amount" in given):
        raise invalid("You must pass exactly one of: quantity, amount.", param=f"{name}[quantity]")
    if "quantity" in given and not 0 < given["quantity"] <= count - counted:
        raise invalid(f"The quantity must be between 1 and {count - counted}.", param=f"{name}[quantity]")
    amount = given["amount"] if "amount" in given else share(whole, count, counted, given["quantity"], currency)
    if not 0 < amount <= whole - before:
        raise invalid("The line has not that much left to credit.", param=f"{name}[amount]")
    currencies.check(amount, currency, f"{name}[amount]")
    discounts = [
        {"amount": share(one["amount"], whole, before, amount, currency), "discount": one["discount"]}
        for one in line["discount_amounts"] or ()
    ]
    if given.get("tax_amounts") or given.get("tax_rates"):
        taxes = _given_taxes(store, given, amount - sum(one["amount"] for one in discounts), currency, name)
    else:
        taxes = [_share_of_tax(one, whole, before, amount, currency) for one in line["taxes"] or ()]
    return _part(
        amount,
        taxes,
        discount_amount=sum(one["amount"] for one in discounts),
        discount_amounts=discounts,
        pretax_credit_amounts=[{**one, "type": "discount"} for one in discounts],
        description=given.get("description", line["description"]),
        invoice_line_item=line["id"],
        metadata=merged(None, given.get("metadata"), f"{name}[metadata]"),
        quantity=given.get("quantity"),
        type="invoice_line_item",
    )


def _custom(store: Store, given: Params, currency: str, name: str) -> Row:
    """Make a custom line, with the given taxes."""
    if "amount" in given or "invoice_line_item" in given:
        raise invalid("A custom line has a quantity and a unit amount.", param=f"{name}[amount]")
    if ("unit_amount" in given) == ("unit_amount_decimal" in given):
        raise invalid("You must pass exactly one of: unit_amount, unit_amount_decimal.", param=f"{name}[unit_amount]")
    if not given.get("description"):
        raise required(f"{name}[description]")
    given_unit = given["unit_amount_decimal"] if "unit_amount_decimal" in given else given["unit_amount"]
    unit, quantity = Decimal(given_unit), given.get("quantity", 1)
    if unit <= 0 or quantity < 1:
        raise invalid("This value must be greater than 0.", param=f"{name}[unit_amount]")
    amount = amounts.rounded(Fraction(unit) * quantity, currency)
    return _part(
        amount,
        _given_taxes(store, given, amount, currency, name),
        description=given["description"],
        metadata=merged(None, given.get("metadata"), f"{name}[metadata]"),
        quantity=quantity,
        type="custom_line_item",
        unit_amount=given.get("unit_amount", amount if quantity == 1 else None),
        unit_amount_decimal=str(unit),
        tax_rates=given.get("tax_rates") or [],
    )


def _given_taxes(store: Store, given: Params, taxable: int, currency: str, name: str) -> list[Row]:
    found = []
    for one in given.get("tax_amounts") or ():
        rate = store.need("tax_rate", one["tax_rate"], f"{name}[tax_amounts]")
        found.append(amounts.tax(rate, one["amount"], one["taxable_amount"]))
    rates = [store.objects["tax_rate"][key] for key in given.get("tax_rates") or ()]
    return found + amounts.taxes(rates, taxable, currency)


def _share_of_tax(tax: Row, of: int, before: int, part: int, currency: str) -> Row:
    taxable = tax.get("taxable_amount")
    return {
        **tax,
        "amount": share(tax["amount"], of, before, part, currency),
        "taxable_amount": None if taxable is None else share(taxable, of, before, part, currency),
    }


def _part(amount: int, taxes: list[Row], **values: Any) -> Row:
    empty: Row = {"discount_amounts": [], "pretax_credit_amounts": [], "tax_rates": [], "metadata": {}}
    return {**empty, "amount": amount, "taxes": taxes, **values}


def _rate(tax: Row) -> tuple[str, str]:
    return tax["tax_behavior"], (tax["tax_rate_details"] or {}).get("tax_rate", "")


def _added(taxes: list[Row]) -> list[Row]:
    """Add up the taxes of each rate."""
    found: dict[tuple[str, str], Row] = {}
    for tax in taxes:
        old = found.setdefault(_rate(tax), {**tax, "amount": 0, "taxable_amount": 0})
        old["amount"] += tax["amount"]
        old["taxable_amount"] += tax["taxable_amount"] or 0
    return list(found.values())


def _joined(discounts: list[Row]) -> list[Row]:
    found: dict[str, int] = {}
    for one in discounts:
        found[one["discount"]] = found.get(one["discount"], 0) + one["amount"]
    return [{"amount": amount, "discount": key} for key, amount in found.items()]
