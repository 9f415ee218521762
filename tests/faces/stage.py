"""The Offices whose pages are compared. The admin's own addresses bring them into their states."""

import html
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from billing.models import Office, User
from tests.conftest import ADMINISTRATOR, OPERATOR, LocalStripe, a_person, an_office, price

TODAY = datetime(2030, 1, 15, 12, tzinfo=UTC)
CHECKED_BY = {"csrfmiddlewaretoken": "sent by each browser, and not looked at here"}
"""A form is sent with this even if nothing was filled in."""
WHY = {"why": "agreed", "note": "as we said"}
ONCE = {**WHY, "confirmed": "yes"}
SECOND_STEP = re.compile(r'name="(confirmed|as_of|seen|repeated)" value="([^"]*)"')
REFUSED = re.compile(r'<div role="alert"[^>]*id="act_errors".*?</div>', re.DOTALL)


def in_second_step(page: str) -> dict[str, str]:
    """What the page of a second step sends beside the form, nothing if it is another page."""
    return {name: html.unescape(value) for name, value in SECOND_STEP.findall(page)}


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def address(model: str, pk: Any, act: str = "change") -> str:
    return f"/admin/billing/{model}/{pk}/{act}/"


@dataclass
class Stage:
    stripe: LocalStripe
    client: Client
    offices: dict[str, Office] = field(default_factory=dict)

    def office(self, state: str, name: str) -> Office:
        self.offices[state] = an_office(name)
        return self.offices[state]

    def act(self, office: Office, act: str, model: str = "office", pk: Any = None, **given: Any) -> None:
        """Do this act in the admin, and let a minute pass."""
        path = address(model, pk or office.pk, act)
        answer = self.client.post(path, {**ONCE, **given})
        if step := in_second_step(answer.content.decode()):  # what is lost has been seen before it is confirmed
            answer = self.client.post(path, {**WHY, **given, **step})
        assert answer.status_code in (200, 302), (path, answer.status_code)
        shown = answer.content.decode()
        assert not in_second_step(shown), path
        assert not REFUSED.search(shown), (path, REFUSED.findall(shown))
        self.a_minute_later()

    def a_minute_later(self) -> None:
        self.stripe.advance(minutes=1)
        self.stripe.deliver_and_apply()

    def subscribe(self, office: Office, code: str = "practice-monthly", **given: Any) -> None:
        terms = {"quantity": "1", "trial_days": "0", "payment_method": "pm_card_visa"}
        self.act(office, "subscribe", price=str(price(code).public_id), **{**terms, **given})

    def customer(self, office: Office) -> str:
        return Office.objects.get(pk=office.pk).payment_provider_customer_id or ""

    def second_card(self, office: Office) -> None:
        self.stripe.post("payment_methods/pm_card_mastercard/attach", customer=self.customer(office))
        self.a_minute_later()

    def charge(self, office: Office, charge: str, amount: str, days: int) -> int:
        self.act(office, "charge", charge=charge, amount=amount, days_until_due=str(days))
        newest = office.invoices.order_by("-pk").first()
        assert newest
        return newest.pk


def set_out(stripe: LocalStripe, client: Client) -> Stage:
    """Make one Office in each state, and the coupons at Stripe."""
    stage = Stage(stripe, client)
    stripe.post("coupons", id="FIFTH", name="A fifth", percent_off=20, duration="forever")
    stripe.post("coupons", id="TEN", name="Ten", amount_off=1000, currency="usd", duration="once")

    paused = stage.office("paused", "Paused Practice")
    stage.subscribe(paused)
    stage.act(paused, "pause-collection", invoices_become="keep_as_draft", from_day="2030-06-01")
    late = stage.office("past-due", "Late Practice")
    stage.subscribe(late)
    stripe.control("charges", outcome="decline", code="insufficient_funds", customer=stage.customer(late))
    stripe.advance(days=32)
    stage.a_minute_later()

    stage.office("no-customer", "New Practice")
    stage.subscribe(stage.office("trialing", "Trying Practice"), trial_days="14")
    active = stage.office("active", "Active Practice")
    stage.subscribe(active)
    stage.second_card(active)
    for charge, amount, days in (("data_migration", "1250.50", 0), ("training", "300", 14)):
        stage.charge(active, charge, amount, days)
    for act in ("void", "mark-uncollectible", "pay"):
        stage.act(active, act, "invoice", stage.charge(active, "training", "40", 14))
    for amount, invoice in zip(("50.00", "1250.50"), active.invoices.order_by("pk")[:2], strict=True):
        payment = invoice.payments.get()
        stage.act(active, "refund", "payment", payment.pk, amount=amount)
    discounted = stage.office("discounted", "Cheaper Practice")
    stage.subscribe(discounted, "seats-monthly", quantity="3")
    stage.act(discounted, "apply-discount", coupon="FIFTH")
    cancelling = stage.office("cancelling", "Leaving Practice")
    stage.subscribe(cancelling)
    stage.act(cancelling, "cancel", when="period_end")
    canceled = stage.office("canceled", "Gone Practice")
    stage.subscribe(canceled)
    stage.act(canceled, "cancel", when="now")
    archived = stage.office("archived", "Archived Practice")
    stage.subscribe(archived)
    stage.act(archived, "cancel", when="now")
    stage.act(archived, "archive")
    linked = stage.office("payment-link", "Linked Practice")
    stage.act(linked, "payment-link", price=str(price("practice-monthly").public_id), quantity="1", trial_days="0")
    cardless = stage.office("no-card", "Cardless Practice")
    stage.subscribe(cardless, trial_days="10", payment_method="")
    stage.charge(cardless, "training", "80", 14)
    disputed = stage.office("disputed", "Disputing Practice")
    stage.subscribe(disputed)
    charge = stripe.listed("charges", customer=stage.customer(disputed))[0]["id"]
    stripe.control(f"charges/{charge}/dispute")
    stage.a_minute_later()
    return stage


def staff(group: str) -> User:
    roles = {"administrator": ADMINISTRATOR, "operator": OPERATOR}.get(group, group)
    return a_person(f"{group}@vendor.example", group=roles)
