"""What a value of a variable can be. Each kind reads the text strictly, or says what it must be.

No message has the value, because the value can be a secret.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import available_timezones

from config import journal_accounts
from config.environment import Secret

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Wrong(ValueError):
    """A value that is not taken. The text says what it must be, and follows the name of the variable."""


@dataclass(frozen=True)
class Kind(Generic[T_co]):
    """``says`` what the value must be. ``read`` returns it, or raises Wrong. An empty text is an empty value.

    ``is_free``: people write it in their own words, or a program makes it of any characters.
    """

    says: str
    read: Callable[[str], T_co]
    is_free: bool = False
    is_secret: bool = False

    def or_none(self) -> "Kind[T_co]":
        """Return the same kind for which the word none is the empty value."""
        return replace(
            self, says=f"{self.says}, or none", read=lambda text: self.read("" if text.lower() == "none" else text)
        )


def matching(says: str, pattern: str) -> Kind[str]:
    """Return the kind of a text of this pattern."""
    return Kind(says, _checked(says, pattern))


def secret(says: str, pattern: str) -> Kind[Secret]:
    """Return the kind of a secret of this pattern."""
    read = _checked(says, pattern)
    return Kind(says, lambda text: Secret(read(text)), is_secret=True)


def listed(one: Kind[T], each: str) -> Kind[list[T]]:
    """Return the kind of a list with commas. ``each`` is what one part is called. Blanks around parts do not count."""

    def read(text: str) -> list[T]:
        parts = [part.strip() for part in text.split(",")]
        return [_part(one, part, f"{each} {number}") for number, part in enumerate(filter(None, parts), 1)]

    return Kind(f"{one.says}; with commas between them", read, is_free=one.is_free, is_secret=one.is_secret)


def number(low: int, high: int) -> Kind[int]:
    """Return the kind of a whole number from ``low`` to ``high``."""
    says = f"a whole number from {low} to {high}"

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise Wrong(f"must be {says}")
        return int(text)

    return Kind(says, read)


def _checked(says: str, pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text and not re.fullmatch(pattern, text):
            raise Wrong(f"must be {says}")
        return text

    return read


def _part(one: Kind[T], text: str, called: str) -> T:
    if not one.is_free and re.search(r"[\s;]", text):
        raise Wrong(f"{called} has a blank or a semicolon in it. Put commas between several")
    try:
        return one.read(text)
    except Wrong as wrong:
        raise Wrong(f"{called} {wrong}") from None


def _flag(text: str) -> bool:
    if text.lower() not in FLAGS:
        raise Wrong(f"must be {FLAG.says}")
    return FLAGS[text.lower()]


def _level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise Wrong(f"must be {LEVEL.says}")
    return text.upper()


def _time_zone(text: str) -> str:
    if text not in available_timezones():
        raise Wrong(f"must be {TIME_ZONE.says}")
    return text


def _amounts(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in text.split(",") if text else []:
        currency, _, amount = (one.strip().lower() for one in part.partition("="))
        is_right = re.fullmatch(r"[a-z]{3}", currency) and re.fullmatch(r"[0-9]{1,15}", amount)
        if not is_right or currency in found:
            raise Wrong(f"must be {AMOUNTS.says}")
        found[currency] = int(amount)
    return found


def _accounts(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(",") if text else []:
        name, is_given, account = (one.strip() for one in part.partition("="))
        if (
            name not in journal_accounts.ACCOUNTS
            or name in found
            or not is_given
            or not 0 < len(account) <= LONGEST_ACCOUNT
        ):
            raise Wrong(f"must be {ACCOUNTS.says}")
        found[name] = account
    return found


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Wrong(f"must be {MOMENT.says}")
    return found


def _days(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")] if text else []
    found = [int(part) if re.fullmatch(r"[0-9]{1,2}", part) else 0 for part in parts]
    if found and (found[0] < 1 or found[-1] > LAST_DAY or sorted(set(found)) != found):
        raise Wrong(f"must be {DAYS.says}")
    return tuple(found)


LAST_DAY = 30
LONGEST_ACCOUNT = 100
ACCOUNTS = Kind(
    f"like revenue=4000,tax=2200: each of the names once ({', '.join(journal_accounts.ACCOUNTS)}), with the number or "
    "the name of an account",
    _accounts,
    is_free=True,
)
MOMENT = Kind("a moment with its time zone, such as 2026-12-01T09:00Z", _moment)
DAYS = Kind(f"days from 1 to {LAST_DAY}, each later than the one before, with commas between them: 1,5,10", _days)
FLAG = Kind("true or false (also yes, no, on, off, 1, 0)", _flag)
TEXT = Kind("a text", str, is_free=True)
PASSWORD = Kind("a secret text", Secret, is_free=True, is_secret=True)
WORD = matching("visible ASCII characters without blanks", r"[!-~]+")
TOKEN = secret("visible ASCII characters without blanks", r"[!-~]+")
LOG_LINES = matching("json or text", r"json|text")
WATCHER_TOKEN = secret(
    'at least 16 random characters. Make them: python -c "import secrets; print(secrets.token_urlsafe(32))"',
    r"[!-~]{16,}",
)
LEVEL = Kind(f"one of {', '.join(LEVELS)}", _level)
TIME_ZONE = Kind("a name of the IANA list, such as America/New_York or UTC", _time_zone)
AMOUNTS = Kind("like usd=50000,eur=50000: each currency once, in minor units such as cents", _amounts)
DATABASE_KEY = secret(
    '64 hexadecimal digits. Make them: python -c "import secrets; print(secrets.token_hex(32))"', r"[0-9a-fA-F]{64}"
)
AUDIT_KEY = secret(
    '64 hexadecimal digits (0 to 9, a to f). Make one: python -c "import secrets; print(secrets.token_hex(32))"',
    r"[0-9a-f]{64}",
)
AUDIT_PUBLIC_KEY = matching("64 hexadecimal digits, as manage.py audit_keys shows it", r"[0-9a-f]{64}")
FERNET_KEY = secret(
    "32 bytes in base64. Make one: python -c "
    '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
    r"[A-Za-z0-9_-]{43}=",
)
STRIPE_KEY = secret(
    "a secret or restricted key of Stripe (sk_test_…, rk_test_…, sk_live_…, rk_live_…). To try the software without a "
    "key, run `make demo`",
    r"[sr]k_(test|live)_[A-Za-z0-9_]+",
)
WEBHOOK_SECRET = Kind(
    "the signing secret of a webhook endpoint (whsec_…)",
    lambda text: Secret(_checked("one secret, and must begin with whsec_", r"whsec_(?!.*whsec_)[!-~]+")(text)),
    is_secret=True,
)
