"""The one gate: what may be typed into a field depends on what the field is.

No rule can prove that a text is harmless, and none can know whether a name is a patient's. These rules refuse what can
be recognised by its form. A refusal says what was found, and never repeats the text.
"""

import re
from collections.abc import Callable
from enum import Enum

from billing import errors
from billing.text import addresses, codes, contacts, dates, names, numbers, words
from billing.text.views import views

LONGEST, LONGEST_EMAIL, LONGEST_BASIS = 200, 254, 2000
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


class Finds(Enum):
    """What can be found in a text, in the words of a refusal."""

    SSN = "a social security number"
    CARD = "a card number"
    NDC = "the code of a drug"
    DATE = "a date"
    BIRTH = "a date of birth, death or treatment"
    PHONE = "a telephone number"
    RECORD = "a record number"
    LONG_NUMBER = "a telephone, card or record number"
    ICD10 = "the code of a diagnosis"
    CPT = "the code of a treatment"
    EMAIL = "an e-mail address"
    STATEMENT = "words about a patient"
    WORDS = "words about patients"
    STEMS = "words about patients in a code"
    PHRASE = "words about somebody's illness"
    NAMED_WITH_HEALTH = "words about a patient's health, without the word of a practice beside them"
    MEDICAL_RECORD = "the number of a medical record"
    NUMBER_IN_ADDRESS = "the number of a person"
    ADDRESS_WITH_HEALTH = "words about a patient's health, beside a name"


LOOKS: dict[Finds, Callable[[str], bool]] = {
    Finds.SSN: numbers.has_ssn,
    Finds.CARD: numbers.has_card,
    Finds.NDC: codes.has_ndc,
    Finds.BIRTH: dates.has_birth,
    Finds.DATE: dates.has_date,
    Finds.RECORD: numbers.has_record,
    Finds.PHONE: contacts.has_phone,
    Finds.LONG_NUMBER: numbers.has_long_number,
    Finds.CPT: codes.has_cpt,
    Finds.ICD10: codes.has_icd10,
    Finds.EMAIL: contacts.has_email,
    Finds.STATEMENT: words.is_statement,
    Finds.WORDS: words.has_words,
    Finds.STEMS: words.has_stems,
    Finds.PHRASE: words.has_phrase,
    Finds.NAMED_WITH_HEALTH: names.tells_of_health,
    Finds.MEDICAL_RECORD: numbers.has_medical_record,
    Finds.NUMBER_IN_ADDRESS: addresses.has_a_persons_number,
    Finds.ADDRESS_WITH_HEALTH: addresses.tells_of_health,
}
OF_PLACES = {Finds.MEDICAL_RECORD}
OF_NAMES = {Finds.NAMED_WITH_HEALTH}
OF_ADDRESSES = {Finds.NUMBER_IN_ADDRESS, Finds.ADDRESS_WITH_HEALTH}
OF_TEXTS = {Finds.WORDS, Finds.PHRASE}
CODES = frozenset(Finds) - OF_NAMES - OF_ADDRESSES - OF_PLACES
NOTES = CODES - {Finds.STEMS}
NAMES = NOTES - OF_TEXTS | OF_NAMES
ADDRESSES = NOTES - OF_TEXTS - {Finds.EMAIL, Finds.PHONE, Finds.LONG_NUMBER} | OF_ADDRESSES


class Typed(Enum):
    """What a field is."""

    BUSINESS_NAME = "the name of a practice or of a contact"
    PERSON_NAME = "a person's name"
    EMAIL = "an e-mail address"
    NOTE = "a note"
    REASON = "a reason"
    CODE = "a code"
    PLAN_NAME = "the name of a plan or price"
    LEGAL_BASIS = "a legal basis"
    PLACE = "where a document is kept"


RULES: dict[Typed, frozenset[Finds]] = {
    Typed.BUSINESS_NAME: NAMES,
    Typed.PERSON_NAME: NAMES,
    Typed.EMAIL: ADDRESSES,
    Typed.NOTE: NOTES,
    Typed.REASON: NOTES,
    Typed.CODE: CODES,
    Typed.PLAN_NAME: NOTES,
    Typed.LEGAL_BASIS: NOTES - {Finds.DATE, Finds.WORDS},
    Typed.PLACE: frozenset({Finds.SSN, Finds.BIRTH, Finds.STATEMENT}) | OF_PLACES,
}
"""Which of the rules judge a field. A basis in law may have dates, and words about patients.

Those of a place judge the addresses in it, whose numbers nobody chose. The rest of a place is judged as a basis in law.
"""
LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+|\b[\w-]+(?:\.[\w-]+)+/\S*|(?<!\S)(?:[a-z]:)?[\\/]{1,2}[\w.-]+[\\/]\S*",
    re.IGNORECASE,
)
"""An address of a page, or the path of a file."""


def found(text: str, field: Typed) -> Finds | None:
    """Return the first thing that the field may not have, or None."""
    if field is Typed.PLACE:
        links = "  ".join(LINK.findall(text))
        return found(LINK.sub(" ", text), Typed.LEGAL_BASIS) or _first(links, RULES[field])
    return _first(text, RULES[field])


def _first(text: str, rules: frozenset[Finds]) -> Finds | None:
    whole = views(numbers.without_ids(text))
    rest = [numbers.without_the_practices(one) for one in whole]
    for one, look in LOOKS.items():
        if one in rules and any(map(look, whole if one is Finds.EMAIL else rest)):
            return one
    return None


def refusal(text: str, field: Typed) -> str:
    """Return what the field may not have, in words. "" if it may be kept."""
    longest = LONGEST_BASIS if field is Typed.LEGAL_BASIS else LONGEST_EMAIL if field is Typed.EMAIL else LONGEST
    if len(text) > longest:
        return f"more than {longest} characters"
    if CONTROL.search(text):
        return "control characters"
    what = found(text, field)
    return what.value if what else ""


def check(text: str, field: Typed, *, called: str = "text") -> None:
    """Refuse a text that the field may not have. ``called`` is what people call the field.

    Raises:
        TextNotNeutral: it says what the text seems to contain, and never repeats the text.
    """
    if what := refusal(text, field):
        raise errors.TextNotNeutral(what, called=called)


def checked(text: str, field: Typed, *, called: str = "text") -> str:
    """Return the text in one line if the field may have it. Raises: TextNotNeutral."""
    text = " ".join(text.split())
    check(text, field, called=called)
    return text
