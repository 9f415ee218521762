"""What a value that leaves for Stripe can be. Each type knows its values by their form alone. Pure.

A form cannot tell whom a text is about. A text that people type is judged where it is typed; here it only has the form
that its field must have.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator


@dataclass(frozen=True, slots=True)
class Type:
    """``name`` is shown to people, and stands in the list that counsel reviews.

    ``tells``: such a value can tell Stripe something about somebody. Ids that Stripe itself made, our words, numbers
    and booleans cannot.
    """

    name: str
    fits: Callable[[Any], bool]
    tells: bool = False


def _form(name: str, pattern: str, *, tells: bool = False) -> Type:
    whole = re.compile(pattern)
    return Type(name, lambda value: isinstance(value, str) and bool(whole.fullmatch(value)), tells)


def _number(name: str, least: int, most: int) -> Type:
    # a boolean is an int for Python
    return Type(name, lambda value: type(value) is int and least <= value <= most)


def stripe_id(*prefixes: str) -> Type:
    """Return the type of ids that Stripe made, with one of these prefixes."""
    names = " or ".join(f"{prefix}_…" for prefix in prefixes)
    return _form(f"an id of Stripe's, {names}", rf"(?:{'|'.join(prefixes)})_[A-Za-z0-9_]{{1,200}}")


def words(*these: str) -> tuple[Type, ...]:
    """Return one type for each word. The empty word takes a value back."""
    return tuple(_word(this) for this in these)


def _word(this: str) -> Type:
    return Type(f"the word “{this}”", lambda value: isinstance(value, str) and value == this)


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 254:
        return False
    try:
        EmailValidator()(value)
    except ValidationError:
        return False
    return True


def _is_name(value: Any) -> bool:
    """Return whether it is a text of one line and of 1 to 200 characters."""
    return isinstance(value, str) and bool(value.strip()) and bool(re.fullmatch(r"[^\x00-\x1f\x7f]{1,200}", value))


def _is_ours(value: Any) -> bool:
    """Return whether it is an address of this site, with nothing in it that a person typed."""
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable():
        return False
    given, site = urlsplit(value), urlsplit(settings.SITE_URL)
    same = (given.scheme, given.netloc) == (site.scheme, site.netloc)
    return same and not (given.query or given.fragment) and bool(re.fullmatch(r"[A-Za-z0-9_/.-]*", given.path))


UUID = _form("an id of ours", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CHOSEN_ID = _form("an id of the vendor's catalogue or of a list at Stripe", r"[A-Za-z0-9_.:-]{1,255}")
DISCOUNT_CODE = _form("a discount code", r"[A-Za-z0-9_-]{1,200}", tells=True)
CURRENCY = _form("a currency", r"[a-z]{3}")
LANGUAGE = _form("a language", r"[a-z]{2,3}(?:-(?:[A-Z]{2}|[0-9]{3}))?")
MINOR_UNITS = _number("an amount in minor units", -999_999_999_999, 999_999_999_999)
PERCENT = _number("a whole percentage", 1, 100)
COUNT = _number("a count", 0, 9_999_999)
EPOCH = _number("a moment", 0, 32_503_679_999)  # to the year 2999
FLAG = Type("true or false", lambda value: type(value) is bool)
BUSINESS_NAME = Type("the name of an Office", _is_name, tells=True)
PLAN_NAME = Type("the name of a plan", _is_name, tells=True)
EMAIL = Type("the billing e-mail address of an Office", _is_address, tells=True)
OUR_URL = Type("an address of this site", _is_ours)
