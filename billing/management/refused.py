"""The base of commands of other packages that would lose or change what is on record."""

from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser


class RefusedCommand(BaseCommand):
    """Takes whatever the other package's command takes, and refuses it. ``instead`` says why, and what to do."""

    instead = ""
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take everything: see ``run_from_argv``."""

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        raise CommandError(f"This command is refused. {self.instead}")
