from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import errors
from billing.access import invitations
from billing.audit import actor


class Command(BaseCommand):
    help = (
        "Invite an administrator from the server, without an e-mail: it prints a link that works once, within seven "
        "days. There the person chooses a password. The audit trail records it. Running it again makes a new link."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        by = actor.job("create_administrator")
        try:
            link = invitations.link_on_server(options["email"], "administrator", by=by)
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Open this link to choose a password. It works once, and is not shown again:\n{link}")
