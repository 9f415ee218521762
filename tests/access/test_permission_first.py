"""Whoever may not ask for something is told so before a word of theirs is read, and no word of it is kept."""

import re
from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from billing import errors
from billing.admin.acts import Act
from billing.admin.acts.pages import ActsAdmin
from billing.audit import actor
from billing.models import AuditEntry, User
from billing.operations.engine.begin import perform
from billing.operations.engine.registry import REGISTRY
from tests.access.addresses import API, ROLES, named
from tests.access.test_matrix import furnished, rows
from tests.conftest import a_member, a_person
from tests.operations.test_permissions import MAY, the_subject
from tests.test_refused_text import ABOUT_A_PATIENT, MARK, everything_kept


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=lambda declared: declared.__name__)
@pytest.mark.parametrize("who", ["viewer", "auditor", "support", "outsider"])
def test_an_operation(stripe, office, declared, who):
    staff = who in ("auditor", "support")
    user = a_member(office, who) if who == "viewer" else a_person(f"{who}@vendor.example", group=who if staff else "")
    _, given = MAY[declared]

    with pytest.raises(errors.NotPermitted):
        perform(declared(**given), the_subject(declared, office), by=actor.person(user), reason=ABOUT_A_PATIENT)

    assert MARK not in everything_kept()
    assert AuditEntry.objects.filter(kind="refusal", actor=user).count() == 1


WRITES = sorted(name for (method, name), letter in API.items() if method == "POST" and letter not in "0*")


@pytest.mark.parametrize("name", WRITES)
def test_an_address_of_the_api(stripe, office, name):
    """Each field of the body holds what must not be kept, and the body as a whole is wrong."""
    letter = API["POST", name]
    role = next(one for one in ("viewer", "auditor", "manager") if letter not in ROLES[one])
    user = a_person("auditor@vendor.example", group="auditor") if role == "auditor" else a_member(office, role)
    client, ids = APIClient(), furnished(office)
    client.force_authenticate(User.objects.get(pk=user.pk))
    path, _ = named()[f"api:{name}"]
    address = reverse(f"api:{name}", kwargs={one: ids[one] for one in re.findall(r"<uuid:(\w+)>", path)})

    wrong = dict.fromkeys(("email", "role", "price", "amount", "to", "reason"), MARK)
    for number, body in enumerate(({"reason": ABOUT_A_PATIENT}, wrong, [MARK], MARK)):
        answer = client.post(address, body, format="json", headers={"Idempotency-Key": f"key-{number}"})
        assert answer.status_code == 403, answer.content
        assert answer.json()["code"] in ("not_permitted", "staff_only")
        assert MARK not in answer.content.decode()
    assert MARK not in everything_kept()


def acts() -> list[Any]:
    admins = [one for one in site._registry.values() if isinstance(one, ActsAdmin)]
    return [(one.opts.model_name, act) for one in admins for act in one.acts if isinstance(act, Act)]


@pytest.mark.parametrize(("model", "act"), acts(), ids=lambda one: getattr(one, "name", one))
def test_an_act_of_the_admin(stripe, office, administrator, operator, model, act):
    at = rows(office, administrator, operator)
    client = Client()
    client.force_login(a_person("reader@vendor.example", group="auditor"))
    fields = dict.fromkeys(act.form.base_fields, ABOUT_A_PATIENT)

    answer = client.post(f"/admin/billing/{model}/{at[model]}/{act.path}/", fields)

    assert answer.status_code == 403
    assert MARK not in answer.content.decode()
    assert MARK not in everything_kept()
    assert AuditEntry.objects.filter(kind="refusal", actor_label="reader@vendor.example").count() == 1
