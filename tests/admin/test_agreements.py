from datetime import timedelta

import pytest
from django.urls import reverse

from billing import clock
from billing.models import Agreement, AuditEntry, Operation
from tests.admin.test_offices import page as office_page
from tests.admin.test_offices import signed_in
from tests.conftest import ADMINISTRATOR, a_person, determined, price
from tests.operations.test_agreement import TERMS

LIST = reverse("admin:billing_agreement_changelist")
TODAY = clock.wall().date()
TERMS_GIVEN = {"subject": "payment_processor", **{name: str(value) for name, value in TERMS.items()}}
EXECUTED = {
    **TERMS_GIVEN,
    "document_sha256": "0F" * 32,
    "our_signer": "Olive Owner, managing director",
    "their_signer": "Pat Processor, general counsel",
    "signed_on": str(TODAY - timedelta(days=7)),
    "effective_from": str(TODAY - timedelta(days=7)),
    "effective_until": str(TODAY + timedelta(days=365)),
    "reason": "the countersigned copy arrived",
}
NOT_REQUIRED = {
    **TERMS_GIVEN,
    "document_sha256": "a1" * 32,
    "legal_basis": "The processor only processes payments.",
    "reviewer": "Casey Counsel",
    "review_by": str(TODAY + timedelta(days=365)),
    "reason": "counsel's memo arrived",
}


def page(name, row):
    return f"{LIST}{row.pk}/{name}"


def text(answer):
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.mark.parametrize(
    ("name", "form", "kind"),
    [("prepare-executed/", EXECUTED, "executed"), ("prepare-not-required/", NOT_REQUIRED, "not_required")],
)
def test_staff_record_what_counsel_determined_and_another_approves_it(operator, administrator, name, form, kind):
    client = signed_in(operator.user)
    assert "sha256sum FILE" in text(client.get(LIST + name))

    shown = text(client.post(LIST + name, form, follow=True))

    row = Agreement.objects.get()
    assert (row.kind, row.prepared_by, row.document_sha256) == (kind, operator.user, form["document_sha256"].lower())
    assert "Unknown: no determination on the payment processor is in force" in shown
    second = signed_in(administrator.user)
    assert row.document_sha256 in text(second.get(page("approve/", row)))
    shown = text(second.post(page("approve/", row), {"reason": "compared with our copy"}, follow=True))
    assert "In force: " in shown
    assert "compared with our copy" in shown
    assert Agreement.objects.get().approved_by == administrator.user


def test_the_preparer_sees_who_must_approve_and_no_button_that_would_fail(administrator, operator):
    second = a_person("second@vendor.example", group=ADMINISTRATOR)
    gone = a_person("gone@vendor.example", group=ADMINISTRATOR)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    mine = signed_in(administrator.user)
    mine.post(LIST + "prepare-executed/", EXECUTED)
    row = Agreement.objects.get()

    shown = text(mine.get(page("change/", row)))

    assert "You prepared it, so another administrator must approve it: second@vendor.example." in shown
    assert page("approve/", row) not in shown
    assert page("withdraw/", row) in shown
    assert page("approve/", row) in text(signed_in(second).get(page("change/", row)))
    assert page("approve/", row) not in text(signed_in(operator.user).get(page("change/", row)))


def test_where_nobody_else_may_approve_the_preparer_is_told_what_would_help(administrator):
    client = signed_in(administrator.user)
    client.post(LIST + "prepare-executed/", EXECUTED)

    shown = text(client.get(page("change/", Agreement.objects.get())))

    assert "nobody yet. An administrator can give someone that role" in shown


def test_who_prepared_it_is_sent_back_from_the_page_of_approval_and_refused_by_the_operation(administrator):
    client = signed_in(administrator.user)
    client.post(LIST + "prepare-executed/", EXECUTED)
    row = Agreement.objects.get()

    assert client.get(page("approve/", row)).url == page("change/", row)
    shown = text(client.post(page("approve/", row), {"reason": "it is right"}))

    assert "another person with the role administrator must approve it" in shown
    assert Agreement.objects.get().approved_at is None
    assert AuditEntry.objects.get(kind="refusal").actor == administrator.user


def test_a_wrong_hash_is_told_beside_its_field_and_the_input_stays(operator):
    shown = text(signed_in(operator.user).post(LIST + "prepare-executed/", {**EXECUTED, "document_sha256": "0f" * 31}))

    assert "A SHA-256 has 64 digits" in shown
    assert "Pat Processor, general counsel" in shown
    assert not Agreement.objects.exists()


def test_what_the_operation_refuses_is_told_on_the_form(operator):
    form = {**EXECUTED, "effective_until": str(TODAY - timedelta(days=1))}

    shown = text(signed_in(operator.user).post(LIST + "prepare-executed/", form))

    assert "Its last day is over" in shown
    assert "Pat Processor, general counsel" in shown


def test_a_withdrawal_is_kept_and_shown_with_its_reason(operator, administrator):
    row = determined(operator, administrator)
    client = signed_in(administrator.user)

    shown = text(client.post(page("withdraw/", row), {"reason": "counsel took it back"}, follow=True))

    assert "counsel took it back" in shown
    assert "Unknown: " in shown
    assert page("withdraw/", row) not in shown
    assert "withdrawn" in text(client.get(LIST))


def test_an_operator_may_not_withdraw_what_holds_and_sees_no_button(operator, administrator):
    row = determined(operator, administrator)
    client = signed_in(operator.user)

    assert page("withdraw/", row) not in text(client.get(page("change/", row)))
    assert "not allowed" in text(client.post(page("withdraw/", row), {"reason": "I think not"}))
    assert Agreement.objects.get().withdrawn_at is None


@pytest.mark.parametrize("name", ["prepare-executed/", "prepare-not-required/", "{}/approve/", "{}/withdraw/"])
def test_an_auditor_reads_and_may_not_act(operator, administrator, auditor, name):
    row = determined(operator, administrator)
    client = signed_in(auditor.user)

    assert "Olive Owner" in text(client.get(page("change/", row)))
    assert client.get(LIST + name.format(row.pk)).status_code == 403
    assert client.post(LIST + name.format(row.pk), {"reason": "try"}).status_code == 403


@pytest.mark.parametrize("name", ["approve/", "withdraw/"])
def test_an_address_that_is_no_determination_is_not_found(administrator, name):
    assert signed_in(administrator.user).get(f"{LIST}7/{name}").status_code == 404


def test_a_row_can_be_neither_added_edited_nor_deleted(operator, administrator):
    row = determined(operator, administrator)
    client = signed_in(administrator.user)

    assert client.get(reverse("admin:billing_agreement_add")).status_code == 403
    assert client.post(page("change/", row), {"our_signer": "Somebody Else"}).status_code == 403
    assert client.post(page("delete/", row), {"post": "yes"}).status_code == 403
    assert Agreement.objects.get().our_signer == "Olive Owner, managing director"


@pytest.mark.parametrize(
    ("ends_in_days", "live", "says"),
    [
        (365, True, ("In force: a BAA", "bg-green-100", "charging is allowed")),
        (365, False, ("In force: a BAA", "bg-green-100", "no real money moves")),
        (10, True, ("In force: a BAA", "bg-orange-100", "Record the next one before it ends")),
        (None, True, ("In force: a BAA", "bg-green-100", "It has no end")),
        (-1, True, ("Expired: ", "bg-red-100", "every request that can charge is refused")),
        (-1, False, ("Expired: ", "bg-orange-100", "no real money moves")),
    ],
)
def test_the_banner_says_what_is_in_force_and_what_follows(operator, administrator, settings, ends_in_days, live, says):
    settings.STRIPE_LIVE_MODE = live
    determined(operator, administrator, ends_in_days=ends_in_days)

    shown = text(signed_in(operator.user).get(LIST))

    assert [part for part in says if part not in shown] == []


def test_the_list_tells_what_is_in_force_from_what_is_not(operator, administrator):
    older, newer = determined(operator, administrator), determined(operator, administrator)
    determined(operator, administrator, ends_in_days=-1)
    Agreement.objects.filter(pk=newer.pk).update(approved_at=clock.wall())

    shown = text(signed_in(operator.user).get(LIST))

    assert [shown.count(status) for status in ("in force\n", "not in use\n", "ended\n")] == [1, 1, 1], older


def test_in_live_mode_the_office_is_told_what_is_missing_and_no_test_card_is_offered(live, operator, office):
    client = signed_in(operator.user)
    address = office_page("subscribe/", office)
    assert "Test card" not in text(client.get(address))
    form = {"price": str(price("practice-monthly").public_id), "quantity": "1", "trial_days": "14", "why": "agreed"}

    shown = text(client.post(address, form))

    assert "Live charging is refused" in shown
    assert {(one["method"], one["path"]) for one in live.requests()} <= {("GET", "/v1/coupons")}
    assert not Operation.objects.exists()
