import sys
import time
from typing import Any

from django.core.management.base import BaseCommand

from billing.audit import verify

TELL_SECONDS = 2


class Command(BaseCommand):
    help = (
        "Verify the audit trail: each entry, its place in the tree, and each signed head. Ends with 1 if anything was "
        "changed, and names the first such entry and the last good one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.told = time.monotonic()
        found = verify.verify(tell=self._tell)
        waiting = f", {found.unsealed:,} entries wait for a seal" if found.unsealed else ""
        self.stdout.write(f"{found.entries:,} sealed entries and {found.seals:,} seals were verified{waiting}.")
        for gap in found.gaps:
            self.stdout.write(f"  - {gap}.")
        if found.is_whole:
            self.stdout.write("The trail is whole.")
            return
        self.stdout.write(f"The trail was CHANGED. The last good entry is {found.last_good or 'none'}.")
        for fault in found.faults:
            self.stdout.write(f"  - {fault}")
        sys.exit(1)

    def _tell(self, done: int, of: int) -> None:
        if time.monotonic() - self.told >= TELL_SECONDS:
            self.told = time.monotonic()
            self.stderr.write(f"{done:,} of {of:,} …")
