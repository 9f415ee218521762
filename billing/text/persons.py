"""Words that show whose a name is: a person's given names and titles, or words that no person is called by.

A word that is in neither list may be a person's. ``names`` and ``addresses`` decide about it.
"""

import re

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from billing.text.words import BODY, WITH_A_PRACTICE

TITLES = r"mr|mrs|ms|miss|mx|dra?|prof|sra?|srta|don|dona"
CONNECTING = r"of|for|with|against|and|the|de|del|la|las|el|los|al|para|contra|con|y|e|&"
ORGANISATIONS = (
    r"cent(?:er|re)s?|centros?|clinics?|clinicas?|care|practices?|groups?|grupo|associates|associations?|asociacion|"
    r"institut(?:e|es|o)|hospitals?|hospitales|hospice|health\w*|salud|medical|medicos?|medicina|medicine|"
    r"specialists?|especialistas|services?|servicios|partners|physicians?|doctors?|surgeons|consultants|"
    r"consultorios?|foundations?|fundacion|network|pharmacy|farmacia|lab|laboratory|laboratorio|imaging|wellness|"
    r"pediatrics|dental|dentistry|units?|unidad|team|department|dept|office|program(?:me)?s?|programa|research|"
    r"alliance|society|sociedad|council|league|liga|coalition|emergency room|education|prevention|cuidados?|"
    r"psychiatry|psychology|oncology|endocrin\w+|cardiology|neurology|immunology|rheumatology|suite|site|company|"
    r"chiropractic|quiropractica|radiology|dermatology|nephrology|urology|gastroenterology|orthop\w+"
)
FUNCTIONS = (
    r"billing|bills?|invoices?|invoicing|accounts?|accounting|accountant|payables?|payments?|finance|ap|ar|info|"
    r"contact|hello|admin|administration|reception|front|desk|manager|mail|inbox|no|reply|stripe|main|new|testing|"
    r"screening|treatment|therapy|surgery|cirugia|recovery|allergy|alergia|facturas?|facturacion|contabilidad|"
    r"recepcion|my|our|kids|womens?|mens?|pediatric|national|regional|dr|m[. ]?d|dds|weight|loss|"
    r"pain|bone|blood|skin|sleep|memory|wound"
)
PLACES = (
    r"(?:north|south)(?:east|west|ern|side)?|(?:east|west)(?:ern|side)?|central|county|city|valley|metro|area|downtown|town|"
    r"village|hills?|lakes?|rivers?|creek|park|bay|beach|coast|mountain|ridge|springs?|falls|island|harbor|"
    r"elm|oak|oakdale|maple|cedar|pine|willow|birch|norte|sur|oriente|poniente|valle|costa|ciudad|"
    r"alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|hawaii|idaho|illinois|"
    r"indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri|"
    r"montana|nebraska|nevada|hampshire|jersey|mexico|york|dakota|ohio|oklahoma|oregon|pennsylvania|rhode|"
    r"tennessee|texas|utah|vermont|washington|wisconsin|wyoming|american?|puerto rico|espana|"
    r"austin|boston|chicago|dallas|denver|detroit|houston|atlanta|miami|orlando|tampa|phoenix|tucson|seattle|"
    r"portland|philadelphia|pittsburgh|cleveland|baltimore|memphis|nashville|charlotte|omaha|plano|vegas|orleans"
)
ALSO_GIVEN = "carolina|georgia|virginia"
KNOWN = re.compile(
    rf"(?:{FUNCTIONS}|{PLACES}|{ALSO_GIVEN}|{CONNECTING}|{ORGANISATIONS}|{WITH_A_PRACTICE}|{BODY})", re.IGNORECASE
)
"""What no person is called by, but for three states."""

_listed = {*FREQUENCY_LISTS["female_names"], *FREQUENCY_LISTS["male_names"]}
_given = {one for one in _listed if len(one) > 2 and not KNOWN.fullmatch(one)} | set(ALSO_GIVEN.split("|"))
"""About 4,700 given names of the United States, many of them Spanish. Those that are more common as words are left out.

Source: zxcvbn's lists, from the census.
"""
_word = re.compile(r"[^\W\d_]+")
_saint = re.compile(r"\b(?:st\.?|saint|san|santa|sta\.?|santo) [a-z]+(?:'s)?", re.IGNORECASE)
_title = re.compile(rf"(?<![a-z])(?:{TITLES})\.? [a-z]", re.IGNORECASE)
_initial = re.compile(r"^[a-z]\. ?(?=[a-z]{2})", re.IGNORECASE)


def is_given_name(word: str) -> bool:
    return word.lower() in _given


def begins_with_given_name(word: str) -> bool:
    """Return whether it is one, or begins with one of 4 letters or more, as in "janeroe"."""
    word = word.lower()
    return word in _given or any(word[:length] in _given for length in range(4, len(word)))


def has_a_person(text: str) -> bool:
    """Return whether a given name, a title or an initial is in it. The saint of a hospital is none."""
    text = _saint.sub(" ", text)
    return bool(_title.search(text) or _initial.search(text)) or any(map(is_given_name, _word.findall(text)))


def without_known(text: str) -> str:
    """Return the words and numbers that may be a person's."""
    words = re.findall(r"\bm[. ]d\b|[^\W_]+", _saint.sub(" ", text), re.IGNORECASE)
    return " ".join(one for one in words if one != "s" and not KNOWN.fullmatch(one))
