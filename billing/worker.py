"""The worker process: it settles events and operations, runs due jobs, and shows that it is alive."""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

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
from billing.beside import AFTER_TROUBLE_SECONDS, IDLE_SECONDS, Beside, Postman, lookers
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

LAST_REQUESTS_SECONDS, END_SECONDS = 1.0, 9.5
"""After a signal: until when a request may begin, which lasts 8 seconds at most, and when the worker ends."""
BEAT_SECONDS = 10
TELL_SECONDS = 60
DEAD_AFTER = timedelta(days=1)


def work_once() -> int:
    """Work on what is due now, up to the limit of each step.

    Return how many looks, operations, jobs and e-mails that were: 0 while the database is held.
    """
    if held.is_held():
        log.warning("worker: nothing was done, because %s", held.SAID)
        return 0
    jobs.plan_recurring()
    with pace.required(), pace.kept():
        return resume_unsettled() + inbox.work_off() + jobs.run_due() + delivery.work_off()


def work_forever() -> None:
    """Work until SIGTERM or SIGINT. Then nothing else is begun, and what is not finished soon is given back."""
    stop, ending, stuck = threading.Event(), Ending(), False

    def finish(number: int, _: Any) -> None:
        log.info("worker: finishing after signal %s", number)
        ending.begin()
        stop.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    freeze_loaded()
    heart = Heart(f"{socket.gethostname()}:{os.getpid()}")
    logs.name_worker(heart.name)
    postman = Postman(stop)
    beside: list[Beside] = [postman, *lookers(settings.WORKER_LOOKS_AT_ONCE, stop)]
    trouble = direct.Trouble()
    log.info("worker %s started", heart.name)
    changed_settings.record_if_possible()
    with pace.required(), pace.kept():
        for thread in beside:
            thread.start()
        while not stop.is_set():
            close_old_connections()
            if postman.is_stuck:
                stuck = True
                break
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
        stop.set()
        for thread in beside:
            thread.join(ending.seconds_left())
    heart.stop()
    if stuck:
        sys.exit("the worker ends, because the mail server has not let go of one e-mail for minutes")
    if died := [thread.name for thread in beside if thread.died]:
        sys.exit(f"the worker ends, because {', '.join(died)} ended by an error, which is shown above")


class Ending:
    """How much time is left after a signal. Whoever sent it may wait no longer than ten seconds before it kills."""

    def __init__(self) -> None:
        self.until = 0.0

    def begin(self) -> None:
        if not self.until:  # a second signal gives no more time
            self.until = time.monotonic() + END_SECONDS
            pace.end_within(LAST_REQUESTS_SECONDS)

    def seconds_left(self) -> float:
        if not self.until:  # a thread died
            self.begin()
        return max(0.0, self.until - time.monotonic())


def freeze_loaded() -> None:
    """Tell the garbage collector to skip everything that is loaded by now.

    It stays until the end of the process, and checking it again and again would take a good part of a look's time.
    Source: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()


def _one_of_each(stop: threading.Event) -> int:
    """Work on at most one operation and one job, so that neither waits long for the other."""
    if held.is_held():
        return 0
    waits.let_one_try(waits.STRIPE)
    done = 0
    for step in (resume_unsettled, jobs.run_due):
        if not stop.is_set():
            done += step(limit=1)
    return done


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
