"""Words about patients, English and Spanish, and some of other languages.

A statement about somebody ("treated for asthma") is refused everywhere. A word such as "patient" or "asthma" is refused
in notes. ``names`` says when it is refused in a name.
"""

import re

CONDITIONS = (
    r"asthma\w*|diabet\w+|cancer(?:s|ous)?|carcinoma|tumou?rs?|leuka?emia|lymphoma|melanoma|metasta\w+|hiv|"
    r"aids|hepatitis|"
    r"pregnan\w+|miscarriage|abortion|depress(?:ion|ive|ed)|anxiety|bipolar|schizophren\w+|psychosis|psychotic|"
    r"autis\w+|adhd|"
    r"dementia|alzheimer\w*|parkinson\w*|epilep\w+|seizures?|strokes?|hypertens\w+|heart (?:attack|failure|disease)|"
    r"arrhythmia|fibrillation|copd|pneumonia|tuberculosis|covid\w*|influenza|sepsis|infection|fractures?|fractured|"
    r"migraines?|arthritis|osteopor\w+|obes\w+|ana?emia|addict\w*|overdos\w+|alcoholi\w+|suicid\w+|chlamydia|"
    r"gonorrh\w+|"
    r"syphilis|herpes|std|sti|insulin|chemo\w*|radiotherapy|dialysis|biops\w+|colonoscop\w+|mammogra\w+|mastectom\w+|"
    r"hysterectom\w+|appendectom\w+|transplant\w*|metformin|lisinopril|atorvastatin|amoxicillin|oxycodone|methadone|"
    r"sertraline|ozempic|warfarin|opioid\w*|antidepressants?|antibiotic(?:s|os?)?|a1c|hba1c|mri|ct scan|"
    r"x-?rays? (?:of|show)|"
    r"asma|embaraz\w+|sida|vih|hipertens\w+|depresion|ansiedad|esquizofren\w+|demencia|epilepsia|"
    r"convulsion\w*|neumonia|quimioterapia|insulina|dialisis|biopsia|fractura\w*|infarto|derrame|aborto|obesidad|"
    r"tumores|cirrosis|cirrhosis|psoriasis|eczema|rash|concussion|crohn\w*|colitis|ptsd|fibromyalgia|glaucoma|endometriosis|hernia|ulcers?|gout|lupus|sclerosis|eclampsia|"
    r"anorexia|bulimia|angina|infertility|infertilidad|erectile dysfunction|disfuncion erectil|down(?:'?s)? syndrome|"
    r"sindrome de down|trisom(?:y|ia)|hodgkin(?:'?s)?|t[12]dm|dm[12]"
)
BARE = (
    r"patients?|patient'?s|diagnos\w+|symptom\w*|prescri\w+|prognos\w+|medications?|medical (?:record|history|"
    r"condition|chart)s?|"
    r"lab results?|test results?|blood (?:test|pressure|work|sugar|glucose)|treatment plan|vital signs|"
    r"allerg\w+|dosage|hospitali[sz]\w+|"
    r"dob|d\.o\.b\.?|date of birth|birth ?dates?|birthday|born on|mrn|chart no|icd-?\d+|comorbid\w*|inpatients?|"
    r"outpatients?|"
    r"pacientes?|diagnostic[oa]s?|diagnostic(?:ad[oa]|ar)|sintomas?|recetas?|recetad[oa]s?|recetaron|medicamentos?|"
    r"medicacion|pronostico|"
    r"historia(?:l)? (?:clinic[oa]|medic[oa])|expediente (?:clinico|medico)|fecha de nac\w*|nacid[oa] el|"
    r"enferm(?:o|a|edad\w*)|"
    r"tratamiento(?! (?:fiscal|contable|de(?:l iva| datos)))|alergi\w+|alta medica|"
    r"resultados? del? (?:laboratorio|analisis)|analisis de sangre|"
    r"padecimiento|dolencia|"
    r"malade|patientin(?:nen)?|krankheit\w*|krankenakte|befund|paziente|pazienti|malattia|diagnose|doente|"
    r"geboren am|nee? le|"
    r"пациент\w*|диагноз\w*|患者|病人|诊断|診断|환자|مريض|المريض"
)
PLACES = (
    r"centers?|centres?|centro|clinics?|clinica|care|practices?|groups?|associates|institute|instituto|hospital|"
    r"health\w*|medical|"
    r"medicine|specialists?|services?|partners|physicians?|doctors?|consultorio|foundation|network|pharmacy|lab|"
    r"laboratory|"
    r"laboratorio|imaging|wellness|therapy|pediatrics|dental|dentistry|surgery|surgeons|surgical|unit|team|"
    r"department|dept|office|module|"
    r"program|programme|research|alliance|consultants|pllc|llc|inc|pc|md|do|llp|corp|company|rehab\w*|recovery|"
    r"counseling|"
    r"psychiatry|psychology|oncology|endocrin\w+|cardiology|neurology|salud|medico|medicos|servicios|grupo|"
    r"unidad|atencion|cuidado"
)
BODY = (
    r"knee|hip|leg|arm|ankle|shoulder|chest|back|neck|head|heart|liver|kidney|lung|breast|prostate|uterus|"
    r"stomach|abdominal|joint|"
    r"pecho|cabeza|rodilla|espalda|corazon|higado|rinon|pulmon|cadera|pierna|brazo|estomago|vientre"
)
STATEMENTS = (
    rf"\b(?:broken|fractured|operation on (?:the |her |his )?|pain in (?:the |her |his )?|operacion de(?:l|"
    rf" la)?|dolor(?:es)? de(?:l| la)?|cirugia de(?:l| la)?)"
    rf"\s*(?:{BODY})\b(?!\W+(?:\w+\W+){{0,2}}?(?:{PLACES}))",
    rf"\b(?:{BODY})[- ](?:replacement|surgery|pains?|operation|injur(?:y|ies)|infection|tumou?r|scan|biopsy|"
    rf"transplant)\b"
    rf"(?!\W+(?:\w+\W+){{0,2}}?(?:{PLACES}))",
    r"(?:diagnosed|dx'?d|suffer(?:s|ed|ing)?|afflicted|hospitali[sz]ed|treat(?:ed|ing|ment)|tested|"
    r"recover(?:ed|ing)|operated|screened|medicated|admitted|allergic|died|dying)\s+(?:with|from|for|positive|"
    r"negative|to the (?:hospital|icu|er|ward))\b"
    r"(?<!tested with)(?<!tested for)(?<!tested from)(?<!treated with)(?<!treating with)(?<!treating from)"
    r"(?<!operated with)(?<!operated from)"
    r"(?<!screened with)(?<!recovered with)(?<!recovered for)(?<!treated from)(?<!admitted from)(?! the (?:plan|"
    r"account|list|invoice|team))",
    r"present(?:s|ed|ing)? with (?!the |a (?:new|better|price))",
    r"(?<![a-z])(?:her|his|their|whose|patient'?s?|mother'?s?|father'?s?|son'?s?|daughter'?s?|wife'?s?|"
    r"husband'?s?|child'?s?|baby'?s?)\s+(?:\w+\s+){0,2}?"
    r"(?:diagnos\w+|symptom\w*|treatments?|therapy|surger(?:y|ies)|prescriptions?|medications?|meds|labs?|"
    r"biopsy|illness|disease|"
    r"condition|pregnancy|chemo\w*|appointment|chart|health|pain|injur(?:y|ies)|infection|test results?|blood|"
    r"scan|mri|x-?ray)\b(?! (?:export|plan|module|system|software|integration|vendor|app)s?\b)",
    r"(?:lab|test|biopsy|scan|mri|x-?ray|blood) results?\b|chief complaint|\bs/p\b|\bh/o\b|\bc/o (?:pain|chest|"
    r"head|back|short|nausea|fever)|"
    r"\b(?:hx|rx|dx|tx|sx) (?:of|for)\b|\bhiv[ +-]?(?:positive|\+|pos)|\b(?:cancer|stroke) survivor|\b\d+ ?mg\b|"
    r"\b\d+ ?mcg\b|"
    r"\bmg/dl\b|\bmmhg\b|\bbp \d{2,3}/\d{2,3}|\ba1c (?:of |is |was )?\d|\b\d{1,2} ?weeks? pregnant|"
    r"\bin remission|\bon (?:insulin|dialysis|chemo\w*|methadone)|"
    r"\b(?:shortness of breath|nausea|vomiting|dizziness)\b",
    r"\b\d{1,3}[ -]?(?:years?|yrs?|yr|months?|mos?)[ -]?old\b(?! (?:practice|clinic|company|office|account|"
    r"invoice|business|building|subscription|system|firm|debt|balance|customer|vendor))"
    r"|\b\d{1,3} ?y/?o\b|\b\d{1,3}[mf]\b (?:with|w/|c/o|pt|patient)|\baged? \d{1,3}\b(?! ?(?:days|months|"
    r"receivable))|\b(?:senora?|mujer|hombre|nin[oa]|chic[oa]|bebe) de \d{1,3} anos\b|\bde \d{1,3} anos de edad\b",
    r"\b(?:diagnosticad[oa]|tratad[oa]|operad[oa]|ingresad[oa]|hospitalizad[oa]|recetad[oa]|alergic[oa]|"
    r"vacunad[oa])\s+(?:de|por|con|en|a|contra|del)\b"
    r"|\b(?:su|sus|del paciente|de la paciente) (?:diagnostico|tratamiento|enfermedad|cirugia|embarazo|sintomas|"
    r"receta|medicacion|historial|terapia|cita)\b",
    r"\b(?:patient|pt|paciente|pat)\s*(?:[:=#]|name\b|nombre\b|is\b|was\b|has\b|had\b|called\b|named\b|dob\b|"
    r"mrn\b|id\b|seen\b|tiene\b|es\b|llamad[oa]\b|fue\b|under\b|in room\b)",
    r"\b(?:pt|pts)\.?\s+(?:seen|was|is|has|with|w/|c/o|reports?|states?|denies|presents?|complain\w*)\b",
    r"\b(?:(?:had|has|have|after|before|needs?|needed|during|undergo\w*|underwent) (?:\w+ )?surgery|surgery on|"
    r"cirugia de|"
    r"(?:in|has|had|needs?) therapy for|psychiatric (?:history|care|ward|hold)|in (?:the )?(?:icu|emergency room)|"
    r"lost (?:the|her|a|their) baby|"
    r"surgery (?:went|was|is|scheduled)|"
    r"discharged from (?:the )?hospital)\b"
    r"|\b(?:passed away|(?:she|wife|jane) is expecting|expecting a (?:baby|child)|gave birth|went into labou?r|"
    r"dio a luz|esta embarazada)\b",
)  # fmt: skip
PHRASES = (
    r"mental(?:ly)? ill(?:ness)?|(?:std|sti) (?:screening|tests?)|"
    r"(?:sick|expectant|pregnant|diabetic|epileptic|asthmatic|bipolar|schizophrenic|hiv-positive|overweight|suicidal) "
    r"(?:patient|person|child|mother|father|woman|man|girl|boy|baby|teen|mujer)"
)
"""Words that tell of somebody in a note. A practice can be called by them."""
WITH_A_PRACTICE = (
    r"first|(?<!\d)1(?!\d)|choice|centered|portal|relations?|accounts?|advoca\w+|access|experience|financ\w+|billing|support|"
    r"solutions|connect|"
    r"plus|direct|atencion|primeros?|point|home|house|family|society|primero|engagement|education|safety|"
    r"transport\w*|helpline|desk|coordinat\w+|manager|team|navigator|liaison|representative|office|registration"
)
PRODUCT = re.compile(
    r"\b(?:(?:in|out)?patient (?:portal|intake|reminders?|messag\w+|schedul\w+|engagement|app|billing|"
    r"statements?|payments?|volumes?|"
    r"counts?|forms?|module|surveys?|check.?in|communications?|experience|records? module|accounts?|relations|"
    r"services|"
    r"financial|seats?|first|care|facing|self-service|onboarding|education)s?|(?:number of|per|fewer|more|new|"
    r"many|no) patients?(?: data| information| names?)?(?= ?[.;]| data|"
    r" information| names?|$)|portal (?:de|del) pacientes?|atencion al paciente|(?:number of|per) patients?|"
    r"icd-?10 (?:cod\w+|lookup|search|module)|prescription module|(?:e-?)?prescribing(?: module| add-?on)?|"
    r"(?:add-?on|module|feature|integration) for (?:prescriptions?|patients?))\b",
    re.IGNORECASE,
)
NO_PATIENT = re.compile(
    r"\b(?:no|without|never|any|contains? no|not|nothing about)\b(?: \w+){0,2}? (?:patients?|phi|"
    r"pacientes?)(?:'s)?(?: data| information| records?| names?| details?)?",
    re.IGNORECASE,
)
OTHER_SCRIPTS = re.compile(r"пациент|диагноз|患者|病人|诊断|診断|환자|مريض")

SPLIT_WORDS = (
    "patient patients paciente pacientes diagnosis diagnosed diagnostico diabetes symptoms sintomas prescription "
)
SPLIT_WORDS += "pregnant pregnancy chemotherapy hospitalized treatment embarazada asthma cancer"
"""Words that are searched for in pieces too: "pa tient"."""
AMBIGUOUS = "|".join(
    r"covid\w* aids rash strokes? infection seizures? std sti depressed transplant\w* gout fractured? ulcers?".split()
)
"""Words of health that also mean other things. They count only in a statement: "has covid"."""
LINK = (
    r"(?:has|had|having|tiene|tenia|is|was|got|padece|sufre de|positive for)\s+"
    r"(?:an? |un |una |the |severe |chronic |acute |stage \w+ |type \w+ |late |early |su |new |newly )*"
)

_statements = [re.compile(one, re.IGNORECASE) for one in STATEMENTS]
_linked = re.compile(rf"(?<![a-z]){LINK}(?:{CONDITIONS})(?![a-z])", re.IGNORECASE)
_phrase = re.compile(rf"\b(?:{PHRASES}|emergency room)\b", re.IGNORECASE)
_bare = re.compile(
    rf"(?<![a-z])(?:{BARE})(?![a-z])|(?<!\d )(?<![a-z])pt(?=\.?(?: [a-z]|$))"
    rf"(?!\.? (?:{PLACES}|seats|and|or|ot)\b)",
    re.IGNORECASE,
)
_condition = re.compile(rf"(?<![a-z])(?!(?:{AMBIGUOUS})(?![a-z]))(?:{CONDITIONS})(?![a-z])", re.IGNORECASE)
_place_after = re.compile(rf"^\W*(?:[\w&'.-]+\W+){{0,3}}?(?:{PLACES})(?![a-z])", re.IGNORECASE)
_place_before = re.compile(rf"(?<![a-z])(?:{PLACES})(?: (?:and|y|&|of|for|de|del))*\W*$", re.IGNORECASE)
_stem = re.compile(
    r"pa(?:t|c)iente?s?(?!s?-?_?(?:portal|first|care|engag|remind|messag|intake|app))|diagnos|diabet|asthma|"
    r"chemo(?!n)|pregnan|hivpos|embaraz",
    re.IGNORECASE,
)
_in_pieces = re.compile(
    "|".join(rf"(?<![^\W_]){r'[^a-z0-9]{0,3}'.join(one)}(?![^\W_])" for one in SPLIT_WORDS.split()), re.IGNORECASE
)


def is_statement(text: str) -> bool:
    """Return whether it says something about somebody's health."""
    text = NO_PATIENT.sub(" ", text)
    if OTHER_SCRIPTS.search(text) or any(pattern.search(text) for pattern in _statements):
        return True
    return any(not _is_of_a_practice(one, text) for one in _linked.finditer(text))


def has_words(text: str) -> bool:
    """Return whether a word about patients is in it. A part of a product or the name of a practice is none."""
    text = PRODUCT.sub(" ", text)
    if _bare.search(text) or any(re.search(r"[\W_]", one.group()) for one in _in_pieces.finditer(text)):
        return True
    return any(not _is_of_a_practice(one, text) for one in _condition.finditer(text))


def put_together(text: str) -> str:
    """Return the text with the words whole that are written in pieces: "cancer" for "can-cer"."""
    return _in_pieces.sub(lambda one: re.sub(r"[\W_]", "", one.group()), text)


def has_phrase(text: str) -> bool:
    """Return whether a phrase is in it that tells of somebody in a note."""
    return bool(_phrase.search(NO_PATIENT.sub(" ", text)))


def has_stems(text: str) -> bool:
    """Return whether a word about patients is a part of a longer one, as in "PATIENTANA". For codes."""
    return bool(_stem.search(text))


def _is_of_a_practice(found: re.Match[str], text: str) -> bool:
    """Return whether a word such as "center" stands close to what was found."""
    return bool(_place_after.match(text[found.end() :]) or _place_before.search(text[: found.start()]))
