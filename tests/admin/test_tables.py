"""What is shown inside a page is shown to everybody who sees it, but for the audit trail: its readers have a power."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from billing.models import AuditEntry
from tests.admin.test_offices import signed_in
from tests.conftest import subscribed_office

TABLES = [
    (type(page), table.model)
    for page in admin.site._registry.values()
    for table in page.inlines
    if table.model is not AuditEntry
]


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "row"), TABLES, ids=lambda one: one.__name__)
def test_who_sees_a_page_sees_the_tables_inside_it(page, row):
    model = next(model for model, found in admin.site._registry.items() if type(found) is page)

    see_the_page = Group.objects.filter(permissions__codename=f"view_{model._meta.model_name}")
    see_the_table = Group.objects.filter(permissions__codename=f"view_{row._meta.model_name}")

    assert see_the_page.exists()
    assert set(see_the_page) <= set(see_the_table)


def test_the_page_of_a_subscription_shows_its_items(stripe, operator, auditor, office):
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    row = office.subscriptions.get()

    shown = signed_in(auditor.user).get(reverse("admin:billing_subscription_change", args=[row.pk])).content.decode()

    assert "Items" in shown
    assert f"{row.plan_price.plan} × 3" in shown
