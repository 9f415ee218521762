import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.models.observation import Level
from billing.monitoring import asking, checks, machine
from billing.monitoring.checks import Result
from billing.monitoring.outcome import Seen

EXIT_CODES = {Level.GREEN: 0, Level.UNKNOWN: 1, Level.AMBER: 1, Level.RED: 2}


class Command(BaseCommand):
    help = "Check everything, and say what to do. Exit code: 0 all is green, 1 something is amber or unknown, 2 red."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON for a monitor.")
        parser.add_argument("--offline", action="store_true", help="Do not ask Stripe. Use what was last seen.")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {} if options["offline"] or machine.lacks_its_file() else asking.ask()
        found = list(checks.run_all(Seen(asked=asked)))
        worst = max((one.level for one in found), key=lambda level: EXIT_CODES[level])
        if options["json"]:
            self.stdout.write(json.dumps({"level": str(worst), "checks": [one.shown() for one in found]}, indent=1))
        else:
            for one in found:
                if one.outcome.reason != checks.NOT_READ:
                    self.stdout.write(self._line(one))
            if unread := [one.check.name for one in found if one.outcome.reason == checks.NOT_READ]:
                self.stdout.write(f"The database could not be read for: {', '.join(unread)}")
        sys.exit(EXIT_CODES[worst])

    def _line(self, one: Result) -> str:
        style = {Level.GREEN: self.style.SUCCESS, Level.RED: self.style.ERROR}.get(one.level, self.style.WARNING)
        line = f"{style(f'{one.level:<8}')}{one.check.name:<20}{one.outcome.seen}"
        if one.level == Level.GREEN or not one.outcome.todo:
            return line
        return f"{line}\n{'':<28}→ {one.outcome.todo}"
