"""The long-running process: settles events, unsettled operations and due jobs, and shows that it is alive."""

import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections

from billing import clock, folded_names, jobs  # noqa: F401  folded_names: for its job
from billing.models import WorkerHeartbeat
from billing.operations.engine.settle import resume_unsettled
from billing.stripe_api import pace
from billing.webhooks import inbox

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 5
BEAT_SECONDS = 10
DEAD_AFTER = timedelta(days=1)

STEPS: tuple[Callable[..., int], ...] = (resume_unsettled, inbox.work_off, jobs.run_due)


def work_once() -> int:
    """Everything that is due now was worked off. Returns how many looks, operations and jobs that were."""
    jobs.plan_recurring()
    with pace.kept():
        return sum(step() for step in STEPS)


def work_forever() -> None:
    """Until SIGTERM or SIGINT; what was begun is finished first, nothing more is."""
    stop = threading.Event()

    def finish(number: int, _: Any) -> None:
        log.info("worker: finishing after signal %s", number)
        stop.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    freeze_loaded()
    heart = Heart(f"{socket.gethostname()}:{os.getpid()}")
    log.info("worker %s started", heart.name)
    with pace.kept():
        while not stop.is_set():
            close_old_connections()
            try:
                heart.beat()
                done = _one_of_each(stop)
            except DatabaseTrouble:  # a restart or a lock of the database: what was claimed is taken up again
                log.exception("worker: the database did not answer; trying again")
                stop.wait(AFTER_TROUBLE_SECONDS)
                continue
            if not done:
                stop.wait(IDLE_SECONDS)
    heart.stop()


def freeze_loaded() -> None:
    """What is loaded by now stays until the end: the collector of garbage does not walk it again and again, which
    takes a good part of a look's time. Source: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()


def _one_of_each(stop: threading.Event) -> int:
    """At most one operation, look and job, so that none starves behind the others."""
    done = 0
    for step in STEPS:
        if not stop.is_set():
            done += step(limit=1)
    return done


class Heart:
    """A row that is at most a few seconds old while the worker lives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last = -float(BEAT_SECONDS)

    def beat(self) -> None:
        if time.monotonic() - self.last < BEAT_SECONDS:
            return
        now = clock.wall()
        WorkerHeartbeat.objects.update_or_create(name=self.name, defaults={"seen_at": now})
        WorkerHeartbeat.objects.filter(seen_at__lt=now - DEAD_AFTER).delete()
        jobs.plan_recurring()
        self.last = time.monotonic()

    def stop(self) -> None:
        WorkerHeartbeat.objects.filter(name=self.name).delete()
