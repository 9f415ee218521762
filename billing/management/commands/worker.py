from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import accounts, checks, errors, traces, worker


class Command(BaseCommand):
    help = "Handle the events that Stripe sent, and the operations without an outcome. You can run many workers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do the work that is due now, then stop.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            accounts.refuse_other_account()
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        checks.warn_of_unprotected_trail()
        try:
            traces.start("worker")
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        if options["once"]:
            self.stdout.write(f"Tasks done: {worker.work_once()}")
            return
        try:
            worker.work_forever()
        except errors.WrongStripeAccount as error:  # Stripe accepts the key only now
            raise CommandError(str(error)) from None
