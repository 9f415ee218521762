"""An update that adds to what is sent holds back only that, in live mode, until another determination covers it.

An earlier version's list is today's without some of its lines.
"""

import hashlib
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from billing import clock, errors
from billing.models import Agreement, AuditEntry, Finding, Office, Operation
from billing.models.agreement import about
from billing.operations.compliance import approve_determination, prepare_determination, report_lapse
from billing.operations.engine.begin import perform
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.collection import PauseCollection
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.start import StartSubscription
from billing.stripe_api import client, outbound, reviewed
from billing.stripe_api.fixed_key import FixedKey
from tests.at_stripe import a_coupon
from tests.conftest import determined, price_id
from tests.operations.test_agreement import BAA, REASON

PAUSE = "POST\t/v1/subscriptions/*\tpause_collection.behavior\tthe word “void”"
LANGUAGE = "POST\t/v1/customers/*\tpreferred_locales[]\ta language"


def reviewed_without(row: Agreement, *lines: str, more: str = "") -> Agreement:
    """Let this determination be of an earlier version, whose list did not have these lines."""
    assert set(lines) <= set(outbound.text().splitlines())
    kept = [line for line in outbound.text().splitlines() if line not in lines]
    listed = "".join(f"{line}\n" for line in sorted([*kept, *more.splitlines()]))
    fingerprint = hashlib.sha256(listed.encode()).hexdigest()
    Agreement.objects.filter(pk=row.pk).update(outbound_list=listed, outbound_fingerprint=fingerprint)
    return Agreement.objects.get(pk=row.pk)


def started(office, by):
    start = StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa")
    return perform(start, office, by=by, reason=REASON)


def to_renew() -> list[str]:
    return list(
        Finding.objects.filter(kind="determination_to_renew", resolved_at=None).values_list("detail", flat=True)
    )


def test_one_new_field_holds_back_what_needs_it_and_nothing_else(live, operator, administrator, office):
    reviewed_without(determined(operator, administrator), PAUSE)
    office = started(office, operator)  # it charges
    assert office.subscription_status == "active"
    live.forget_requests()

    with pytest.raises(errors.FieldNotReviewed, match=r"pause_collection\.behavior") as refused:
        perform(PauseCollection(invoices_become="void"), office, by=operator, reason=REASON)

    assert "Compliance, Determinations" in str(refused.value)
    assert live.requests("POST") == []
    assert Operation.objects.filter(status="rejected").get().error_code == "field_not_reviewed"
    office = perform(PauseCollection(invoices_become="keep_as_draft"), office, by=operator, reason=REASON)
    report_lapse()
    [detail] = to_renew()
    assert "pause_collection.behavior" in detail
    row = prepare_determination(BAA, by=operator, reason=REASON)
    with pytest.raises(errors.FieldNotReviewed):
        perform(PauseCollection(invoices_become="void"), office, by=operator, reason=REASON)
    approve_determination(row, by=administrator, reason="compared with our copy")
    assert to_renew() == []
    assert perform(PauseCollection(invoices_become="void"), office, by=operator, reason=REASON).collection_paused


def test_where_a_later_step_is_held_back_what_was_begun_is_settled(live, operator, administrator, office):
    a_coupon(live, "FIFTH", percent_off=20, duration="forever")
    reviewed_without(determined(operator, administrator), "GET\t/v1/coupons/*\t*\ta discount code")
    office = started(office, operator)

    with pytest.raises(errors.FieldNotReviewed, match="a discount code"):
        perform(ApplyDiscount(code="FIFTH"), office, by=operator, reason=REASON)

    assert not Operation.objects.filter(status__in=Operation.UNSETTLED).exists()
    assert [one["path"] for one in live.requests("GET") if "coupons" in one["path"]] == []


def test_ending_goes_on_and_a_look_is_never_held_back(live, operator, administrator, office):
    reading = [line for line in outbound.text().splitlines() if line.startswith("GET\t/v1/customers/*\t")]
    reviewed_without(determined(operator, administrator), PAUSE, *reading)
    office = started(office, operator)

    assert perform(CancelSubscription(at_period_end=False), office, by=operator, reason=REASON).subscription_status == (
        "canceled"
    )


def test_a_shorter_list_needs_nothing(live, operator, administrator, office):
    reviewed_without(determined(operator, administrator), more="POST\t/v1/customers\tphone\ta telephone number")

    assert reviewed.held_back(at=clock.wall()) == set()
    assert started(office, operator).subscription_status == "active"
    report_lapse()
    assert to_renew() == []


def test_a_lapse_or_withdrawal_does_not_open_what_is_held_back(live, operator, administrator, office):
    row = reviewed_without(determined(operator, administrator), LANGUAGE)
    office = started(office, operator)
    for ended in (
        {"effective_until": clock.wall().date() - timedelta(days=1)},
        {"withdrawn_by": administrator.user, "withdrawn_at": clock.wall(), "withdrawn_reason": "counsel took it back"},
    ):
        Agreement.objects.filter(pk=row.pk).update(**ended)
        with pytest.raises(errors.FieldNotReviewed):
            perform(ChangeContact(name="Elm Street Practice"), office, by=operator, reason=REASON)
        report_lapse()
        told = Finding.objects.get(kind="determination_to_renew", resolved_at=None)
        assert "this is held back" in told.detail
    assert Office.objects.get(pk=office.pk).name == office.name


def test_outside_live_mode_nothing_is_held_back(stripe, operator, administrator, office):
    reviewed_without(determined(operator, administrator), LANGUAGE)
    office = started(office, operator)

    assert perform(ChangeContact(name="Elm Street"), office, by=operator, reason=REASON).name == "Elm Street"


def test_a_list_that_was_changed_in_the_database_counts_as_none(live, operator, administrator):
    row = determined(operator, administrator)
    Agreement.objects.filter(pk=row.pk).update(outbound_list=outbound.text() + "more\n", outbound_fingerprint="0" * 64)

    with pytest.raises(errors.FieldNotReviewed):
        client.post("/v1/refunds", {"amount": 1}, step=FixedKey("k"))
    assert live.requests() == []


def nameless(operator, administrator) -> Agreement:
    row = determined(operator, administrator)
    empty = {"outbound_list": "", "outbound_fingerprint": "", "counterparty": "", "document_at": "", "services": ""}
    Agreement.objects.filter(pk=row.pk).update(**empty, terms_version="", terms_dated=None, terms_review_by=None)
    return Agreement.objects.get(pk=row.pk)


def test_one_from_before_covers_the_list_of_the_update_once_and_should_be_renewed(
    live, operator, administrator, office
):
    row = nameless(operator, administrator)
    assert started(office, operator).subscription_status == "active"

    report_lapse()
    report_lapse()

    row.refresh_from_db()
    assert row.outbound_fingerprint == outbound.fingerprint_of(row.outbound_list)
    assert row.outbound_list == outbound.text()
    recorded = AuditEntry.objects.get_for_object(row).filter(what__contains=row.outbound_fingerprint)
    assert recorded.count() == 1
    [detail] = to_renew()
    assert "legal entity" in detail
    reviewed_without(row, PAUSE)
    report_lapse()
    assert "pause_collection.behavior" in to_renew()[0]
    assert Agreement.objects.get().outbound_list != outbound.text()  # it was recorded once


def test_terms_that_were_to_be_looked_at_again_are_told_until_they_are(live, operator, administrator):
    row = prepare_determination(BAA, by=operator, reason=REASON, subject=Agreement.Subject.HOSTING)
    approve_determination(row, by=administrator, reason="compared with our copy")
    determined(operator, administrator)
    report_lapse()
    assert to_renew() == []

    Agreement.objects.filter(pk=row.pk).update(terms_review_by=clock.wall().date() - timedelta(days=1))
    report_lapse()

    [detail] = to_renew()
    assert "looked at again by" in detail
    assert Finding.objects.get(kind="determination_to_renew").subject == "hosting"


def test_a_supplier_has_its_own_determination_and_only_stripes_has_the_list(operator, administrator):
    row = prepare_determination(BAA, by=operator, reason=REASON, subject=Agreement.Subject.MAIL)
    approve_determination(row, by=administrator, reason="compared with our copy")

    assert about("mail", at=clock.wall()).permits_charging
    assert not about("payment_processor", at=clock.wall()).permits_charging
    assert (row.outbound_list, row.outbound_fingerprint) == ("", "")


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("outbound_list", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_what_the_fingerprint_is_of(live, operator, administrator):
    row = prepare_determination(BAA, by=operator, reason=REASON)
    assert hashlib.sha256(printed().encode()).hexdigest() == row.outbound_fingerprint
    assert printed("--added") == ""

    reviewed_without(determined(operator, administrator), PAUSE)
    assert printed("--added") == f"{PAUSE}\n"
