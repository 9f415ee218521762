import re

import pytest
from django.db import connection, transaction

from billing import accounts, errors
from billing.audit import actor
from billing.models import AuditEntry, StripeAccount
from billing.models.audit import AppendOnlyError
from billing.stripe_api import client, gateway, outbound
from tests.conftest import an_office, subscribed_office


class NoRecord:
    key = "test"

    def asking(self, method, path, params, api_version):
        return path, params

    def answered(self, **_):
        pass


def test_no_call_leaves_inside_a_transaction(db):
    with transaction.atomic(), pytest.raises(errors.CallInsideTransaction):
        client.get("/v1/account")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/customers", {"name": "x", "phone": "1"}),
        ("/v1/customers", {"name": "x", "metadata": {"patient": "1"}}),
        ("/v1/customers/cus_1", {"description": "x"}),
        ("/v1/topups", {"amount": 1}),
        ("/v1/refunds", {"charge": "ch_1", "instructions_email": "x@x.example"}),
        ("/v1/credit_notes", {"invoice": "in_1", "memo": "x"}),
        ("/v1/subscriptions", {"customer": "cus_1", "description": "x"}),
    ],
)
def test_a_field_that_is_not_on_the_list_never_leaves(stripe, path, params):
    with pytest.raises(errors.FieldNotAllowed):
        client.post(path, params, step=NoRecord())
    assert stripe.requests() == []


def test_the_refusal_names_the_field_and_not_its_value():
    with pytest.raises(errors.FieldNotAllowed, match=r"metadata\.patient") as refused:
        outbound.checked("post", "/v1/customers", {"metadata": {"patient": "Jane Roe"}})
    assert "Jane" not in str(refused.value)


def test_every_request_is_of_the_pinned_version_and_every_post_has_a_key(stripe, operator, office):
    subscribed_office(office, by=operator)

    asked = stripe.requests()
    assert {one["stripe_version"] for one in asked} == {client.API_VERSION}
    assert all(one["idempotency_key"] for one in asked if one["method"] == "POST")


def test_stripe_away_is_unavailable_and_says_so(stripe, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(errors.StripeUnavailable):
        gateway.account.account(livemode=False)


def test_after_a_full_run_the_database_holds_no_secret(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                found = re.search(r"\b(sk|rk)_(test|live)_|whsec_", repr(row))
                assert not found, f"{table} holds {found}"


def test_dj_stripe_cannot_write_a_key_or_a_secret(stripe):
    from djstripe.models import APIKey, WebhookEndpoint

    with pytest.raises(errors.BillingError, match="never in the database"):
        APIKey.objects.create(secret="sk_test_x")
    endpoint = WebhookEndpoint.objects.get()
    endpoint.secret = "whsec_x"
    with pytest.raises(errors.BillingError, match="never in the database"):
        endpoint.save()


def test_a_database_of_another_account_is_refused_and_says_why(stripe):
    StripeAccount.objects.update(account_id="acct_other")
    with pytest.raises(errors.WrongStripeAccount, match=r"acct_other.*DATABASE_URL"):
        accounts.refuse_other_account()
    with pytest.raises(errors.WrongStripeAccount):
        accounts.record_account(by=actor.job("tests"), reason="tests")


def test_a_database_of_no_account_says_what_to_run(db):
    with pytest.raises(errors.WrongStripeAccount, match="setup_stripe"):
        accounts.refuse_other_account()


def test_an_audit_entry_is_never_changed_or_deleted(stripe):
    an_office()
    entry = AuditEntry.objects.last()
    entry.reason = "another"
    with pytest.raises(AppendOnlyError):
        entry.save()
    with pytest.raises(AppendOnlyError):
        entry.delete()


def test_an_entry_without_an_actor_is_an_error(db):
    from billing.audit.trail import ActorMissing
    from billing.models import Office

    with pytest.raises(ActorMissing):
        Office.objects.create(name="x", billing_email="x@x.example")
