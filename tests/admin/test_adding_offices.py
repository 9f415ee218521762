"""An Office is added with a time zone and a language of a list. One that exists already is hinted at."""

import re

import pytest
from django.urls import reverse

from billing.models import AuditEntry, Office
from tests.admin.test_offices import page, signed_in
from tests.conftest import an_office

ADD = reverse("admin:billing_office_add")
FORM = {
    "name": "Elm Street Practice",
    "billing_email": "billing@elm.example",
    "time_zone": "America/Chicago",
    "locale": "es",
    "is_the_practices": "on",
    "_save": "Save",
}


def added(by, **form):
    return signed_in(by.user).post(ADD, {**FORM, **form}, follow=True)


def test_then_comes_its_own_page_with_what_is_next(stripe, operator):
    answer = added(operator)

    office = Office.objects.get()
    assert answer.redirect_chain[-1][0] == page("change/", office)
    link = f'<a class="underline" href="{page("subscribe/", office)}">start a subscription</a>'
    assert f"Next: {link}." in answer.content.decode()
    assert (office.time_zone, office.locale) == ("America/Chicago", "es")


def test_the_usual_zones_come_first_and_each_other_is_there(stripe, operator):
    shown = signed_in(operator.user).get(ADD).content.decode()

    assert shown.index('value="America/New_York"') < shown.index('value="Africa/Abidjan"')
    assert 'value="Europe/Berlin"' in shown
    assert 'value="pt-BR"' in shown


def test_a_zone_that_does_not_exist_is_refused(stripe, operator):
    assert "There is no such time zone" in added(operator, time_zone="America/Gotham").content.decode()


@pytest.mark.parametrize("form", [{"name": "MAPLE street family practice"}, {"billing_email": "Billing@Maple.example"}])
def test_one_with_the_same_name_or_address_is_hinted_at_and_saved_when_sent_again(stripe, operator, form):
    like = an_office()
    shown = added(operator, **form).content.decode()
    link = f'<a class="underline" href="{page("change/", like)}">Maple Street Family Practice</a>'
    assert f"exists: {link}. If this is another one, save again." in shown
    seen = AuditEntry.objects.get(kind="read", actor=operator.user)
    assert seen.what.endswith("by the same name or address: 1 rows")
    assert Office.objects.count() == 1

    knows_of = re.search(r'name="knows_of" value="([^"]*)"', shown)[1]
    added(operator, **form, knows_of=knows_of)

    assert Office.objects.count() == 2


def test_who_knows_of_another_one_is_hinted_again(stripe, operator):
    first = an_office()
    an_office()
    shown = added(operator, name="Maple Street Family Practice", knows_of=str(first.pk)).content.decode()

    assert "save again" in shown


def test_a_zone_and_a_language_that_were_there_before_stay(stripe, operator, office):
    Office.objects.filter(pk=office.pk).update(time_zone="America/Gotham", locale="la")
    client = signed_in(operator.user)
    inlines = [
        one.formset.management_form for one in client.get(page("change/", office)).context["inline_admin_formsets"]
    ]
    unseen = {form.add_prefix(name): form[name].value() for form in inlines for name in form.fields}
    client.post(page("change/", office), {**FORM, **unseen, "time_zone": "America/Gotham", "locale": "la"})

    assert Office.objects.get(pk=office.pk).name == "Elm Street Practice"
