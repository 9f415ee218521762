from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing import clock
from billing.stripe_api import outbound, reviewed


class Command(BaseCommand):
    help = (
        "Print what may be sent to Stripe, for counsel: one line for each method, path, field and type of value. "
        "`python manage.py outbound_list | sha256sum` is the fingerprint that a determination names."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--added", action="store_true", help="print only what the last approved determination does not cover"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(_added() if options["added"] else outbound.text(), ending="")


def _added() -> str:
    lines = sorted(one.line for one in reviewed.held_back(at=clock.wall()))
    return "".join(f"{line}\n" for line in lines)
