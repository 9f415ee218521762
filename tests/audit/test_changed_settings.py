"""Which settings that matter changed is in the trail when a worker starts: their names, and nothing of their values."""

import re
import signal
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, connections

from billing import changed_settings
from billing.models import AuditEntry, KnownSetting, WorkerHeartbeat
from config.variables.table import VARIABLES
from tests.other_connections import ON_SERVER, locked_by_another
from tests.processes import until
from tests.test_refused_text import everything_kept


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(actor_label="worker").order_by("pk"))


def test_each_variable_is_in_the_table_or_left_out_with_a_reason():
    table = set(changed_settings.PLAIN) | set(changed_settings.SECRET) - {changed_settings.DATABASE_SECRET}
    assert table | set(changed_settings.LEFT_OUT) == set(VARIABLES)
    assert not table & set(changed_settings.LEFT_OUT)
    assert not set(changed_settings.PLAIN) & set(changed_settings.SECRET)


def test_the_first_start_has_nothing_to_compare_with_and_the_next_finds_no_change(db):
    assert (changed_settings.record(), changed_settings.record()) == ([], [])
    assert [one.what for one in entries()] == ["began to keep digests of the settings that matter"]
    assert KnownSetting.objects.count() == len(changed_settings.PLAIN) + len(changed_settings.SECRET)


def test_one_entry_names_what_changed_and_no_value(db, settings):
    changed_settings.record()
    settings.PAST_DUE_GRACE = timedelta(days=99)
    settings.OIDC = replace(settings.OIDC, issuer="https://zebedee.example")
    settings.SECRET_KEY = "zebedee has another one"
    settings.EMAIL_HOST_PASSWORD = "zebedee"

    assert changed_settings.record() == ["EMAIL_HOST_PASSWORD", "OIDC_ISSUER", "PAST_DUE_DAYS", "SECRET_KEY"]
    assert changed_settings.record() == []
    [entry] = entries()[1:]
    assert entry.what.endswith(": EMAIL_HOST_PASSWORD, OIDC_ISSUER, PAST_DUE_DAYS, SECRET_KEY")
    assert (entry.changes["PAST_DUE_DAYS"], entry.changes["OIDC_ISSUER"]) == ("changed", "changed")
    assert re.fullmatch(r"set, key [0-9a-f]{8}:[0-9a-f]{8}", entry.changes["SECRET_KEY"])
    assert "zebedee" not in everything_kept()

    settings.EMAIL_HOST_PASSWORD = ""
    assert changed_settings.record() == ["EMAIL_HOST_PASSWORD"]
    assert entries()[-1].changes == {"EMAIL_HOST_PASSWORD": "not set"}


@pytest.mark.parametrize("name", changed_settings.PLAIN)
def test_each_value_can_be_read_and_is_the_same_each_time(name):
    value = changed_settings.PLAIN[name]
    assert changed_settings._text(name, value()) == changed_settings._text(name, value())
    assert " object at 0x" not in changed_settings._text(name, value()).decode()


def test_another_key_of_entries_is_the_one_change_while_the_earlier_one_is_kept(db, settings):
    changed_settings.record()
    settings.AUDIT_ENTRY_KEYS = ["ab" * 32, *settings.AUDIT_ENTRY_KEYS]
    assert changed_settings.record() == ["AUDIT_ENTRY_KEYS"]


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_a_worker_that_starts_records_it(stripe, started):
    worker = started("manage.py", "worker")
    until(WorkerHeartbeat.objects.exists)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert [one.what for one in entries()] == ["began to keep digests of the settings that matter"]


@pytest.mark.skipif(ON_SERVER, reason="a libSQL server takes the lock from whoever holds it for five seconds")
@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_a_worker_starts_even_if_it_cannot_be_written(caplog, monkeypatch):
    with locked_by_another("billing_knownsetting", "billing_auditentry"), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET lock_timeout = 10")
        else:
            monkeypatch.setattr(connections["default"], "longest_wait", 0.01)
        changed_settings.record_if_possible()
        connection.close()
    assert "not in the audit trail" in caplog.text
    assert entries() == []
