"""Rows from which reports are calculated, and a billing clock that stands in the middle of June 2030."""

from datetime import UTC, datetime
from itertools import count

from billing.audit import actor, trail
from billing.models import Adjustment, Invoice, Office, Payment, Subscription, SubscriptionChange
from tests.conftest import an_office

NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)  # a Saturday
_numbers = count(1)


def day(month: int, day_of_month: int = 10, hour: int = 0, *, year: int = 2030) -> datetime:
    return datetime(year, month, day_of_month, hour, tzinfo=UTC)


def known_since(at: datetime, name: str = "Maple Street Family Practice") -> Office:
    office = an_office(name)
    with trail.acting(actor.job("tests"), reason="tests"):
        office.created_at = at
        office.save()
    return office


def begun(office: Office, at: datetime, *, currency: str = "usd", status: str = "active", amount: int = 0):
    with trail.acting(actor.job("tests"), reason="tests"):
        return Subscription.objects.create(
            office=office,
            stripe_id=f"sub_{next(_numbers)}",
            ticket=1,
            status=status,
            quantity=1,
            currency=currency,
            monthly_amount=amount,
            created_at=at,
            started_at=at,
        )


def changed(subscription, at: datetime, before: int, after: int, *, to: str = "active", was: str = "active") -> None:
    """Add what the projection adds when a look shows another status, price or number of seats."""
    SubscriptionChange.objects.create(
        subscription=subscription,
        office=subscription.office,
        at=at,
        status_before=was,
        status_after=to,
        quantity_after=1,
        mrr_before=before,
        mrr_after=after,
        currency=subscription.currency,
    )


def paid(office: Office, at: datetime, amount: int, *, currency: str = "usd", status: str = "succeeded") -> Payment:
    with trail.acting(actor.job("tests"), reason="tests"):
        return Payment.objects.create(
            office=office,
            stripe_id=f"ch_{next(_numbers)}",
            ticket=1,
            status=status,
            currency=currency,
            amount=amount,
            created_at=at,
        )


def refunded(payment: Payment, at: datetime, amount: int, *, status: str = "succeeded") -> Adjustment:
    with trail.acting(actor.job("tests"), reason="tests"):
        return Adjustment.objects.create(
            office=payment.office,
            payment=payment,
            kind="refund",
            stripe_id=f"re_{next(_numbers)}",
            ticket=1,
            status=status,
            currency=payment.currency,
            amount=amount,
            created_at=at,
        )


def owed(office: Office, at: datetime, amount: int, *, currency: str = "usd", **more) -> Invoice:
    with trail.acting(actor.job("tests"), reason="tests"):
        values = {
            "status": "open",
            "subtotal": amount,
            "total": amount,
            "amount_paid": 0,
            "amount_remaining": amount,
            "created_at": at,
            "finalised_at": at,
        }
        return Invoice.objects.create(
            office=office, stripe_id=f"in_{next(_numbers)}", ticket=1, currency=currency, **(values | more)
        )
