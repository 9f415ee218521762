"""What the checks found, for a page: as the worker's last run of them kept it, or found now if no worker ran them.

The worker runs them each minute. A page that did so too would make some twenty queries more, for the same answer.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.core.cache import cache

from billing import clock
from billing.models import Reconciliation, TrailProgress
from billing.models.observation import Level
from billing.monitoring import checks
from billing.monitoring.checks import Result
from billing.monitoring.outcome import Seen

KEPT_AS, KEPT_FOR = "billing:checks", timedelta(minutes=2)
"""As long as a worker counts as living after its last heartbeat."""


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one check."""

    name: str
    level: str
    is_well: bool
    seen: str
    todo: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The results of the cheap checks, and what they read. Ages are in seconds, as of ``at``."""

    at: datetime
    found: tuple[Found, ...]
    figures: dict[str, Any]
    compared_at: datetime | None
    compared: dict[str, int]
    whole_at: datetime | None

    def of(self, name: str) -> Found | None:
        return next((one for one in self.found if one.name == name), None)

    def kept(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def read(cls, kept: str) -> Self:
        given = json.loads(kept)
        given["found"] = tuple(Found(**one) for one in given["found"])
        for name in ("at", "compared_at", "whole_at"):
            given[name] = datetime.fromisoformat(given[name]) if given[name] else None
        return cls(**given)


def latest() -> Summary:
    """Return what the worker found at most two minutes ago, or what is found now. One query, or many."""
    kept = cache.get(KEPT_AS)
    if kept:
        return Summary.read(kept)
    seen = Seen()
    return _of(seen, list(checks.run(seen, probed=True)))


def keep(seen: Seen, found: list[Result]) -> None:
    """Keep what a run of the cheap checks found."""
    cache.set(KEPT_AS, _of(seen, found).kept(), KEPT_FOR.total_seconds())


def _of(seen: Seen, found: list[Result]) -> Summary:
    whole_at = TrailProgress.objects.values_list("whole_at", flat=True).first()
    last = Reconciliation.objects.filter(ended_at__isnull=False).order_by("-ended_at").first()
    return Summary(
        at=clock.wall(),
        found=tuple(_found(one) for one in found),
        figures=seen.figures,
        compared_at=last.ended_at if last else None,
        compared=last.counts if last else {},
        whole_at=whole_at,
    )


def _found(one: Result) -> Found:
    level = Level.RED if one.level == Level.UNKNOWN and not one.is_well else one.level
    return Found(one.check.name, str(level), one.is_well, one.outcome.seen, one.outcome.todo)
