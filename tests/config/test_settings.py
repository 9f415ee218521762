import base64
import os
import platform
import subprocess
import sys

import pytest

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
GOOD = {
    "DEBUG": "false",
    "SECRET_KEY": "k" * 30 + "0123456789" * 4,
    "ALLOWED_HOSTS": "billing.vendor.example",
    "SITE_URL": "https://billing.vendor.example",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRETS": "whsec_x",
    "EMAIL_HOST": "smtp.vendor.example",
    "DEFAULT_FROM_EMAIL": "billing@vendor.example",
    "SECRETS_KEYS": KEY,
    "AUDIT_SEAL_KEY": "0123456789abcdef" * 4,
    "AUDIT_ENTRY_KEYS": "fedcba9876543210" * 4,
    "ENV_FILE": "/dev/null",
}


def start(program="import config.settings", **changes):
    environment = {"PATH": os.environ["PATH"], **GOOD, **changes}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_complete_environment_starts():
    assert start().returncode == 0


SHOW = "from config import settings; print(settings.STRIPE_LIVE_MODE, settings.DATABASES['default']['NAME'])"


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_a_live_key_starts_in_live_mode_with_a_database_of_its_own(key):
    ended = start(SHOW, STRIPE_SECRET_KEY=key)

    assert ended.returncode == 0, ended.stderr
    live, name = ended.stdout.split()
    assert (live, name.rpartition("/")[2]) == ("True", "stripe-live.db")


def test_a_test_key_does_not():
    live, name = start(SHOW).stdout.split()
    assert (live, name.rpartition("/")[2]) == ("False", "stripe-test.db")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"DEBUG": "true"}, "STRIPE_SECRET_KEY: a live key is refused while DEBUG is on"),
        ({"DEBUG": "true", "STRIPE_API_BASE": "http://127.0.0.1:12111"}, "a live key is refused while DEBUG is on"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:12111"}, "STRIPE_API_BASE: a local Stripe is for development only"),
        ({"SITE_URL": "http://billing.vendor.example"}, "SITE_URL"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: is too weak"),
        ({"AUDIT_SEAL_KEY": ""}, "AUDIT_SEAL_KEY: must be 64 hexadecimal digits (0 to 9, a to f). Make one: python -c"),
        ({"AUDIT_ENTRY_KEYS": ""}, "AUDIT_ENTRY_KEYS: must be 64 hexadecimal digits (0 to 9, a to f). Make one"),
        ({"VENDOR_TIME_ZONE": "Mars/Base"}, "VENDOR_TIME_ZONE: must be a name of the IANA list"),
    ],
)
def test_a_live_key_is_for_production_only_and_is_not_shown(changes, says):
    ended = start(STRIPE_SECRET_KEY="sk_live_of_nobody", **changes)

    assert ended.returncode != 0
    assert says in ended.stderr
    assert "sk_live_of_nobody" not in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("SECRET_KEY", "", "SECRET_KEY: must be a long random text"),
        ("SECRET_KEY", "short", "SECRET_KEY: is too weak"),
        ("SECRET_KEY_FALLBACKS", "short", "SECRET_KEY_FALLBACKS: key 1 is too weak"),
        ("SECRET_KEY_FALLBACKS", f"{'k' * 50},short", "SECRET_KEY_FALLBACKS: key 2 is too weak"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("SITE_URL", "http://billing.vendor.example", "SITE_URL"),
        ("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY: must be a secret"),
        ("STRIPE_SECRET_KEY", "pk_test_x", "STRIPE_SECRET_KEY: must be a secret"),
        ("STRIPE_WEBHOOK_SECRETS", "", "STRIPE_WEBHOOK_SECRETS: must be the signing secret"),
        ("STRIPE_WEBHOOK_SECRETS", "secret", "must begin with whsec_"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111", "STRIPE_API_BASE"),
        ("STRIPE_REQUESTS_PER_SECOND", "3", "STRIPE_REQUESTS_PER_SECOND: must be a whole number from 4"),
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL: use a file (libsql:///var/billing.db), a libSQL server"),
        (
            "DATABASE_URL",
            "https://server.example",
            "DATABASE_URL: use a file (libsql:///var/billing.db), a libSQL server",
        ),
        ("DATABASE_URL", "libsql:///", "DATABASE_URL: use a file"),
        ("DATABASE_URL", "libsql:///billing.db?mode=ro", "DATABASE_URL: a file takes no options"),
        ("DATABASE_URL", "libsql://server.example/db", "libsql://host or libsql://host:port, no more"),
        ("DATABASE_URL", "wss://server.example?tls=0", "libsql://host or libsql://host:port, no more"),
        ("DATABASE_URL", "libsql://server.example?authToken=abc", "Put it into DATABASE_AUTH_TOKEN"),
        ("DATABASE_URL", "libsql://abc@server.example", "Put it into DATABASE_AUTH_TOKEN"),
        ("DATABASE_URL", "ws://server.example:8080", "ws:// is not encrypted, so it is only for this machine"),
        ("DATABASE_URL", "ws://127.0.0.1:8080", "DATABASE_PLAIN_ON_LOOPBACK=true is also possible"),
        ("DATABASE_AUTH_TOKEN", "abc", "DATABASE_AUTH_TOKEN: is only for a libSQL server"),
        ("DATABASE_KEY", "secret", "DATABASE_KEY: must be 64 hexadecimal digits"),
        ("REQUIRE_SECOND_FACTOR", "false", "REQUIRE_SECOND_FACTOR: can be off only while DEBUG is on"),
        ("REQUIRE_SECOND_FACTOR", "ture", "REQUIRE_SECOND_FACTOR: must be true or false"),
        ("SECRETS_KEYS", "", "SECRETS_KEYS: must be a key that encrypts the secrets of second factors"),
        ("SECRETS_KEYS", "too-short", "SECRETS_KEYS: key 1 must be 32 bytes in base64"),
        ("SECRETS_KEYS", f"{KEY},{KEY[:-2]}", "SECRETS_KEYS: key 2 must be 32 bytes in base64"),
        ("OIDC_ISSUER", "https://sign-in.vendor.example", "OIDC_CLIENT_ID: is needed to sign in through a provider"),
        ("OIDC_ISSUER", "http://127.0.0.1:8080", "OIDC_ISSUER: must be the provider's address and begin with https://"),
        ("OIDC_ROLES", "operator", "OIDC_ROLES: write role=group"),
        ("AUDIT_SEAL_KEY", "", "AUDIT_SEAL_KEY: must be 64 hexadecimal digits"),
        ("AUDIT_SEAL_KEY", "0123456789ABCDEF" * 4, "AUDIT_SEAL_KEY: must be 64 hexadecimal digits"),
        ("AUDIT_ENTRY_KEYS", "", "AUDIT_ENTRY_KEYS: must be 64 hexadecimal digits"),
        ("AUDIT_ENTRY_KEYS", "a" * 64 + ",short", "AUDIT_ENTRY_KEYS: key 2 must be 64 hexadecimal digits"),
        ("AUDIT_SEAL_PUBLIC_KEYS", "short", "as manage.py audit_keys shows it"),
    ],
)
def test_a_missing_or_wrong_variable_stops_the_start_and_says_what_to_put(variable, value, says):
    ended = start(**{variable: value})

    assert ended.returncode != 0
    assert says in ended.stderr


@pytest.mark.parametrize("url", ["libsql://server.example", "postgres:///billing"])
def test_a_key_is_for_a_file_only(url):
    assert "DATABASE_KEY: is only for a file" in start(DATABASE_URL=url, DATABASE_KEY="0" * 64).stderr


@pytest.mark.parametrize(
    ("driver", "changes", "says"),
    [
        ("libsql_client", {"DATABASE_URL": "libsql://server.example"}, ("DATABASE_URL", "-r requirements-libsql.txt")),
        (
            "sqlcipher3",
            {"DATABASE_KEY": "0" * 64},
            ("DATABASE_KEY", "3.11 to 3.13", f"this is {platform.python_version()}", "-r requirements-encrypted.txt"),
        ),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_the_command_that_installs_it(driver, changes, says):
    without = f"import sys; sys.modules[{driver!r}] = None; import config.settings"

    ended = start(without, **changes)

    assert ended.returncode != 0
    assert [words for words in says if words not in ended.stderr] == []


def test_with_a_live_key_a_libsql_server_needs_a_stated_reason():
    live = {"STRIPE_SECRET_KEY": "sk_live_x", "DATABASE_URL": "libsql://server.example"}

    assert "say why in LIBSQL_SERVER_LIVE_REASON" in start(**live).stderr
    assert start(**live, LIBSQL_SERVER_LIVE_REASON=" ").returncode != 0
    assert start(**live, LIBSQL_SERVER_LIVE_REASON="the disk has a battery").returncode == 0


SERVER = "postgres://billing@db.vendor.example/billing"
LOCAL = "postgres://billing@127.0.0.1:5432/billing"
SOCKET = "postgres://billing@/billing?host=/var/run/postgresql"


@pytest.mark.parametrize(
    "variables",
    [
        {"DATABASE_URL": SERVER},
        {"DATABASE_URL": f"{SERVER}?sslmode=require"},
        {"DATABASE_URL": f"{SERVER}?sslmode=verify-ca"},
        {"DATABASE_URL": SERVER.replace("postgres:", "postgresql:")},
        {"DATABASE_URL": SERVER, "DATABASE_PLAIN_ON_LOOPBACK": "true"},
        {"DATABASE_URL": LOCAL},
        {"DATABASE_URL": "postgres://billing@127.0.0.1,db.vendor.example/billing", "DATABASE_PLAIN_ON_LOOPBACK": "1"},
        {"DATABASE_URL": f"{LOCAL}?hostaddr=192.0.2.1", "DATABASE_PLAIN_ON_LOOPBACK": "true"},
        {"DATABASE_URL": f"{SOCKET}&hostaddr=192.0.2.1"},
        {"DATABASE_URL": f"{SERVER}?host=/var/run/postgresql"},
        {"DATABASE_URL": "postgres:///billing", "PGHOST": "db.vendor.example"},
        {"DATABASE_URL": "postgres:///?service=billing"},
        {"DATABASE_URL": "postgres:///?service=billing", "DATABASE_PLAIN_ON_LOOPBACK": "true"},
    ],
)
def test_with_debug_off_postgresql_over_tcp_is_refused_unless_its_certificate_is_verified(variables):
    ended = start(**variables)

    assert ended.returncode != 0
    assert "DATABASE_URL: the connection to PostgreSQL must be encrypted" in ended.stderr
    assert "?sslmode=verify-full&sslrootcert=" in ended.stderr
    offered = "DATABASE_PLAIN_ON_LOOPBACK=true is also possible" in ended.stderr
    assert offered == (variables == {"DATABASE_URL": LOCAL})


@pytest.mark.parametrize(
    "variables",
    [
        {"DATABASE_URL": f"{SERVER}?sslmode=verify-full"},
        {"DATABASE_URL": f"{LOCAL}?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem"},
        {"DATABASE_URL": SERVER, "PGSSLMODE": "verify-full"},
        {"DATABASE_URL": SOCKET},
        {"DATABASE_URL": "postgres:////var/run/postgresql/billing"},
        {"DATABASE_URL": "postgres:///billing"},
        {"DATABASE_URL": LOCAL, "DATABASE_PLAIN_ON_LOOPBACK": "true"},
        {"DATABASE_URL": "postgres://billing@[::1]/billing", "DATABASE_PLAIN_ON_LOOPBACK": "true"},
        {"DATABASE_URL": "postgres://billing@localhost/billing", "DATABASE_PLAIN_ON_LOOPBACK": "true"},
        {"DATABASE_URL": SERVER, "DEBUG": "true"},
    ],
)
def test_verified_tls_a_unix_socket_and_a_loopback_that_is_asked_for_are_accepted(variables):
    assert start(**variables).returncode == 0


PROVIDER = {
    "OIDC_ISSUER": "https://sign-in.vendor.example/",
    "OIDC_CLIENT_ID": "office-billing",
    "OIDC_CLIENT_SECRET": "not a secret",
    "OIDC_ROLES": "operator=Billing operators,operator=cn=all,auditor=auditors",
}


def test_a_provider_is_set_up_by_variables_alone():
    ended = start("from config import settings; print(settings.OIDC, settings.SOCIALACCOUNT_PROVIDERS)", **PROVIDER)

    assert ended.returncode == 0, ended.stderr
    assert "'operator': frozenset({" in ended.stdout
    assert "'cn=all'" in ended.stdout
    assert "'Billing operators'" in ended.stdout
    assert "'server_url': 'https://sign-in.vendor.example'" in ended.stdout
    assert "not a secret" not in ended.stdout


def test_a_role_that_does_not_exist_stops_the_start():
    ended = start(
        "import config.wsgi", **PROVIDER | {"OIDC_ROLES": "operator=a,opreator=b"}, STATIC_ROOT="/nonexistent"
    )

    assert ended.returncode != 0
    assert "OIDC_ROLES: there is no role opreator. The roles are: " in ended.stderr


@pytest.mark.parametrize("missing", PROVIDER)
def test_half_of_a_provider_stops_the_start(missing):
    assert f"{missing}: is needed to sign in through a provider" in start(**PROVIDER | {missing: ""}).stderr


def test_second_factors_are_on_and_secrets_have_a_key_unless_something_else_is_said():
    show = "from config import settings; print(settings.REQUIRE_SECOND_FACTOR, len(settings.SECRETS_KEYS[0]))"

    assert start(show).stdout.split() == ["True", "44"]
    assert start(show, DEBUG="true", SECRETS_KEYS="").stdout.split() == ["True", "44"]
    assert start(show, DEBUG="true", REQUIRE_SECOND_FACTOR="false").stdout.split() == ["False", "44"]


def test_all_problems_are_named_at_once():
    ended = start(SECRET_KEY="", STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRETS="")
    assert [name in ended.stderr for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"EMAIL_HOST": ""}, "EMAIL_HOST: must name the mail server"),
        ({"DEFAULT_FROM_EMAIL": ""}, "DEFAULT_FROM_EMAIL: must be the address that e-mails come from"),
        ({"DEFAULT_FROM_EMAIL": "billing"}, "DEFAULT_FROM_EMAIL: must be the address"),
        ({"EMAIL_USE_TLS": "false"}, "EMAIL_USE_TLS: must be true, or EMAIL_USE_SSL"),
        ({"EMAIL_USE_TLS": "ture"}, "EMAIL_USE_TLS: must be true or false"),
        ({"EMAIL_USE_TLS": "true", "EMAIL_USE_SSL": "true"}, "EMAIL_USE_SSL: cannot be true together"),
        ({"EMAIL_HOST_USER": "billing"}, "EMAIL_HOST_PASSWORD: is needed together with EMAIL_HOST_USER"),
        ({"EMAIL_HOST_PASSWORD": "secret-of-nobody"}, "EMAIL_HOST_PASSWORD: is needed together with EMAIL_HOST_USER"),
    ],
)
def test_e_mails_leave_only_encrypted_and_under_an_address(changes, says):
    ended = start(**changes)

    assert ended.returncode != 0
    assert says in ended.stderr
    assert "secret-of-nobody" not in ended.stderr


SHOW_MAIL = (
    "from config import settings as s; "
    "print(s.EMAIL_PORT, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL, getattr(s, 'EMAIL_BACKEND', 'smtp').split('.')[-2:][0])"
)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "587 True False smtp"),
        ({"EMAIL_USE_SSL": "true"}, "465 False True smtp"),
        ({"EMAIL_HOST": "127.0.0.1"}, "25 False False smtp"),
        ({"EMAIL_HOST": "localhost", "EMAIL_PORT": "1025"}, "1025 False False smtp"),
        ({"EMAIL_HOST": "127.0.0.1", "EMAIL_USE_TLS": "true"}, "587 True False smtp"),
        ({"DEBUG": "true", "EMAIL_HOST": "", "DEFAULT_FROM_EMAIL": ""}, "587 True False console"),
        ({"DEBUG": "true", "EMAIL_HOST": "", "STRIPE_API_BASE": "http://127.0.0.1:9"}, "587 True False filebased"),
    ],
)
def test_tls_is_used_unless_the_mail_server_is_here_and_without_one_nothing_is_sent(changes, shown):
    ended = start(SHOW_MAIL, **changes)

    assert ended.stdout.strip() == shown, ended.stderr
