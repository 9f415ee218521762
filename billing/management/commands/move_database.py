from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError

from billing.management import reasons
from billing.moving import mark, places, tables
from billing.moving.mark import State
from billing.moving.move import Arrived, NotMoved, abandon, move
from billing.moving.rows import CannotHold

AGAIN = "Run the command again to continue, or with --abandon to stay with the old database."
ANEW = "Run the command with --abandon, correct the row in the old database, empty the new one, and move again."


class Command(BaseCommand):
    help = (
        "Move all data from the old database (DATABASE_URL) to a new one, of any form. Stop web and workers "
        "first. If the command is stopped, the same command continues where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--to",
            metavar="URL",
            help="The new database, in the form of DATABASE_URL. It must be empty. The key of an encrypted file is in "
            "DATABASE_TO_KEY, the token of a libSQL server in DATABASE_TO_TOKEN.",
        )
        what.add_argument(
            "--abandon",
            action="store_true",
            help="Use the old database again: end a move that has not ended, or go back to what was moved from.",
        )
        parser.add_argument("--reason", default="asked for at the command line")

    def handle(self, *args: Any, **options: Any) -> None:
        reason = reasons.checked(options)
        mark.stop_watching()
        source = places.open_source()
        try:
            if options["abandon"]:
                self._abandon(source)
            else:
                self._move(source, options["to"], reason)
        except NotMoved as refused:
            raise CommandError(str(refused)) from None
        except (CannotHold, IntegrityError) as error:
            raise CommandError(f"The new database does not take a row. {error}\n{ANEW}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {AGAIN}") from None
        except AnyDatabaseError as error:
            raise CommandError(f"A database did not answer as it should: {error}\n{AGAIN}") from error

    def _move(self, source: Any, url: str, reason: str) -> None:
        entry, problems = places.target(url)
        if problems:
            lines = "\n".join(f"  - {problem}" for problem in problems)
            raise CommandError(f"The new database is refused:\n{lines}")
        arrived = move(source, places.open_target(entry), reason=reason, tell=self._tell)
        self._sum_up(arrived)
        self.stdout.write(
            f"Everything is in {places.in_words(entry)}. Nothing starts on the old database any more.\n"
            "Now set DATABASE_URL to the new database. Put its key into DATABASE_KEY, or its token into "
            "DATABASE_AUTH_TOKEN, and empty the one that it does not use. Empty DATABASE_TO_KEY and DATABASE_TO_TOKEN. "
            "Then start worker and web.\n"
            "Keep the old database until you are sure. To go back to it, stop web and workers, set its variables "
            "again, and run: python manage.py move_database --abandon"
        )

    def _tell(self, what: str) -> None:
        self.stdout.write(what)
        self.stdout.flush()

    def _sum_up(self, arrived: list[Arrived]) -> None:
        if not arrived:
            self.stdout.write("An earlier run compared everything.")
            return
        self.stdout.write(f"{'table':<40} {'rows':>10} {'checksum':<16} {'seconds':>8}")
        for one in arrived:
            self.stdout.write(f"{one.name:<40} {one.rows:>10,} {one.checksum[:16]} {one.seconds:>8.2f}")
        total, seconds = sum(one.rows for one in arrived), sum(one.seconds for one in arrived)
        self.stdout.write(f"{'all, the same in both':<40} {total:>10,} {'':<16} {seconds:>8.2f}")
        self.stdout.write(f"{len(tables.moved()) - len(arrived)} more tables have no rows.")

    def _abandon(self, source: Any) -> None:
        found = abandon(source)
        self.stdout.write("This database can be used again. Start web and workers.")
        if found.state is State.MOVED:
            self.stdout.write(
                f"What was written to {found.other} since {found.ended_at} is not here. "
                "Start nothing on that database any more."
            )
        else:
            self.stdout.write(f"What was copied to {found.other} is not complete. Delete it.")
