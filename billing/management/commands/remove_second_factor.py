from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import errors
from billing.access import second_factor
from billing.audit import actor
from billing.models import User


class Command(BaseCommand):
    help = (
        "Remove all second factors of a person who lost them, with the recovery codes, and end their sessions and API "
        "tokens. Make sure first that it is this person who asks. They set up a new one at the next sign-in. They "
        "are told by e-mail, and the audit trail records it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"].strip()).first()
        if user is None:
            raise CommandError("No user has this address.")
        try:
            second_factor.remove_all(user, by=actor.job("remove_second_factor"), reason="the second factor is lost")
        except errors.NoSecondFactor as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{user.email} signs in with the password alone now, and sets up a new second factor.")
