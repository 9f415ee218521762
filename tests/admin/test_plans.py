"""Staff type a price as it is written, see in words what it sells, and only then is it saved, for good."""

import pytest
from django.test import Client

from billing.models import AuditEntry, Plan, PlanPrice
from tests.conftest import ADMINISTRATOR, a_person

ADD = "/admin/billing/plan/add/"


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(a_person("administrator@vendor.example", group=ADMINISTRATOR))
    return client


def row(number=0, **given):
    fields = {"code": f"clinic-{number}", "currency": "usd", "amount": "299.00", "interval": "month"}
    fields |= {"interval_count": "1", **given}
    return {f"prices-{number}-{name}": value for name, value in fields.items()}


def form(*rows, initial=0, **given):
    counts = {"prices-TOTAL_FORMS": str(len(rows) + initial), "prices-INITIAL_FORMS": str(initial)}
    fields = {"name": "Clinic", "code": "clinic", **counts, **given}
    for one in rows:
        fields |= one
    return fields


def typed(client, *rows, page=ADD, **given):
    """The form as it comes back, and what it asks to confirm."""
    answer = client.post(page, form(*rows, **given))
    assert answer.status_code == 200
    return answer.content.decode(), answer.context["to_confirm"]


def errors_of(client, *rows):
    answer = client.post(ADD, form(*rows))
    assert answer.status_code == 200
    assert not answer.context.get("to_confirm")
    [formset] = [inline.formset for inline in answer.context["inline_admin_formsets"]]
    assert not PlanPrice.objects.exists()
    return formset.errors[0]


def test_a_price_is_said_in_words_and_saved_once_it_is_confirmed(staff):
    page, words = typed(staff, row())

    assert words == ["clinic-0: 299.00 USD a month"]
    assert "Nothing is saved yet. Do you want to sell at this price?" in page
    assert 'name="confirmed" value="clinic-0: 299.00 USD a month"' in page
    assert 'value="299.00"' in page
    assert 'value="Clinic"' in page
    assert not Plan.objects.exists()

    assert staff.post(ADD, form(row(), confirmed=words)).status_code == 302
    saved = PlanPrice.objects.get()
    assert (saved.unit_amount, saved.currency, saved.interval) == (29_900, "usd", "month")
    assert AuditEntry.objects.filter(content_type__model="planprice", actor__email__startswith="administrator").exists()


@pytest.mark.parametrize(
    "changed",
    [{"amount": "2.99"}, {"currency": "eur"}, {"interval": "year"}, {"interval_count": "3"}, {"per_seat": "on"}],
)
def test_what_was_changed_after_it_was_shown_is_shown_again(staff, changed):
    _, words = typed(staff, row())
    _, again = typed(staff, row(**changed), confirmed=words)

    assert again not in ([], words)
    assert not Plan.objects.exists()
    assert staff.post(ADD, form(row(**changed), confirmed=again)).status_code == 302


def test_each_new_price_is_confirmed_and_none_that_is_there_already(staff):
    rows = [row(), row(1, amount="3000", interval="year", per_seat="on")]
    _, words = typed(staff, *rows)
    assert words == ["clinic-0: 299.00 USD a month", "clinic-1: 3,000.00 USD for each seat a year"]
    _, still = typed(staff, *rows, confirmed=words[:1])
    assert still == words
    staff.post(ADD, form(*rows, confirmed=words))
    plan = Plan.objects.get()
    page = f"/admin/billing/plan/{plan.pk}/change/"

    shown = staff.get(page).content.decode()
    assert "299.00 USD" in shown
    assert "29900" not in shown
    ids = {f"prices-{n}-id": str(pk) for n, pk in enumerate(plan.prices.values_list("pk", flat=True))}
    _, words = typed(staff, row(2, interval_count="3"), page=page, initial=2, **ids)
    assert words == ["clinic-2: 299.00 USD every 3 months"]
    assert staff.post(page, form(row(2, interval_count="3"), initial=2, confirmed=words, **ids)).status_code == 302
    assert plan.prices.count() == 3


def test_a_plan_without_a_price_needs_no_word(staff):
    assert staff.post(ADD, form()).status_code == 302
    assert Plan.objects.get().code == "clinic"


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "words"),
    [
        ("299", "usd", 29_900, "299.00 USD a month"),
        ("299.00", "USD", 29_900, "299.00 USD a month"),
        (" 1299.5 ", " Eur", 129_950, "1,299.50 EUR a month"),
        ("299", "jpy", 299, "299 JPY a month"),
        ("299.00", "JPY", 299, "299 JPY a month"),
        ("1.230", "kwd", 1_230, "1.230 KWD a month"),
        ("4900", "isk", 490_000, "4,900 ISK a month"),
        ("0", "usd", 0, "0.00 USD a month, which is free of charge"),
    ],
)
def test_an_amount_is_in_the_decimals_of_its_currency(staff, amount, currency, minor, words):
    _, shown = typed(staff, row(amount=amount, currency=currency))
    assert shown == [f"clinic-0: {words}"]

    staff.post(ADD, form(row(amount=amount, currency=currency), confirmed=shown))
    saved = PlanPrice.objects.get()
    assert (saved.unit_amount, saved.currency) == (minor, currency.strip().lower())


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"amount": "299.001"}, "amount", "USD has fewer decimals than that: at most two."),
        ({"amount": "299.5", "currency": "JPY"}, "amount", "JPY has fewer decimals than that: none."),
        ({"amount": "4900.50", "currency": "isk"}, "amount", "ISK has fewer decimals than that: none."),
        (
            {"amount": "1.2345", "currency": "kwd"},
            "amount",
            "KWD has fewer decimals than that: three, the last always 0.",
        ),
        (
            {"amount": "1.234", "currency": "kwd"},
            "amount",
            "KWD has fewer decimals than that: three, the last always 0.",
        ),
        ({"amount": "-1"}, "amount", "greater than or equal to 0"),
        ({"amount": ""}, "amount", "required"),
        ({"amount": "2,99"}, "amount", "Enter a number"),
        ({"amount": "1e3"}, "amount", "Enter a number"),
        ({"amount": "nan"}, "amount", "Enter a number"),
        ({"currency": "usx"}, "currency", "USX is not a currency that Stripe takes. Write its three letters"),
        ({"currency": ""}, "currency", "required"),
        ({"interval_count": "0"}, "interval_count", "At least 1."),
    ],
)
def test_what_cannot_be_sold_is_said_at_its_field(staff, given, field, says):
    assert says in str(errors_of(staff, row(**given))[field])


def test_with_the_plan_itself_wrong_that_is_said_first(staff):
    answer = staff.post(ADD, form(row(), code="not a code"))

    assert answer.status_code == 200
    assert not answer.context.get("to_confirm")
    assert "Nothing is saved yet" not in answer.content.decode()


def test_a_subscription_shows_its_amounts_with_their_currency(staff, subscribed):
    page = staff.get(f"/admin/billing/subscription/{subscribed.subscriptions.get().pk}/change/").content.decode()

    assert "Minor units" not in page
    assert "199.00 USD" in page
