"""The long-running process: settles events, unsettled operations and due jobs, and shows that it is alive."""

import logging
import os
import signal
import socket
import threading
from typing import Any

from django.db import DatabaseError, close_old_connections

from billing import clock, jobs
from billing.models import WorkerHeartbeat
from billing.operations import resume_unsettled
from billing.operations.agreement import report_lapse
from billing.webhooks import inbox

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 5


def work_once() -> int:
    """Everything that is due now was worked off. Returns how many looks, operations and jobs that were."""
    report_lapse(at_most_every=60)
    return resume_unsettled() + inbox.work_off() + jobs.run_due()


def work_forever() -> None:
    """Until SIGTERM or SIGINT; the current look is finished first."""
    stop = threading.Event()

    def finish(number: int, _: Any) -> None:
        log.info("worker: finishing after signal %s", number)
        stop.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    name = f"{socket.gethostname()}:{os.getpid()}"
    log.info("worker %s started", name)
    while not stop.is_set():
        close_old_connections()
        try:
            WorkerHeartbeat.objects.update_or_create(name=name, defaults={"seen_at": clock.wall()})
            done = work_once()
        except DatabaseError:  # a restart or a lock of the database: what was claimed is taken up again
            log.exception("worker: the database did not answer; trying again")
            stop.wait(AFTER_TROUBLE_SECONDS)
            continue
        if not done:
            stop.wait(IDLE_SECONDS)
    WorkerHeartbeat.objects.filter(name=name).delete()
