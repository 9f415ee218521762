import io
import re

import pytest
from django.core.management import call_command

from billing import sealing
from billing.audit import keys, verify
from config.environment import Problems
from config.variables import trail
from config.variables.variable import Values
from tests.conftest import an_office

pytestmark = pytest.mark.django_db(transaction=True)


def lines():
    said = io.StringIO()
    call_command("audit_keys", stdout=said)
    return said.getvalue(), dict(re.findall(r"^(AUDIT_\w+)=(.*)$", said.getvalue(), re.MULTILINE))


def test_the_printed_lines_replace_the_keys_and_what_was_sealed_stays_verified(settings):
    an_office("Maple")
    sealing.seal()
    said, new = lines()

    settings.AUDIT_SEAL_KEY = new["AUDIT_SEAL_KEY"]
    settings.AUDIT_SEAL_PUBLIC_KEYS = new["AUDIT_SEAL_PUBLIC_KEYS"].split(",")
    settings.AUDIT_ENTRY_KEYS = [new["AUDIT_ENTRY_KEYS"], *settings.AUDIT_ENTRY_KEYS]
    an_office("Oak")
    sealing.seal()

    assert verify.verify().is_whole
    assert f"verifies an export: {keys.public_of(settings.AUDIT_SEAL_KEY).hex()}" in said


def test_each_call_makes_other_keys_and_the_settings_take_them():
    (_, one), (_, other) = lines(), lines()
    problems = Problems()

    said = Values(one, problems)
    for variable in (trail.AUDIT_SEAL_KEY, trail.AUDIT_SEAL_PUBLIC_KEYS, trail.AUDIT_ENTRY_KEYS):
        assert said[variable]

    assert problems.found == []
    made = {found[name] for found in (one, other) for name in ("AUDIT_SEAL_KEY", "AUDIT_ENTRY_KEYS")}
    assert len(made) == 4


def test_no_key_that_is_in_use_is_printed(settings):
    said, _ = lines()

    for secret in (settings.AUDIT_SEAL_KEY, *settings.AUDIT_ENTRY_KEYS):
        assert secret not in said
