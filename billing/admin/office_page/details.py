"""The values behind the sentences, for who must see each of them: what the Office's columns say, with names. Pure."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.formats import date_format

from billing import schedules, zones
from billing.admin.ends import written
from billing.admin.readonly import masked
from billing.entitlement import Entitlement
from billing.office_state.rows import Rows
from billing.office_state.sentences import billed

NOTHING = "–"


def details(rows: Rows, found: Entitlement) -> Iterator[tuple[str, str]]:
    """Yield what is shown under "Details": a name and a value. Times are in the Office's zone."""
    office, present = rows.office, rows.present
    zone = office.time_zone

    def moment(at: datetime | None) -> str:
        return date_format(at.astimezone(zones.of(zone)), "j M Y, H:i") if at else NOTHING

    yield "Access", f"{found.access.value} ({found.reason.replace('_', ' ')})"
    yield "Status at Stripe", office.subscription_in_words or "no subscription"
    if present:
        live = "Billed" if present.is_live else "Billed until it ended"
        yield live, f"{billed(present)} ({present.monthly} a month)"
        yield "Seats", f"{present.quantity:,}"
    yield "Period began", moment(office.current_period_start)
    yield "Period ends", written(office.current_period_end, zone)
    yield "Billing periods are counted from", moment(office.billing_cycle_anchor_date)
    yield "Trial ends", written(office.trial_end, zone)
    yield "Subscription ends", written(office.cancel_at, zone)
    yield "Past due since", moment(office.past_due_since)
    yield "Collection", (present.collection_in_words if present else "") or NOTHING
    yield "Discount", _discount(rows) or "none"
    yield "Schedule", schedules.told(office, present) or "none"
    for one in rows.other_live:
        yield "Also live", one.billed_in_words
    yield "Due", office.debts_in_words
    yield "Credit", office.credit_in_words
    yield "Billing e-mail", office.billing_email
    yield "Language", office.locale
    yield "Time zone", office.time_zone
    yield "Stripe customer", masked(office.payment_provider_customer_id or "")
    yield "Last confirmed by Stripe", moment(office.confirmed_at)
    yield "Added", moment(office.created_at)


def _discount(rows: Rows) -> str:
    present = rows.present
    if present is None:
        return ""
    return present.discounts_in_words if getattr(present, "has_more_items", True) else present.discount
