from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from billing.backups import NotDone, restoring


class Command(BaseCommand):
    help = (
        "Restore a backup into the database of DATABASE_URL, which must be empty. Stop web and worker first. The "
        "database is held then: it answers what is read, and does nothing until `after_restore` has released it."
    )
    requires_system_checks = []  # they open the database, and make it where it is missing

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored = restoring.restore(Path(options["file"]))
        except (NotDone, OSError) as error:
            raise CommandError(f"Nothing was restored. {error}") from error
        except AnyDatabaseError as error:
            raise CommandError(
                f"The restore stopped: {str(error).strip()}. If the database has no tables now, nothing was restored: "
                "run the command again. If it has tables, it is restored and held: run migrate."
            ) from error
        self.stdout.write(
            f"Restored {restored.rows:,} rows, as they were at {restored.hold.made_at:%Y-%m-%d %H:%M} UTC. All "
            "sessions, API tokens and links of e-mails have ended.\n"
            "The database is held: it answers what is read and stores Stripe's events. Operations, jobs and e-mails "
            "wait.\n"
            "Now find out what is missing here: python manage.py after_restore --reason '…'"
        )
