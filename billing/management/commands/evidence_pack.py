import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import clock
from billing.audit import actor
from billing.evidence import pack
from billing.management import reasons

A_YEAR = timedelta(days=365)


class Command(BaseCommand):
    help = (
        "Write a zip for a reviewer: the controls of the HIPAA Security Rule with code and tests, who can do what, "
        "what changed that, whether the trail is whole, determinations, findings, retention and packages. The trail "
        "records it first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", type=Path, help="a folder, or the zip to write; the zip must not exist yet")
        parser.add_argument("--reason", required=True, help="who asked for it, and why")
        parser.add_argument(
            "--from", dest="since", type=_day, help="changes of access from this day on, in UTC: 2026-01-31"
        )
        parser.add_argument("--to", dest="until", type=_day, help="the day after the last one, in UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.wall()
        until = options["until"] or now
        since = options["since"] or until - A_YEAR
        if since >= until:
            raise CommandError("The period ends before it begins: --from must be before --to.")
        file, reason = _file(options["place"], now), reasons.checked(options)
        try:
            pack.write(lambda: _opened(file), since=since, until=until, by=actor.job("evidence_pack"), reason=reason)
        except FileExistsError:
            raise CommandError(f"{file} exists already. Name another file.") from None
        self.stdout.write(f"The evidence is in {file}. It names people: give it to the reviewer alone.")


def _file(place: Path, now: datetime) -> Path:
    """Return the zip that is to be written. Raises: CommandError, if it cannot be."""
    file = place / f"evidence-{now:%Y-%m-%d-%H%M%S}.zip" if place.is_dir() else place
    if file.suffix != ".zip":
        raise CommandError(f"{file} is no folder that exists, and does not end in .zip.")
    if file.exists():
        raise CommandError(f"{file} exists already. Name another file.")
    if not file.parent.is_dir():
        raise CommandError(f"There is no folder {file.parent}.")
    return file


def _opened(file: Path) -> IO[bytes]:
    """Open a new file that only this user can read."""
    return open(file, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
