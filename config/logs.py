"""How each line of the log is written: JSON or text, with the request and the process, and without secrets.

Our own lines and those of every library go through the same steps. What is expected, such as a locked database, is one
line with its reason. Any other error keeps its traceback, which shows code and never values.
"""

import logging
import os
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from config import redaction

JSON, TEXT = "json", "text"
QUIET = ("stripe", "httpx", "urllib3", "asyncio", "fido2", "django.db.backends")
"""Their lines carry Stripe's ids, addresses that are searched for, and the parameters of statements."""
_worker = ""


def name_worker(name: str) -> None:
    """Let each line of this process say which worker it is."""
    global _worker  # noqa: PLW0603  one for a process
    _worker = name


def configuration(*, form: str, level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "config.logs.Line", "form": form, "secrets": redaction.known(secrets)}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in QUIET}
        | {"axes": {"level": "ERROR"}}  # the audit trail has each failure
        | {name: {"handlers": [], "level": "INFO", "propagate": True} for name in ("django", "django.server")}
        | {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")},
    }


class Line(structlog.stdlib.ProcessorFormatter):
    """Writes a record of the standard library as one line. The redaction comes last, on the finished text."""

    def __init__(self, form: str, secrets: tuple[str, ...]) -> None:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=str) if form == JSON else _in_words
        super().__init__(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                _add_process,
                _shorten_expected,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
        self.secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return redaction.redacted(super().format(record), secrets=self.secrets)


def _add_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["process"] = os.getpid()
    if _worker:
        event["worker"] = _worker
    return event


def _shorten_expected(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the reason in place of the traceback of an error that says no more than that."""
    from billing.database_trouble import is_trouble
    from billing.errors import BillingError, Defect

    given = event.get("exc_info")
    error = given[1] if isinstance(given, tuple) else None
    if is_trouble(error) or (isinstance(error, BillingError) and not isinstance(error, Defect)):
        del event["exc_info"]
        event["reason"] = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return event


def _in_words(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Return the line for a person: time, level, logger, what happened, and the rest as name=value."""
    first = [event.pop(one, "") for one in ("time", "level", "logger", "event")]
    traceback = event.pop("exception", "")
    line = " ".join([*map(str, first), *(f"{name}={value}" for name, value in event.items())])
    return f"{line}\n{traceback}" if traceback else line
