from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.access.rotation import rotate_all


class Command(BaseCommand):
    help = (
        "Encrypt the secrets of second factors again with the first key of SECRETS_KEYS. After that the other keys can "
        "be removed. Run it while web and worker run, as often as you like."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed, unreadable = rotate_all()
        self.stdout.write(f"Encrypted again with the newest key: {changed}.")
        if unreadable:
            raise CommandError(
                f"No key of SECRETS_KEYS reads {unreadable} of the secrets. Put the key back with which they were "
                "encrypted, after the newer ones, and run this again."
            )
