"""Checking short free text that is kept and shown: it must not point to a patient or to one person.

No rule can prove that a sentence is harmless. These rules refuse what can be recognised by its form. Pure.
"""

import re

from billing import errors

LONGEST = 200

TELLTALE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\w.+-]+@[\w-]+\.\w+"), "an e-mail address"),
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), "a social security number"),
    (re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}\b|\b(?:19|20)\d{2}-\d{2}-\d{2}\b"), "a date"),
    (re.compile(r"\+?\d(?:[\s().-]*\d){8,}"), "a telephone, card or record number"),
    (
        re.compile(
            r"\b(?:patients?|dob|date of birth|born on|mrn|medical record|chart (?:no|number)|diagnos\w*|icd-?\d+|"
            r"ssn|prescri\w*|symptoms?|treated for)\b",
            re.IGNORECASE,
        ),
        "words about patients",
    ),
    (re.compile(r"[\x00-\x1f\x7f]"), "control characters"),
)


def checked(text: str) -> str:
    """Return the text in one line if it is neutral.

    Raises:
        TextNotNeutral: it says what the text seems to contain, and never repeats the text.
    """
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise errors.TextNotNeutral(f"more than {LONGEST} characters")
    for pattern, what in TELLTALE:
        if pattern.search(text):
            raise errors.TextNotNeutral(what)
    return text
