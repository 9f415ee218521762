"""Whatever staff change in the admin leaves an entry with the one who did it: every act, and every form that is saved.

The walk comes from the table of the admin's addresses. What is new there fails until it can be done here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from billing import clock
from billing.access import services
from billing.admin.acts import Button, Click, OperationAct
from billing.admin.acts.pages import ActsAdmin
from billing.admin.readonly import ReadOnly
from billing.audit import actor, seals, trail
from billing.bulk import running
from billing.findings import report
from billing.models import (
    Agreement,
    BulkAct,
    Finding,
    Notification,
    Office,
    PlanPrice,
    ReceivedEvent,
    ServiceIdentity,
    User,
)
from billing.operations.engine.begin import perform
from billing.operations.offices.cards import MakeCardLink
from billing.operations.offices.customer import EnsureCustomer
from billing.reconciliation.runs import reconcile
from tests.access.addresses import ADMIN, LISTS
from tests.access.test_matrix import rows
from tests.access.test_stamps import opened
from tests.admin import test_plans, test_services
from tests.admin.test_agreements import EXECUTED, NOT_REQUIRED
from tests.admin.test_findings import a_customer
from tests.audit.test_walk import WAYS, entries_after, last
from tests.conftest import ADMINISTRATOR, a_person, price, subscribed_office
from tests.operations.test_lost_answers import REASON

WHY, WITHOUT = {"reason": REASON}, {"csrfmiddlewaretoken": "x"}


@dataclass
class Stage:
    """``at`` has the key of a row of each model that has pages."""

    stripe: Any
    office: Office
    operator: actor.Actor
    administrator: actor.Actor
    who: User
    client: Client
    at: dict[str, int]

    @property
    def by(self) -> actor.Actor:
        return actor.person(self.who)

    def post(self, model: str, act: str, given: dict[str, Any], *, of: Any = None) -> Any:
        key = of.pk if of is not None else self.at[model]
        return self.client.post(f"/admin/billing/{model}/{key}/{act.replace('_', '-')}/", given)

    def post_to(self, name: str, given: dict[str, Any]) -> Any:
        return self.client.post(reverse(f"admin:billing_{name}"), given)

    def saved(self, row: Any, **changed: Any) -> Any:
        page, form = opened(self.client, row, **changed)
        return self.client.post(page, {name: value for name, value in form.items() if value is not None})


@pytest.fixture
def stage(stripe, office, operator, administrator) -> Stage:
    at = rows(office, administrator, operator)
    who, client = a_person("walker@vendor.example", group=ADMINISTRATOR), Client()
    client.force_login(who)
    return Stage(stripe, office, operator, administrator, who, client, at)


def button_of(name: str) -> Button | None:
    _, model, act = name.split("_", 2)
    of = next((one for one in site._registry.values() if one.opts.model_name == model), None)
    return next((one for one in of.acts if one.name == act), None) if isinstance(of, ActsAdmin) else None


def changes_something(name: str) -> bool:
    _, model, page = name.split("_", 2)
    if (
        page in ("changelist", "history", "delete", "examples")
        or ADMIN[name] == "-"
        or isinstance(button_of(name), Click)
    ):
        return False
    of = next((one for one in site._registry.values() if one.opts.model_name == model), None)
    return page != "change" or not isinstance(of, ReadOnly)


def compare(stage: Stage) -> Any:
    perform(EnsureCustomer(), stage.office, by=stage.operator, reason=REASON)
    return stage.post("office", "compare", {"why": "agreed"})


def send_link(stage: Stage) -> Any:
    perform(MakeCardLink(), stage.office, by=stage.operator, reason=REASON)
    made = stage.office.operations.get(kind="make_card_link")
    return stage.post("office", "send_link", {"operation": str(made.public_id)})


def of_finding(act: str, kind: str, **given: Any) -> Callable[[Stage], Any]:
    def done(stage: Stage) -> Any:
        about = {"metadata[office]": str(stage.office.public_id)} if act == "link" else {}
        a_customer(stage.stripe, **about)
        reconcile(by=actor.job("tests"), reason="a test")
        return stage.post("finding", act, WHY, of=Finding.objects.get(kind=kind))

    return done


def compare_finding(stage: Stage) -> Any:
    perform(EnsureCustomer(), stage.office, by=stage.operator, reason=REASON)
    office = Office.objects.get(pk=stage.office.pk)
    found = report("drift", office.payment_provider_customer_id, office=office, detail="x")
    return stage.post("finding", "compare", WHY, of=found or Finding.objects.get(kind="drift", office=office))


def without_its_view(name):
    """Remove the only view of a list that was saved."""

    def act(stage):
        of_list = f"billing_{name.removesuffix('_saved_views')}"
        User.objects.filter(pk=stage.who.pk).update(saved_views={of_list: [{"query": "x=1", "words": "x"}]})
        return stage.post_to(name, {"query": "x=1", "remove": ""})

    return act


def exported(model: str) -> Callable[[Stage], Any]:
    return lambda stage: stage.post_to(f"{model}_export", {"form": "csv", **WHY})


def parked(stage: Stage) -> None:
    ReceivedEvent.objects.update(status="parked", last_error="x")


def replay_all(stage: Stage) -> Any:
    parked(stage)
    return stage.post_to("receivedevent_replay_all", WITHOUT)


def send_mail_again(stage: Stage) -> Any:
    Notification.objects.update(state="parked", last_error="x")
    return stage.post("notification", "send_again", WITHOUT)


def of_service(act: str, **given: Any) -> Callable[[Stage], Any]:
    def done(stage: Stage) -> Any:
        with trail.acting(stage.administrator, reason=REASON):
            service = ServiceIdentity.objects.get(pk=stage.at["serviceidentity"])
            service.expires_at = service.expires_at.replace(year=service.expires_at.year + 1)
            service.scopes = ["plans:read"]
            service.save()
            services.give_secret(service, by=stage.administrator)
        if act == "end_old_secret":
            services.rotate(service, by=stage.administrator, reason=REASON, overlap_hours=24)
        if act == "change":
            page, shown = opened(stage.client, service)
            return stage.client.post(page, {"stamp": shown["stamp"], **test_services.form(**given)})
        return stage.post("serviceidentity", act, given, of=service)

    return done


def approve(stage: Stage) -> Any:
    stage.post_to("agreement_prepare_not_required", NOT_REQUIRED)
    others = a_person("third@vendor.example", group=ADMINISTRATOR)
    stage.who, stage.client = others, Client()
    stage.client.force_login(others)
    return stage.post("agreement", "approve", WHY, of=Agreement.objects.get(approved_at=None))


def vouch(stage: Stage) -> Any:
    first, second = (a_person(f"{name}@vendor.example", group=ADMINISTRATOR) for name in ("first", "second"))
    return stage.post_to("vouching_vouch", {"first": first.pk, "second": second.pk, **WHY})


def remove_second_factor(stage: Stage) -> Any:
    Authenticator.objects.create(user_id=stage.at["user"], type="totp", data={})
    return stage.post("user", "remove_second_factor", WHY)


def sign_off_a_day(stage: Stage) -> Any:
    day = (clock.wall() - timedelta(days=1)).date()
    seals.seal()
    return stage.post_to("trailreview_review", {"since": day, "until": day, "note": REASON})


def tomorrow() -> str:
    return (clock.wall() + timedelta(days=2)).date().isoformat()


def a_price(stage: Stage) -> PlanPrice:
    terms = {"currency": "usd", "unit_amount": 4_900, "interval": "month"}
    with trail.acting(stage.administrator, reason=REASON):
        return PlanPrice.objects.get_or_create(plan_id=stage.at["plan"], code="of-the-walk", defaults=terms)[0]


def make_plan(stage: Stage) -> Any:
    given = test_plans.form()
    shown = stage.client.post(test_plans.ADD, given).context["preview"]
    return stage.post_to("plan_add", {**given, "confirmed": "yes", "repeated": shown.confirms})


def of_plan(act: str, **given: Any) -> Callable[[Stage], Any]:
    def done(stage: Stage) -> Any:
        chosen = {"price": str(a_price(stage).public_id), **given}
        sent = {**test_plans.form(price_code="another"), **chosen}
        shown = stage.post("plan", act, sent).context_data["preview"] if act == "add_price" else None
        return stage.post("plan", act, {**sent, "confirmed": "yes", "repeated": shown.confirms} if shown else sent)

    return done


def preview_a_move(stage: Stage) -> Any:
    subscribed_office(stage.office, by=stage.operator)
    old, new = price("practice-monthly"), price("seats-monthly")
    given = {"old": str(old.public_id), "new": str(new.public_id), "when": "now", **test_plans.WHY}
    return stage.post("plan", "move", given, of=old.plan)


def confirm_a_move(stage: Stage) -> Any:
    page = preview_a_move(stage).headers["Location"]
    running.go_on(str(BulkAct.objects.latest("pk").pk))
    return stage.client.post(page)


def save_office(stage: Stage) -> Any:
    page = reverse("admin:billing_office_change", args=[stage.office.pk])
    sets = [one.formset.management_form for one in stage.client.get(page).context["inline_admin_formsets"]]
    counts = {one.add_prefix(name): value for one in sets for name, value in one.initial.items()}
    return stage.client.post(page, {**counts, **A_NEW_OFFICE})


A_NEW_OFFICE = {"name": "New Practice", "billing_email": "b@new.example", "time_zone": "UTC", "locale": "en"}
A_NEW_OFFICE["is_the_practices"] = "on"
CHANGING = sorted(name.removeprefix("billing_") for name in ADMIN if changes_something(name))
DONE: dict[str, Callable[[Stage], Any]] = {
    "office_compare": compare,
    "office_send_link": send_link,
    "office_invite": lambda stage: stage.post("office", "invite", {"email": "n@maple.example", "role": "viewer"}),
    "office_note": lambda stage: stage.post("office", "note", {"kind": "call", "text": "They call back"}),
    "office_assign": lambda stage: stage.post("office", "assign", {"to": str(stage.who.public_id)}),
    "office_notices": lambda stage: stage.post("office", "notices", {"why": "bounced"}),
    "office_snooze": lambda stage: stage.post("office", "snooze", {"until": tomorrow()}),
    "bulkact_begin": lambda stage: stage.post_to(
        "bulkact_begin", {"act": "assign", "office": [stage.office.pk], "to": "", "asked": "yes"}
    ),
    "bulkact_stop": lambda stage: stage.post("bulkact", "stop", WHY),
    "office_add": lambda stage: stage.post_to("office_add", A_NEW_OFFICE),
    "office_change": save_office,
    "plan_add": make_plan,
    "plan_add_price": of_plan("add_price"),
    "plan_move": preview_a_move,
    "plan_price_move": confirm_a_move,
    "plan_publish": of_plan("publish"),
    "plan_rename": of_plan("rename", name="Another"),
    "plan_retire_price": of_plan("retire_price"),
    "plan_retire": of_plan("retire"),
    "membership_add": lambda stage: stage.post_to(
        "membership_add", {"user": stage.who.pk, "office": stage.office.pk, "role": "viewer"}
    ),
    "membership_change": lambda stage: stage.saved(stage.office.memberships.get(), role="manager"),
    "user_change": lambda stage: stage.saved(User.objects.get(pk=stage.at["user"]), name="Another Name"),
    "user_invite": lambda stage: stage.post_to("invitation_invite", {"email": "n@vendor.example", "role": "operator"}),
    "user_reset_link": lambda stage: stage.post("user", "reset_link", WITHOUT),
    "user_remove_second_factor": remove_second_factor,
    "user_end_access": lambda stage: stage.post("user", "end_access", WHY),
    "invitation_invite": lambda stage: stage.post_to(
        "invitation_invite", {"email": "n@vendor.example", "role": "operator"}
    ),
    "invitation_send_again": lambda stage: stage.post("invitation", "send_again", WITHOUT),
    "invitation_withdraw": lambda stage: stage.post("invitation", "withdraw", WITHOUT),
    "finding_compare": compare_finding,
    "finding_link": of_finding("link", "customer_not_linked"),
    "finding_adopt": of_finding("adopt", "unknown_customer"),
    "finding_close": lambda stage: stage.post(
        "finding", "close", WHY, of=report("contact_missing", "1", office=None, detail="x")
    ),
    "reconciliation_end": lambda stage: stage.post("reconciliation", "end", WHY),
    "reconciliation_compare_all": lambda stage: (
        stage.post("reconciliation", "end", WHY) and stage.post_to("reconciliation_compare_all", WHY)
    ),
    "receivedevent_replay_all": replay_all,
    "notification_send_again": send_mail_again,
    "serviceidentity_add": lambda stage: stage.post_to("serviceidentity_add", test_services.form(name="Another")),
    "serviceidentity_change": of_service("change", scopes=["offices:read"]),
    "serviceidentity_rotate": of_service("rotate", overlap_hours="24", **WHY),
    "serviceidentity_end_old_secret": of_service("end_old_secret", **WHY),
    "serviceidentity_end": of_service("end", **WHY),
    "agreement_prepare_executed": lambda stage: stage.post_to("agreement_prepare_executed", EXECUTED),
    "agreement_prepare_not_required": lambda stage: stage.post_to("agreement_prepare_not_required", NOT_REQUIRED),
    "agreement_approve": approve,
    "agreement_withdraw": lambda stage: stage.post("agreement", "withdraw", WHY),
    "vouching_vouch": vouch,
    "emergencyrole_give": lambda stage: stage.post_to(
        "emergencyrole_give", {"person": stage.operator.user.pk, "role": "support", **WHY}
    ),
    "emergencyrole_end": lambda stage: stage.post("emergencyrole", "end", WHY),
    "auditentry_export": lambda stage: stage.post_to("auditentry_export", WHY),
    "trailreview_review": sign_off_a_day,
    "journal_export": lambda stage: stage.post_to(
        "journal_export", {"month": f"{clock.billing():%Y-%m}", "form": "page", **WHY}
    ),
    **{f"{model}_export": exported(model) for model in LISTS.split()},
    **{name: without_its_view(name) for name in CHANGING if name.endswith("_saved_views")},
}
OF_THE_API = {
    "approvalrequest_approve": "approve",
    "approvalrequest_turn_down": "turn-down",
    "approvalrequest_withdraw": "withdraw-request",
}
"""Acts that call what an address of the API calls, which the other walk asks: it needs three people."""


@pytest.mark.parametrize(
    "name", [name for name in CHANGING if not isinstance(button_of(f"billing_{name}"), OperationAct)]
)
def test_each_act_and_each_form_of_the_admin(stage, name):
    if name in OF_THE_API:
        return
    mark = last()
    answer = DONE[name](stage)

    assert answer.status_code in (200, 302), answer.content
    left = entries_after(mark, stage.who)
    assert left, re.findall(r'class="errorlist[^>]*>(.*?)</ul>', answer.content.decode(), re.DOTALL)
    assert all(one.request_id and one.remote_addr == "127.0.0.1" for one in left)


def test_each_operation_of_the_admin_is_one_that_the_other_walk_does():
    buttons = [one for one in (button_of(f"billing_{name}") for name in CHANGING) if isinstance(one, OperationAct)]
    assert {declared for one in buttons for declared in (one.declared, *one.or_declared)} <= set(WAYS)
    assert len(buttons) > 20
