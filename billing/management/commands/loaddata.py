from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

INSTEAD = (
    "It does not keep the data as it is: audit entries, their actors and times, and JSON's null would not arrive the "
    "same. To move the data, use: python manage.py move_database --to URL. To keep a copy, use your database's backup."
)


class Command(BaseCommand):
    help = "Refused. Use move_database, or a backup."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whatever Django's command takes."""

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        raise CommandError(f"This command is refused. {INSTEAD}")
