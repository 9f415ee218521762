"""The kinds of values that say where something is: hosts, addresses, files and folders."""

import ipaddress
import os
import re
import ssl
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.environment import LOCAL_HOSTS, Secret
from config.variables.kinds import Kind, Wrong, matching

NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
NAME_AND_PORT = rf"({NAME}|\[[0-9a-fA-F:.]+\])(:[0-9]{{1,5}})?"
HIGHEST_PORT = 65_535


def address(says: str, pattern: str) -> Kind[str]:
    """Return the kind of a web address of this pattern. A slash at its end does not count."""

    def read(text: str) -> str:
        if text and not _is_address(text, pattern):
            raise Wrong(f"must be {says}")
        return text.rstrip("/")

    return Kind(says, read)


def is_writable(file: Path) -> bool:
    """Return whether this process could write the file, or make it. Nothing is written."""
    return os.access(file, os.W_OK) if file.exists() else file.parent.is_dir() and os.access(file.parent, os.W_OK)


def _is_address(text: str, pattern: str) -> bool:
    found = re.fullmatch(pattern, text)
    port = re.search(r":([0-9]+)(/|$)", text.partition("://")[2])
    return bool(found) and (port is None or 0 < int(port[1]) <= HIGHEST_PORT)


def _mail_server(text: str) -> str:
    if text and not re.fullmatch(NAME, text) and not _is_ip(text):
        raise Wrong(f"must be {MAIL_SERVER.says}")
    return text


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _sender(text: str) -> str:
    found = [address for _, address in getaddresses([text])] if text else []
    try:
        for address in found:
            validate_email(address)
    except ValidationError:
        raise Wrong(f"must be {SENDER.says}") from None
    if len(found) > 1:
        raise Wrong(f"must be {SENDER.says}")
    return text


def _proxy(text: str) -> Secret:
    if text and not _is_address(re.sub(r"//[^\s/?#@:]+:[^\s/?#@]*@", "//", text), rf"http://{NAME_AND_PORT}/?"):
        raise Wrong(f"must be {PROXY.says}")
    return Secret(text.rstrip("/"))


def _email_address(text: str) -> str:
    try:
        if text:
            validate_email(text)
    except ValidationError:
        raise Wrong(f"must be {EMAIL_ADDRESS.says}") from None
    return text


def _alert_address(text: str) -> Secret:
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:  # of a port or of brackets
        is_whole = False
    if text and not (
        is_whole and (parts.scheme == "https" or (parts.hostname in LOCAL_HOSTS and parts.scheme == "http"))
    ):
        raise Wrong(f"must be {ALERT_ADDRESS.says}")
    return Secret(text)


def _folder(text: str) -> str:
    if text and Path(text).exists() and not Path(text).is_dir():
        raise Wrong("must be a folder. This is a file")
    return text


def _appended_file(text: str) -> str:
    if text and (Path(text).is_dir() or not is_writable(Path(text))):
        raise Wrong("must be a file that can be written: its folder must be there, and this user must be able to write")
    return text


def _certificates(text: str) -> str:
    if text:
        try:
            ssl.create_default_context(cafile=text)
        except OSError:  # also what is no certificate
            raise Wrong(f"must be {CERTIFICATES.says}") from None
    return text


HOST = matching(
    "a host name alone, without blanks, scheme, port and path: billing.vendor.example",
    rf"\*|\.?{NAME}|\[[0-9a-fA-F:.]+\]",
)
SITE = address(
    "an address alone, without path, query, fragment and credentials: https://billing.vendor.example",
    rf"https?://{NAME_AND_PORT}/?",
)
ISSUER = address(
    "the provider's address, which begins with https://, without query, fragment and credentials",
    rf"https?://{NAME_AND_PORT}(/[A-Za-z0-9._~%-]+)*/?",
)
PROXY = Kind(
    "the address of a proxy: http://proxy.vendor.example:3128, or http://user:password@proxy.vendor.example:3128 with "
    "special characters as %XX",
    _proxy,
    is_secret=True,
)
MAIL_SERVER = Kind("a host name alone, without blanks, scheme, port and path: smtp.vendor.example", _mail_server)
SENDER = Kind("the address that e-mails come from, such as billing@vendor.example", _sender, is_free=True)
EMAIL_ADDRESS = Kind("an e-mail address", _email_address)
ALERT_ADDRESS = Kind("an address that begins with https://, or http:// on this machine", _alert_address, is_secret=True)
FOLDER = Kind("a folder", _folder)
APPENDED_FILE = Kind("a file that can be written", _appended_file)
CERTIFICATES = Kind("a file that can be read, with the certificate of an authority in PEM", _certificates)
