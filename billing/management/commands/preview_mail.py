"""Print an e-mail to Offices as an example: python manage.py preview_mail payment_failed --language es."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.outbox.notice_texts import LANGUAGES, VARIANTS, sample


class Command(BaseCommand):
    help = "Print each form of an e-mail to Offices, as an example. Nothing is sent, and nothing is read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[str(kind) for kind in VARIANTS], help="which e-mail")
        parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="in which language")
        parser.add_argument("--html", action="store_true", help="as HTML instead of plain text")

    def handle(self, *, kind: str, language: str, html: bool, **_: Any) -> None:
        for variant in VARIANTS[kind]:
            mail = sample(kind, variant, language)
            self.stdout.write(f"--- {variant}\nSubject: {mail.subject}\n\n{mail.html if html else mail.text}")
