"""Words of health in names, English and Spanish. "Elm Cancer Center" is a practice, and "Jane Roe, cancer" a patient.

No rule knows whose name a name is. So a word for a condition or a patient may only stand where a word for a practice or
another organisation stands beside it.
"""

import re

from billing.text import persons, words
from billing.text.persons import CONNECTING, ORGANISATIONS, TITLES
from billing.text.words import CONDITIONS, PHRASES, WITH_A_PRACTICE

BEGINNINGS = r"hope|living(?: well)?|help|support|fight|relief"
"""What an organisation's name begins with: "Hope for Autism"."""
SERVICES = r"dialysis|dialisis|mammogra\w+|mri|ct scans?|colonoscop\w+|rehab\w*|detox\w*"
"""What a place offers and can be called by: "Elm Dialysis". With a person's name they are that person's."""
SURNAMES = r"parkinson|alzheimer|hodgkin|crohn|strokes?|gout|rash|ulcer|fractures?"
"""Words of health that people are called by too."""
OF_HEALTH = (
    rf"{CONDITIONS}|{PHRASES}|{SERVICES}|pregnant|diabetic|diabetico|diabetica|asthmatic|epileptic|disease|illness|sick|"
    r"diagnos(?:is|ed)|diagnosticad[oa]|hospitali[sz]ed|terminally ill|leucemia|esquizofrenia|alergic[oa]|allergic|"
    r"enferm[oa]"
)
OF_PATIENTS = r"patients?'?s?|pacientes?|(?:in|out)patients?"
NO_HEALTH = re.compile(
    r"\b(?:hearing|visual|first) aids\b|\bcrisis pregnancy\b|\bautism (?:\w+ ){0,2}therap(?:y|ies)\b|"
    r"\b(?:dialysis|mri|ct scan|mammogra\w+|infusion|biops\w+|addiction recovery)(?= of )|"
    r"^(?:asthma|allergy)(?:,| and| &)+ (?:asthma|allergy)\b|^(?:asma|alergia) y (?:asma|alergia)\b|"
    rf"^(?:{TITLES})\.? [a-z]+$|(?<=imaging \()mri\b|^(?:(?:{TITLES})\.? )?asma(?= [a-z]+$)",
    re.IGNORECASE,
)
"""Aids for hearing, names of people, services of a place ("MRI of Elm") and the name of a specialty."""
COMPANY = re.compile(
    r"(?<![a-z])(?:(?:p\.? ?)?l\.? ?l\.? ?[cp]|inc|corp|ltd|gmbh|p\.? ?c|p[. ] ?a|s[. ] ?[al])\.?"
    r"(?: de c[. ] ?v\.?)?$",
    re.IGNORECASE,
)
SURNAME = re.compile(rf"^(?!(?i:{TITLES})\b)([A-Z]\w+) (?:Cancer|Paciente) ([A-Z]\w+)$")

APART = re.compile(r"[,:;(§|@*]|(?<![a-z])/(?![a-z])")
"""Marks between a name and what is said of it."""

_as_surname = re.compile(
    rf"(?P<title>(?:{TITLES})\.? )?(?P<given>(?:[a-z]+\.? ){{0,3}}?)(?P<surname>{SURNAMES})"
    r"(?=$|[,;] | \(| (?:jr|sr|i{2,3}|iv)\.?$)",
    re.IGNORECASE,
)
_service = re.compile(SERVICES, re.IGNORECASE)
_health = re.compile(rf"(?<![a-z])(?:{OF_HEALTH})(?![a-z])", re.IGNORECASE)
_patients = re.compile(rf"(?<![a-z])(?:{OF_PATIENTS})(?![a-z])", re.IGNORECASE)
_WORD = r"[\w'’.]+"
_APART = r"[ /&.'-]+"
_LIST = rf"(?:,? {_WORD}){{0,3}},? (?:and|y|e|&) (?:{_WORD} ){{0,2}}"


def _after(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{_APART}{_WORD}){{0,3}}?{_APART}|{_LIST})(?:{words})(?![a-z])", re.IGNORECASE)


def _before(words: str) -> re.Pattern[str]:
    chain = rf"(?: (?:{CONNECTING}|{OF_HEALTH}))*"
    some = rf"(?: {_WORD})?(?: (?:{CONNECTING}))+(?: {_WORD})?{chain}"
    named = rf"|(?:{BEGINNINGS}) (?:for|with|from)"
    return re.compile(rf"(?<![a-z])(?:(?:{words})(?:{chain}|{some}){named}) ?$", re.IGNORECASE)


_beside_health = (_after(ORGANISATIONS), _before(ORGANISATIONS))
_beside_patients = (_after(f"{ORGANISATIONS}|{WITH_A_PRACTICE}"), _before(f"{ORGANISATIONS}|{WITH_A_PRACTICE}"))


def tells_of_health(text: str) -> bool:
    """Return whether a word for a condition or a patient is in a name with no word of an organisation beside it."""
    plain = words.put_together(text).replace(" - ", "; ").replace("/", " / ")
    plain = SURNAME.sub(r"\1 \2", NO_HEALTH.sub("§", without_surname(plain)))
    if _is_of_nobody(plain) or _is_of_a_company(plain):
        return False
    return any(_is_told(one, plain) for one in _health.finditer(plain)) or any(
        _stands_alone(one, plain, _beside_patients) for one in _patients.finditer(plain)
    )


def without_surname(text: str) -> str:
    """Return "Mary §" for "Mary Parkinson" and "Parkinson, Mary". Not for "Jane Roe stroke", "Mary gout"."""
    found = _as_surname.match(text)
    if not found:
        return text
    given, surname = found["given"].split(), found["surname"]
    if not given and not found["title"] and not persons.is_given_name(text[found.end() :].strip(" ,")):
        return text
    is_name = all(len(one.strip(".")) == 1 or persons.is_given_name(one) for one in given[1:])
    if not is_name or any(one[0].isupper() != surname[0].isupper() for one in given):
        return text
    return f"{text[: found.start('surname')]}§{text[found.end('surname') :]}"


def _is_of_nobody(text: str) -> bool:
    """Return whether each word is one of health, of an organisation or of a place: "Gout & Arthritis"."""
    text = COMPANY.sub("", text).rstrip(", ")
    if APART.search(text) and persons.has_a_person(text):
        return False
    return not persons.without_known(_patients.sub(" ", _health.sub(" ", text)))


def _is_of_a_company(text: str) -> bool:
    """Return whether it ends as a company's name does and no person seems to be in it."""
    found, word = COMPANY.search(text), _health.search(text) or _patients.search(text)
    if not found or not word:
        return bool(found)
    return not APART.search(text[: word.start()]) and not persons.has_a_person(text[: found.start()])


def _is_told(found: re.Match[str], text: str) -> bool:
    if _service.fullmatch(found.group()) and _is_of_a_service(found, text):
        return False
    return _stands_alone(found, text, _beside_health)


def _is_of_a_service(found: re.Match[str], text: str) -> bool:
    """Return whether it is written as a part of a place's name: "Fresenius Dialysis", not "Jane Roe dialysis"."""
    before = text[: found.start()]
    if APART.search(before) or text[found.end() :].lstrip()[:1] in (":", ";") or persons.has_a_person(text):
        return False
    return not before.strip() or before[0].isupper() == found.group()[0].isupper()


def _stands_alone(found: re.Match[str], text: str, beside: tuple[re.Pattern[str], re.Pattern[str]]) -> bool:
    after, before = beside
    return not after.match(text, found.end()) and not before.search(text[: found.start()].replace(" / ", " "))
