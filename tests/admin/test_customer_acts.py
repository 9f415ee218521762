"""Cards, contact, credit, portal and archive in the admin; what they mean is tested with the operations."""

import pytest

from billing.models import Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from tests.admin.test_offices import page, signed_in
from tests.admin.test_terms import in_second_step
from tests.conftest import a_person, an_office

WHY = {"why": "office_asked"}


@pytest.fixture
def client(operator):
    return signed_in(operator.user)


def text(answer):
    return answer.content.decode()


def test_staff_get_a_link_to_send_on_and_it_is_shown_once(stripe, client, subscribed):
    answer = client.post(page("link-card/", subscribed), {**WHY, "make_default": "on"})

    url = stripe.listed("checkout/sessions")[0]["url"]
    assert url in text(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert url not in text(client.get(page("change/", subscribed)))


def test_the_cards_are_listed_with_their_expiry_and_can_be_chosen_and_removed(stripe, client, subscribed):
    client.post(page("link-card/", subscribed), WHY)
    stripe.control(f"checkout/sessions/{stripe.listed('checkout/sessions')[0]['id']}/complete", card="pm_card_amex")
    stripe.deliver_and_apply()
    stripe.advance(days=365 * 4)
    amex, visa = (subscribed.payment_methods.get(brand=brand) for brand in ("amex", "visa"))
    shown = text(client.get(page("change/", subscribed)))
    assert "expired" in shown
    assert visa.stripe_id not in shown

    refused = client.post(page("remove-card/", subscribed), {**WHY, "card": visa.public_id})
    assert "Make another one the default" in text(refused)
    client.post(page("default-card/", subscribed), {**WHY, "card": amex.public_id})
    client.post(page("remove-card/", subscribed), {**WHY, "card": visa.public_id})

    assert list(subscribed.payment_methods.filter(detached_at=None).values_list("brand", "is_default")) == [
        ("amex", True)
    ]


def test_credit_is_shown_before_and_after_and_given_when_it_is_confirmed(stripe, client, subscribed):
    form = {"why": "goodwill", "direction": "give", "amount": "25.50"}
    seen = client.post(page("credit/", subscribed), form)
    assert "no credit" in text(seen)
    assert "25.50 USD credit" in text(seen)
    assert Office.objects.get(pk=subscribed.pk).credit_balance == 0
    confirmed = {**form, "confirmed": "yes", "as_of": seen.context["preview"].as_of.isoformat()}

    client.post(page("credit/", subscribed), confirmed)
    again = client.post(page("credit/", subscribed), confirmed)

    assert Office.objects.get(pk=subscribed.pk).credit_balance == 2_550
    assert "something has changed since" in text(again)
    assert "25.50 USD credit" in text(client.get(page("change/", subscribed)))


def test_credit_that_is_taken_is_below_zero(stripe, client, subscribed):
    form = {"why": "correction", "direction": "take", "amount": "5"}
    seen = client.post(page("credit/", subscribed), form)

    client.post(
        page("credit/", subscribed),
        {**form, "confirmed": "yes", "as_of": seen.context["preview"].as_of.isoformat()},
    )

    assert Office.objects.get(pk=subscribed.pk).credit_balance == -500


@pytest.mark.parametrize("amount", ["", "0", "ten", "1.005", "NaN", "1e999999", "1_0", "20000"])
def test_an_amount_that_is_none_is_told_on_the_form(stripe, client, subscribed, amount):
    answer = client.post(page("credit/", subscribed), {"why": "goodwill", "direction": "give", "amount": amount})

    assert answer.status_code == 200
    assert answer.context["preview"] is None
    assert answer.context["form"].errors


@pytest.mark.parametrize("direction", ["give", "take"])
def test_credit_below_zero_is_refused_in_either_direction(stripe, client, subscribed, direction):
    answer = client.post(page("credit/", subscribed), {"why": "correction", "direction": direction, "amount": "-25"})

    assert "greater than or equal to 0" in text(answer)
    assert answer.context["preview"] is None


def test_once_there_is_a_customer_the_contact_is_changed_by_an_act_alone(stripe, client, subscribed):
    saved = {"name": "Typed Over", "billing_email": "typed@over.example", "locale": "de", "time_zone": "UTC"}
    shown = client.get(page("change/", subscribed))
    for name in ("name", "billing_email", "locale"):
        assert f'name="{name}"' not in text(shown)
    inlines = [one.formset.management_form for one in shown.context["inline_admin_formsets"]]
    client.post(
        page("change/", subscribed),
        saved | {form.add_prefix(name): form[name].value() for form in inlines for name in form.fields},
    )
    after = Office.objects.get(pk=subscribed.pk)
    assert (after.name, after.time_zone) == (subscribed.name, "UTC")

    client.post(page("contact/", subscribed), {**saved, **WHY, "name": "Maple Care", "is_the_practices": "on"})

    assert Office.objects.get(pk=subscribed.pk).billing_email == "typed@over.example"
    assert stripe.listed("customers")[0]["name"] == "Maple Care"


def test_before_there_is_a_customer_the_form_edits_the_contact(stripe, client, office):
    assert 'name="billing_email"' in text(client.get(page("change/?edit=1", office)))


def test_staff_get_the_portals_link(stripe, client, subscribed):
    answer = client.post(page("portal/", subscribed), WHY)

    assert f"{stripe.url}/portal/" in text(answer)


def test_an_office_is_archived_and_brought_back_and_only_what_can_be_done_is_offered(
    stripe, operator, client, subscribed
):
    assert "Archive the Office" not in text(client.get(page("change/", subscribed)))
    perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")

    seen = client.post(page("archive/", subscribed), WHY)
    client.post(page("archive/", subscribed), WHY | in_second_step(seen))

    assert Office.objects.get(pk=subscribed.pk).archived_at
    shown = text(client.get(page("change/", subscribed)))
    assert "Bring the Office back" in shown
    for title in ("Change the contact", "Link to add a card", "Remove a payment method", "Link to Stripe"):
        assert title not in shown
    client.post(page("unarchive/", subscribed), WHY)
    assert Office.objects.get(pk=subscribed.pk).archived_at is None


def test_a_refusal_stays_on_the_page(stripe, client, subscribed):
    assert "Cancel it first" in text(client.post(page("archive/", subscribed), WHY))


ACTS = "link-card default-card remove-card contact credit portal archive unarchive".split()


@pytest.mark.parametrize("act", ACTS)
def test_an_auditor_may_not_act_and_others_do_not_enter(stripe, auditor, office, act):
    assert signed_in(auditor.user).post(page(f"{act}/", office), WHY).status_code == 403
    assert signed_in(a_person("owner@maple.example")).get(page(f"{act}/", office)).status_code == 302


def test_each_act_opens_also_for_an_office_that_has_nothing_yet(stripe, client, office):
    other = an_office("Another Practice")
    for act in ACTS:
        assert client.get(page(f"{act}/", other)).status_code == 200
    assert not Operation.objects.exists()
