"""Numbers that are written in words, English and Spanish, turned into digits."""

import re

ONES = (
    "zero|cero|oh one|uno|una|first two|dos|second three|tres|third four|cuatro|fourth five|cinco|fifth six|seis|sixth "
    "seven|siete|seventh eight|ocho|eighth nine|nueve|ninth ten|diez|tenth eleven|once|eleventh twelve|doce|twelfth "
    "thirteen|trece|thirteenth fourteen|catorce|fourteenth fifteen|quince|fifteenth sixteen|dieciseis|sixteenth "
    "seventeen|diecisiete|seventeenth eighteen|dieciocho|eighteenth nineteen|diecinueve|nineteenth"
)
TENS = (
    "twenty|veinte|twentieth thirty|treinta|thirtieth forty|cuarenta|fortieth fifty|cincuenta|fiftieth "
    "sixty|sesenta|sixtieth seventy|setenta|seventieth eighty|ochenta|eightieth ninety|noventa|ninetieth"
)
VALUES = {word: value for value, group in enumerate(ONES.split()) for word in group.split("|")}
VALUES |= {word: 20 + 10 * place for place, group in enumerate(TENS.split()) for word in group.split("|")}
VALUES |= {f"veinti{word}": 20 + VALUES[word] for word in "uno dos tres cuatro cinco seis siete ocho nueve".split()}
WORD = re.compile(rf"\b({'|'.join(sorted(VALUES, key=len, reverse=True))})\b", re.IGNORECASE)
TENS_AND_ONES = re.compile(r"\b([2-9]0)(?: |-| y | and )([1-9])\b")
CENTURY = re.compile(r"\b(19|20)(?: |-| hundred(?: and)? )([0-9]{2})\b")
OH_YEAR = re.compile(r"\b(19|20) 0 ([0-9])\b")
THOUSANDS = (
    (re.compile(r"\b(?:mil novecientos|1 ?mil ?9 ?cientos) ([0-9]{1,2})\b", re.IGNORECASE), 1900),
    (re.compile(r"\b(?:2|dos) (?:mil|thousand)(?: and)? ([0-9]{1,2})\b", re.IGNORECASE), 2000),
)
APART = re.compile(r"(?<=\b[0-9]),? (?=[0-9]\b)")
POINT = re.compile(r"(?<=[0-9])\s*\b(?:point|dot|punto)\b\s*(?=[0-9])", re.IGNORECASE)
BETWEEN = re.compile(r"(?<=[0-9])\s*\b(?:dash|hyphen|guion|slash|barra)\b\s*(?=[0-9])", re.IGNORECASE)


def with_digits(text: str) -> str:
    """Return the text with numbers below 100, and years, as digits: "April 12" for "April twelfth"."""
    text = WORD.sub(lambda one: str(VALUES[one.group().lower()]), text)
    text = TENS_AND_ONES.sub(lambda one: str(int(one.group(1)) + int(one.group(2))), text)
    text = CENTURY.sub(r"\1\2", OH_YEAR.sub(r"\g<1>0\2", text))
    for pattern, century in THOUSANDS:
        text = pattern.sub(lambda one, century=century: str(century + int(one.group(1))), text)  # type: ignore[misc]
    text = APART.sub("", text)
    return BETWEEN.sub("-", POINT.sub(".", text))
