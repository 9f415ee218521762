import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import zones
from billing.access import effective
from billing.models import Office


class Command(BaseCommand):
    help = "Show who can do what on one Office, and why: by which role or membership, and until when."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("office", help="Its id, as the API shows it, or its exact name.")

    def handle(self, *args: Any, **options: Any) -> None:
        office = _office(options["office"])
        self.stdout.write(f"{office.name} ({office.public_id})")
        for one in effective.on(office):
            until = f" until {zones.end(one.until, office.time_zone)}" if one.until else ""
            self.stdout.write(f"  {one.person.email} {one.why}{until}: {one.in_words}")


def _office(given: str) -> Office:
    try:
        found = Office.objects.filter(public_id=uuid.UUID(given))
    except ValueError:
        found = Office.objects.filter(name=given)
    if len(found) != 1:
        raise CommandError(
            f"{len(found)} Offices have the name {given}. Give the id." if found else f"There is no Office {given}."
        )
    return found[0]
