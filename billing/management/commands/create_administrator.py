import getpass
import os
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from billing.audit import actor, trail
from billing.models import User


class Command(BaseCommand):
    help = (
        "Create a user of the admin with the role administrator. It asks for the password, or takes it from the "
        "variable ADMINISTRATOR_PASSWORD. The audit trail records it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip()
        password = os.environ.get("ADMINISTRATOR_PASSWORD") or getpass.getpass("Password (12 characters or more): ")
        try:
            validate_email(email)
            validate_password(password, User(email=email))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if User.objects.filter(email__iexact=email).exists():
            raise CommandError(f"A user with the address {email} already exists.")
        with trail.acting(actor.job("create_administrator"), reason="the first administrator"), transaction.atomic():
            user = User.objects.create_user(email, password, is_staff=True)
            user.groups.add(Group.objects.get(name="administrator"))
        self.stdout.write(f"{email} can now sign in at /admin/.")
