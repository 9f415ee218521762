"""Tax that is within the price is said to be within it, in previews and on invoices; other tax is on top.

Source: https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior#tax-behavior
"""

import pytest

from billing.models import Invoice
from billing.operations.engine.previews import preview
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.documents import preview_upcoming
from billing.operations.subscriptions.discounts import ApplyDiscount
from tests.admin.test_offices import page, signed_in
from tests.api.test_api import path
from tests.api.test_api import signed_in as at_the_api
from tests.at_stripe import a_coupon, made
from tests.conftest import a_member

# 199.00 USD. 20 % within it: 199 - 199 / 1.2 = 33.17. 20 % on top of it: 39.80. With 10 % off, 179.10: 29.85 and 35.82.
WITHIN, ON_TOP = ["true"], ["false"]
TAXED = [
    (WITHIN, "", 3_317, 3_317, 19_900),
    (ON_TOP, "", 3_980, 0, 23_880),
    (WITHIN, "TENTH", 2_985, 2_985, 17_910),
    (ON_TOP, "TENTH", 3_582, 0, 21_492),
    ([], "", 0, 0, 19_900),
]


def taxed(stripe, office, inclusive):
    rates = [made(stripe, "tax_rates", display_name="VAT", percentage=20, inclusive=one)["id"] for one in inclusive]
    given = {f"default_tax_rates[{n}]": rate for n, rate in enumerate(rates)}
    if given:
        made(stripe, f"subscriptions/{office.payment_provider_subscription_id}", **given)
    stripe.deliver_and_apply()


@pytest.mark.parametrize(("inclusive", "coupon", "tax", "within", "total"), TAXED)
def test_each_tax_is_said_to_be_where_it_is(stripe, operator, subscribed, inclusive, coupon, tax, within, total):
    a_coupon(stripe, "TENTH", percent_off=10, duration="forever")
    if coupon:
        made(stripe, f"subscriptions/{subscribed.payment_provider_subscription_id}", **{"discounts[0][coupon]": coupon})
    taxed(stripe, subscribed, inclusive)

    seen = preview_upcoming(subscribed, by=operator)
    assert (seen.tax.amount, seen.tax_within.amount, seen.total.amount) == (tax, within, total)

    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(kind="cycle")
    assert (invoice.tax, invoice.tax_within, invoice.total) == (tax, within, total)
    owner = at_the_api(a_member(subscribed, "owner"))
    shown = owner.get(path(subscribed, f"invoices/{invoice.public_id}/")).json()
    assert tuple(shown[one]["amount"] for one in ("tax", "tax_within", "total")) == (tax, within, total)


def test_the_page_of_a_preview_and_of_an_invoice_say_so(stripe, operator, subscribed):
    taxed(stripe, subscribed, WITHIN)
    staff = signed_in(operator.user)

    upcoming = staff.get(page("upcoming/", subscribed)).content.decode()
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(kind="cycle")
    own = staff.get(f"/admin/billing/invoice/{invoice.pk}/change/").content.decode()

    for html in (upcoming, own):
        assert "Tax included in the total" in html
        assert "33.17 USD" in html
        assert ">Tax<" not in html


@pytest.mark.parametrize(
    ("inclusive", "tax", "within", "total"), [(WITHIN, 1_000, 1_000, 6_000), (ON_TOP, 1_200, 0, 7_200)]
)
def test_a_charge_of_60_usd_says_where_its_tax_is(stripe, operator, subscribed, inclusive, tax, within, total):
    taxed(stripe, subscribed, inclusive)

    seen = preview(ChargeOffice(charge="training", amount=6_000), subscribed, by=operator)

    assert (seen.tax.amount, seen.tax_within.amount, seen.total.amount) == (tax, within, total)


def test_the_preview_of_a_discount_says_it_too(stripe, operator, subscribed):
    a_coupon(stripe, "TENTH", percent_off=10, duration="forever")
    taxed(stripe, subscribed, WITHIN)

    seen = preview(ApplyDiscount(code="TENTH"), subscribed, by=operator)

    assert (seen.tax_within.amount, seen.tax_on_top.amount) == (2_985, 0)
