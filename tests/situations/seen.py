"""What our product shows of an Office: its rows, the API's answers, and the admin's pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from billing.models import Finding, Office, Subscription
from tests.situations.situation import Right, moment

ABOUT = timedelta(minutes=10)
"""The local Stripe's clock runs on while a situation happens, so a moment is right if it is as near as this."""


@dataclass
class Faces:
    """One of the vendor's staff, at the API and in the admin."""

    api: APIClient
    admin: Client

    def answer(self, office: Office, path: str) -> Any:
        """Return what the API answers, or None where it says that there is none."""
        found = self.api.get(f"/api/v1/offices/{office.public_id}/{path}")
        assert found.status_code in (200, 404), f"{path}: {found.status_code} {found.content[:500]!r}"
        return found.json() if found.status_code == 200 else None

    def page(self, path: str) -> str:
        """Return the words of a page in the admin."""
        found = self.admin.get(path)
        assert found.status_code == 200, f"{path}: {found.status_code}"
        shown = found.content.decode().partition('id="content"')[2]
        return unescape(" ".join(re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", shown, flags=re.DOTALL).split()))


def differences(office: Office, faces: Faces, right: Right) -> list[str]:
    """List what is shown otherwise than it is right, and where."""
    return [
        *_of_the_subscription(office, faces, right),
        *_of_what_is_owed(office, faces, right),
        *_of_what_comes(office, faces, right),
        *_of_invoices_and_payments(office, faces, right),
        *_of_the_admin(office, faces, right),
    ]


def _of_the_subscription(office: Office, faces: Faces, right: Right) -> Iterator[str]:
    told = faces.answer(office, "subscription/")
    yield from _differs("access, API", faces.answer(office, "entitlement/")["access"], right.access)
    yield from _differs("status, row", office.subscription_status, right.status)
    yield from _differs("status, API", told["status"], right.status)
    yield from _differs("plan, API", told["plan"], right.plan)
    yield from _differs("quantity, row", office.quantity, right.quantity)
    yield from _differs("quantity, API", told["quantity"], right.quantity)
    for what, is_right in (("discount", right.discount), ("schedule", right.schedule)):
        if is_right not in told[what] or bool(is_right) != bool(told[what]):
            yield f"{what}, API: {told[what]!r} is shown, and {is_right!r} is right"
    monthly: dict[str, int] = {}
    for row in Subscription.objects.filter(office=office, status__in=("active", "past_due"), deleted_at=None):
        monthly[row.currency] = monthly.get(row.currency, 0) + row.monthly_amount
    yield from _differs("monthly, rows", _without_zeros(monthly), right.monthly)
    found = sorted(Finding.objects.filter(resolved_at=None).values_list("kind", flat=True))
    yield from _differs("findings, rows", found, sorted(right.findings))


def _of_what_is_owed(office: Office, faces: Faces, right: Right) -> Iterator[str]:
    standing, told = faces.answer(office, "standing/"), faces.answer(office, "subscription/")
    statement = faces.answer(office, "statement/")
    row = _without_zeros({office.currency: office.balance_due, **getattr(office, "other_debts", {})})
    closing = _without_zeros({one["currency"]: one["amount"] for one in statement["closing"]})
    yield from _differs("owed, row", row, right.owed)
    yield from _differs("owed, API's statement", closing, right.owed)
    yield from _differs("owed, API's standing", _amount(standing["owed"]), right.owed.get(told["currency"], 0))
    yield from _differs("owed, API's subscription", _amount(told["balance_due"]), right.owed.get(told["currency"], 0))
    credit = _without_zeros({getattr(office, "credit_currency", "") or office.currency: office.credit_balance})
    yield from _differs("credit, row", credit, right.credit or {})
    yield from _is_not_about("past due since, row", office.past_due_since, right.past_due_since)
    for where, answer in (("standing", standing), ("subscription", told)):
        yield from _is_not_about(
            f"past due since, API's {where}", _read(answer["past_due_since"]), right.past_due_since
        )
    texts = [one["text"] for one in statement["entries"]]
    if not any(right.in_the_statement in text for text in texts) and right.in_the_statement:
        yield f"statement: none of {texts} says {right.in_the_statement!r}"
    if words := right.not_in_the_statement:
        yield from (f"statement: {text!r} is said" for text in texts if words in text)


def _of_what_comes(office: Office, faces: Faces, right: Right) -> Iterator[str]:
    upcoming = faces.answer(office, "invoices/upcoming/")
    if right.next_charge is None:
        yield from _differs("next charge, API", _amount(upcoming["charged"]) if upcoming else 0, 0)
        return
    if upcoming is None:
        yield f"next charge, API: none is shown, and {right.next_charge} is right"
        return
    when, *amount = right.next_charge
    yield from _differs("next charge, API", [upcoming["charged"]["amount"], upcoming["charged"]["currency"]], amount)
    yield from _is_not_about("next charge, API", _read(upcoming["at"]), when)


def _of_invoices_and_payments(office: Office, faces: Faces, right: Right) -> Iterator[str]:
    cycles = [(_read(one["start"]), _read(one["end"])) for one in reversed(faces.answer(office, "cycles/")["results"])]
    if len(cycles) != len(right.cycles):
        yield f"cycles, API: {[(str(start), str(end)) for start, end in cycles]} for {right.cycles}"
    else:
        for shown, is_right in zip(cycles, right.cycles, strict=True):
            yield from _is_not_about("start of a cycle, API", shown[0], is_right[0])
            yield from _is_not_about("end of a cycle, API", shown[1], is_right[1])
    if right.invoice:
        newest = faces.answer(office, "invoices/")["results"][0]
        shown = tuple(newest[name]["amount"] for name in ("subtotal", "discount", "tax", "total"))
        yield from _differs("newest invoice, API", shown, right.invoice)
    if right.payments is not None:
        paid = faces.answer(office, "payments/")["results"]
        rows = sorted((one["status"], one["amount"]["amount"], one["invoice"] is not None) for one in paid)
        yield from _differs("payments, API", rows, sorted(right.payments))


def _amount(shown: dict[str, Any] | None) -> int:
    """Return the minor units of an amount of the API. An Office whose currency is not known yet owes nothing."""
    return int(shown["amount"]) if shown else 0


def _of_the_admin(office: Office, faces: Faces, right: Right) -> Iterator[str]:
    page = faces.page(f"/admin/billing/office/{office.pk}/change/")
    due = [_written(amount, currency) for currency, amount in right.owed.items()]
    status = right.status.replace("_", " ") if right.status else "no subscription"
    words = (f"Access {right.access}", right.plan or "", *due, right.discount, right.schedule, *right.on_the_page)
    yield from (f"the Office's page does not say {one!r}: {page[:1500]}" for one in words if one not in page)
    if status not in page.replace("_", " "):
        yield f"the Office's page does not say {status!r}"
    overview = faces.page("/admin/")
    figures = overview.partition("Billed each month")[2].partition("by subscriptions")[0].split()
    monthly = {figures[at + 1].lower(): round(float(figures[at].replace(",", "")) * 100) for at in _even(figures)}
    yield from _differs("monthly, admin's overview", monthly, right.monthly)


def _written(amount: int, currency: str) -> str:
    return f"{amount:,} JPY" if currency == "jpy" else f"{amount / 100:,.2f} {currency.upper()}"


def _even(figures: list[str]) -> range:
    return range(0, len(figures) - 1, 2)


def _differs(what: str, shown: Any, right: Any) -> Iterator[str]:
    if shown != right:
        yield f"{what}: {shown!r} is shown, and {right!r} is right"


def _is_not_about(what: str, shown: datetime | None, right: str | None) -> Iterator[str]:
    if (shown is None) != (right is None) or (shown and right and abs(shown - moment(right)) > ABOUT):
        yield f"{what}: {shown} is shown, and {right} is right"


def _read(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


def _without_zeros(amounts: dict[str, int]) -> dict[str, int]:
    return {currency: amount for currency, amount in amounts.items() if amount}
