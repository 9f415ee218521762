"""The worker process: it settles events and operations, runs due jobs, and shows that it is alive."""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, connections

from billing import (  # noqa: F401  for their jobs
    changed_settings,
    clock,
    counted_refusals,
    folded_addresses,
    folded_names,
    held,
    jobs,
    lapsed,
    limits,
    matters,
    member_grants,
    sealing,
    search_parts,
    stored_texts,
    waits,
)
from billing.bulk import follow_ups, offices, price_moves, running  # noqa: F401  for their kinds and their job
from billing.bulk import keeping as keeping_of_bulk_acts  # noqa: F401  for its job
from billing.models import WorkerHeartbeat
from billing.monitoring import direct, key, telling  # noqa: F401  for their jobs
from billing.operations.engine import request_texts  # noqa: F401  for its job
from billing.operations.engine.settle import resume_unsettled
from billing.outbox import by_time, delivery, keeping, staff_digest  # noqa: F401  for their jobs
from billing.reports import rolling  # noqa: F401  for its job
from billing.stripe_api import pace
from billing.webhooks import inbox
from config import logs

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 5
LAST_MAIL_SECONDS = 10
BEAT_SECONDS = 10
TELL_SECONDS = 60
DEAD_AFTER = timedelta(days=1)

STEPS: tuple[Callable[..., int], ...] = (resume_unsettled, inbox.work_off, jobs.run_due)


def work_once() -> int:
    """Work on what is due now, up to the limit of each step.

    Return how many looks, operations, jobs and e-mails that were: 0 while the database is held.
    """
    if held.is_held():
        log.warning("worker: nothing was done, because %s", held.SAID)
        return 0
    jobs.plan_recurring()
    with pace.required(), pace.kept():
        return sum(step() for step in STEPS) + delivery.work_off()


def work_forever() -> None:
    """Work until SIGTERM or SIGINT. The present piece of work is finished first, and no other is begun."""
    stop = threading.Event()

    def finish(number: int, _: Any) -> None:
        log.info("worker: finishing after signal %s", number)
        stop.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    freeze_loaded()
    heart = Heart(f"{socket.gethostname()}:{os.getpid()}")
    logs.name_worker(heart.name)
    postman = Postman(stop)
    trouble = direct.Trouble()
    postman.start()
    log.info("worker %s started", heart.name)
    changed_settings.record_if_possible()
    with pace.required(), pace.kept():
        while not stop.is_set():
            close_old_connections()
            if postman.is_stuck:
                sys.exit("the worker ends, because the mail server has not let go of one e-mail for minutes")
            try:
                heart.beat()
                done = _one_of_each(stop)
                trouble.over()
            except AnyDatabaseError as error:  # such as a restart: claimed work is claimed again later
                log.exception("worker: an error of the database; trying again")
                trouble.happened(error)
                stop.wait(AFTER_TROUBLE_SECONDS)
                continue
            if not done:
                stop.wait(IDLE_SECONDS)
    heart.stop()
    postman.join(LAST_MAIL_SECONDS)
    if postman.died:
        sys.exit("the worker ends, because sending e-mails ended by an error, which is shown above")


def freeze_loaded() -> None:
    """Tell the garbage collector to skip everything that is loaded by now.

    It stays until the end of the process, and checking it again and again would take a good part of a look's time.
    Source: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()


def _one_of_each(stop: threading.Event) -> int:
    """Work on at most one operation, one look and one job, so that none of them waits long for the others."""
    if held.is_held():
        return 0
    waits.let_one_try(waits.STRIPE)
    done = 0
    for step in STEPS:
        if not stop.is_set():
            done += step(limit=1)
    return done


class Postman(threading.Thread):
    """Sends e-mails beside everything else, so that a slow mail server does not hold up a look.

    After an error that nobody foresaw, the worker ends, and whatever started it starts another one.
    """

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="postman", daemon=True)
        self.stop = stop
        self.died = False
        self.began = 0.0

    @property
    def is_stuck(self) -> bool:
        """Whether it has worked on one e-mail for longer than a lease. A mail server can do that by talking slowly."""
        return self.began > 0 and time.monotonic() - self.began > delivery.LEASE.total_seconds()

    def run(self) -> None:
        try:
            with pace.kept():
                while not self.stop.is_set():
                    self._send_one()
        finally:
            self.died = not self.stop.is_set()
            self.stop.set()
            connections.close_all()

    def _send_one(self) -> None:
        """Send what is due first, or wait a moment."""
        close_old_connections()
        self.began = time.monotonic()
        try:
            is_free = not held.is_held()
            if is_free:
                waits.let_one_try(waits.MAIL_SERVER)
            wait = 0 if is_free and delivery.work_off(limit=1) else IDLE_SECONDS
        except AnyDatabaseError:
            log.exception("outbox: an error of the database; trying again")
            wait = AFTER_TROUBLE_SECONDS
        self.began = 0.0
        self.stop.wait(wait)


class Heart:
    """The heartbeat of a worker: a row that it renews between two pieces of work, at most every ten seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = key.KeyWatch()
        self.last = -float(BEAT_SECONDS)
        self.told_of_hold = -float(TELL_SECONDS)

    def beat(self) -> None:
        if time.monotonic() - self.last < BEAT_SECONDS:
            return
        now = clock.wall()
        WorkerHeartbeat.objects.update_or_create(name=self.name, defaults={"seen_at": now})
        WorkerHeartbeat.objects.filter(seen_at__lt=now - DEAD_AFTER).delete()
        self.key.look()
        self.last = time.monotonic()
        if not held.is_held():
            jobs.plan_recurring()
        elif self.last - self.told_of_hold >= TELL_SECONDS:
            log.warning("worker: it does nothing, because %s", held.SAID)
            self.told_of_hold = self.last

    def stop(self) -> None:
        WorkerHeartbeat.objects.filter(name=self.name).delete()
