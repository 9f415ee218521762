"""What the two faces show, to the byte: the admin's pages and the API's answers, as the files in ``snapshots/``.

``WRITE_SNAPSHOTS=1 python -m pytest tests/faces`` writes them anew. Acts and addresses are found in the pages and in
the OpenAPI document; what is typed into them is below. One that nothing is known of fails.
"""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from billing import errors
from billing.access import invitations
from billing.audit import actor
from billing.bulk import running
from billing.models import (
    Agreement,
    BulkAct,
    Finding,
    Job,
    Notification,
    Office,
    Plan,
    Reconciliation,
    User,
    WorkerHeartbeat,
)
from billing.operations.engine.begin import perform
from billing.operations.money.credit import AdjustCredit
from tests.conftest import ADMINISTRATOR, PASSWORD, a_member, a_person, price
from tests.faces.snapshots import Book, exchange
from tests.faces.stage import CHECKED_BY, TODAY, WHY, Stage, address, in_second_step, set_out, signed_in, staff

pytestmark = pytest.mark.slow

LINK = re.compile(r'href="(/admin/billing/(\w+)/(?:(\d+)/)?([a-z-]+)/)"')
OWN_OF_DJANGO = ("add", "change", "delete", "history", "password")
FORM = re.compile(r'<form method="post".*?</form>', re.DOTALL)
TYPED = re.compile(r'<(?:input|select|textarea)[^>]* name="(\w+)"')
MESSAGES = re.compile(r'<ul class="flex flex-col gap-4 mb-6">.*?</ul>', re.DOTALL)
LIGHT = "/admin/billing/workerheartbeat/"
INVITED = {"email": "invited@maple.example", "role": "viewer"}
BEGINNING = {"reason": "the first of its kind"}

Typed = dict[str, Any] | Callable[[str], dict[str, Any]]


def chosen(name: str, marked: str = "") -> Callable[[str], dict[str, str]]:
    """The first choice that the form offers, or the one whose text has this mark."""

    def choose(page: str) -> dict[str, str]:
        options = re.findall(rf'<input type="radio" name="{name}" value="([^"]+)"()', page)
        if not options:
            select = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
            options = re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)', select[0] if select else "")
        return {name: next((value for value, text in options if marked in text), "none")}

    return choose


def terms(code: str, **more: str) -> Callable[[str], dict[str, str]]:
    return lambda page: {"price": str(price(code).public_id), "quantity": "1", **more}


TERMS = {
    "subject": "payment_processor",
    "counterparty": "Processor Payments Company",
    "services": "payments and invoicing",
    "terms_version": "services agreement of September",
    "terms_dated": "2029-11-30",
    "terms_review_by": "2030-11-30",
    "document_at": "contracts register, number 12",
}
EXECUTED = {
    **TERMS,
    "document_sha256": "5E" * 32,
    "our_signer": "Olive Owner, managing director",
    "their_signer": "Pat Processor, general counsel",
    "signed_on": "2030-01-02",
    "effective_from": "2030-01-03",
    "effective_until": "2031-01-02",
}
NOT_REQUIRED = {
    **TERMS,
    "document_sha256": "ab" * 32,
    "legal_basis": "No protected information is sent.",
    "reviewer": "Carla Counsel",
    "review_by": "2031-01-02",
}
A_PRICE = {"amount": "299.00", "currency": "usd", "interval": "month", "interval_count": "3"}
PREVIEWED: dict[str, Typed] = {
    "subscribe": terms("seats-monthly", quantity="3", trial_days="0", payment_method="pm_card_visa"),
    "change-plan": terms("practice-yearly", settle="now"),
    "move-trial-end": {"when": "now"},
    "restart-period": {"credit": "now"},
    "apply-discount": {"coupon": "TEN"},
    "make-discount": {"off": "percent", "percent": "10", "lasts": "months", "months": "3"},
    "cancel": {"when": "date", "last_day": "2030-04-30"},
    "remove-discount": {},
    "charge": {"charge": "training", "amount": "300", "days_until_due": "14"},
    "credit": {"direction": "give", "amount": "25.50"},
    "credit-note": lambda page: {"amount": "5", **chosen("to")(page)},
    "refund": {"amount": "50"},
    "pause-collection": {"invoices_become": "void", "from_day": "2030-05-01"},
    "end-waiting": {},
    "archive": {},
    "void": {},
    "mark-uncollectible": {},
    "add-price": {**A_PRICE, "price_code": "quarterly"},
    "add": {**A_PRICE, "price_code": "clinic-quarterly", "name": "Clinic", "code": "clinic"},
}
"""Acts that show what they come to, or what is lost, before they are confirmed."""
A_NOTE = {"kind": "call", "text": "They call back on Friday"}
PAUSE = {**WHY, "invoices_become": "keep_as_draft"}
AT_ONCE = (
    "upcoming",
    "account",
    "effective-access",
    "timeline",
    "notes",
    "open-pdf",
    "open-page",
    "card-link",
    "examples",
)
DONE: dict[str, Typed] = {
    "payment-link": terms("practice-monthly", trial_days="7"),
    "withdraw-link": {},
    "resume-renewal": {},
    "resume-collection": {},
    "link-card": {"make_default": "on"},
    "default-card": chosen("card", "mastercard"),
    "remove-card": chosen("card", "mastercard"),
    "contact": {
        "name": "Renamed Practice",
        "billing_email": "bills@renamed.example",
        "locale": "es",
        "is_the_practices": "on",
    },
    "portal": {},
    "compare": BEGINNING,
    "unarchive": {},
    "pay": {},
    "retry": {},
    "send": {},
    "link": BEGINNING,
    "adopt": BEGINNING,
    "close": BEGINNING,
    "end": BEGINNING,
    "compare-all": {},
    "replay-all": {},
    "prepare-executed": EXECUTED | BEGINNING,
    "prepare-not-required": NOT_REQUIRED | BEGINNING,
    "approve": BEGINNING,
    "invite": INVITED,
    "send-again": {},
    "reset-link": {},
    "withdraw": BEGINNING,
    "vouch": BEGINNING,
    "give": BEGINNING,
    "turn-down": BEGINNING,
    "remove-second-factor": BEGINNING,
    "review": BEGINNING,
    "export": {"form": "csv"} | BEGINNING,
    "journal": {"month": "2030-01", "form": "page"} | BEGINNING,
    "note": A_NOTE,
    "assign": chosen("to", "operator"),
    "notices": {"why": "bounced"},
    "snooze": {"until": "2030-06-01"},
    "publish": {},
    "rename": {"name": "Renamed Plan"},
    "retire-price": chosen("price"),
    "retire": {},
    "move": lambda page: {**chosen("old")(page), **chosen("new", "yearly")(page), "when": "not_at_all"},
    "end-access": BEGINNING,
    "rotate": {"overlap_hours": "24"} | BEGINNING,
    "end-old-secret": BEGINNING,
    "stop": BEGINNING,
}
"""Acts that are carried out by their form."""
BULK: dict[str, dict[str, Any]] = {
    "send_card_link": {},
    "pay_now": {},
    "assign": {"to": ""},
    "write_note": A_NOTE,
    "snooze": {"until": "2030-06-01"},
    "archive": {},
    "unarchive": {},
}
"""Acts on many Offices."""
A_SERVICE = {"name": "Practice software", "scopes": ["entitlement:read"], "all_offices": "on", "last_day": "2030-04-15"}


def typed(act: str, page: str) -> dict[str, Any]:
    """What is typed into the act's form."""
    known = PREVIEWED[act] if act in PREVIEWED else DONE[act]
    return {**WHY, **(known(page) if callable(known) else known)}


@dataclass
class Admin:
    """The admin, every page of which that is looked at is put into the book."""

    client: Client
    book: Book
    met: dict[str, str] = field(default_factory=dict)
    """The address of each act where it was met first, by its model and name."""
    seen: dict[str, str] = field(default_factory=dict)

    def get(self, page: str, path: str) -> str:
        answer = self.client.get(path)
        self.book.add(page, exchange(f"GET {path}", answer))
        self.seen[path] = answer.content.decode()
        return self.seen[path]

    def post(self, page: str, path: str, given: dict[str, Any]) -> Any:
        """Also the messages that it leaves, which the next page shows, whichever it is."""
        answer = self.client.post(path, {**CHECKED_BY, **given})
        self.book.add(page, exchange(f"POST {path}", answer, given))
        if answer.status_code == 302:
            self.book.add(page, exchange("GET the next page", self.client.get(LIGHT), only=MESSAGES))
        return answer

    def subject(self, name: str, path: str) -> None:
        """A page, and every act that it offers."""
        shown = self.get(f"{name}/page.html", path)
        for found, model, key, act in sorted(set(LINK.findall(shown))):
            if act not in OWN_OF_DJANGO and found.startswith(path.removesuffix("change/")):
                self.act(f"{name}/{act}.html", found, model, act, key)

    def act(self, page: str, path: str, model: str, act: str, key: str) -> None:
        """Its form; what it says of no input and of nonsense, the first time; what it comes to, if it shows that."""
        blank = self.get(page, path)
        known = act in PREVIEWED or act in DONE or act in AT_ONCE
        assert known, f"{path}: say in PREVIEWED or DONE what is typed into it, or that it is AT_ONCE"
        form = FORM.search(blank)
        if form is None or act in AT_ONCE:
            return
        names = sorted(set(TYPED.findall(form[0])) - set(CHECKED_BY))
        if names and f"{model}/{act}" not in self.met:
            self.post(page, path, {})
            self.post(page, path, dict.fromkeys(names, "x"))
            if "why" in names:
                self.post(page, path, {**typed(act, form[0]), "why": "other", "note": ""})
        self.met.setdefault(f"{model}/{act}", path)
        if act in PREVIEWED:
            self.post(page, path, typed(act, form[0]))

    def carry_out(self, page: str, path: str, **other: Any) -> None:
        """An act to its end and once more, confirmed where it shows first what it comes to or what is lost."""
        act = path.rstrip("/").rpartition("/")[2]
        blank = self.client.get(path).content.decode()
        given = {**typed(act, blank), **other}
        answer = self.post(page, path, given)
        step = {} if answer.streaming else in_second_step(answer.content.decode())
        if act in PREVIEWED or step:
            given |= step or {"confirmed": "yes"}
            self.post(page, path, given)
        self.post(page, path, given)


def test_the_admin(from_one_on, stripe):
    book = Book("admin")
    client = signed_in(staff("administrator"))
    staff("operator")
    stage = set_out(stripe, client)
    admin = Admin(client, book)
    found_by_the_worker(stage)

    staff("auditor")
    for group in ("operator", "auditor"):
        Admin(signed_in(User.objects.get(email=f"{group}@vendor.example")), book).get(
            f"overview/{group}.html", "/admin/"
        )
    Admin(signed_in(a_person("nobody@vendor.example")), book).get("overview/not-staff.html", "/admin/")
    shown = admin.get("overview/administrator.html", "/admin/")
    models = sorted(set(re.findall(r'href="/admin/billing/(\w+)/"', shown)))
    assert len(models) > 10
    for model in models:
        admin.subject(f"lists/{model}", f"/admin/billing/{model}/")
    for model in ("office", "plan", "membership"):
        admin.get(f"lists/{model}/add.html", f"/admin/billing/{model}/add/")
    for path in (
        "office/?subscription_status=active",
        "office/?q=Gone",
        "invoice/?status=open",
        "payment/?status=failed",
    ):
        admin.get("lists/filtered.html", f"/admin/billing/{path}")

    for state, office in stage.offices.items():
        admin.subject(f"office-{state}", address("office", office.pk))
    for name, pk in invoices(stage):
        admin.subject(f"invoice-{name}", address("invoice", pk))
    for name, pk in payments(stage):
        admin.subject(f"payment-{name}", address("payment", pk))
    for model in models:
        rows = set(re.findall(rf"/admin/billing/{model}/(\d+)/", admin.seen[f"/admin/billing/{model}/"]))
        if model in ("finding", "reconciliation", "agreement", "invitation", "notification"):
            for pk in sorted(rows, key=int):
                admin.subject(f"{model}-{pk}", address(model, pk))
        elif rows and model not in ("office", "invoice", "payment"):
            admin.subject(f"records/{model}", address(model, min(rows, key=int)))

    an_auditor(book, admin, stage)
    refused(admin, stage)
    worked_off(admin)
    carried_out(admin, stage)
    in_bulk(admin, stage)
    of_plans(admin, stage)
    admin.get("overview/afterwards.html", "/admin/")
    book.close()


def found_by_the_worker(stage: Stage) -> None:
    """Rows that only time or trouble brings."""
    active, customer = stage.offices["active"], stage.customer(stage.offices["active"])
    stranger, other = (stage.stripe.post("customers", name=name)["id"] for name in ("Stranger", "Another"))
    for kind, subject, office, severity in (
        ("drift", customer, active, "warning"),
        ("customer_not_linked", other, stage.offices["no-customer"], "critical"),
        ("unknown_customer", stranger, None, "notice"),
    ):
        Finding.objects.create(kind=kind, subject=subject, office=office, severity=severity, detail=f"It is a {kind}.")
    Reconciliation.objects.create(
        actor_label="tests", reason="told to", recent_since=TODAY, stage="customers", counts={"drifted": 2}
    )
    invited = stage.client.post("/admin/billing/invitation/invite/", {**INVITED, "role": "operator"})
    assert invited.status_code == 302
    Notification.objects.update(state="parked", attempts=1, last_error="the mail server refused it: 550 no such person")
    Job.objects.create(name="a job", due_at=TODAY)
    WorkerHeartbeat.objects.create(name="a worker", seen_at=TODAY)
    a_member(active, "owner")
    assert stage.client.post("/admin/billing/serviceidentity/add/", A_SERVICE).status_code == 200
    given = {"person": User.objects.get(email="operator@vendor.example").pk, "role": "support", **BEGINNING}
    assert stage.client.post("/admin/billing/emergencyrole/give/", given).status_code == 302
    first = signed_in(a_person("first@vendor.example", group=ADMINISTRATOR))
    for act in ("prepare-executed", "prepare-not-required"):
        answer = first.post(f"/admin/billing/agreement/{act}/", typed(act, ""))
        assert answer.status_code == 302, answer.content.decode()
    approver = Agreement.objects.order_by("pk").first()
    assert approver
    assert stage.client.post(address("agreement", approver.pk, "approve"), BEGINNING).status_code == 302


def invoices(stage: Stage) -> Iterator[tuple[str, int]]:
    for state in ("active", "past-due", "paused", "no-card"):
        for number, row in enumerate(stage.offices[state].invoices.order_by("pk"), 1):
            yield f"{state}-{number}-{row.status}", row.pk


def payments(stage: Stage) -> Iterator[tuple[str, int]]:
    for state in ("active", "past-due", "disputed"):
        for number, row in enumerate(stage.offices[state].payments.order_by("pk"), 1):
            yield f"{state}-{number}-{row.status}", row.pk


def of_a_row(path: str) -> bool:
    return any(part.isdecimal() for part in path.split("/"))


def an_auditor(book: Book, admin: Admin, stage: Stage) -> None:
    """Reads, and may do nothing; who is not staff does not enter."""
    auditor = Admin(signed_in(a_person("reader@vendor.example", group="auditor")), book)
    outside = Admin(signed_in(a_person("outside@vendor.example")), book)
    subjects = {"office": stage.offices["active"].pk, "invoice": dict(invoices(stage))["active-3-open"]}
    subjects |= {"payment": dict(payments(stage))["active-1-succeeded"]}
    for model, pk in subjects.items():
        auditor.get(f"refused/auditor-{model}.html", address(model, pk))
    for one, met in sorted(admin.met.items()):
        model, _, act = one.partition("/")
        path = address(model, subjects[model], act) if model in subjects and of_a_row(met) else met
        auditor.post("refused/auditor.html", path, {**WHY, **BEGINNING})
        outside.post("refused/not-staff.html", path, {**WHY, **BEGINNING})
    auditor.get("refused/auditor.html", address("office", subjects["office"], "cancel"))
    auditor.get("refused/auditor.html", address("office", 9_999))
    for act in ("cancel", "account"):
        admin.get("refused/no-such.html", address("office", 9_999, act))
        admin.get("refused/no-such.html", address("office", "abc", act))


def refused(admin: Admin, stage: Stage) -> None:
    """Acts on what they are not offered for, and others that cannot be."""
    for state in ("no-customer", "archived", "active"):
        pk = stage.offices[state].pk
        offered = {act for _, _, _, act in LINK.findall(admin.client.get(address("office", pk)).content.decode())}
        met = [one.partition("/")[2] for one, path in admin.met.items() if one[:7] == "office/" and of_a_row(path)]
        for act in sorted(met):
            if act not in offered:
                given = {**typed(act, ""), "confirmed": "yes"}
                admin.post(f"refused/office-{state}.html", address("office", pk, act), given)
    rows = dict(invoices(stage))
    for act in ("pay", "retry", "send", "void", "mark-uncollectible"):
        for name in ("active-1-paid", "active-4-void", "paused-2-draft"):
            admin.post("refused/invoice.html", address("invoice", rows[name], act), WHY)
    active = stage.offices["active"].pk
    for act, given in (
        ("charge", {"charge": "training", "amount": "0.50", "days_until_due": "0"}),
        ("charge", {"charge": "training", "amount": "12.345", "days_until_due": "400"}),
        ("apply-discount", {"code": "NONE"}),
        ("cancel", {"when": "date"}),
        ("cancel", {"when": "date", "last_day": "2020-01-01"}),
        ("cancel", {"when": "now", "why": "other", "note": "a patient moved away"}),
        ("credit", {"direction": "give", "amount": "-5"}),
        ("change-plan", {"price": str(price("practice-euro").public_id), "quantity": "1", "settle": "now"}),
        ("change-plan", {"price": str(price("practice-monthly").public_id), "quantity": "1", "settle": "now"}),
        ("restart-period", {"credit": "now", "confirmed": "yes", "as_of": "yesterday"}),
        ("restart-period", {"credit": "now", "confirmed": "yes", "as_of": "2029-01-01T00:00:00+00:00"}),
    ):
        admin.post("refused/input.html", address("office", active, act), {**WHY, **given})
    new, declined = stage.offices["no-customer"].pk, {"payment_method": "pm_card_chargeCustomerFail"}
    start = {**typed("subscribe", ""), **declined, "confirmed": "yes"}
    admin.post("refused/declined.html", address("office", new, "subscribe"), start)
    paid = dict(payments(stage))["active-1-succeeded"]
    for amount in ("199.01", "0", "1.005"):
        admin.post("refused/input.html", address("payment", paid, "refund"), {**WHY, "amount": amount})


def worked_off(admin: Admin) -> None:
    """The worklist, in each of its views."""
    page, views = "/admin/billing/followup/", ("", "?what=trial", "?what=card", "?whose=all&sort=amount")
    for view in (*views, "?whose=mine", "?whose=snoozed", "?whose=unassigned"):
        admin.get("lists/worklist.html", page + view)


def in_bulk(admin: Admin, stage: Stage) -> None:
    """Acts on many Offices: the page before, what is refused, how far it is, and its end."""
    begin, offices = "/admin/billing/bulkact/begin/", "/admin/billing/office/"
    shown = admin.client.get("/admin/billing/followup/").content.decode()
    listed = admin.client.get(offices).content.decode()
    kinds = {*re.findall(r'name="act" value="(\w+)"', shown), *re.findall(r'value="bulk_(\w+)"', listed)}
    assert kinds == set(BULK), "say in BULK what is typed into the page before"
    chosen = {state: stage.offices[state].pk for state in ("canceled", "archived", "active", "no-card")}
    given = {"action": "bulk_archive", "_selected_action": list(chosen.values())}
    admin.post("bulk/from-the-list.html", offices, given)
    for keys in ("", "x", "9999"):
        admin.post("bulk/none.html", begin, {"act": "assign", "offices": keys, "asked": "yes"})
    admin.post("bulk/none.html", begin, {"act": "no such", "offices": "1"})
    admin.get("bulk/none.html", begin)
    for kind in sorted(kinds, key=("archive unarchive assign write_note snooze send_card_link pay_now").split().index):
        page, about = f"bulk/{kind}.html", {"act": kind, "offices": ",".join(map(str, chosen.values()))}
        about |= in_second_step(admin.post(page, begin, about).content.decode())
        admin.post(page, begin, {**about, "asked": "yes", "why": "other", "note": "", "kind": "x", "until": "x"})
        answer = admin.post(page, begin, {**about, "asked": "yes", **WHY, **BULK[kind]})
        if kind == "pay_now":  # nothing that is due is left: the page says so of each Office
            continue
        admin.get(page, answer.headers["Location"])
        carried_on(answer.headers["Location"])
        admin.get(page, answer.headers["Location"])
        stage.a_minute_later()
    answer = admin.post("bulk/stopped.html", begin, {"act": "write_note", "offices": "1,2", "asked": "yes", **A_NOTE})
    admin.subject("bulk/stopped", answer.headers["Location"])
    admin.carry_out("bulk/stopped.html", answer.headers["Location"].replace("change/", "stop/"))
    carried_on(answer.headers["Location"])
    admin.get("bulk/stopped.html", answer.headers["Location"])


def carried_on(path: str) -> None:
    """What a worker does of the bulk act at this address."""
    number = path.removesuffix("change/").rstrip("/").rpartition("/")[2]
    while running.go_on(number):
        pass


def of_plans(admin: Admin, stage: Stage) -> None:
    """A plan from its first price to its end, and a move of Offices from one price to another."""
    admin.carry_out("done/plan-add.html", "/admin/billing/plan/add/")
    plan = Plan.objects.get(code="clinic").pk
    for act in ("add-price", "rename", "retire-price", "publish", "retire"):
        admin.carry_out(f"done/plan-{act}.html", address("plan", plan, act))
        stage.a_minute_later()
    admin.get("done/plan-retired.html", address("plan", plan))
    page, path = "done/plan-move.html", address("plan", price("practice-monthly").plan.pk, "move")
    given = {"old": str(price("practice-monthly").public_id), "new": str(price("practice-yearly").public_id)}
    admin.post(page, path, {**WHY, **given, "when": "not_at_all"})
    answer = admin.post(page, path, {**WHY, **given, "when": "now"})
    move = answer.headers["Location"]
    admin.get(page, move)
    carried_on(move)
    admin.get(page, move)
    for _ in range(2):
        admin.post(page, move, {})
    for key in BulkAct.objects.filter(ended_at=None).values_list("pk", flat=True):
        carried_on(str(key))
    admin.get(page, move)


def carried_out(admin: Admin, stage: Stage) -> None:
    """One after the other."""
    trying, cheaper = (stage.offices[one].pk for one in ("trialing", "discounted"))
    fresh, gone = stage.offices["payment-link"].pk, stage.offices["archived"].pk
    steps = [
        *((fresh, act) for act in ("withdraw-link", "payment-link", "withdraw-link", "subscribe", "charge", "credit")),
        *((fresh, act) for act in ("contact", "portal", "link-card", "compare", "restart-period", "apply-discount")),
        *((fresh, act) for act in ("make-discount", "remove-discount", "note", "assign", "snooze")),
        *((fresh, act) for act in ("pause-collection", "resume-collection", "cancel", "resume-renewal")),
        *((trying, act) for act in ("move-trial-end", "change-plan")),
        *((cheaper, act) for act in ("remove-discount", "change-plan")),
        *((gone, act) for act in ("unarchive", "archive")),
    ]
    for number, (pk, act) in enumerate(steps, 1):
        admin.carry_out(f"done/{number:02}-{act}.html", address("office", pk, act))
        stage.a_minute_later()
    sent = admin.client.post(address("office", fresh, "link-card"), {**WHY, "make_default": "on"}).content.decode()
    made = re.findall(r'name="operation" value="([^"]+)"', sent)
    for operation in (*made, *made, "x"):
        admin.post("done/send-link.html", address("office", fresh, "send-link"), {"operation": operation})
    rows = dict(invoices(stage))
    failed = next(pk for name, pk in rows.items() if name.startswith("past-due") and name.endswith("open"))
    for act, pk in (
        ("retry", failed),
        ("send", rows["active-3-open"]),
        ("pay", rows["active-5-uncollectible"]),
        ("credit-note", rows["past-due-1-paid"]),
    ):
        admin.carry_out(f"done/invoice-{act}.html", address("invoice", pk, act))
        stage.a_minute_later()
    admin.carry_out(
        "done/payment-refund.html", address("payment", dict(payments(stage))["past-due-1-succeeded"], "refund")
    )
    findings = {row.kind: row.pk for row in Finding.objects.order_by("-pk")}
    for kind, act in (
        *(("drift", "compare"), ("drift", "close")),
        *(("customer_not_linked", "link"), ("unknown_customer", "adopt"), ("unknown_customer", "close")),
    ):
        admin.carry_out(f"done/finding-{kind}-{act}.html", address("finding", findings[kind], act))
    for name, pk in (("past-due", stage.offices["past-due"].pk), ("payment-link", fresh)):
        admin.get(f"done/office-{name}.html", address("office", pk))
    for path in (
        *("agreement/prepare-executed/", "agreement/1/withdraw/", "reconciliation/1/end/"),
        *("office/export/", "invoice/export/", "journal/", "emergencyrole/1/end/"),
        *(f"serviceidentity/1/{act}/" for act in ("rotate", "end-old-secret", "end")),
    ):
        admin.carry_out(f"done/{path.strip('/').replace('/', '-')}.html", f"/admin/billing/{path}")
    for path in ("reconciliation/compare-all/", "receivedevent/replay-all/"):
        admin.post(f"done/{path.strip('/').replace('/', '-')}.html", f"/admin/billing/{path}", {})
    active = stage.offices["active"].pk
    stage.stripe.fail_next("503", method="GET", path_prefix="/v1/invoices/")
    admin.post("refused/stripe-away.html", address("invoice", rows["active-1-paid"], "open-pdf"), {})
    stage.stripe.fail_next("503", method="POST", path_prefix="/v1/subscriptions/")
    admin.post("refused/stripe-away.html", address("office", active, "pause-collection"), PAUSE)
    admin.post("refused/stripe-away.html", address("office", active, "pause-collection"), PAUSE)


# ── the API ───────────────────────────────────────────────────────────────────────────────────────────────────


API = "/api/v1"
STAFF = {"reason": "agreed"}
OFFICE_AT = f"{API}/offices/{{public_id}}"
GOOD: dict[str, dict[str, Any]] = {
    "second-factor/": {"required_of_members": True},
    "subscription/": {"payment_method": "pm_card_visa"},
    "subscription/preview/": {},
    "subscription/payment-link/": {},
    "subscription/payment-link/withdraw/": {},
    "subscription/waiting/end/": {},
    "subscription/cancel/": {"at_period_end": True},
    "subscription/cancel-on-date/": {"at": "2030-02-20T10:00:00Z"},
    "subscription/cancel-on-date/preview/": {"at": "2030-04-30T10:00:00Z"},
    "subscription/resume-renewal/": {},
    "subscription/change/": {"settle": "next_invoice"},
    "subscription/change/preview/": {"settle": "now"},
    "subscription/trial-end/": {"at": None},
    "subscription/trial-end/preview/": {"at": None},
    "subscription/restart-period/": {"credit": "now"},
    "subscription/restart-period/preview/": {"credit": "now"},
    "subscription/pause-collection/": {"invoices_become": "void", "until": "2030-06-01T10:00:00Z"},
    "subscription/resume-collection/": {},
    "subscription/discount/": {"code": "FIFTH"},
    "subscription/discount/preview/": {"code": "FIFTH"},
    "subscription/discount/remove/": {},
    "subscription/discount/remove/preview/": {},
    "payments/{payment_id}/refund/": {"amount": 5000},
    "payments/{payment_id}/refund/preview/": {"amount": 5000},
    "payment-methods/": {},
    "payment-methods/link/": {"make_default": False},
    "payment-methods/{card_id}/default/": {},
    "payment-methods/{card_id}/remove/": {},
    "contact/": {"name": "Renamed Practice", "locale": "es"},
    "portal/": {},
    "credit/": {"amount": 2500},
    "credit/preview/": {"amount": -2500},
    "archive/": {},
    "unarchive/": {},
    "invoices/{invoice_id}/pay/": {},
    "invoices/{invoice_id}/retry/": {},
    "invoices/{invoice_id}/send/": {},
    "invoices/{invoice_id}/void/": {},
    "invoices/{invoice_id}/uncollectible/": {},
    "invoices/{invoice_id}/credit-note/": {"amount": 1000, "to": "due"},
    "invoices/{invoice_id}/credit-note/preview/": {"amount": 1000, "to": "due"},
    "charges/": {"charge": "training", "amount": 30000, "days_until_due": 14},
    "charges/preview/": {"charge": "training", "amount": 30000},
    "approvals/{approval_id}/preview/": {},
    "approvals/{approval_id}/approve/": {"as_of": "2030-01-15T12:00:00Z"},
    "approvals/{approval_id}/turn-down/": {},
    "approvals/{approval_id}/withdraw/": {},
    "members/": {"email": "outsider@elsewhere.example", "role": "viewer"},
    "members/{person_id}/change/": {"role": "manager"},
    "members/{person_id}/remove/": {},
    "invitations/{invitation_id}/withdraw/": {},
}
PRICED = {
    "subscription/": "practice-monthly",
    "subscription/preview/": "practice-monthly",
    "subscription/payment-link/": "practice-monthly",
    "subscription/change/": "practice-yearly",
    "subscription/change/preview/": "practice-yearly",
}


def good(rest: str) -> dict[str, Any]:
    assert rest in GOOD, f"{rest}: say in GOOD what is sent there"
    body = {**GOOD[rest], **STAFF}
    return {**body, "price": str(price(PRICED[rest]).public_id)} if rest in PRICED else body


@functools.cache
def api() -> Client:
    """One for all: a new client builds all middleware anew."""
    return Client(raise_request_exception=False)


@dataclass
class Caller:
    """Somebody with a token, or without. What is asked and answered is put into the book."""

    book: Book
    token: str = ""

    def ask(self, page: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        sent = json.dumps(body) if body is not None else ""
        answer = api().generic(method, path, sent, content_type="application/json", headers=headers)
        asked = " ".join([method, path, *(f"[{name}: {headers[name]}]" for name in headers if name in TOLD)])
        self.book.add(page, exchange(asked, answer, body))
        return answer

    def sign_in(self, email: str) -> "Caller":
        given = {"email": email, "password": PASSWORD}
        return Caller(self.book, self.ask("sign-in.txt", "POST", f"{API}/auth/token/", given).json()["token"])


TOLD = ("Idempotency-Key", "If-None-Match")
Address = tuple[str, str, dict[str, Any]]
"""Method, path, and the names of what its body may hold."""


def test_the_openapi_document(db):
    book = Book("openapi")
    book.add("schema.yaml", Client().get(f"{API}/schema/").content.decode())
    book.close()


def addresses() -> list[Address]:
    document = Client().get(f"{API}/schema/?format=json").json()
    found = []
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            shape = document["components"]["schemas"].get(content.get("$ref", "").rpartition("/")[2], {})
            found.append((method.upper(), path, shape.get("properties", {})))
    return sorted(found, key=str)


def sent_for_approval(office: Office) -> Any:
    """A credit above the limit, which the operator asked for."""
    by = actor.person(User.objects.get(email="operator@vendor.example"))
    with contextlib.suppress(errors.SentForApproval):
        perform(AdjustCredit(amount=900_000), office, by=by, reason="goodwill")
    return office.approval_requests.get().public_id


def invited_to(office: Office) -> Any:
    """An invitation that the owner made."""
    by = actor.person(User.objects.get(email="owner@maple.example"))
    made = invitations.invite("waiting@maple.example", "viewer", office=office, by=by)
    assert made
    return made.public_id


def test_the_api(from_one_on, stripe, settings):
    book = Book("api")
    settings.APPROVAL_LIMITS = {"usd": 200_000}
    stage = Stage(stripe, signed_in(staff("operator")))
    active, trying, new = (stage.office(one, f"{one.title()} Practice") for one in ("active", "trying", "new"))
    stage.subscribe(active)
    stage.second_card(active)
    sent = [stage.charge(active, "training", "300", 14) for _ in range(5)]
    stage.subscribe(trying, trial_days="14")
    stripe.post("coupons", id="FIFTH", name="A fifth", percent_off=20, duration="forever")
    stripe.post("promotion_codes", code="SPRING", **{"promotion[type]": "coupon", "promotion[coupon]": "FIFTH"})
    for role in ("owner", "viewer"):
        a_member(active, role)
    a_person("outsider@elsewhere.example")
    nobody = Caller(book)
    for given in ({}, {"email": "owner@maple.example", "password": "wrong"}, {"email": 1, "password": {}}):
        nobody.ask("sign-in.txt", "POST", f"{API}/auth/token/", given)
    operator, owner = nobody.sign_in("operator@vendor.example"), nobody.sign_in("owner@maple.example")
    viewer, outsider = nobody.sign_in("viewer@maple.example"), nobody.sign_in("outsider@elsewhere.example")

    invoice = active.invoices.get(pk=sent[0])
    ids = {"public_id": active.public_id, "invoice_id": invoice.public_id}
    ids |= {"payment_id": active.payments.earliest("pk").public_id}
    ids |= {"person_id": User.objects.get(email="viewer@maple.example").public_id}
    ids |= {"approval_id": sent_for_approval(active)}
    ids |= {"invitation_id": invited_to(active)}
    ids |= {"card_id": active.payment_methods.get(brand="mastercard").public_id}
    found = addresses()
    assert len(found) > 50
    reads = [
        path for method, path, _ in found if method == "GET" and not path.startswith((f"{API}/schema", f"{API}/docs"))
    ]
    for path in reads:
        page = f"read/{named(path)}"
        operator.ask(page, "GET", path.format(**ids))
        for who in (viewer, outsider, nobody):
            who.ask(page, "GET", path.format(**ids))
    for method, path, fields in found:
        if method != "GET" and path.startswith(OFFICE_AT):
            written(f"write/{named(path)}", method, path, fields, ids, operator, owner, viewer, outsider, nobody)
    for query in ("?status=open", "?status=none", "?page_size=2", "?from=2030-01-15T12:03:00Z", "?from=soon"):
        viewer.ask("read/invoices-filtered.txt", "GET", f"{API}/offices/{active.public_id}/invoices/{query}")
    for query in ("?from=2030-01-15T12:03:00Z&to=2030-01-15T12:05:00Z", "?to=never"):
        viewer.ask("read/statement-filtered.txt", "GET", f"{API}/offices/{active.public_id}/statement/{query}")
    for office in (trying, new):
        for rest in (
            "",
            "subscription/",
            "entitlement/",
            "standing/",
            "cycles/",
            "invoices/upcoming/",
            "payment-methods/",
        ):
            operator.ask(
                f"read/other-{office.name.split()[0].lower()}.txt", "GET", f"{API}/offices/{office.public_id}/{rest}"
            )
    succeeded(stage, sent, ids, operator, owner, nobody)
    for path in reads:
        operator.ask(f"afterwards/{named(path)}", "GET", path.format(**ids))
    operator.ask("sign-in.txt", "POST", f"{API}/auth/sign-out/")
    operator.ask("sign-in.txt", "GET", f"{API}/offices/")
    book.close()


def named(path: str) -> str:
    rest = path.removeprefix(f"{API}/").replace("{public_id}/", "").replace("{", "").replace("}", "")
    return f"{rest.strip('/').replace('/', '-')}.txt"


def written(
    page: str,
    method: str,
    path: str,
    fields: dict[str, Any],
    ids: dict[str, Any],
    operator: Caller,
    owner: Caller,
    viewer: Caller,
    outsider: Caller,
    nobody: Caller,
) -> None:
    """What an address answers without anything being done."""
    at, rest = path.format(**ids), path.removeprefix(f"{OFFICE_AT}/")
    body = good(rest)
    operator.ask(page, method, at, {})
    operator.ask(page, method, at, {name: {"not": "this"} for name in fields})
    if others := sorted(fields.keys() - STAFF.keys()):
        operator.ask(page, method, at, {**body, **dict.fromkeys(others, "nonsense")})
    operator.ask(page, method, at, [])
    operator.ask(page, method, at, {**body, "reason": "other"})
    operator.ask(page, method, at, body, **{"Idempotency-Key": "not ours"})
    for who in (viewer, outsider, nobody):
        who.ask(page, method, at, body)
    if rest.endswith("preview/"):
        operator.ask(page, method, at, body)
        owner.ask(page, method, at, body)
    elsewhere = dict.fromkeys(ids, "00000000-0000-4000-8000-000000000000")
    operator.ask(page, method, path.format(**{**elsewhere, "public_id": ids["public_id"]}), {"reason": "other"})


def succeeded(
    stage: Stage, sent: list[int], ids: dict[str, Any], operator: Caller, owner: Caller, nobody: Caller
) -> None:
    """One after the other, each with its repetition under the same key."""
    active, trying, new = (stage.offices[one] for one in ("active", "trying", "new"))
    visa = active.payment_methods.get(brand="visa").public_id
    first, second, third, fourth, fifth = (active.invoices.get(pk=pk).public_id for pk in sent)
    steps: list[tuple[Caller, Office, str, dict[str, Any]]] = [
        (operator, new, "subscription/payment-link/", {}),
        (operator, new, "subscription/payment-link/withdraw/", {}),
        (operator, new, "subscription/", {"payment_method": "pm_card_chargeCustomerFail"}),
        (operator, new, "subscription/", {}),
        (operator, trying, "subscription/trial-end/", {}),
        (owner, active, "subscription/cancel/", {}),
        (owner, active, "subscription/resume-renewal/", {}),
        (operator, active, "subscription/cancel-on-date/", {}),
        (operator, active, "subscription/resume-renewal/", {}),
        (operator, active, "subscription/pause-collection/", {}),
        (operator, active, "subscription/resume-collection/", {}),
        (owner, active, "subscription/discount/", {"code": "SPRING"}),
        (owner, active, "subscription/discount/remove/", {}),
        (operator, active, "subscription/restart-period/", {}),
        (owner, active, "subscription/change/", {}),
        (owner, active, "contact/", {}),
        (owner, active, "portal/", {}),
        (operator, active, "credit/", {}),
        (owner, active, "payment-methods/", {}),
        (owner, active, "payment-methods/link/", {}),
        (owner, active, "payment-methods/{card_id}/default/", {}),
        (owner, active, f"payment-methods/{visa}/default/", {}),
        (owner, active, "payment-methods/{card_id}/remove/", {}),
        (operator, active, "charges/", {}),
        (operator, active, f"invoices/{first}/send/", {}),
        (operator, active, f"invoices/{first}/credit-note/", {}),
        (owner, active, f"invoices/{first}/pay/", {}),
        (owner, active, f"invoices/{second}/retry/", {}),
        (operator, active, f"invoices/{second}/void/", {}),
        (operator, active, f"invoices/{third}/uncollectible/", {}),
        (operator, active, "payments/{payment_id}/refund/", {}),
        (operator, new, "subscription/cancel/", {"at_period_end": False}),
        (operator, new, "archive/", {}),
        (operator, new, "unarchive/", {}),
        (owner, active, "members/", {}),
        (owner, active, "members/{person_id}/change/", {}),
        (owner, active, "members/{person_id}/remove/", {}),
        (owner, active, "members/", {"email": INVITED["email"]}),
        (owner, active, "invitations/{invitation_id}/withdraw/", {}),
    ]
    for number, (who, office, rest, other) in enumerate(steps, 1):
        known = re.sub(r"invoices/[^/]+", "invoices/{invoice_id}", rest)
        known = re.sub(r"payment-methods/[^/]+/(?=\w)", "payment-methods/{card_id}/", known)
        path, page = f"{API}/offices/{office.public_id}/{rest.format(**ids)}", f"done/{number:02}-{named(known)}"
        body = {**good(known), **other}
        key = {"Idempotency-Key": f"step {number}".replace(" ", "-")}
        for _ in range(2):
            who.ask(page, "POST", path, body, **key)
        who.ask(page, "POST", path, {**body, "reason": "goodwill"}, **key)
        stage.a_minute_later()
    stage.stripe.fail_next("503", method="POST", path_prefix="/v1/invoices/")
    away, key = f"{API}/offices/{active.public_id}/invoices/{fourth}/void/", {"Idempotency-Key": "away"}
    for _ in range(2):
        operator.ask("done/stripe-away.txt", "POST", away, STAFF, **key)
    operator.ask("done/stripe-away.txt", "POST", away.replace(str(fourth), str(fifth)), STAFF)
