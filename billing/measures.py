"""Counts and times of this process, for /metrics. Measuring asks the database nothing, and never fails an answer.

With METRICS_TOKEN each process keeps them in a file of PROMETHEUS_MULTIPROC_DIR, and any web process answers for all of
its machine. Every one has a label, because such a file is made with the first value of a label.
Source: https://prometheus.github.io/client_python/multiprocess/
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

from billing import traces

log = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
ID_IN_PATH = re.compile(r"/(?=[\w-]*[0-9A-Z])[\w-]{6,}(?=/|$)")

WEBHOOKS = Histogram(
    "billing_webhook_receive_seconds",
    "How long Stripe waited for the answer to an event.",
    ["status"],
    registry=REGISTRY,
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5),
)
REFUSED_WEBHOOKS = Counter(
    "billing_webhook_refusals", "Requests to the webhook address that were not taken.", ["reason"], registry=REGISTRY
)
EVENTS = Histogram(
    "billing_event_apply_seconds",
    "How long it took from receiving an event until it was settled.",
    ["outcome"],
    registry=REGISTRY,
    buckets=(0.5, 1, 2, 5, 15, 60, 300, 1800, 7200),
)
STRIPE = Histogram(
    "billing_stripe_request_seconds",
    "Requests to Stripe, by endpoint and by what came back. ok, or the code of the error.",
    ["method", "endpoint", "outcome"],
    registry=REGISTRY,
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8),
)
OPERATIONS = Counter(
    "billing_operations",
    "Operations by kind and outcome; unknown: no answer yet.",
    ["kind", "outcome"],
    registry=REGISTRY,
)
ENTITLEMENT = Counter(
    "billing_entitlement_answers", "Whether Offices may use the product.", ["access", "reason"], registry=REGISTRY
)
REFUSED_WRITES = Counter(
    "billing_database_refused_writes",
    "Writes that the database did not take in time.",
    ["connection"],
    registry=REGISTRY,
)


def count(counter: Counter, *labels: object) -> None:
    """Count one. If the folder of the counts takes nothing, the log says so."""
    try:
        counter.labels(*labels).inc()
    except OSError as error:
        _not_measured(error)


def observe(histogram: Histogram, seconds: float, *labels: object) -> None:
    """Note how long something took. It is 0 if a clock was set back meanwhile."""
    try:
        histogram.labels(*labels).observe(max(0.0, seconds))
    except OSError as error:
        _not_measured(error)


def _not_measured(error: OSError) -> None:
    log.warning("not measured: PROMETHEUS_MULTIPROC_DIR takes nothing (%s)", error.strerror)


@contextmanager
def asking_stripe(method: str, path: str) -> Iterator[None]:
    """Measure and trace a request to Stripe. An error that passes is named by its code."""
    began, outcome = time.perf_counter(), "ok"
    try:
        with traces.span(f"{method.upper()} {endpoint_of(path)}"):
            yield
    except Exception as error:
        outcome = str(getattr(error, "code", "") or type(error).__name__)
        raise
    finally:
        observe(STRIPE, time.perf_counter() - began, method.upper(), endpoint_of(path), outcome)


def endpoint_of(path: str) -> str:
    """Return the path with a mark in place of each id: /v1/invoices/{id}/pay."""
    return ID_IN_PATH.sub("/{id}", path)
