"""Money back above the limit, in the admin."""

import pytest
from django.contrib.auth.models import Group

from billing import errors
from billing.audit import actor, trail
from billing.models import ApprovalRequest, Notification, Operation
from billing.operations.engine.begin import perform
from billing.operations.money.credit import AdjustCredit
from billing.outbox import delivery
from tests.admin.test_offices import signed_in
from tests.admin.test_payments import REFUND, page, paid
from tests.conftest import a_person, subscribed_office

WHY = {"reason": "not agreed"}


@pytest.fixture(autouse=True)
def limit(settings):
    settings.APPROVAL_LIMITS = {"usd": 4_999}


@pytest.fixture
def second(db):
    return a_person("second@vendor.example", group="finance")


@pytest.fixture
def row(stripe, operator, second, office):
    """A refund of 50.00 USD that the operator sent for approval, as the admin does it."""
    payment, client = paid(stripe, operator, office), signed_in(operator.user)
    preview = client.post(page(payment, "refund/"), REFUND)
    seen = preview.content.decode()
    assert "One person may give back at most 49.99 USD" in seen
    assert "Send for approval" in seen
    confirmed = {**REFUND, "confirmed": "yes", "as_of": preview.context["preview"].as_of.isoformat()}
    told = client.post(page(payment, "refund/"), confirmed, follow=True).content.decode()
    assert "Sent for approval to: second@vendor.example" in told
    assert "Refund: done" not in told
    return ApprovalRequest.objects.get()


def test_a_second_person_sees_what_it_comes_to_and_confirms(stripe, row, second):
    client = signed_in(second)
    first = client.get("/admin/").content.decode()
    assert "1 request waits for approval" in first
    waiting = client.get("/admin/billing/approvalrequest/?outcome__exact=").content.decode()
    assert "/admin/billing/approvalrequest/?outcome__exact=" in first
    assert "waits for approval" in waiting
    assert row.reason in client.get(page(row, "change/")).content.decode()

    blank = client.get(page(row, "approve/")).content.decode()
    assert "Refund a payment, 50.00 USD. operator@vendor.example asked for it" in blank
    preview = client.post(page(row, "approve/"), {"csrfmiddlewaretoken": "x"})
    seen = preview.content.decode()
    assert "Confirm and give back 50.00 USD" in seen
    assert "149.00 USD" in seen
    assert stripe.listed("refunds") == []
    as_of = preview.context["preview"].as_of.isoformat()
    client.post(page(row, "approve/"), {"confirmed": "yes", "as_of": as_of}, follow=True)

    assert [one["amount"] for one in stripe.listed("refunds")] == [5_000]
    shown = client.get(page(Operation.objects.get(kind="refund_payment"), "change/")).content.decode()
    assert "operator@vendor.example" in shown
    assert "second@vendor.example" in shown


def test_without_a_preview_nothing_is_approved(stripe, row, second):
    answer = signed_in(second).post(page(row, "approve/"), {"confirmed": "yes"})

    assert "Make a new preview" in answer.content.decode()
    assert stripe.listed("refunds") == []


def test_the_one_who_asked_is_told_why_not(stripe, row, operator):
    client = signed_in(operator.user)

    assert "1 request of yours waits for approval" in client.get("/admin/").content.decode()
    answer = client.post(page(row, "approve/"), {"csrfmiddlewaretoken": "x"}).content.decode()
    assert "You asked for this yourself" in answer
    client.post(page(row, "withdraw/"), {"reason": "found it"})
    row.refresh_from_db()
    assert row.status == "withdrawn"


def test_it_is_turned_down_with_a_reason(stripe, row, second):
    client = signed_in(second)
    client.post(page(row, "turn-down/"), WHY)

    row.refresh_from_db()
    assert (row.status, row.decided_by, row.decision_reason) == ("turned down", second, "not agreed")
    shown = client.get(page(row, "change/")).content.decode()
    assert "/approve/" not in shown
    assert "It was turned down." in shown


def test_everybody_who_can_approve_it_gets_one_e_mail_with_its_page(stripe, operator, second, row, mailoutbox):
    mails = Notification.objects.all()

    assert [(mail.kind, mail.user, mail.office) for mail in mails] == [("approval_waits", second, row.office)]
    assert [mail.context for mail in mails] == [{"request": str(row.public_id)}]
    delivery.work_off()
    (mail,) = mailoutbox
    assert mail.to == [second.email]
    assert f"Refund a payment for {row.office.name}: 50.00 USD." in mail.body
    assert page(row, "change/") in mail.body
    assert row.reason not in mail.body
    assert operator.user.email not in mail.body


def test_whoever_stands_behind_the_one_who_asked_and_whoever_may_not_get_none(
    stripe, operator, administrator, office, auditor
):
    """The administrator has the role finance too, and gave the one who asks a role today."""
    third, asks = a_person("third@vendor.example", group="finance"), a_person("asks@vendor.example", group="finance")
    gone = a_person("gone@vendor.example", group="finance")
    with trail.acting(administrator):
        asks.groups.add(Group.objects.get(name="support"))
        gone.is_active = False
        gone.save()

    with pytest.raises(errors.SentForApproval):
        perform(
            AdjustCredit(amount=5_000), subscribed_office(office, by=operator), by=actor.person(asks), reason="x y z"
        )

    assert {mail.user for mail in Notification.objects.all()} == {third, operator.user}


def test_what_was_refused_tells_nobody(stripe, operator, second, office):
    with pytest.raises(errors.PersonMustAsk):
        perform(
            AdjustCredit(amount=5_000), subscribed_office(office, by=operator), by=actor.job("tests"), reason="x y z"
        )

    assert not Notification.objects.exists()
