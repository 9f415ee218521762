"""The lines of an invoice. Source: https://docs.stripe.com/api/invoice-line-item"""

from fractions import Fraction
from typing import Any

from stripe_sandbox import catalogue, currencies
from stripe_sandbox.errors import invalid, required
from stripe_sandbox.handlers import Params
from stripe_sandbox.invoicing import amounts
from stripe_sandbox.params import named
from stripe_sandbox.store import Row, Store


def pricing_of(price: Row) -> Row:
    """Return how a line names its price."""
    return {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def amount_of(price: Row, quantity: int) -> int:
    """Return the minor units for this quantity, rounded half up."""
    unit = Fraction(price["unit_amount_decimal"] or price["unit_amount"] or 0)
    return amounts.rounded(unit * quantity, price["currency"])


def period_of(start: int, end: int) -> Row:
    return {"start": start, "end": end}


def add_line(store: Store, invoice: Row, amount: int, **values: Any) -> Row:
    """Add a line of ``amount`` minor units to the invoice. Its totals are not computed here."""
    now = store.now(invoice["customer"])
    given = {
        "description": None,
        "discountable": True,
        "discounts": [],
        "metadata": {},
        "parent": None,
        "period": period_of(now, now),
        "pricing": None,
        "quantity": 1,
        "_tax_rates": [],
        **values,
    }
    return store.add(
        "line_item",
        amount=amount,
        currency=invoice["currency"],
        discount_amounts=[],
        invoice=invoice["id"],
        pretax_credit_amounts=[],
        quantity_decimal=str(given["quantity"]),
        subscription=invoice["_subscription"],
        subtotal=amount,
        taxes=[],
        _customer=invoice["customer"],
        **given,
    )


def add_item_line(store: Store, invoice: Row, item: Row, amount: int, until: int) -> Row:
    """Add a line for a subscription item's current period, up to ``until``."""
    price = store.objects["price"][item["price"]]
    return add_line(
        store,
        invoice,
        amount,
        description=f"{item['quantity']} × {store.objects['product'][price['product']]['name']}",
        discounts=item["discounts"],
        parent={
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "subscription": item["subscription"],
                "subscription_item": item["id"],
                "proration": False,
                "invoice_item": None,
                "proration_details": None,
            },
        },
        period=period_of(item["current_period_start"], until),
        pricing=pricing_of(price),
        quantity=item["quantity"],
        _tax_rates=item["tax_rates"] or [],
    )


def editable(invoice: Row) -> Row:
    """Return the invoice if it is a draft. Raises: a 400 if it is not."""
    if invoice["status"] != "draft":
        raise invalid("Finalized invoices can't be updated this way; only drafts can.", code="invoice_not_editable")
    return invoice


def priced(store: Store, given: Params, currency: str, param: str = "") -> tuple[int, Row]:
    """Return amount and fields of a line or item that is given by amount, by price, or by price data."""
    quantity = int(given.get("quantity", 1))
    values: Row = {"quantity": quantity, "pricing": None}
    if "amount" in given:
        if "quantity" in given:
            raise invalid(
                "You may only specify one of these parameters: amount, quantity.", param=named(param, "quantity")
            )
        currencies.check(given["amount"], currency, named(param, "amount"))
        return given["amount"], values
    if "unit_amount_decimal" in given:
        bare = {"unit_amount_decimal": given["unit_amount_decimal"], "unit_amount": None, "currency": currency}
        return amount_of(bare, quantity), values
    within = (given.get("pricing") or {}).get("price")
    name = named(named(param, "pricing"), "price") if within else named(param, "price")
    if key := within or given.get("price"):
        price = store.need("price", key, name)
    elif "price_data" in given:
        name = named(param, "price_data")
        price = catalogue.price_from_data(store, given["price_data"], name)
    else:
        raise required(named(param, "amount"))
    if price["recurring"]:
        raise invalid(
            "The price specified is set to `type=recurring` but this field only accepts one-time prices.", param=name
        )
    if price["currency"] != currency:
        raise invalid(f"The price's currency is {price['currency']}; the invoice's is {currency}.", param=name)
    return amount_of(price, quantity), {"quantity": quantity, "pricing": pricing_of(price)}
