from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import accounts, errors, worker


class Command(BaseCommand):
    help = "Settles what Stripe reported and what has no outcome yet. Any number of these may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Work off what is due now, then end.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            accounts.refuse_other_account()
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        if options["once"]:
            self.stdout.write(f"{worker.work_once()} worked off")
        else:
            worker.work_forever()
