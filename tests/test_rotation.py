"""Each key is replaced while processes run: one that was restarted and one that was not read what the other wrote.

SECRET_KEY: tests/sign_in/test_secret_key.py. DATABASE_KEY: everything stops, see tests/config/test_encrypt_database.py.
A service's secret: tests/api/test_services.py.
"""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings
from stripe import WebhookSignature

from billing import changed_settings, sealing
from billing.access import encrypted
from billing.audit import keys, verify
from billing.models import ReceivedEvent
from tests.conftest import an_office, post_delivery

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
OLD_FERNET, NEW_FERNET = (Fernet.generate_key().decode() for _ in range(2))
OLD_SEAL, NEW_SEAL, OLD_MARK, NEW_MARK = (digit * 64 for digit in "abcd")
PUBLIC = [keys.public_of(OLD_SEAL).hex(), keys.public_of(NEW_SEAL).hex()]


def trail_with(seal: str, marks: list[str], public: list[str]) -> dict[str, Any]:
    return {"AUDIT_SEAL_KEY": seal, "AUDIT_ENTRY_KEYS": marks, "AUDIT_SEAL_PUBLIC_KEYS": public}


STEPS: dict[str, list[dict[str, Any]]] = {
    "secrets": [{"SECRETS_KEYS": one} for one in ([OLD_FERNET], [OLD_FERNET, NEW_FERNET], [NEW_FERNET, OLD_FERNET])],
    "trail": [
        trail_with(OLD_SEAL, [OLD_MARK], []),
        trail_with(OLD_SEAL, [OLD_MARK, NEW_MARK], PUBLIC),
        trail_with(NEW_SEAL, [NEW_MARK, OLD_MARK], PUBLIC),
    ],
    "webhooks": [{"STRIPE_WEBHOOK_SECRETS": one} for one in (["whsec_old"], ["whsec_old", "whsec_new"], ["whsec_new"])],
}
"""What processes have before, after the first and after the second step of docs/operations.md."""


def restarts(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what runs beside each other in each step: a process that was not restarted, and one that was."""
    return list(zip(STEPS[name], STEPS[name][1:], strict=False))


@pytest.mark.parametrize(("not_yet", "restarted"), restarts("secrets"))
def test_what_either_encrypts_the_other_reads(not_yet, restarted):
    for writes, reads in ((not_yet, restarted), (restarted, not_yet)):
        with override_settings(**writes):
            text = encrypted.encrypt("JBSWY3DPEHPK3PXP")
        with override_settings(**reads):
            assert encrypted.decrypt(text) == "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(("not_yet", "restarted"), restarts("trail"))
def test_what_either_writes_and_seals_is_whole_to_both(not_yet, restarted):
    with override_settings(**STEPS["trail"][0]):
        an_office("Before")
        sealing.seal()
    for number, process in enumerate((not_yet, restarted, not_yet, restarted)):
        with override_settings(**process):
            an_office(f"Office {number}")
            sealing.seal()
    with override_settings(**restarted):
        an_office("Waits for a seal")

    for process in (not_yet, restarted):
        with override_settings(**process):
            assert verify.verify().faults == []


def test_without_the_first_step_a_process_takes_the_others_entries_for_forged():
    before, _, after = STEPS["trail"]
    for process in (before, after):
        with override_settings(**process):
            an_office(f"By {process['AUDIT_SEAL_KEY'][:1]}")
            sealing.seal()

    with override_settings(**before):
        assert not verify.verify().is_whole


def both_sign(body: str) -> str:
    """Return the header of the overlap: one time, and a signature with each secret."""
    at = int(time.time())
    signed = [WebhookSignature.generate_signature_header(body, one, at) for one in ("whsec_new", "whsec_old")]
    return ",".join([signed[0], signed[1].partition(",")[2]])


def test_while_stripe_signs_with_both_secrets_every_process_takes_each_event(stripe, office):
    stripe.post("customers", name="Somebody")
    [delivery] = stripe.taken()
    deliveries = [
        {**delivery, "body": re.sub(r'"id": ?"evt_\w+"', f'"id": "evt_rolled{number}"', delivery["body"], count=1)}
        for number in range(len(STEPS["webhooks"]))
    ]

    for process, one in zip(STEPS["webhooks"], deliveries, strict=True):
        with override_settings(**process):
            answer = post_delivery(one, headers={"Stripe-Signature": both_sign(one["body"])})
            assert answer.status_code == 200, process

    assert set(ReceivedEvent.objects.values_list("stripe_id", flat=True)) == {f"evt_rolled{n}" for n in range(3)}


def test_an_event_with_the_secret_that_was_ended_is_refused(stripe, office):
    stripe.post("customers", name="Somebody")
    [delivery] = stripe.taken()
    header = WebhookSignature.generate_signature_header(delivery["body"], "whsec_old", int(time.time()))

    with override_settings(**STEPS["webhooks"][-1]):
        assert post_delivery(delivery, headers={"Stripe-Signature": header}).status_code == 400


def test_the_document_says_of_each_key_how_it_is_replaced():
    rows = re.findall(
        r"^\| ([^|]+) \|", (Path(__file__).parents[1] / "docs" / "operations.md").read_text(), re.MULTILINE
    )
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    of_environment = set(changed_settings.SECRET) - {changed_settings.DATABASE_SECRET, "SECRET_KEY_FALLBACKS"}

    assert of_environment | {"DATABASE_KEY", "DATABASE_AUTH_TOKEN"} <= named
