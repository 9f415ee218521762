from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from billing.access import ending
from billing.audit import actor, trail
from billing.models import User


class Command(BaseCommand):
    help = (
        "Remove all second factors of a person who lost them, with the recovery codes, and end their sessions and API "
        "tokens. Make sure first that it is this person who asks. They set up a new one at the next sign-in. The audit "
        "trail records it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"].strip()).first()
        if user is None:
            raise CommandError("No user has this address.")
        by, reason = actor.job("remove_second_factor"), "the second factor is lost"
        with trail.acting(by, reason=reason), transaction.atomic():
            removed, _ = Authenticator.objects.filter(user=user).delete()
            if not removed:
                raise CommandError("This person has no second factor.")
            trail.record_act(user, "removed all second factors and recovery codes")
            ending.end_access(user, by=by, reason=reason)
        self.stdout.write(f"{user.email} signs in with the password alone now, and sets up a new second factor.")
