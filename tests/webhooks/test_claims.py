"""Several workers claim at once, where the database can skip locked rows."""

import contextlib
import threading
import uuid

from django.db import connection

from billing import clock
from billing.models import ReceivedEvent
from billing.webhooks import inbox
from tests.other_connections import postgresql_only


@postgresql_only
def test_a_customer_whose_events_another_worker_is_claiming_is_passed_over(transactional_db):
    oldest, later, others = (waiting_event(customer) for customer in ("cus_one", "cus_one", "cus_two"))

    with locked_by_another_worker(oldest):
        assert claimed() == [others.pk]
        assert claimed() == []

    assert claimed() == [oldest.pk, later.pk]


@postgresql_only
def test_a_claim_takes_also_what_a_worker_locked_that_passes_the_customer_over(transactional_db):
    oldest, later = waiting_event("cus_one"), waiting_event("cus_one")
    locked, release = threading.Event(), threading.Event()

    def another_worker():
        with locked_by_another_worker(later):
            locked.set()
            release.wait(10)

    passing = threading.Thread(target=another_worker)
    passing.start()
    assert locked.wait(10)
    threading.Timer(0.3, release.set).start()

    assert claimed() == [oldest.pk, later.pk]
    passing.join()


def waiting_event(customer):
    now = clock.wall()
    return ReceivedEvent.objects.create(
        stripe_id=f"evt_{uuid.uuid4().hex}", type="customer.updated", customer_id=customer, created_at=now, due_at=now
    )


def claimed():
    found = inbox.claim()
    return [event.pk for event in found[1]] if found else []


@contextlib.contextmanager
def locked_by_another_worker(event):
    """Another connection has locked this row, as a claim does before it knows which events it takes."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM billing_receivedevent WHERE id = %s FOR UPDATE", [event.pk])
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()
