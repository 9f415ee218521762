import secrets
from typing import Any

from django.core.management.base import BaseCommand

from billing.audit import keys


class Command(BaseCommand):
    help = (
        "Make a new key for the seals of the audit trail and one for its entries, and print the lines for .env. "
        "Nothing is written and nothing changes until you put them there."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        seal, entry = secrets.token_hex(32), secrets.token_hex(32)
        present = [key.hex() for key in keys.public_keys().values()]
        self.stdout.write("# New keys. Keep a copy of both in another place, apart from the database and its backups.")
        self.stdout.write(f"AUDIT_SEAL_KEY={seal}")
        self.stdout.write(f"AUDIT_ENTRY_KEYS={entry}")
        public = keys.public_of(seal).hex()
        self.stdout.write("# If there were keys before: the public keys of all, and of the new one,")
        self.stdout.write(f"AUDIT_SEAL_PUBLIC_KEYS={','.join([*present, public])}")
        self.stdout.write(
            "# and the keys that AUDIT_ENTRY_KEYS has now, after the new one. docs/trail.md has the steps."
        )
        self.stdout.write(f"# The public key, for whoever verifies an export: {public}")
        self.stdout.write(f"# The public key of the AUDIT_SEAL_KEY that is set now: {present[0]}")
