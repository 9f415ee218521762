from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from billing.audit import actor
from billing.backups import NotDone, making
from billing.management import reasons


class Command(BaseCommand):
    help = (
        "Make an encrypted backup of the whole database while web and worker run, read it again, and remove old ones. "
        "It needs BACKUP_KEYS. Only `restore` reads it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="FOLDER", help="Where it is put. Default: var/backups.")
        parser.add_argument("--reason", default="a backup was due")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["to"] or settings.BASE_DIR / "var" / "backups")
        try:
            made, removed = making.make(folder, by=actor.job("backup"), reason=reasons.checked(options))
        except (NotDone, OSError) as error:
            raise CommandError(f"There is no new backup. {error}") from error
        except AnyDatabaseError as error:
            raise CommandError(
                f"There is no new backup. The database reported an error: {str(error).strip()}. Check that "
                f"there is room on its disk and in {folder}, and that migrate has run. Then run the command again."
            ) from error
        self.stdout.write(f"{folder / made.name}\n{made.size:,} bytes, read again and right. SHA-256: {made.digest}")
        for name in removed:
            self.stdout.write(f"Removed: {name}")
