"""Each list takes few statements, however many rows it shows: among the rows of the benchmark of pages."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.audit import actor, trail
from tests.benchmarks import bulk
from tests.conftest import OPERATOR, a_person

MOST = {"plan": 6, "workerheartbeat": 10, "followup": 7}
"""Of others 5: the session, the person, what the person may do, the rows, and what a filter or a column shows.

Plans show their prices, and what is counted of each. Workers show what waits at this moment. The worklist shows what is
asked for, what was tried, and what is under way.
"""
LISTS = sorted(str(model._meta.model_name) for model in admin.site._registry)


@pytest.fixture
def staff(db):
    person = a_person("staff@vendor.example", group=OPERATOR)
    with trail.acting(actor.job("tests")):
        person.groups.set(Group.objects.exclude(name="support"))
    browser = Client()
    browser.force_login(person)
    return browser


def test_each_list_takes_few_statements(staff):
    bulk.make(0)

    taken = {}
    for name in LISTS:
        address = reverse(f"admin:billing_{name}_changelist")
        assert staff.get(address).status_code == 200, name  # who looked is written once
        with CaptureQueriesContext(connection) as asked:
            staff.get(address)
        taken[name] = [one["sql"][:200] for one in asked if one["sql"].lstrip("(").startswith("SELECT")]

    many = {name: asked for name, asked in taken.items() if len(asked) > MOST.get(name, 5)}
    assert len(taken) == len(LISTS) > 20
    assert not many, "\n".join(f"{name}, {len(asked)}:\n  " + "\n  ".join(asked) for name, asked in many.items())
