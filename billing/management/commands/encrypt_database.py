from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.management import encryption


class Command(BaseCommand):
    help = (
        "Encrypt the database file with the key in DATABASE_NEW_KEY. Stop web and worker first. You can run this again "
        "if it was interrupted."
    )
    requires_system_checks = []  # they open the database, and make it where it is missing

    def handle(self, *args: Any, **options: Any) -> None:
        encryption.refuse_other_forms()
        if settings.DATABASES["default"]["PASSWORD"]:
            raise CommandError("The file is encrypted already. To change its key: python manage.py rotate_database_key")
        next_ = encryption.encrypt_with_new_key("encrypted the database file", command="encrypt_database", key="")
        self.stdout.write(f"The database file is encrypted.\n{next_}")
        self.stdout.write("Backups that were made before, and the disk itself, can still hold the plain text.")
