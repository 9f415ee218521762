"""Words of health in names, English and Spanish. "Elm Cancer Center" is a practice, and "Jane Roe, cancer" a patient.

No rule knows whose name a name is. So a word for a condition or a patient may only stand where a word for a practice or
another organisation stands beside it.
"""

import re

from billing.text.words import CONDITIONS, PHRASES, WITH_A_PRACTICE

ORGANISATIONS = (
    r"cent(?:er|re)s?|centros?|clinics?|clinicas?|care|practices?|groups?|grupo|associates|associations?|asociacion|"
    r"institut(?:e|es|o)|hospitals?|hospitales|hospice|health\w*|salud|medical|medicos?|medicina|medicine|"
    r"specialists?|especialistas|services?|servicios|partners|physicians?|doctors?|surgeons|consultants|"
    r"consultorios?|foundations?|fundacion|network|pharmacy|farmacia|lab|laboratory|laboratorio|imaging|wellness|"
    r"pediatrics|dental|dentistry|units?|unidad|team|department|dept|office|program(?:me)?s?|programa|research|"
    r"alliance|society|sociedad|council|league|liga|coalition|emergency room|education|prevention|cuidados?|"
    r"psychiatry|psychology|oncology|endocrin\w+|cardiology|neurology|immunology|rheumatology|suite|site|company|"
    r"m\.?d|dds"
)
BEGINNINGS = r"hope|living(?: well)?|help|support|fight|relief"
"""What an organisation's name begins with: "Hope for Autism"."""
CONNECTING = r"of|for|with|against|and|the|de|del|la|las|el|los|al|para|contra|con|y|e|&"
OF_HEALTH = (
    rf"{CONDITIONS}|{PHRASES}|pregnant|diabetic|diabetico|diabetica|asthmatic|epileptic|disease|illness|sick|"
    r"diagnos(?:is|ed)|diagnosticad[oa]|hospitali[sz]ed|terminally ill|leucemia|esquizofrenia|alergic[oa]|allergic|"
    r"enferm[oa]"
)
OF_PATIENTS = r"patients?'?s?|pacientes?|(?:in|out)patients?"
NO_HEALTH = re.compile(
    r"\b(?:hearing|visual|first) aids\b|\brash\b|\bcrisis pregnancy\b|\bautism (?:\w+ ){0,2}therap(?:y|ies)\b|"
    r"\b(?:dialysis|mri|ct scan|mammogra\w+|infusion|biops\w+|addiction recovery)(?= of )|"
    r"^(?:asthma|allergy)(?:,| and| &)+ (?:asthma|allergy)\b|^(?:asma|alergia) y (?:asma|alergia)\b|"
    r"^(?:dra?|mr|mrs|ms|prof)\.? [a-z]+\b|(?<=imaging \()mri\b",
    re.IGNORECASE,
)
"""Aids for hearing, surnames, services of a place ("MRI of Elm") and the name of a specialty."""
COMPANY = re.compile(
    r"(?<![a-z])(?:(?:p\.? ?)?l\.? ?l\.? ?[cp]|inc|corp|ltd|gmbh|p\.? ?c|p[. ] ?a|s[. ] ?[al])\.?"
    r"(?: de c[. ] ?v\.?)?$",
    re.IGNORECASE,
)
SURNAME = re.compile(r"^([A-Z]\w+) (?:Cancer|Paciente) ([A-Z]\w+)$")

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
    if COMPANY.search(text):
        return False
    plain = SURNAME.sub(r"\1 \2", NO_HEALTH.sub("§", text.replace(" - ", "; ").replace("/", " / ")))
    return any(_stands_alone(one, plain, _beside_health) for one in _health.finditer(plain)) or any(
        _stands_alone(one, plain, _beside_patients) for one in _patients.finditer(plain)
    )


def _stands_alone(found: re.Match[str], text: str, beside: tuple[re.Pattern[str], re.Pattern[str]]) -> bool:
    after, before = beside
    return not after.match(text, found.end()) and not before.search(text[: found.start()].replace(" / ", " "))
