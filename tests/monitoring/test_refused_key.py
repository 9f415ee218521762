"""A process starts also with a key that Stripe refuses, and sends nothing until it is known whose key it is."""

import os
import subprocess
import sys

import pytest

from billing import accounts, clock, errors, worker
from billing.models import Observation, Operation, StripeAccount
from billing.operations.engine import settle
from billing.stripe_api import gateway, known_account
from tests.conftest import subscribed_office
from tests.processes import ROOT, database_url

EACH = ["default", "impatient", "optional"]


@pytest.fixture
def refused(stripe, settings):
    """Return the key that is accepted. The process has started with another one."""
    key, settings.STRIPE_API_KEY = settings.STRIPE_API_KEY, "sk_test_revoked"
    accounts.refuse_other_account()
    stripe.forget_requests()
    return key


def a_while_later():
    known_account._not_before = 0.0


def test_it_starts_says_so_and_sends_nothing_more(refused, stripe, caplog):
    with pytest.raises(errors.StripeKeyRefused):
        gateway.looks.customer_of("in_1")

    assert stripe.requests() == []
    assert Observation.objects.get(pk="stripe").code == "key_refused"


def test_it_is_told_in_the_log(stripe, settings, caplog):
    settings.STRIPE_API_KEY = "sk_test_revoked"

    accounts.refuse_other_account()

    assert "nothing is sent to Stripe, because the account of the key could not be compared" in caplog.text


def test_after_a_while_it_asks_for_the_account_alone(refused, stripe):
    a_while_later()
    with pytest.raises(errors.StripeKeyRefused):
        gateway.looks.customer_of("in_1")

    assert [one["path"] for one in stripe.requests()] == ["/v1/account"]


def test_once_the_key_is_accepted_everything_is_sent_again(refused, stripe, settings):
    settings.STRIPE_API_KEY = refused
    a_while_later()

    assert gateway.looks.customer_of("in_1") == ""
    assert not known_account.is_awaited()


def test_a_key_that_is_accepted_later_and_is_of_another_account_sends_nothing(refused, stripe, settings):
    StripeAccount.objects.update(account_id="acct_other")
    settings.STRIPE_API_KEY = refused
    for _ in range(2):
        a_while_later()
        with pytest.raises(errors.WrongStripeAccount):
            gateway.looks.customer_of("in_1")

    assert {one["path"] for one in stripe.requests()} == {"/v1/account"}
    with pytest.raises(errors.WrongStripeAccount):
        worker.Heart("host:1").beat()


def test_while_stripe_does_not_answer_it_starts_too_and_compares_before_it_sends(stripe, settings):
    base, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:1"
    accounts.refuse_other_account()
    StripeAccount.objects.update(account_id="acct_other")

    settings.STRIPE_API_BASE = base
    a_while_later()

    with pytest.raises(errors.WrongStripeAccount):
        gateway.looks.customer_of("in_1")


@pytest.mark.usefixtures("commits_are_kept")
def test_an_operation_whose_answer_was_lost_is_not_called_rejected_because_the_key_is_refused(
    stripe, settings, operator, office
):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/subscriptions")
    with pytest.raises(errors.StripeUnavailable):
        subscribed_office(office, by=operator)
    key, settings.STRIPE_API_KEY = settings.STRIPE_API_KEY, "sk_test_revoked"
    Operation.objects.update(lease_until=clock.wall())

    settle.resume_unsettled()

    assert Operation.objects.get().status == "unknown"
    settings.STRIPE_API_KEY = key
    heart = worker.Heart("host:1")
    heart.beat()  # it takes up what waited for the key
    settle.resume_unsettled()
    assert Operation.objects.get().status == "succeeded"
    assert len(stripe.listed("subscriptions")) == 1


@pytest.mark.django_db(transaction=True, databases=EACH)
@pytest.mark.parametrize(("account", "starts"), [("", True), ("acct_other", False)])
def test_web_starts_with_a_refused_key_and_not_with_one_of_another_account(stripe, account, starts):
    if account:
        StripeAccount.objects.update(account_id=account)
    key = "sk_test_only_for_tests" if account else "sk_test_revoked"
    program = (
        "import config.wsgi; from billing.stripe_api import known_account; print('held', known_account.is_awaited())"
    )
    environment = {
        **os.environ,
        "ENV_FILE": str(ROOT / "tests" / "test.env"),
        "DATABASE_URL": database_url(),
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_SECRET_KEY": key,
    }

    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert (ended.returncode == 0) == starts, ended.stderr
    assert ("held True" in ended.stdout) == starts
    assert ("WrongStripeAccount" in ended.stderr) != starts
