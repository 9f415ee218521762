"""manage.py reconcile: what it says."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.audit import actor
from billing.management.commands import reconcile as command
from billing.models import Reconciliation
from billing.reconciliation import begin, end
from tests.reconciliation.conftest import subscribed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")


def told(*arguments):
    out = StringIO()
    call_command("reconcile", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_what_it_went_through_and_what_it_adopted(account):
    subscribed(account)

    words = told("--adopt", "--all-products")

    assert "customers …" in words
    assert "1 Offices adopted" in words


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--product", "prod_1"], "Give --adopt too"),
        (["--adopt"], "Which customers"),
        (["--adopt", "--product", "prod_1", "--all-products"], "Which customers"),
        (["--adopt", "--product", "prod_nothing"], "product"),
        (["--abandon"], "There is no unfinished comparison"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(account, arguments, says):
    with pytest.raises(CommandError, match=says):
        told(*arguments)
    assert not Reconciliation.objects.exists()


def test_one_that_somebody_ends_meanwhile_is_not_told_as_whole(account, monkeypatch):
    def ends_it(self, run):
        end(run, by=BY, reason="it was a mistake")
        run.refresh_from_db()

    monkeypatch.setattr(command.Command, "_tell", ends_it)

    with pytest.raises(CommandError, match="Somebody ended the comparison early, at: "):
        told()


def test_an_unfinished_one_is_abandoned_and_another_can_begin(account):
    begin(by=BY, reason="at night")

    assert "Its last stage was: undelivered events" in told("--abandon")
    assert "Compared in" in told()
