"""The forms in which a text is searched, so that no way of writing hides what it says."""

import html
import re
import unicodedata
from urllib.parse import unquote

from billing.text.lookalikes import plain
from billing.text.spelled import with_digits

SINGLE = re.compile(r"(?<![^\W_])(?:[^\W_](?:[ .,*|~_+'\"/\\-]{1,2})){2,}[^\W_](?![^\W_])")
"""Letters or digits that stand alone, one after another: "p a t i e n t", "D.O.B"."""
MIXED = re.compile(r"\b(?=\w*[a-z])(?=\w*[0-9])[a-z0-9]{3,}\b", re.IGNORECASE)
NEARLY_A_NUMBER = re.compile(r"(?<!\w)(?=(?:[^0-9]*[0-9]){2})[0-9OolISB][0-9OolISB./ -]*[0-9OolISB](?!\w)")
JOINT = re.compile(r"(?<=[^\W\d_])[-_.](?=[^\W_])|(?<=[0-9])_(?=[^\W_])|(?<=[^\W\d_]{2})(?=[0-9])")
"""Between the words of "PATIENT-JOHN", and between a word and its number in "MRN883122"."""
AS_LETTERS = str.maketrans("0134578", "oieastb")
AS_DIGITS = str.maketrans("OolISB", "001158")
AS_SIGNS = str.maketrans(
    {"@": "a", "$": "s", "!": "i", "€": "e", "3": "e", "1": "i", "0": "o", "4": "a", "5": "s", "7": "t"}
)
SIGNED = re.compile(r"(?<!\S)(?=\S*[a-z])(?=\S*[@$!€])[a-z0-9@$!€]{3,}(?!\S)", re.IGNORECASE)


BACKWARDS = re.compile("[\u202d\u202e\u2066\u2067]")
"""Marks after which a text is shown from its end."""


def normal(text: str) -> str:
    """Return the text in plain characters: no accents, nothing that is not seen, one kind of dash and space."""
    text = html.unescape(unquote(text))
    apart = unicodedata.normalize("NFKD", "".join(plain(one) if one in "·´º№" else one for one in text))
    return " ".join("".join(map(plain, apart)).split())


def views(text: str) -> tuple[str, ...]:
    """Return the different forms of the text, the plainest first."""
    first = normal(text)
    found = [first, _joined(first), with_digits(first)]
    found += [
        MIXED.sub(lambda one: one.group().translate(AS_LETTERS), first),
        SIGNED.sub(lambda one: one.group().translate(AS_SIGNS), first),
        NEARLY_A_NUMBER.sub(lambda one: one.group().translate(AS_DIGITS), first),
    ]
    found += [with_digits(found[1]), _joined(with_digits(first)), JOINT.sub(" ", first), JOINT.sub(" ", found[1])]
    if BACKWARDS.search(text):
        found.append(first[::-1])
    if not first.isascii() or not text.isascii():
        found.append(_in_its_script(text))
    return tuple(dict.fromkeys(found))


def _in_its_script(text: str) -> str:
    """Return the text with the letters of its script, where ``normal`` turns them into Latin ones. Without accents."""
    seen = (one for one in unicodedata.normalize("NFKD", text) if plain(one))
    return unicodedata.normalize("NFC", " ".join("".join(seen).split()))


def _joined(text: str) -> str:
    return SINGLE.sub(lambda one: re.sub(r"[\W_]", "", one.group()), text)
