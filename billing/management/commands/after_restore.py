import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import accounts, errors
from billing.audit import actor
from billing.backups import after, one_run
from billing.management import reasons
from billing.models import Hold, User
from billing.stripe_api import pace

SHOWN = 20
PARTS = {"number", "size", "root", "sealed_at", "key", "signature"}
"""Of a head as it is kept elsewhere."""


class Command(BaseCommand):
    help = (
        "After `restore`: compare with Stripe, settle what was open in the backup without asking for it again, and "
        "list what is lost. Then, with --release, let the database work again. Nothing is charged. If it is stopped, "
        "run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True)
        parser.add_argument(
            "--head", metavar="FILE", help="The newest head of the lost audit trail, if it was kept elsewhere, as JSON."
        )
        parser.add_argument("--release", action="store_true", help="End the hold, after somebody has read the list.")
        parser.add_argument("--by", metavar="EMAIL", help="Who releases it: a person of the vendor's staff.")

    def handle(self, *args: Any, **options: Any) -> None:
        reason = reasons.checked(options)
        try:
            accounts.refuse_other_account()
            if options["release"]:
                after.release(by=_person(options["by"]), reason=reason)
                self.stdout.write("Released. Start the worker.")
                return
            with pace.kept():
                hold = after.find_out(
                    by=actor.job("after_restore"), reason=reason, head=_head(options["head"]), tell=self._tell
                )
        except (after.NotReleased, one_run.AnotherRuns) as refused:
            raise CommandError(str(refused)) from None
        except errors.BillingError as error:
            raise CommandError(f"{error} Run the command again. It goes on from there.") from None
        self._sum_up(hold)

    def _tell(self, what: str) -> None:
        self.stdout.write(what)
        self.stdout.flush()

    def _sum_up(self, hold: Hold) -> None:
        self.stdout.write(f"\nThis database is as it was at {hold.made_at:%Y-%m-%d %H:%M} UTC. Found out:")
        for about, lines in (hold.report or {}).items():
            self.stdout.write(f"{about}: {len(lines)}")
            for line in lines[:SHOWN]:
                self.stdout.write(f"  - {line}")
            if len(lines) > SHOWN:
                self.stdout.write(f"  … and {len(lines) - SHOWN} more, in the table billing_hold")
        self.stdout.write("Lost for good:")
        for line in after.NEVER_KNOWN:
            self.stdout.write(f"  - {line}")
        self.stdout.write(
            "The findings in the admin have each of these. An Office with a lost operation is charged nothing more "
            "until a person has closed its finding.\n"
            "The database is still held. To release it:\n"
            "python manage.py after_restore --release --by EMAIL --reason '…'"
        )


def _person(email: str | None) -> actor.Actor:
    user = User.objects.filter(email__iexact=email or "").first()
    if user is None:
        raise CommandError("--by: give the e-mail address of a person of the vendor's staff who is in this database.")
    return actor.person(user)


def _head(file: str | None) -> dict[str, Any] | None:
    if not file:
        return None
    try:
        found: dict[str, Any] = json.loads(Path(file).read_text().splitlines()[-1])
    except (OSError, ValueError, IndexError) as error:
        raise CommandError(f"--head: {file} has no head in JSON: {error}") from None
    if not isinstance(found, dict) or not found.keys() >= PARTS:
        raise CommandError(f"--head: {file} has no head: {', '.join(sorted(PARTS))} are needed.")
    return found
