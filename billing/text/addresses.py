"""E-mail addresses: what stands before the @ may name a person or a condition, and not both. Nor a person's number.

"cancer.center@" is a practice's, and "jane.roe.cancer@" a patient's. What stands after the @ is an organisation's.
"""

import re

from billing.text import names
from billing.text.names import CONNECTING, OF_HEALTH, OF_PATIENTS, ORGANISATIONS
from billing.text.words import BODY, WITH_A_PRACTICE

FUNCTIONS = (
    r"billing|bills?|invoices?|invoicing|accounts?|accounting|accountant|payables?|payments?|finance|ap|ar|info|"
    r"contact|hello|admin|administration|reception|front|desk|manager|mail|inbox|no|reply|stripe|main|new|testing|"
    r"screening|treatment|therapy|surgery|recovery|allergy|alergia|facturas?|facturacion|contabilidad|recepcion|"
    r"north|south|east|west|central|county|city|valley|my|our|kids|womens?|mens?|pediatric|national|regional|dr"
)
KNOWN = re.compile(rf"{FUNCTIONS}|{CONNECTING}|{ORGANISATIONS}|{WITH_A_PRACTICE}|{BODY}")
HEALTH = re.compile(rf"\b(?:{OF_HEALTH}|{OF_PATIENTS})\b")
GLUED = re.compile(
    r"cancer|diabet(?:es|ic)|asthma|epilepsy|pregnan(?:t|cy)|embaraz(?:o|ada)|leukemia|lymphoma|melanoma|dementia|"
    r"alzheimers?|parkinsons?|hepatitis|schizophrenia|bipolar|depression|autism|dialysis|overdose|pacientes?|"
    r"patient(?:s(?!erv|upp|urv|afe))?"
)
"""Long words, which are also found inside others: "janeroecancer"."""
WORD = re.compile(r"[^\W\d_]+")
DIGITS_ONLY = re.compile(r"\+?\d(?:[._-]?\d){8,}")
PERSONS = (
    re.compile(r"(?<!\d)(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}(?!\d)"),
    re.compile(r"(?<!\d)9\d\d[57-9]\d{5}(?!\d)"),
    re.compile(r"(?<!\d)1?[2-9]\d{9}(?!\d)"),
    re.compile(r"(?<!\d)(?:1[._-]?)?[2-9]\d\d[._-]\d{3}[._-]\d{4}(?!\d)"),
)
"""Social security numbers, those of taxpayers who have none, and telephone numbers of North America."""


def has_a_persons_number(address: str) -> bool:
    """Return whether such a number stands before the @, or nothing but 9 digits or more."""
    local = address.rpartition("@")[0]
    return bool(DIGITS_ONLY.fullmatch(local)) or any(pattern.search(local) for pattern in PERSONS)


def tells_of_health(address: str) -> bool:
    """Return whether a word for a condition or a patient stands before the @ beside what may be a person's name."""
    local, _, domain = address.lower().rpartition("@")
    name = " ".join(word for one in WORD.findall(local) for word in _apart(one))
    known = set(WORD.findall(domain))
    rest = [word for word in HEALTH.sub(" ", name).split() if word not in known and not KNOWN.fullmatch(word)]
    return bool(rest) and names.tells_of_health(name)


def _apart(word: str) -> list[str]:
    if HEALTH.fullmatch(word) or KNOWN.fullmatch(word):
        return [word]
    return GLUED.sub(lambda one: f" {one.group()} ", word).split()
