"""The last step of every line of the log: secrets, addresses and digits of cards are taken out of the finished text.

It works on the text and not on its parts, so that nothing passes in a traceback, in a message of another library, or
inside a list. What has a form is found by its form; a secret of ours that has none is found as it is.
"""

import json
import re
from collections.abc import Iterable

from config.environment import Secret

GONE = "[removed]"
SHORTEST_SECRET = 8
BY_FORM = (
    re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_[\w-]+"),  # keys of Stripe
    re.compile(r"\bwhsec_[\w+/=-]+"),
    re.compile(r"\bAGE-SECRET-KEY-1\w+"),
    re.compile(r"\b\w+_secret_\w+"),  # a client secret, with the id before it
    re.compile(r"\bobs_[0-9a-f]{12}_[\w-]+"),  # the token of a service
    re.compile(r"(?i)(?<=\bBearer )(?!token\b)[\w.~+/=-]{8,}|(?<=\bToken )[0-9a-f]{16,}|(?<=\bBasic )[\w+/=]{8,}"),
    re.compile(r"(?<=[?&]link=)[^\s&\"'\\]+|(?<=[?&]token=)[^\s&\"'\\]+|(?<=[?&]code=)[^\s&\"'\\]+"),
    re.compile(r"(?<=://)[^\s/@\"'\\]+(?=@)"),  # user and password in an address
    re.compile(r"\b[0-9a-fA-F]{64,}\b"),  # the keys of the database and of the trail, and tokens of people
    re.compile(r"[^\s@\"'\\<>(),;:=\[\]]+@[^\s@\"'\\<>(),;:\[\]]+"),  # e-mail
)
CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
LAST_DIGITS = re.compile(r"(?i)(\b(?:last4|last_4|ending in)\W{1,5})\d{4}\b")


def redacted(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Return the text without secrets. ``secrets`` are those of ours, as they are."""
    for one in secrets:
        text = text.replace(one, GONE)
    for form in BY_FORM:
        text = form.sub(GONE, text)
    text = LAST_DIGITS.sub(rf"\1{GONE}", text)
    return CARD.sub(_without_card, text)


def known(values: Iterable[str]) -> tuple[Secret, ...]:
    """Return what is looked for: each secret as it is, and as JSON and Python write it within quotes.

    A very short one would be found in the middle of words. A list of the settings shows no Secret.
    """
    plain = {str.__str__(one) for one in values if len(one) >= SHORTEST_SECRET}
    shown = plain | {repr(one)[1:-1] for one in plain}
    found = shown | {json.dumps(one, ensure_ascii=escapes)[1:-1] for one in shown for escapes in (False, True)}
    return tuple(Secret(one) for one in sorted(found, key=len, reverse=True))


def _without_card(found: re.Match[str]) -> str:
    return GONE if _is_card([int(one) for one in found[0] if one.isdigit()]) else found[0]


def _is_card(digits: list[int]) -> bool:
    """Return whether the last digit is right. Source: https://en.wikipedia.org/wiki/Luhn_algorithm"""
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
