from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.management import encryption


class Command(BaseCommand):
    help = (
        "Change the key of the encrypted database file from DATABASE_KEY to DATABASE_NEW_KEY. Stop web and worker "
        "first. You can run this again if it was interrupted."
    )
    requires_system_checks = []  # they open the database, and make it where it is missing

    def handle(self, *args: Any, **options: Any) -> None:
        encryption.refuse_other_forms()
        key = settings.DATABASES["default"]["PASSWORD"]
        if not key:
            raise CommandError("The file is not encrypted. To encrypt it: python manage.py encrypt_database")
        what = "changed the key of the database file"
        next_ = encryption.encrypt_with_new_key(what, command="rotate_database_key", key=key)
        self.stdout.write(f"The database file has the new key.\n{next_}")
        self.stdout.write("Keep the old key as long as you keep backups that were made with it.")
