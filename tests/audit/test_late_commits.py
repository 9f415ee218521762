"""On PostgreSQL, a transaction with a lower entry can commit after a higher one was sealed. That is no fault."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction

from billing.audit import actor, seals, trail, verify
from billing.models import AuditEntry, Office, SealedEntry
from tests.conftest import an_office

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("postgresql" not in settings.DATABASES["default"]["ENGINE"], reason="one writer at a time"),
]
WRITERS, ROUNDS = 8, 12


def test_entries_of_eight_writers_that_commit_late_are_sealed_once_and_found_whole():
    office = an_office("Maple")
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(written_slowly, office, seed) for seed in range(WRITERS)]
        while not all(writer.done() for writer in writers):
            seals.seal()
        for writer in writers:
            writer.result()
    seals.seal()

    found = verify.verify()

    assert (found.faults, found.unsealed) == ([], 0)
    assert found.entries == AuditEntry.objects.count() == SealedEntry.objects.count()
    in_tree = list(SealedEntry.objects.order_by("position").values_list("entry", flat=True))
    assert in_tree != sorted(in_tree), "no entry was late, so this shows nothing"


def written_slowly(office: Office, seed: int) -> None:
    """Write an entry in each of some transactions that stay open for up to a tenth of a second after it."""
    pause = random.Random(seed)
    try:
        for number in range(ROUNDS):
            with transaction.atomic():
                with trail.acting(actor.job("tests"), reason="a slow commit"):
                    trail.record_act(office, f"writer {seed}, round {number}", office=office)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [pause.uniform(0, 0.1)])
    finally:
        connection.close()
