"""The list of checks. Each says what is seen and what to do, and changes nothing.

``probed`` is cheap enough for /healthz, which is asked every few seconds. ``told`` can open a finding and send an
alert: what a person already sees as a finding of its own is left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import Error as AnyDatabaseError

from billing.models.observation import Level
from billing.monitoring import at_stripe, compliance, machine, work
from billing.monitoring.outcome import Outcome, Seen, unknown

NOT_READ = "not_read"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``run`` returns None where it does not apply."""

    name: str
    run: Callable[[Seen], Outcome | None]
    probed: bool = True
    told: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found. ``code`` is what monitors and alerts name."""

    check: Check
    outcome: Outcome

    @property
    def level(self) -> Level:
        return self.outcome.level

    @property
    def code(self) -> str:
        return f"{self.check.name}_{self.outcome.reason}" if self.outcome.reason else self.check.name

    @property
    def is_well(self) -> bool:
        """Whether nothing is red. A worker of which nobody knows counts as none."""
        return self.level != Level.RED and not (self.check is WORKER and self.level == Level.UNKNOWN)

    def shown(self) -> dict[str, Any]:
        outcome = asdict(self.outcome)
        return {"check": self.check.name, "code": self.code, "level": str(self.level)} | {
            name: outcome[name] for name in ("seen", "todo")
        }


DATABASE = Check("database", machine.database)
MIGRATIONS = Check("migrations", machine.migrations)
WORKER = Check("worker", work.worker, told=False)  # a worker tells, so one lives
CHECKS = (
    DATABASE,
    MIGRATIONS,
    Check("restored", work.restored, told=False),  # a worker tells, and does nothing then
    Check("settings", machine.environment),
    Check("proxies", machine.proxies, probed=False),
    Check("static_files", machine.static_files, probed=False),
    Check("durability", machine.durability),
    Check("role_defaults", machine.role_defaults, probed=False),
    Check("encryption", machine.encryption),
    Check("disk", machine.disk),
    Check("stripe", at_stripe.stripe),
    Check("clock", at_stripe.clock),
    Check("webhook_endpoint", at_stripe.webhook_endpoint),
    Check("webhook_signatures", at_stripe.webhook_signatures),
    Check("last_event", at_stripe.last_event),
    WORKER,
    Check("waiting_events", work.waiting_events),
    Check("parked_events", work.parked_events, told=False),
    Check("findings", work.findings, told=False),
    Check("alerts", work.alerts, probed=False, told=False),
    Check("office_mail", work.office_mail, probed=False, told=False),
    Check("trail_triggers", compliance.triggers),
    Check("trail_seals", compliance.seals),
    Check("trail_verification", compliance.verification),
    Check("determination", compliance.determination, told=False),
    Check("second_factors", compliance.second_factors, probed=False),
    Check("backups", compliance.backups),
)
NEEDED = (DATABASE, MIGRATIONS)
"""If one of these is red, the others cannot be asked."""


def run(seen: Seen, *, probed: bool = False) -> Iterator[Result]:
    """Run the checks, in their order. With ``probed``, only the cheap ones.

    Raises: an error of the database, if it went away in between.
    """
    for check in CHECKS:
        if (probed and not check.probed) or (outcome := check.run(seen)) is None:
            continue
        result = Result(check, outcome)
        yield result
        if check in NEEDED and not result.is_well:
            return


def run_all(seen: Seen) -> Iterator[Result]:
    """Run all checks, also those after one that the database did not answer. Without a database file there is one."""
    for check in CHECKS[:1] if machine.lacks_its_file(seen.using) else CHECKS:
        try:
            outcome = check.run(seen)
        except AnyDatabaseError:  # what is wrong with it is a check of its own
            outcome = unknown("The database could not be read for this.", reason=NOT_READ)
        if outcome is not None:
            yield Result(check, outcome)
