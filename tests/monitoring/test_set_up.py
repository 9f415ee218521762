"""``setup_stripe`` can be repeated whenever: afterwards the endpoint was seen to be right, or it says what to do."""

import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from djstripe.models import WebhookEndpoint

from billing import accounts, errors
from billing.models import Observation
from billing.monitoring import asking
from billing.stripe_api import client
from tests.conftest import post_delivery
from tests.monitoring.seen import one
from tests.processes import ROOT

GOOD = "Stripe has our webhook endpoint, and it is enabled."


def set_up(*arguments):
    out = StringIO()
    call_command("setup_stripe", *arguments, stdout=out)
    return out.getvalue()


def enabled(stripe):
    return [one for one in stripe.listed("webhook_endpoints") if one["status"] == "enabled"]


def deleted(stripe, endpoint):
    stripe.delete(f"webhook_endpoints/{endpoint['id']}")


def disabled(stripe, endpoint):
    stripe.post(f"webhook_endpoints/{endpoint['id']}", disabled="true")


def narrowed(stripe, endpoint):
    stripe.post(f"webhook_endpoints/{endpoint['id']}", **{"enabled_events[]": "invoice.paid"})


def both(stripe, endpoint):
    narrowed(stripe, endpoint)
    disabled(stripe, endpoint)


def moved(stripe, endpoint):
    stripe.post(f"webhook_endpoints/{endpoint['id']}", url="http://127.0.0.1:8000/elsewhere/")


@pytest.mark.parametrize("change", [None, deleted, disabled, narrowed, both, moved])
def test_after_whatever_somebody_did_it_is_right_again_and_events_arrive(stripe, office, change):
    for _ in range(3):  # within a day, in which Stripe remembers a key of a request
        (endpoint,) = [one for one in enabled(stripe) if "/stripe/webhook/" in one["url"]]
        if change:
            change(stripe, endpoint)

        assert GOOD in set_up("--register-endpoint")

        (now,) = [one for one in enabled(stripe) if "/stripe/webhook/" in one["url"]]
        assert (now["enabled_events"], now["api_version"]) == (["*"], client.API_VERSION)
        assert (now["id"] == endpoint["id"]) == (change not in (deleted, moved))
        assert WebhookEndpoint.objects.get().id == now["id"]
        assert str(one("webhook_endpoint").level) == "green"
    stripe.taken()
    stripe.post("customers", name="Maple")
    assert 200 in [post_delivery(each).status_code for each in stripe.taken()]


def test_beside_one_of_another_version_a_new_one_is_made_and_the_old_one_is_named(stripe):
    (endpoint,) = enabled(stripe)
    deleted(stripe, endpoint)
    stripe.post("webhook_endpoints", url=endpoint["url"], **{"enabled_events[]": "*"})

    said = set_up("--register-endpoint")

    assert "Delete the one that setup_stripe did not make, in Stripe's dashboard." in said
    assert [one["api_version"] for one in enabled(stripe)].count(client.API_VERSION) == 1


def test_a_lost_answer_makes_no_second_endpoint(stripe):
    deleted(stripe, enabled(stripe)[0])
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/webhook_endpoints")
    with pytest.raises(CommandError):
        set_up("--register-endpoint")

    set_up("--register-endpoint")

    assert len(enabled(stripe)) == 1


def test_what_stripe_does_not_show_as_it_should_be_is_refused_with_what_to_do(stripe):
    first = enabled(stripe)[0]
    deleted(stripe, first)
    set_up("--register-endpoint")
    deleted(stripe, enabled(stripe)[0])
    WebhookEndpoint.objects.update(id=first["id"])  # so Stripe answers as it did then, and makes none

    with pytest.raises(CommandError, match=r"as it should be: missing\. Look at it in Stripe's dashboard"):
        set_up("--register-endpoint")


def test_the_secret_is_printed_where_no_secret_is_set(stripe, settings):
    settings.STRIPE_WEBHOOK_SECRETS = []

    assert "that Stripe's dashboard shows into STRIPE_WEBHOOK_SECRETS" in set_up("--register-endpoint")
    deleted(stripe, enabled(stripe)[0])
    assert "It is not shown again: whsec_only_for_tests" in set_up("--register-endpoint")
    assert one("webhook_signatures").code == "webhook_signatures_no_secret"


def test_without_an_endpoint_at_stripe_it_says_how_to_make_one(stripe, settings):
    deleted(stripe, enabled(stripe)[0])
    settings.STRIPE_KIND = "stripe"
    accounts.StripeAccount.objects.update(kind="stripe")

    assert "Run: python manage.py setup_stripe --register-endpoint" in set_up()

    settings.DEBUG = True
    assert "`stripe listen` sends the events" in set_up()


def test_the_key_of_another_account_is_refused_and_noted(stripe):
    accounts.StripeAccount.objects.update(account_id="acct_other")

    with pytest.raises(CommandError, match="acct_other"):
        set_up()
    with pytest.raises(errors.WrongStripeAccount):
        accounts.refuse_other_account()
    asking.ask()
    assert Observation.objects.get(pk="stripe_account").code == "other_account"
    assert one("stripe").code == "stripe_other_account"


@pytest.mark.parametrize("command", ["setup_stripe --help", "migrate --help", "collectstatic --help", "check"])
def test_these_commands_need_no_webhook_secret(tmp_path, command):
    assert run(tmp_path, "manage.py", *command.split()).returncode == 0


@pytest.mark.parametrize("program", [["manage.py", "worker", "--once"], ["-c", "import config.wsgi"]])
def test_web_and_worker_need_one(tmp_path, program):
    ended = run(tmp_path, *program)

    assert ended.returncode != 0
    assert "STRIPE_WEBHOOK_SECRETS: must be the signing secret" in ended.stderr


def run(folder, *arguments):
    environment = {
        **os.environ,
        "ENV_FILE": str(ROOT / "tests" / "test.env"),
        "STRIPE_WEBHOOK_SECRETS": "",
        "DATABASE_URL": f"libsql:///{folder / 'none.db'}",
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
