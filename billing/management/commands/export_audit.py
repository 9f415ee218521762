from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.audit import actor, keys
from billing.audit.export import Which, export
from billing.management import reasons
from billing.models import Office


class Command(BaseCommand):
    help = (
        "Export the audit trail, of one Office or of all, as a zip with JSON lines, CSV, the proof and the program "
        "that verifies it. The trail records the export."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write the zip; it must not exist yet")
        parser.add_argument("--office", help="the id of the Office, as its page and the API show it")
        parser.add_argument("--from", dest="since", type=_day, help="the first day, in UTC: 2026-01-31")
        parser.add_argument("--to", dest="until", type=_day, help="the day after the last one, in UTC")
        parser.add_argument("--reason", required=True, help="who asked for it, and why")
        parser.add_argument(
            "--earlier-head", type=int, action="append", default=[], help="the size in a head that somebody kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        office = Office.objects.filter(public_id=options["office"]).first() if options["office"] else None
        if options["office"] and office is None:
            raise CommandError(f"There is no Office with the id {options['office']}.")
        reason = reasons.checked(options)
        try:
            with options["file"].open("xb") as file:
                which = Which(office, options["since"], options["until"], tuple(options["earlier_head"]))
                count = export(file, which, by=actor.job("export_audit"), reason=reason)
        except FileExistsError:
            raise CommandError(f"{options['file']} exists already. Name another file.") from None
        ours = next(iter(keys.public_keys().values())).hex()
        self.stdout.write(f"{count:,} entries in {options['file']}. To verify them, anywhere:")
        self.stdout.write(f"  unzip {options['file']} verify.py && python verify.py {options['file']} --key {ours}")


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
