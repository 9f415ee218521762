"""What a change would cost, in words and to the cent, before anybody confirms it. Nothing changes here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.models import PlanPrice
from billing.money import Money
from billing.stripe_api import inbound
from billing.stripe_api.inbound import PreviewedInvoice


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    amount: Money
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The invoice that would come: now, or at ``at``. ``as_of`` is the moment it was reckoned for: confirm with it.

    ``charged`` is what is asked of the card after credit; a negative ``total`` is kept as credit.
    """

    now: bool
    at: datetime | None
    as_of: datetime
    lines: tuple[Line, ...]
    discount: Money
    tax: Money
    total: Money
    charged: Money
    afterwards: str = ""


def shown(
    invoice: PreviewedInvoice, *, now: bool, at: datetime | None, as_of: datetime, afterwards: str = ""
) -> Preview:
    """The previewed invoice with our own words for what it consists of."""
    prices = {
        price.stripe_price_id: price
        for price in PlanPrice.objects.filter(stripe_price_id__in=[line["price"] for line in invoice.lines])
        .select_related("plan")
        .order_by()
    }

    def money(amount: int) -> Money:
        return Money(amount, invoice.currency)

    return Preview(
        now=now,
        at=at,
        as_of=as_of,
        lines=tuple(
            Line(
                words(line, prices.get(line["price"])),
                money(line["amount"]),
                inbound.when(line["period_start"]),
                inbound.when(line["period_end"]),
            )
            for line in invoice.lines
        ),
        discount=money(-invoice.discount),
        tax=money(invoice.tax),
        total=money(invoice.total),
        charged=money(invoice.amount_due),
        afterwards=afterwards,
    )


def words(line: dict[str, Any], price: PlanPrice | None) -> str:
    """What a line is for, in our own words: never a text that somebody typed at Stripe."""
    if price is None:
        return "Other charge" if line["amount"] >= 0 else "Other credit"
    seats = f", {line['quantity']} seats" if price.per_seat else ""
    text = f"{price.plan.name}{seats}"
    if not line.get("proration"):
        return text
    return f"Unused time: {text}" if line["amount"] < 0 else f"Remaining time: {text}"
