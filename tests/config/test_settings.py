import os
import subprocess
import sys

import pytest

GOOD = {
    "DEBUG": "false",
    "SECRET_KEY": "k" * 30 + "0123456789" * 4,
    "ALLOWED_HOSTS": "billing.vendor.example",
    "SITE_URL": "https://billing.vendor.example",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRETS": "whsec_x",
    "ENV_FILE": "/nonexistent",
}


def start(**changes):
    environment = {"PATH": os.environ["PATH"], **GOOD, **changes}
    command = [sys.executable, "-c", "import config.settings"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_complete_environment_starts():
    assert start().returncode == 0


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("SECRET_KEY", "", "SECRET_KEY: a long random text"),
        ("SECRET_KEY", "short", "SECRET_KEY: is too weak"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("SITE_URL", "http://billing.vendor.example", "SITE_URL"),
        ("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY: put a secret"),
        ("STRIPE_SECRET_KEY", "pk_test_x", "STRIPE_SECRET_KEY: put a secret"),
        ("STRIPE_SECRET_KEY", "sk_live_x", "BAA determination"),
        ("STRIPE_WEBHOOK_SECRETS", "", "STRIPE_WEBHOOK_SECRETS: put the signing secret"),
        ("STRIPE_WEBHOOK_SECRETS", "secret", "begins with whsec_"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111", "STRIPE_API_BASE"),
        ("DATABASE_URL", "libsql://server.example/db", "a libSQL server is not supported yet"),
        ("DATABASE_URL", "wss://server.example", "a libSQL server is not supported yet"),
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL: use libsql:///"),
    ],
)
def test_a_missing_or_wrong_variable_stops_the_start_and_says_what_to_put(variable, value, says):
    ended = start(**{variable: value})

    assert ended.returncode != 0
    assert says in ended.stderr
    assert value not in ("sk_live_x",) or value not in ended.stderr


def test_all_problems_are_named_at_once():
    ended = start(SECRET_KEY="", STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRETS="")
    assert [name in ended.stderr for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS")] == [
        True
    ] * 3
