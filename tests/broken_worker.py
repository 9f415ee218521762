"""A worker whose claims fail as nobody foresaw: ``python -m tests.broken_worker``."""

from unittest import mock

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    with mock.patch("billing.webhooks.inbox.claim", side_effect=LookupError("as nobody foresaw")):
        call_command("worker")


if __name__ == "__main__":
    main()
