"""What notices say, in English and Spanish: templates/mail/notices/ has a text for each kind and language.

The first line of a text is the subject. A blank line ends a paragraph. The same paragraphs become plain text and HTML.
No text has names of people, digits of cards, or a link that opens anything without signing in.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.template import Context, engines
from django.template.loader import render_to_string
from django.urls import reverse

from billing import clock, coming, errors, notices, zones
from billing.models import Invoice, Notification, Office, Subscription
from billing.models.statuses import SubscriptionStatus
from billing.money import Money
from billing.outbox import suppression

Kind = Notification.Kind

LANGUAGES = ("en", "es")
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}
WORDS = {
    "en": {
        "sign_in": "Sign in",
        "copy": "Or copy this address into your browser:",
        "stop": "You do not want reminders like this one? Turn them off here",
        "automatic": "This e-mail was sent automatically.",
        "question": "Do you have a question? Reply to this e-mail, or write to",
        "no_patients": "Please do not write about patients.",
        "unread": "Please do not reply. Nobody reads replies.",
    },
    "es": {
        "sign_in": "Iniciar sesión",
        "copy": "O copie esta dirección en su navegador:",
        "stop": "¿No desea recibir recordatorios como este? Desactívelos aquí",
        "automatic": "Este mensaje se envió automáticamente.",
        "question": "¿Tiene alguna pregunta? Responda a este mensaje o escriba a",
        "no_patients": "Por favor, no escriba sobre pacientes.",
        "unread": "Por favor, no responda: nadie lee las respuestas.",
    },
}

SAMPLE: dict[str, Any] = {"office": "Maple Practice", "number": "A1B2-0007", "amount": "199.00 USD", "day": 1}
SAMPLE_DAYS = {
    "paid": date(2026, 12, 1),
    "due": date(2026, 12, 1),
    "tried_again": date(2026, 12, 4),
    "ends": date(2026, 12, 15),
    "charged": date(2027, 1, 8),
}
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    Kind.PAYMENT_FAILED: {
        "first": {},
        "reminder": {"day": 5},
        "past due": {"is_overdue": True, "tried_again": ""},
        "one-off": {"until": "", "tried_again": ""},
    },
    Kind.AUTHENTICATION_NEEDED: {"first": {}, "reminder": {"day": 5}},
    Kind.RECEIPT: {"paid": {}},
    Kind.CANCELLED: {"ends later": {"is_over": False}, "has ended": {"is_over": True}},
    Kind.ACCESS_ENDS: {"not paid": {"is_unpaid": True}, "cancelled": {"is_unpaid": False}},
    Kind.TRIAL_ENDS: {
        "with a payment method": {"has_method": True, "is_charged": True},
        "not collected": {"has_method": True, "is_charged": False},
        "without": {"has_method": False},
    },
    Kind.CARD_EXPIRES: {"soon": {"has_expired": False}, "has expired": {"has_expired": True}},
}
"""Each kind in the forms that its text takes, for previews: what differs from ``SAMPLE``."""


@dataclass(frozen=True, slots=True)
class Written:
    """An e-mail without its addresses. ``stop`` is where its reader can ask for no more of its kind, or ""."""

    subject: str
    text: str
    html: str
    stop: str = ""


def language_of(office: Office) -> str:
    """Return the language in which this Office is written to: Spanish if it is its language, else English."""
    primary = office.locale.partition("-")[0]
    return primary if primary in LANGUAGES else LANGUAGES[0]


def facts_of(row: Notification, language: str) -> dict[str, Any] | None:
    """Return what the text of this notice names, in this language, or None if it does not hold any more."""
    office = row.office
    if office is None or not notices.still_holds(row, clock.billing()):
        return None
    return {"office": office.name, **_facts(row, office, language)}


def write(kind: str, language: str, facts: dict[str, Any], *, stop: str = "") -> Written:
    """Return the e-mail of this kind with these facts."""
    template = engines["django"].engine.get_template(f"mail/notices/{language}/{kind}.txt")  # type: ignore[attr-defined]
    subject, *paragraphs = _paragraphs(template.render(Context(facts, autoescape=False)))
    context = {
        "subject": subject,
        "paragraphs": paragraphs,
        "words": WORDS[language],
        "language": language,
        "link": settings.SITE_URL + reverse("account_login"),
        "stop": stop,
        "support": settings.SUPPORT_EMAIL,
    }
    text, html = (render_to_string(f"mail/notices/notice.{form}", context) for form in ("txt", "html"))
    return Written(subject, text, html, stop)


def sample(kind: str, variant: str, language: str) -> Written:
    """Return this e-mail as an example. Nothing of an Office is in it."""
    days = {name: day(one, language) for name, one in SAMPLE_DAYS.items()}
    ends = moment(datetime(2026, 12, 15, 14, tzinfo=UTC), "America/New_York", language)
    facts = {**SAMPLE, **days, "month": _month(2026, 12, language), "moment": ends, "until": ends}
    stop = settings.SITE_URL + reverse("stop-mail") if kind in suppression.STOPPABLE else ""
    return write(kind, language, {**facts, **VARIANTS[kind][variant]}, stop=stop)


def of_row(row: Notification) -> Written | None:
    """Return the e-mail of this notice, or None if it does not hold any more."""
    language = language_of(row.office) if row.office else LANGUAGES[0]
    facts = facts_of(row, language)
    if facts is None:
        return None
    return write(row.kind, language, facts, stop=suppression.stop_link(row))


def day(of: date, language: str) -> str:
    """Write a day: 5 December 2026, or 5 de diciembre de 2026."""
    of_ = " de " if language == "es" else " "
    return f"{of.day}{of_}{_month(of.year, of.month, language)}"


def moment(end: datetime, zone: str, language: str) -> str:
    """Write an end: 5 December 2026 at 09:00 (America/New_York). At midnight it is 24:00 of the day before."""
    at = " a las " if language == "es" else " at "
    last = day(zones.last_day_of(end, zone), language)
    return f"{last}{at}{zones.end_time(end, zone)} ({zones.name(zone)})"


def _month(year: int, month: int, language: str) -> str:
    of_ = " de " if language == "es" else " "
    return f"{MONTHS[language][month - 1]}{of_}{year}"


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs, each on one line. The first is the subject."""
    return [" ".join(one.split()) for one in re.split(r"\n\s*\n", text.strip())]


def _facts(row: Notification, office: Office, language: str) -> dict[str, Any]:
    about, zone = row.context, office.time_zone

    def on(at: datetime | None) -> str:
        return day(zones.day_of(at, zone), language) if at else ""

    if row.kind in (Kind.PAYMENT_FAILED, Kind.AUTHENTICATION_NEEDED):
        invoice = Invoice.objects.get(public_id=about["invoice"])
        is_overdue = invoice.collection == Invoice.Collection.SENT
        return {
            **_numbered(invoice, invoice.remaining),
            "day": about["day"],
            "is_overdue": is_overdue,
            "due": on(invoice.due_at),
            "tried_again": on(_later(invoice.next_payment_attempt)),
            "until": _paid_until(office, invoice, language),
        }
    if row.kind == Kind.RECEIPT:
        invoice = Invoice.objects.get(public_id=about["invoice"])
        return {**_numbered(invoice, Money(invoice.amount_paid, invoice.currency)), "paid": on(invoice.paid_at)}
    if row.kind == Kind.CANCELLED:
        of = Subscription.objects.get(public_id=about["subscription"])
        end = of.ended_at or of.cancel_at
        return {"is_over": of.ended_at is not None, **_of_end(end, zone, language)}
    if row.kind == Kind.CARD_EXPIRES:
        year, month = map(int, about["expires"].split("-"))
        today = zones.day_of(clock.billing(), "UTC")
        return {
            "month": _month(year, month, language),
            "has_expired": (year, month) < (today.year, today.month),
            "charged": on(coming.next_charge(office)),
        }
    if row.kind == Kind.TRIAL_ENDS:
        is_charged = coming.charge_at(office, office.trial_end, ends=office.cancel_at) is not None
        shown = _of_end(office.trial_end, zone, language)
        return {"has_method": office.has_payment_method, "is_charged": is_charged, **shown}
    if row.kind != Kind.ACCESS_ENDS:
        raise errors.Defect(f"No text has the facts of the kind {row.kind}.")
    end = notices.access_ends(office, clock.billing())
    return {"is_unpaid": end != office.cancel_at, **_of_end(end, zone, language)}


def _of_end(end: datetime | None, zone: str, language: str) -> dict[str, str]:
    assert end  # it still holds
    return {"ends": day(zones.last_day_of(end, zone), language), "moment": moment(end, zone, language)}


def _numbered(invoice: Invoice, money: Money) -> dict[str, str]:
    return {"number": invoice.number, "amount": str(money)}


def _later(at: datetime | None) -> datetime | None:
    return at if at and at > clock.billing() else None


def _paid_until(office: Office, invoice: Invoice, language: str) -> str:
    """Return until when an Office that is past due has access, or "" if this invoice does not decide it."""
    since, present = office.past_due_since, office.current_subscription
    is_of_present = present is not None and invoice.subscription_id == present.pk
    if office.subscription_status != SubscriptionStatus.PAST_DUE or since is None or not is_of_present:
        return ""
    ends = since + settings.PAST_DUE_GRACE
    return moment(ends, office.time_zone, language) if ends > clock.billing() else ""
