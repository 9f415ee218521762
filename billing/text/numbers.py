"""Numbers of records, social security and cards. The practice's own numbers and Stripe's ids are none of them."""

import re

GAP = r"[\W_]{0,3}"
NUMBER_WORDS = (
    r"(?:number|num|nummer|numero|no|nr|nbr|n|id|code|is|was|of|de|es|ending(?: in| with)?|"
    r"ends(?: in| with)?|in|last(?: four| 4)?)"
)
BETWEEN = rf"(?:[\W_]*\b{NUMBER_WORDS}\b)*[\W_]*"
WITH_DIGITS = r"(?=[a-z0-9-]*\d[a-z0-9-]*\d)[a-z]{0,4}-?\d[a-z0-9-]+"

MONEY = r"(?:\d{1,3}(?:[.,' ]\d{3})+|\d{1,7})(?:[.,]\d\d)?"
IDS = (
    re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE),
    re.compile(r"\b(?=[0-9]*[A-F])[0-9A-F]{8}-\d{4}\b"),
)
"""UUIDs, and the numbers of Stripe's invoices. They are taken out of a text as it was typed."""

OF_THE_PRACTICE = (
    re.compile(r"\b(?:npi|national provider identifier)(?: (?:no|number))?[\W_]*\d{10}\b", re.IGNORECASE),
    re.compile(r"\b(?:ein|fein|tin|tax id|employer id\w*)(?: (?:no|number))?[\W_]*\d{2}-\d{7}\b", re.IGNORECASE),
    re.compile(
        r"\b(?:p\.?o|purchase order|invoice|inv|order|ticket|quote|check|cheque|wire|job|request|receipt|transaction|"
        r"factura|pedido|tique|recibo|orden)s?(?: (?:no|number|num|numero|id))?[\W_]{0,3}"
        r"(?!(?:\+?1)?[2-9]\d\d[2-9]\d{6}\b)(?!(?:19|20)\d\d[01]\d[0-3]\d\b)(?![0-3]\d[0-3]\d(?:19|20)\d\d\b)"
        r"(?!\d{3}-\d\d-\d{4})(?:[a-z]{1,4}-?)?(?:(?:19|20)\d\d-)?(?!\d{9}\b)\d{3,12}\b(?!-\d)(?:(?:, ?|/| and |"
        r" y | & )\d{3,6}\b(?!-\d))*",
        re.IGNORECASE,
    ),
    re.compile(r"\bref(?:erence|erencia)?\.?[\W_]{0,3}20\d\d-\d{3,6}\b(?!-)", re.IGNORECASE),
    re.compile(
        r"\b(?:in|cus|sub|ch|pi|py|re|cn|price|prod|evt|pm|si|ii|il|txn|po|du|dp|seti|acct|cs|req|sub_sched|we|"
        r"promo)_"
        r"(?:test_|live_)?(?=[0-9]*[a-zA-Z])[A-Za-z0-9]{8,}\b"
    ),
    re.compile(
        r"(?<![\d:])[0-2]?\d:[0-5]\d(?![\d:])|(?<![\w.,-])\d{1,5}[.,](?:00|50|99)(?![\d]|[.,-]\d)"
    ),  # times, prices
    re.compile(r"\b(?:(?i:zip(?: ?code)?)|[A-Z]{2}),? \d{5}-\d{4}\b(?!-)"),
    re.compile(
        r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.-])"
    ),  # of a network
    re.compile(
        r"\b(?:version|release|api|chrome|firefox|safari|edge|ios|android|build) v?(?:20[2-9]\d-\d\d-\d\d|"
        r"\d+(?:\.\d+){1,3})\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bpub\. ?l\. ?(?:no\. ?)?\d+-\d+|\b\d+ (?:stat|fed|fr|f\.r|u\.?s\.?c|c\.?f\.?r|"
        r"s\. ?ct)\b\.?(?: reg\.?)?[ §]*\d+",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:[$€£]|\b(?:usd|eur|gbp|cad|mxn) ?)\s?{MONEY}\b(?![-/. ]\d)", re.IGNORECASE),
    re.compile(
        rf"(?<![\w-])(?<!\d[ ]){MONEY}\s?(?:[$€£]|\b(?:usd|eur|gbp|cad|mxn|dollars|"
        r"cents)\b)",
        re.IGNORECASE,
    ),
)

SSN = (
    re.compile(r"(?<![\d.])(?!000|666)\d{3}(?:[^\w\n]|_){1,3}(?!00)\d{2}(?:[^\w\n]|_){1,3}(?!0000)\d{4}(?![\d.])"),
    re.compile(r"[x*#•]{3}[\W_]{0,3}[x*#•]{2}[\W_]{0,3}\d{4}(?!\d)", re.IGNORECASE),
    re.compile(
        rf"(?:\b|_)(?:ssn|s\.s\.n|ss(?= ?(?:#|no|num))|soc(?:ial)?(?:[ .-]*sec(?:urity)?)?|itin|seguro social|"
        rf"nss|sozialversicherung\w*)"
        rf"{BETWEEN}[x*#-]*\d[\d -]{{2,}}",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![a-z])ssn(?![a-z])", re.IGNORECASE),
    re.compile(r"\b(?:social security|seguro social)\b.{0,12}\b(?:no|num|number|numero|card)\b", re.IGNORECASE),
)
DNI = re.compile(r"\b(?:([xyz])-?(\d{7})|(\d{8}))[- ]?([a-z])\b", re.IGNORECASE)
CURP = re.compile(r"\b[a-z]{4}\d{6}[hmx][a-z]{5}[a-z0-9]\d\b", re.IGNORECASE)
MBI = re.compile(
    r"\b[1-9][ac-hj-km-np-rt-y][ac-hj-km-np-rt-y0-9]\d[- ]?[ac-hj-km-np-rt-y][ac-hj-km-np-rt-y0-9]\d[- ]?"
    r"[ac-hj-km-np-rt-y]{2}\d{2}\b",
    re.IGNORECASE,
)

MEDICAL_RECORDS = (
    # an abbreviation that means a record, with or without anything between it and the number
    re.compile(
        r"(?:(?<![a-z])|(?<=pt)|(?<=dob))(?:mrn|emrn|m\.r\.n|nhc|mrno|emr|ehr|hcn|uhid|pid|empi|mr ?(?:#|no\b|"
        r"num\b))(?:[\W_]|no|id|number|is|es)*[a-z]{0,3}-?\d{2,}",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![a-z])mrn(?![a-z])", re.IGNORECASE),
)
RECORDS = (
    *MEDICAL_RECORDS,
    re.compile(
        rf"\b(?:med(?:ical)?[ .-]*(?:rec(?:ord)?s?|chart|file)|health record|hosp(?:ital)?[ .-]*(?:rec(?:ord)?|"
        rf"no|number|id)|"
        rf"(?:patient|pat|pt|pts)[ .'s-]*(?:id|no|num|number|record|chart|file|ref|acct|account|code|#)|chart|"
        rf"accession|specimen|encounter|"
        rf"beneficiary|medicare|medicaid|mbi|hicn|enrollee|insured|health plan|insurance|group(?= (?:no|number|"
        rf"id)\b\.? ?\d{{5}})|group policy|rx|prescription|"
        rf"historia(?: clinica)?|hist(?:oria)?\.? ?cl[ií]n\w*|h\.?c\.?|expediente|exp(?:te)?\.? ?(?:clin|"
        rf"med)\w*|ficha|afiliad[oa]|poliza|"
        rf"paciente|tarjeta sanitaria|driver'?s? licen[sc]e|passport|pasaporte|licencia)"
        rf"{BETWEEN}{WITH_DIGITS}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:record|records|file|claim|policy|subscriber|member|account|acct|case(?= (?:no|number|"
        rf"id)\.? \d{{5}})|visit|lab|registro|cuenta|caso|patient|pt)"
        rf"[\W_]*(?:\b(?:id|no|num|number|numero|nr|nbr)\b|#){BETWEEN}[a-z]{{0,4}}-?\d[a-z0-9-]{{3,}}",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:record|claim|policy|member|subscriber|patient|pt|paciente|registro|"
        r"file)[\W_]{1,3}[a-z]{0,4}-?\d[\d-]{4,}\b",
        re.IGNORECASE,
    ),
    re.compile(r"\bdl\b[\W_]*(?:no\b[\W_]*)?[a-z]?\d{6,}\b", re.IGNORECASE),
    re.compile(r"\b(?:medical|health) records? (?:no|num|number|id)\b|\bchart (?:no|num|number|id)\b", re.IGNORECASE),
)

RUN = re.compile(r"(?<![\d])\+?\(?\d(?:[\s()./_:|*'\\-]{0,4}\d)*(?!\d)")


def without_ids(text: str) -> str:
    """Return the text without ids that are random, some of which look like numbers of a person."""
    for pattern in IDS:
        text = pattern.sub(" § ", text)
    return text


def without_the_practices(text: str) -> str:
    """Return the text without amounts and the numbers of orders, invoices and the practice itself."""
    for pattern in OF_THE_PRACTICE:
        text = pattern.sub(" § ", text)
    return text


def has_ssn(text: str) -> bool:
    return any(pattern.search(text) for pattern in SSN)


def has_card(text: str) -> bool:
    """Return whether 13 to 19 digits are in it whose last one proves the others, or a card's security code."""
    if re.search(r"\b(?:cvv2?|cvc2?|cid|card security code)\b[\W_]*\d{3,4}\b", text, re.IGNORECASE):
        return True
    for run in RUN.finditer(text):
        digits = re.sub(r"\D", "", run.group())
        for length in range(13, min(19, len(digits)) + 1):
            for start in range(len(digits) - length + 1):
                if digits[start] in "23456" and is_luhn(digits[start : start + length]):
                    return True
    return False


def is_luhn(digits: str) -> bool:
    """Return whether the last digit proves the others. Source: ISO/IEC 7812-1, annex B."""
    doubled = [int(one) * 2 for one in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(one // 10 + one % 10 for one in doubled)) % 10 == 0


def has_record(text: str) -> bool:
    return (
        any(pattern.search(text) for pattern in RECORDS)
        or any(_proves_itself(*one.groups()) for one in DNI.finditer(text))
        or any(pattern.search(text) for pattern in (CURP, MBI))
    )


def has_medical_record(text: str) -> bool:
    """Return whether a number is in it that is called that of a medical record: "MRN883122"."""
    return any(pattern.search(text) for pattern in MEDICAL_RECORDS)


def has_long_number(text: str) -> bool:
    """Return whether 9 or more digits follow one another, whatever stands between them."""
    for run in RUN.finditer(text):
        plain = re.sub(r"\d{1,3}(?:,\d{3})+(?:\.\d\d)?(?!\d)", "", run.group())
        if len(re.sub(r"\D", "", plain)) >= 9:
            return True
    return False


def _proves_itself(foreign: str | None, seven: str | None, eight: str | None, letter: str) -> bool:
    """Return whether it is a Spanish identity number. Its letter is the rest of a division by 23."""
    digits = eight or f"{'xyz'.index((foreign or 'x').lower())}{seven}"
    return "trwagmyfpdxbnjzsqvhlcke"[int(digits) % 23] == letter.lower()
