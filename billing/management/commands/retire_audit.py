from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from billing.audit import actor, retiring, verify
from billing.audit.lives import EVIDENCE_YEARS
from billing.management import reasons


class Command(BaseCommand):
    help = (
        f"Remove audit entries that were sealed more than {EVIDENCE_YEARS} years ago: whole seals, from the first one "
        "on. The trail records it. On PostgreSQL it needs the owner of the tables. Without --yes nothing is removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="remove them")
        parser.add_argument("--reason", default="they are older than the law asks for", help="why, for the trail")

    def handle(self, *args: Any, **options: Any) -> None:
        reason = reasons.checked(options)
        due = retiring.due()
        if due is None:
            self.stdout.write(f"Nothing is older than {EVIDENCE_YEARS} years.")
            return
        if not options["yes"]:
            self.stdout.write(f"The record would say: {due}. Its size {due.last.size}, its root {due.last.root}.")
            self.stdout.write(f"Nothing was removed. To remove these {due.entries:,} entries: --yes")
            return
        found = verify.verify(most=1)
        if not found.is_whole:
            raise CommandError(f"The trail is not whole, so nothing is removed. {found.faults[0]}")
        try:
            record = retiring.retire(due, by=actor.job("retire_audit"), reason=reason)
        except DatabaseError as error:
            raise CommandError(f"Nothing was removed. Is this the owner of the tables? {error}") from None
        self.stdout.write(f"{due}. Entry {record.pk} says so.")
