"""Dates in the usual forms, with names of months in English, Spanish and some other languages.

A month with a year alone is none.
"""

import re

MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?|enero|ene|febrero|marzo|abril|abr|mayo|junio|julio|agosto|ago|sep?tiembre|octubre|"
    "noviembre|diciembre|dic|janvier|fevrier|avril|juin|juillet|aout|januar|februar|marz|juni|juli|oktober|dezember|"
    "janeiro|fevereiro|marco|maio|junho|julho|setembro|outubro|novembro|dezembro"
)
ROMAN = "viii|vii|iii|xii|vi|iv|ix|xi|ii|i|v|x"
YEAR = r"(?:19|20)\d\d"
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
MONTH = r"(?:0?[1-9]|1[0-2])"
ORDINAL = r"(?:\s?(?:st|nd|rd|th|o|ro|do|er))?"
GAP = r"[\W_]{1,4}"  # whatever stands between the parts of a number
LOOSE = r"(?:\W|_|\b(?:of|de|del|the|in|year|ano)\b){0,8}"  # and between words
NOT_IN_NUMBER = r"(?<![\d])(?<!\d[.,])"
END = r"(?!\d)(?![.,]\d)"
BORN = (
    r"\b(?:d\.?o\.?b|birth|birthday|birth ?date|born|b\.|yob|bday|nacid[oa]|nacimiento|naci[oó]|f\.?n\.?|"
    r"fecha de nac\w*|cumpleanos|ne\(?e?\)? le|geb(?:oren)?|date of death|died|deceased|fallecid[oa]|fallecio|"
    r"admitted|admission|discharged?|d\.?o\.?s|date of service|surgery|operated|ingres[oó]|alta el|cirugia)\b"
)

FULL = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{NOT_IN_NUMBER}{DAY}{GAP}{DAY}{GAP}{YEAR}{END}",
        rf"{NOT_IN_NUMBER}{YEAR}{GAP}{DAY}{GAP}{DAY}{END}",
        rf"{NOT_IN_NUMBER}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[-/.]{YEAR}{END}",
        rf"(?<!\d){DAY}{ORDINAL}{LOOSE}(?:{MONTHS})\b\.?{LOOSE}{YEAR}{END}",
        rf"(?:\b|(?<=\d)|_)(?:{MONTHS})\.?{LOOSE}{DAY}{ORDINAL}{LOOSE}{YEAR}{END}",
        rf"(?<!\d){DAY}(?:{MONTHS}){YEAR}{END}",
        rf"{NOT_IN_NUMBER}{YEAR}{LOOSE}(?:{MONTHS})\.?{LOOSE}{DAY}{ORDINAL}(?!\d)",
        rf"(?<!\d){DAY}[-./'_ ]?(?:{MONTHS})\.?[-./'_,]\s?'?\d\d{END}",
        rf"(?<!\d){DAY}(?:{MONTHS})\d\d{END}",
        rf"(?<!\d){DAY}{ORDINAL}\s(?:of |de )?(?:{MONTHS})\.?,?\s(?:de |del )?'?\d\d\b(?!\s?[\w%$€])(?![.,:]\d)",
        rf"\b(?:{MONTHS})[-./_ ]\s?{DAY}{ORDINAL}[-./_,]\s?'?\d\d\b(?!\s[a-z%])(?![.,:]\d)",
        rf"\b(?:{MONTHS})\.?\s?{DAY}{ORDINAL}(?:,?\s?'\d\d\b|(?:,\s?|\s)\d\d(?=\s*(?:$|[,;)])))",
        rf"(?<!\d){DAY}[-./ ]{{1,3}}(?:{ROMAN})[-./ ]{{1,3}}{YEAR}{END}",
        rf"(?<!\d){DAY}[-./](?:{ROMAN})[-./]\d\d{END}",
    )
)
TWO_DIGITS = re.compile(
    r"(?<![\d.,/-])(\d{1,2}) ?([-./_\\|]) ?(\d{1,2}) ?\2 ?('?\d\d)(?![\d/-])(?![.,]\d)(?! ?(?:days?|seats?|"
    r"months?|users?|tiers?|split|%))"
)
VERSION = re.compile(r"(?:\bversion|\brelease|\bv|§|\bsection|\bparagraph|\bclause)\.? ?$", re.IGNORECASE)
SHORT = (
    rf"(?:{DAY}[-./ ]{DAY}(?:[-./ ]\d\d)?|{DAY}{ORDINAL} ?(?:of |de )?(?:{MONTHS})|(?:{MONTHS})\.? ?{DAY}|"
    rf"(?:{MONTHS}),? (?:of |de |del )?{YEAR}|{MONTH}[-/.]{YEAR}|{YEAR}|\d{{6}})"
)
WITH_BIRTH = (
    re.compile(rf"{BORN}[\W_]*(?:\w+[\W_]+){{0,3}}?'?{SHORT}(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d){SHORT}[\W_]*(?:\w+[\W_]+){{0,1}}?{BORN}", re.IGNORECASE),
    re.compile(r"\b(?:dob|yob|bday|fnac)[\W_]*\d", re.IGNORECASE),
    re.compile(r"(?<![a-z])(?:dob|yob|bday|born|nac)_?\d{4,}", re.IGNORECASE),
)
COMPACT = re.compile(r"(?<!\d)(?<!\d[.,])\d{8}(?!\d)(?![.,]\d{3})")


def has_date(text: str) -> bool:
    """Return whether a whole date is in it: day, month and year."""
    return (
        any(pattern.search(text) for pattern in FULL)
        or any(_is_compact(one.group()) for one in COMPACT.finditer(text))
        or any(_is_short(one, text) for one in TWO_DIGITS.finditer(text))
    )


def has_birth(text: str) -> bool:
    """Return whether a date, month or year is in it that is said to be of a birth, death, stay or treatment."""
    return any(pattern.search(text) for pattern in WITH_BIRTH)


def _is_compact(digits: str) -> bool:
    year_first = (digits[:4], digits[4:6], digits[6:])
    year_last = [(digits[4:], digits[:2], digits[2:4]), (digits[4:], digits[2:4], digits[:2])]
    return any(1900 <= int(year) <= 2039 and _is_day(month, day) for year, month, day in (year_first, *year_last))


def _is_short(found: re.Match[str], text: str) -> bool:
    """Return whether 04/12/61, 12.4.61 or 61-04-12 is a day. A version or a paragraph is none."""
    first, _, second, third = found.groups()
    if VERSION.search(text[: found.start()]):
        return False
    third = third.lstrip("'")
    return _is_day(first, second) or _is_day(second, first) or (len(first) == 2 and _is_day(second, third))


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31
