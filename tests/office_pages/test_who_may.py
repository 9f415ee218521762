"""Who may open each page of an Office: each role at its own Office, at another one, and at none."""

import re
import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from billing.access import grants
from billing.audit import actor, trail
from billing.models import AuditEntry, Membership, Office, Operation, User
from tests.access.addresses import OFFICE, PAGES, ROLES, VENDOR, named
from tests.access.test_matrix import furnished, people
from tests.conftest import an_office, rolled_back

STAFF = ("operator", "administrator")
assert set(STAFF) <= set(VENDOR)


def client_of(person: Any) -> Client:
    client = Client()
    if isinstance(person, User):
        client.force_login(person)
    return client


def address(name: str, ids: dict[str, Any]) -> str:
    wanted = re.findall(r"<uuid:(\w+)>", named()[f"office_pages:{name}"][0])
    return reverse(f"office_pages:{name}", kwargs={one: ids[one] for one in wanted})


def test_each_page_opens_to_whom_the_table_says_and_to_nobody_else(stripe, office, no_limit_is_reached):
    other = an_office("Another Practice")
    cast = people(office)
    own, foreign = furnished(office), furnished(other)
    none = dict.fromkeys(own, uuid.uuid4())
    for (method, name), letter in PAGES.items():
        for role in (*OFFICE, *STAFF, "outsider", "nobody"):
            for place, ids in {"own": own, "foreign": foreign, "none": none}.items():
                cell, refusals = f"{role}: {method} {name}, {place}", AuditEntry.objects.filter(kind="refusal")
                with rolled_back():
                    answer = client_of(cast[role]).generic(method, address(name, ids))
                    recorded = refusals.count()
                if role == "nobody":
                    assert answer.status_code == 302, cell
                    assert answer["Location"].startswith("/account/login/"), cell
                elif role not in OFFICE or place != "own":
                    assert (answer.status_code, recorded) == (404, 0), cell
                elif letter in ROLES[role]:
                    assert answer.status_code in (200, 302), cell
                else:
                    assert (answer.status_code, recorded) == (403, 1), cell
                if place != "own" or role not in OFFICE:
                    assert office.name not in answer.content.decode(), cell
                    assert other.name not in answer.content.decode(), cell


def test_an_item_of_another_office_is_on_no_page_of_ones_own(stripe, office):
    foreign = furnished(an_office("Another Practice"))
    owner = client_of(people(office)["owner"])

    for method, name in PAGES:
        path, _ = named()[f"office_pages:{name}"]
        if len(re.findall(r"_id>", path)) > 1:  # the Office's own, and that of something of it
            ids = {**foreign, "public_id": office.public_id}
            assert owner.generic(method, address(name, ids)).status_code == 404, name


def test_each_person_is_led_to_their_own_page(stripe, office):
    cast = people(office)
    owner = cast["owner"]
    first = reverse("office_pages:offices")

    assert client_of(owner).get(first)["Location"] == reverse("office_pages:office", args=[office.public_id])
    assert client_of(owner).get("/")["Location"] == first
    assert client_of(cast["operator"]).get(first)["Location"] == "/admin/"
    assert "do not belong to an Office" in client_of(cast["outsider"]).get(first).content.decode()
    assert client_of(None).get(first)["Location"] == f"/account/login/?next={first}"


def test_who_belongs_to_several_offices_chooses(stripe, office):
    owner = people(office)["owner"]
    other = an_office("Another Practice")
    join(owner, other)

    shown = client_of(owner).get(reverse("office_pages:offices")).content.decode()

    assert office.name in shown
    assert other.name in shown
    assert AuditEntry.objects.filter(kind="read", actor=owner).count() == 1


def test_an_office_that_requires_a_second_factor_leads_there(stripe, office):
    owner = people(office)["owner"]
    Office.objects.filter(pk=office.pk).update(requires_second_factor=True)

    answer = client_of(owner).get(reverse("office_pages:office", args=[office.public_id]))
    first = client_of(owner).get(reverse("office_pages:offices"))

    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_index"))
    assert office.name in first.content.decode()


def test_turned_off_there_is_no_such_page(stripe, office, settings):
    settings.OFFICE_PAGES = False
    owner = client_of(people(office)["owner"])
    ids = furnished(office)

    for method, name in PAGES:
        assert owner.generic(method, address(name, ids)).status_code == 404, name
    assert owner.get(reverse("office_pages:offices")).status_code == 404
    assert owner.get("/")["Location"] == "/account/"
    assert not Operation.objects.exists()


def join(person: User, office: Office) -> None:
    with trail.acting(actor.job("tests"), reason="the cast"):
        grants.write_grants(Membership.objects.create(user=person, office=office, role="viewer"))
