"""E-mail addresses: what stands before the @ may name a person or a condition, and not both. Nor a person's number.

"cancer.center@" is a practice's, and "jane.roe.cancer@" a patient's. What stands after the @ is an organisation's.
"""

import re

from billing.text import names, persons, words
from billing.text.names import OF_HEALTH, OF_PATIENTS
from billing.text.persons import KNOWN

HEALTH = re.compile(rf"\b(?:{OF_HEALTH}|{OF_PATIENTS})\b")
GLUED = re.compile(
    r"cancer|diabet(?:es|ic)|asthma|epilepsy|pregnan(?:t|cy)|embaraz(?:o|ada)|leukemia|lymphoma|melanoma|dementia|"
    r"alzheimers|parkinsons|hepatitis|schizophrenia|bipolar|depression|autism|dialysis|overdose|pacientes?|"
    r"patient(?:s(?!erv|upp|urv|afe))?"
)
"""Long words, which are also found inside others: "janeroecancer"."""
AT_AN_END = re.compile(rf"(?P<rest>[a-z]{{3,}}?)(?:{OF_HEALTH})|(?:{OF_HEALTH})(?P<last>[a-z]{{3,}})")
ALSO_ENDS_OF_NAMES = re.compile(rf".*(?:{names.SURNAMES}|sti|mri)")
"""Such as "johnstroke" and "marioasti"."""
CODED = re.compile(r"(?<![a-z0-9])(?:[a-tv-z]\d[0-9ab]\d|t[12]dm|dm[12]|a1c)(?![a-z0-9])")
"""Words of health with digits, and "f321" for F32.1. Beside a given name only, as it may also be a room's."""
WORD = re.compile(r"[^\W\d_]+")
DIGITS_ONLY = re.compile(r"\+?\d(?:[._-]?\d){8,}")
TAXPAYERS = (
    re.compile(r"(?<!\d)(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}(?!\d)"),
    re.compile(r"(?<!\d)9\d\d[57-9]\d{5}(?!\d)"),
)
"""Social security numbers, and those of taxpayers who have none."""
TELEPHONES = (
    re.compile(r"(?<!\d)1?[2-9]\d{9}(?!\d)"),
    re.compile(r"(?<!\d)(?:1[._-]?)?[2-9]\d\d[._-]\d{3}[._-]\d{4}(?!\d)"),
)
"""Of North America. "ap2155551234@" is an office's."""


def has_a_persons_number(address: str) -> bool:
    """Return whether such a number stands before the @, or nothing but 9 digits or more."""
    local = address.rpartition("@")[0]
    patterns = TAXPAYERS if _is_of_a_function(local) else TAXPAYERS + TELEPHONES
    return bool(DIGITS_ONLY.fullmatch(local)) or any(pattern.search(local) for pattern in patterns)


def tells_of_health(address: str) -> bool:
    """Return whether a word for a condition or a patient stands before the @ beside what may be a person's name."""
    local, _, domain = address.lower().rpartition("@")
    name = " ".join(word for one in WORD.findall(words.put_together(local)) for word in _apart(one))
    known = set(WORD.findall(domain))
    rest = [word for word in HEALTH.sub(" ", name).split() if word not in known and not KNOWN.fullmatch(word)]
    if CODED.search(local) and any(map(persons.begins_with_given_name, rest)):
        return True
    if len(rest) > 1 and any(map(persons.is_given_name, rest)):
        return bool(HEALTH.search(names.without_surname(name)))
    return bool(rest) and names.tells_of_health(name)


def _is_of_a_function(local: str) -> bool:
    found = WORD.findall(local.lower())
    return bool(found) and all(map(KNOWN.fullmatch, found))


def _apart(word: str) -> list[str]:
    if HEALTH.fullmatch(word) or KNOWN.fullmatch(word):
        return [word]
    found = AT_AN_END.fullmatch(word)
    if found and not ALSO_ENDS_OF_NAMES.fullmatch(word):
        rest = found["rest"] or found["last"]
        if persons.begins_with_given_name(rest):
            return [rest, word.replace(rest, "", 1)]
    return GLUED.sub(lambda one: f" {one.group()} ", word).split()
