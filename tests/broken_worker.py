"""A worker whose claims fail as nobody foresaw: ``python -m tests.broken_worker``."""

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    from billing.webhooks import inbox

    def claim(**_: object) -> None:
        raise LookupError("as nobody foresaw")

    inbox.claim = claim  # type: ignore[assignment]
    call_command("worker")


if __name__ == "__main__":
    main()
