"""Services in the admin: an administrator makes one, sees its token once, gives it another secret, and ends it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing import clock
from billing.models import AuditEntry, ServiceIdentity
from tests.api.services import a_service, asking
from tests.api.test_api import path
from tests.conftest import an_office

pytestmark = pytest.mark.usefixtures("one_connection")

ADD = reverse("admin:billing_serviceidentity_add")
LIST = reverse("admin:billing_serviceidentity_changelist")
TOKEN = re.compile(r"obs_[0-9a-f]{12}_[\w-]{43}")


def at(service, act="change"):
    return reverse("admin:billing_serviceidentity_" + act, args=[service.pk])


def form(**given):
    day = (clock.wall() + timedelta(days=90)).date()
    return {"name": "Practice software", "scopes": ["entitlement:read"], "all_offices": "on", "last_day": day, **given}


@pytest.fixture
def staff(administrator):
    client = Client()
    client.force_login(administrator.user)
    return client


def test_the_token_is_shown_once_on_a_page_that_no_browser_stores(staff, office, administrator):
    answer = staff.post(ADD, form(networks="127.0.0.0/8\n2001:db8::/48"))

    [token, *_] = TOKEN.findall(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    service = ServiceIdentity.objects.get()
    assert service.networks == ["127.0.0.0/8", "2001:db8::/48"]
    assert asking(token).get(path(office, "entitlement/")).status_code == 200
    assert asking(token).get(path(office)).status_code == 403
    assert not TOKEN.search(staff.get(at(service)).content.decode())
    made = AuditEntry.objects.get_for_object(service).order_by("pk").first()
    assert (made.actor, made.action) == (administrator.user, AuditEntry.Action.CREATE)


def test_it_is_valid_through_its_last_day(staff):
    staff.post(ADD, form(last_day=clock.wall().date()))

    service = ServiceIdentity.objects.get()
    assert service.is_valid(clock.wall())
    assert (service.expires_at.hour, service.expires_at.date()) == (0, clock.wall().date() + timedelta(days=1))


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"scopes": []}, "scopes", "required"),
        ({"scopes": ["everything"]}, "scopes", "not one of the available choices"),
        ({"all_offices": ""}, "offices", "Name the Offices that it may see"),
        ({"networks": "203.0.113.7/24"}, "networks", "This is not a network"),
        ({"networks": "the office"}, "networks", "This is not a network"),
        ({"last_day": "2020-01-01"}, "last_day", "today or later"),
        ({"last_day": (clock.wall() + timedelta(days=1_000)).date()}, "last_day", "at most two years"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(staff, given, field, says):
    answer = staff.post(ADD, form(**given))

    assert answer.status_code == 200
    assert says in " ".join(answer.context["adminform"].form.errors[field])
    assert not ServiceIdentity.objects.exists()


def test_offices_are_named_or_all_are_chosen_not_both(staff, office):
    other = an_office("Another Practice")
    both = staff.post(ADD, form(offices=[office.pk]))
    assert both.context["adminform"].form.errors["offices"]

    shown = staff.post(ADD, form(offices=[office.pk], all_offices=""))

    [token, *_] = TOKEN.findall(shown.content.decode())
    assert asking(token).get(path(office, "entitlement/")).status_code == 200
    assert asking(token).get(path(other, "entitlement/")).status_code == 404


def test_what_it_may_do_can_be_changed_but_not_its_name(staff, office, administrator):
    service, token = a_service(office, by=administrator, scopes=["entitlement:read"])
    changed = form(name="Another name", scopes=["offices:read"], offices=[], all_offices="on")
    changed["stamp"] = staff.get(at(service)).context["stamp"]

    assert staff.post(at(service), changed).status_code == 302

    service.refresh_from_db()
    assert (service.name, service.scopes, service.all_offices) == ("Practice software", ["offices:read"], True)
    assert asking(token).get(path(office, "entitlement/")).status_code == 403
    seen = [set(one.changes) for one in AuditEntry.objects.get_for_object(service) if one.actor == administrator.user]
    assert {"scopes", "all_offices", "expires_at"} in seen
    assert {"offices"} in seen


def test_another_secret_is_made_and_the_old_one_is_ended(staff, office, administrator):
    service, old = a_service(by=administrator)
    answer = staff.post(at(service, "rotate"), {"overlap_hours": "24", "reason": "every quarter"})

    [new, *_] = TOKEN.findall(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    page = staff.get(at(service)).content.decode()
    assert at(service, "rotate") not in page
    assert at(service, "end_old_secret") in page
    again = staff.post(at(service, "rotate"), {"overlap_hours": "24", "reason": "too early"})
    assert "End the old secret first" in again.content.decode()

    staff.post(at(service, "end_old_secret"), {"reason": "it uses the new one"})

    assert [asking(one).get(path(office)).status_code for one in (old, new)] == [401, 200]


def test_an_ended_service_stays_ended_whatever_an_old_page_sends(staff, office, administrator):
    service, token = a_service(by=administrator)
    staff.post(at(service, "end"), {"reason": "replaced"})

    assert asking(token).get(path(office)).status_code == 401
    assert staff.post(at(service), form()).status_code == 403
    assert "has ended or expired" in staff.post(at(service, "rotate"), {"overlap_hours": "0", "reason": "again"}).text
    page = staff.get(at(service)).content.decode()
    assert "its token was used after the service had been ended" in page
    assert not any(at(service, act) in page for act in ("rotate", "end_old_secret", "end"))


@pytest.mark.parametrize("who", ["operator", "auditor"])
def test_others_look_and_do_not_change(request, administrator, who):
    service, _ = a_service(by=administrator)
    client = Client()
    client.force_login(request.getfixturevalue(who).user)

    assert client.get(LIST).status_code == 200
    assert client.get(at(service)).status_code == 200
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, form()).status_code == 403
    assert client.post(at(service), form()).status_code == 403
    for act in ("rotate", "end_old_secret", "end"):
        assert client.post(at(service, act), {"reason": "no role for it"}).status_code == 403


@pytest.mark.parametrize(("days", "says"), [(20, "expires soon"), (-1, "has expired"), (200, "")])
def test_the_first_page_tells_of_a_service_before_it_is_refused(staff, administrator, days, says):
    a_service(by=administrator)
    ServiceIdentity.objects.update(expires_at=clock.wall() + timedelta(days=days))

    page = staff.get("/admin/").content.decode()

    assert ("The service Practice software" in page) is bool(says)
    assert says in page
