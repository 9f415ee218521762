"""Which pages are measured among the rows of ``bulk``, and by whom each is asked for.

The lists and the rows are those of the admin's registry; the overview's own lists are the links on it.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tests.benchmarks.bulk import MEMBERS

LISTS = 50
"""So many rows are on a page of a list."""
LATER = 500
OFFICES, API = "/admin/billing/office/", "/api/v1/offices/"
RENAMED = {
    "list: audit entries": "audit entries: list",
    "row: office": "office: page",
}
"""What has a goal or a name of its own."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its address. ``email`` is of the person who asks the API; otherwise staff ask."""

    name: str
    path: str
    email: str = ""


def pages(overview: str) -> Iterator[Page]:
    """Yield each page. ``overview`` is the overview as it was answered."""
    from billing.models import Office

    middle = Office.objects.order_by("pk")[Office.objects.count() // 2 + 21]
    yield Page("overview", "/admin/")
    for name, path in {**_registry(middle), **_of_offices(middle), **_found(middle)}.items():
        yield Page(RENAMED.get(name, name), path)
    for query in _worklist():
        yield Page(f"list: worklist, {query}", f"/admin/billing/followup/?{query}")
    for path in _linked(overview):
        yield Page(f"list: {path.removeprefix('/admin/billing/')}", path)
    yield from _api()


def without_rows() -> list[str]:
    """Return the models whose page of a row is not measured, as ``bulk`` makes no row of them."""
    from django.contrib import admin

    return [str(one._meta.verbose_name) for one in admin.site._registry if not one._default_manager.exists()]


def _registry(office: Any) -> dict[str, str]:
    """Return the registry's lists, and a row of each."""
    from django.contrib import admin
    from django.urls import reverse

    found = {}
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        found[f"list: {model._meta.verbose_name_plural}"] = reverse(f"admin:{label}_changelist")
        row = office if isinstance(office, model) else model._default_manager.order_by("pk").last()
        if row is not None:
            found[f"row: {model._meta.verbose_name}"] = reverse(f"admin:{label}_change", args=[row.pk])
    return {**found, "journal": reverse("admin:billing_journal_export")}


def _of_offices(middle: Any) -> dict[str, str]:
    from billing.admin import paging
    from billing.admin.filters.offices import VIEWS
    from billing.models import Movement, Office

    owing = Office.objects.filter(subscription_status="past_due").order_by("pk")[10]
    number = min(LATER, Office.objects.count() // LISTS - 1)
    before = Office.objects.order_by("name", "pk")[LISTS * (number - 1) - 1]
    moved = Movement.objects.order_by("-at", "-pk")[Movement.objects.count() // 2]
    of_middle = f"{OFFICES}{middle.pk}"
    return {
        "office: page of one that owes": f"{OFFICES}{owing.pk}/change/",
        "office: statement": f"{of_middle}/account/",
        "office: timeline": f"{of_middle}/timeline/",
        f"list: Offices, page {number}": f"{OFFICES}?{paging.AFTER}={before.pk}",
        "list: Offices by period": f"{OFFICES}?o=4",
        "list: Offices by amount due": f"{OFFICES}?o=-5",
        **{f"list: Offices, view {name}": f"{OFFICES}?view={name}" for name in VIEWS},
        "list: Offices with access": f"{OFFICES}?access=full",
        "list: Offices without access": f"{OFFICES}?access=none",
        "list: Offices on a plan": f"{OFFICES}?current_plan__id__exact={middle.current_plan_id}",
        "list: Offices that are past due": f"{OFFICES}?subscription_status__exact=past_due",
        "list: payments that failed": "/admin/billing/payment/?status__exact=failed",
        "list: open invoices": "/admin/billing/invoice/?status__exact=open",
        "list: movements, a page in the middle": f"/admin/billing/movement/?{paging.AFTER}={moved.pk}",
        "audit entries: of an Office": f"/admin/billing/auditentry/?about_office={middle.public_id}",
        "audit entries: refusals": "/admin/billing/auditentry/?kind__exact=refusal",
    }


def _found(middle: Any) -> dict[str, str]:
    invoices = middle.invoices.order_by("pk")
    typed = {
        "an invoice's number": invoices[4].number,
        "the box, a common part": "dental",
        "the box, a rare part": "élan vit",
        "the box, an e-mail address": middle.billing_email,
        "the box, a member": "invented person 777",
        "the box, last four": middle.payment_method_last4,
        "the box, a customer at Stripe": middle.payment_provider_customer_id,
        "the box, a payment intent": invoices[5].payment_intent_id,
        "the box, our id": str(invoices[6].public_id),
        "the box, nothing": "nothing has this",
    }
    return {
        "search: Offices by a common part of names": f"{OFFICES}?q=dental",
        "search: Offices by a rare part of names": f"{OFFICES}?q=elan+vit",
        "search: Offices by two words": f"{OFFICES}?q=maple+{middle.name.split()[-1]}",
        "search: Offices by an e-mail address": f"{OFFICES}?q=billing{middle.pk}@practice",
        "search: Offices, nothing is found": f"{OFFICES}?q=nothing+has+this",
        "search: an invoice's number (list)": f"/admin/billing/invoice/?q={invoices[3].number}",
        "search: invoices of an Office": "/admin/billing/invoice/?q=elan+vit",
        "search: payments of an Office": "/admin/billing/payment/?q=elan+vit",
        **{f"search: {name}": f"/admin/search/?extended=1&s={text}" for name, text in typed.items()},
    }


def _worklist() -> Iterator[str]:
    """Yield the query of each tab of the worklist. What owes is sorted in two ways."""
    from billing.worklist import Sort, What, Whose

    for what in What:
        for whose in Whose:
            for sort in Sort if what is What.OWES else (Sort.DAYS,):
                yield f"what={what}&whose={whose}&sort={sort}"


class _Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        if tag == "a" and address.startswith("/admin/billing/") and "?" in address:
            self.found.append(address)


def _linked(overview: str) -> list[str]:
    """Return the lists that the overview links to: of those that differ in values only, the first and the last."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for address in dict.fromkeys(_Links(overview).found):
        parts = urlsplit(address)
        alike.setdefault((parts.path, *sorted(name for name, _ in parse_qsl(parts.query))), []).append(address)
    return [one for found in alike.values() for one in dict.fromkeys((found[0], found[-1]))]


def _api() -> Iterator[Page]:
    from billing.models import Membership

    for grants, email in MEMBERS.items():
        yield Page(f"API: a person with {grants:,} grants", API, email)
    email = MEMBERS[max(MEMBERS)]
    belonging = Membership.objects.filter(user__email=email).select_related("office").order_by("office__name")
    middle = belonging[belonging.count() // 2].office
    after = quote(b64encode(urlencode({"p": middle.name}).encode()).decode())
    yield Page("API: the person with most, in the middle", f"{API}?cursor={after}", email)
    of = f"{API}{middle.public_id}"
    yield Page("API: invoices of an Office", f"{of}/invoices/", email)
    yield Page("API: payments of an Office", f"{of}/payments/", email)
