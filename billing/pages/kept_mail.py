"""The e-mails of the demo, which are kept instead of sent. This page exists only with DEBUG and a local Stripe."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache

MOST = 50
BETWEEN = b"-" * 79 + b"\n"


@dataclass(frozen=True, slots=True)
class Kept:
    subject: str
    to: str
    at: str
    text: str
    html: str


@never_cache
def kept_mail(request: HttpRequest) -> HttpResponse:
    """Show the newest e-mails, with their links."""
    folder = settings.KEPT_MAIL
    if folder is None:
        raise Http404
    found = [mail for file in _newest(folder) for mail in _mails_of(file)]
    return TemplateResponse(request, "pages/kept_mail.html", {"mails": found[:MOST]})


def _newest(folder: Path) -> list[Path]:
    files = folder.glob("*.log") if folder.is_dir() else ()
    return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)[:MOST]


def _mails_of(file: Path) -> list[Kept]:
    """Return the e-mails in a file of Django's backend, which writes this line after each."""
    parts = [part for part in file.read_bytes().split(BETWEEN) if part.strip()]
    return [_read(message_from_bytes(part, _class=EmailMessage, policy=policy.default)) for part in reversed(parts)]


def _read(mail: EmailMessage) -> Kept:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return Kept(
        subject=str(mail["Subject"]),
        to=str(mail["To"]),
        at=str(mail["Date"]),
        text=plain.get_content() if plain else "",
        html=html.get_content() if html else "",
    )
