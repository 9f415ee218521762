"""What somebody does in Stripe's dashboard is shown rightly. ``tests.situations`` says what, and what is right."""

import pytest
from django.template.base import Template
from django.test import Client

from billing.models import Office
from billing.operations.engine.begin import perform
from billing.operations.offices.customer import EnsureCustomer
from billing.stripe_api import sandbox_clock
from tests import equality
from tests.api.test_api import signed_in
from tests.reports.tying import wrong_journals
from tests.situations import TABLE
from tests.situations.dashboard import NOON, Dashboard
from tests.situations.seen import Faces, differences


@pytest.fixture(autouse=True)
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no contexts of templates for tests. Nobody here reads them, and keeping them takes time."""
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))


@pytest.fixture
def faces(operator):
    admin = Client()
    admin.force_login(operator.user)
    return Faces(signed_in(operator.user), admin)


@pytest.fixture
def dashboard(stripe, operator, office):
    """The customer of an Office, with a card that pays, at noon on the first day."""
    stripe.control("clock", now=int(NOON.timestamp()))
    sandbox_clock.forget()
    customer = perform(EnsureCustomer(), office, by=operator, reason="new").payment_provider_customer_id
    at = Dashboard(stripe, customer)
    at.pays_with("pm_card_visa")
    yield at
    at.answers_are(None)


@pytest.mark.parametrize("situation", TABLE, ids=lambda one: one.name)
def test_what_somebody_did_at_stripe_is_shown_rightly(dashboard, faces, office, situation):
    situation.happens(dashboard)
    dashboard.we_hear()

    office = Office.objects.get(pk=office.pk)
    wrong = differences(office, faces, situation.right)
    wrong += equality.differences(office, equality.read(dashboard.stripe, dashboard.customer))
    wrong += wrong_journals(office)

    assert wrong == [], f"{situation.because}\n{situation.page}\n" + "\n".join(wrong)
