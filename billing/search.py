"""Finding what people look for: by a part of a name, an address, a number, the last digits of a card, or an id.

The same on each database: names and addresses are found by their parts (``billing.models.searched``), and everything
else by its whole value or its beginning, each by an index. Who may not see addresses, digits and ids at Stripe does not
find anything by them.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from billing.folding import fold
from billing.models import (
    Adjustment,
    Invoice,
    Membership,
    Office,
    OfficePart,
    Operation,
    Payment,
    PaymentMethod,
    Plan,
    PlanPrice,
    ReceivedEvent,
    Subscription,
    SubscriptionItem,
    User,
    UserPart,
)
from billing.models.searched import LONGEST

FEW = 1_000
"""So many rows are named one by one. If more are found, the list is read in its order, and soon has a page of them."""
MOST_WORDS, MOST_LETTERS = 8, 200
LONG_ENOUGH = 3
"""So many letters make a word that is not in nearly each name."""
ON_A_PAGE = 10
"""What the box shows of one kind."""
STRIPE_ID = re.compile(r"[a-z]{2,10}_[A-Za-z0-9_]{4,250}")
LAST_DIGITS = re.compile(r"(?:…|\.\.\.|\*+ ?)?([0-9]{4})")


def words(text: str) -> list[str]:
    """Return the words of what was typed, folded, the longest first: it is the rarest. Quotation marks are left out."""
    typed = fold(text.replace("\0", "")[:MOST_LETTERS].replace('"', " ").replace("'", "'"))
    return sorted(dict.fromkeys(one[:LONGEST] for one in typed.split()), key=len, reverse=True)[:MOST_WORDS]


def named(model: type[Office | User], text: str, *, details: bool = True) -> Q:
    """Return the condition for rows in whose name or address each word begins somewhere. ``details``: addresses too."""
    typed = words(text)
    if not typed:
        return Q(pk__in=[])
    few = _few(model, typed, details)
    if few is not None:
        return Q(pk__in=few)
    return _each(model, typed, details, "pk")


def of_offices(text: str, *, details: bool = True, field: str = "office") -> Q:
    """Return the condition for rows of Offices that ``named`` finds."""
    typed = words(text)
    if not typed:
        return Q(pk__in=[])
    few = _few(Office, typed, details)
    if few is not None:
        return Q(**{f"{field}__in": few})
    return _each(Office, typed, details, f"{field}_id")


def _each(model: type[Office | User], typed: list[str], details: bool, outer: str) -> Q:
    found = Q()
    for word in typed:
        found &= Q(Exists(_parts(model, word, details).filter(subject=OuterRef(outer))))
    return found


def _parts(model: type[Office | User], word: str, details: bool) -> QuerySet[Any]:
    rows: QuerySet[Any] = (OfficePart if model is Office else UserPart).objects.filter(part__begins=word)
    return rows if details else rows.filter(of_name=True)


def _few(model: type[Office | User], typed: list[str], details: bool) -> list[int] | None:
    """Return the keys of what is found. None: there are more than a few. A query for each word, and one for all."""
    for word in typed:
        found = _subjects(_parts(model, word, details))
        if len(found) <= FEW:  # the other words are looked for among these alone
            others = [_parts(model, one, details).filter(subject=OuterRef("subject")) for one in typed if one != word]
            rows = _parts(model, word, details).filter(*map(Exists, others))
            return _subjects(rows) if others else found
    first, *others_in_many = typed
    rows = _parts(model, first, details)
    for word in others_in_many:
        more = _parts(model, word, details)
        if len(word) >= LONG_ENOUGH:
            rows = rows.filter(subject__in=more.values("subject"))
        else:
            rows = rows.filter(Exists(more.filter(subject=OuterRef("subject"))))
    found = _subjects(rows) if others_in_many else found
    return found if len(found) <= FEW else None


def _subjects(rows: QuerySet[Any]) -> list[int]:
    """Return whose parts these are, and one more than a few at most. One query."""
    return list(rows.values_list("subject_id", flat=True).distinct()[: FEW + 1])


def numbered(text: str) -> Q:
    """Return the condition for invoices whose number begins so. A number has a digit."""
    typed = text.strip().replace("\0", "")[:MOST_LETTERS]
    if not any(one.isdigit() for one in typed):
        return Q(pk__in=[])
    return Q(number__begins=typed.upper()) | (Q() if typed == typed.upper() else Q(number__begins=typed))


def of_invoices(text: str) -> Q:
    """Return the condition for rows of invoices that ``numbered`` finds."""
    return Q(invoice__in=Invoice.objects.filter(numbered(text)).order_by().values("pk"))


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found. ``because`` says by what, in words of ours. ``more``: a list has further ones."""

    row: Model
    because: str


@dataclass(frozen=True, slots=True)
class Found:
    hits: list[Hit]
    more_offices: bool = False


BY_ID: dict[str, tuple[tuple[type[Model], str], ...]] = {
    "cus": ((Office, "payment_provider_customer_id"),),
    "sub": ((Subscription, "stripe_id"),),
    "si": ((SubscriptionItem, "stripe_id"),),
    "in": ((Invoice, "stripe_id"),),
    "pi": ((Invoice, "payment_intent_id"), (Payment, "payment_intent_id")),
    **dict.fromkeys(("ch", "py"), ((Payment, "stripe_id"),)),
    **dict.fromkeys(("re", "pyr", "dp", "du", "cn", "cbtxn", "trr"), ((Adjustment, "stripe_id"),)),
    **dict.fromkeys(("pm", "card", "ba", "src"), ((PaymentMethod, "stripe_id"),)),
    "evt": ((ReceivedEvent, "stripe_id"),),
    "prod": ((Plan, "stripe_product_id"),),
    "price": ((PlanPrice, "stripe_price_id"),),
}
"""In which columns an id at Stripe is looked for, by how it begins."""
ANY_PREFIX = (
    *((Office, "payment_provider_customer_id"), (Subscription, "stripe_id"), (Invoice, "stripe_id")),
    *((Payment, "stripe_id"), (Adjustment, "stripe_id"), (PaymentMethod, "stripe_id")),
)
"""Those of ids that the vendor chose, which may begin in another way."""
OURS = (Office, Subscription, Invoice, Payment, PaymentMethod, Adjustment, Operation, User)
SHOWN_BY = {SubscriptionItem: "subscription", PlanPrice: "plan", PaymentMethod: "office"}
"""The row on whose page others are shown, which have no page."""


def everywhere(text: str, *, details: bool) -> Found:
    """Return what is found by what was typed or pasted into the box, the best first. At most some 40 rows."""
    typed = text.replace("\0", "").strip()[:MOST_LETTERS]
    if not typed:
        return Found([])
    if STRIPE_ID.fullmatch(typed) and details and (hits := list(_by_stripe_id(typed))):
        return Found(hits)
    if (ours := _uuid(typed)) and (hits := list(_by_our_id(ours))):
        return Found(hits)
    hits = [Hit(row, "number") for row in _invoices(typed)]
    if details and (digits := LAST_DIGITS.fullmatch(typed)):
        hits += _by_last_digits(digits[1])
    offices = list(Office.objects.filter(named(Office, typed, details=details)).order_by("name", "pk")[: ON_A_PAGE + 1])
    hits += [Hit(row, "Office") for row in offices[:ON_A_PAGE]]
    hits += [hit for hit in _members(typed, details) if hit.row not in offices]
    return Found(hits, more_offices=len(offices) > ON_A_PAGE)


def _invoices(typed: str) -> list[Invoice]:
    newest = Invoice.objects.filter(numbered(typed)).select_related("office")[:ON_A_PAGE]
    return sorted(newest, key=lambda one: one.number)


def _by_stripe_id(typed: str) -> Iterator[Hit]:
    for model, column in BY_ID.get(typed.partition("_")[0], ANY_PREFIX):
        for row in model._default_manager.filter(**{column: typed})[:ON_A_PAGE]:
            yield Hit(getattr(row, SHOWN_BY.get(model, ""), row), "id at Stripe")


def _by_our_id(ours: uuid.UUID) -> Iterator[Hit]:
    for model in OURS:
        for row in model._default_manager.filter(public_id=ours):
            yield Hit(getattr(row, SHOWN_BY.get(model, ""), row), "our id")


def _by_last_digits(digits: str) -> list[Hit]:
    methods = PaymentMethod.objects.filter(last4=digits).select_related("office").order_by("detached_at", "pk")
    return [
        Hit(one.office, f"{one}, removed" if one.detached_at else f"pays with {one}") for one in methods[:ON_A_PAGE]
    ]


def _members(typed: str, details: bool) -> list[Hit]:
    """Return the Offices of the members that are found, and people who belong to none."""
    people = list(User.objects.filter(named(User, typed, details=details)).order_by("name", "pk")[:ON_A_PAGE])
    if not people:
        return []
    belonging = Membership.objects.in_force().filter(user__in=people).select_related("office", "user")
    hits = [Hit(one.office, f"{one.role}: {one.user}") for one in belonging.order_by("pk")[:ON_A_PAGE]]
    return [*hits, *(Hit(one, "person") for one in people)]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
