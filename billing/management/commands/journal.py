import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import errors
from billing.audit import actor
from billing.management import reasons
from billing.money import CURRENCIES
from billing.reports import journal_files
from billing.reports.journal import Journal, Month


class Command(BaseCommand):
    help = (
        "Write the journal of a month (in UTC) for the accountant, as CSV: double entries for what was invoiced, paid, "
        "given back and written off. Stripe's fees and payouts are not in it. It fails if the sums do not agree. The "
        "trail records the export."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=_month, help="the month, in UTC: 2026-10")
        parser.add_argument(
            "--format", dest="form", choices=list(journal_files.FORMS), default=journal_files.DETAILED, help="for whom"
        )
        parser.add_argument(
            "--currency",
            type=str.lower,
            choices=sorted(CURRENCIES),
            default="",
            metavar="CURRENCY",
            help="only this one, such as usd; a file for Xero has one",
        )
        parser.add_argument(
            "--file", type=Path, help="where to write it; it must not exist yet. Without it: to the output"
        )
        parser.add_argument("--reason", required=True, help="who asked for it, and why")

    def handle(self, *args: Any, **options: Any) -> None:
        month, form, currency = options["month"], options["form"], options["currency"]
        journal_files.record(month, form, by=actor.job("journal"), reason=reasons.checked(options))
        try:
            journal = Journal(month)
            parts = journal_files.FORMS[form](journal, currency)
            if options["file"]:
                with options["file"].open("xb") as file:
                    file.writelines(parts)
            else:
                for part in parts:
                    sys.stdout.buffer.write(part)
                sys.stdout.buffer.flush()
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        except FileExistsError:
            raise CommandError(f"{options['file']} exists already. Name another file.") from None
        wrong = [tie for tie in journal.ties() if tie.difference]
        self.stderr.write(f"{journal.count:,} entries. {journal_files.NOT_IN_IT}.")
        if wrong:
            told = "; ".join(f"{tie.what} ({tie.currency.upper()})" for tie in wrong)
            raise CommandError(f"These sums do not agree: {told}.")
        self.stderr.write("All checks agree: each difference is 0.")


def _month(text: str) -> Month:
    return Month.read(text)
