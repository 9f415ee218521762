"""The rules by which names and e-mail addresses are compared, on every database the same. Pure.

Names are searched without case, accents and forms of writing. No database has that rule: each compares in its own way,
and a libSQL server takes no functions of ours. So what is searched is folded here, stored beside the name, and compared
letter by letter with what was typed, folded too.
"""

import unicodedata
from typing import TypeVar

Text = TypeVar("Text", str, None)


def fold(text: str) -> str:
    """Return the text for comparing: “Élan  Vital” is ``elan vital``, “STRASSE” and “Straße” are ``strasse``.

    Marks on letters are dropped, so “ü” is ``u`` and not ``ue``. Letters are made capital once, because some have no
    small form of their own: the Turkish “ı” has the capital “I”. A word of marks alone keeps them: “¯” is found by “¯”.
    To fold once more changes nothing.
    Source: https://docs.python.org/3/howto/unicode.html#comparing-strings
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())
    letters = " ".join(_letters(word) or word for word in apart.split())
    together = unicodedata.normalize("NFKC", letters.upper().casefold())
    return " ".join(together.split())


def _letters(word: str) -> str:
    return "".join(one for one in word if unicodedata.category(one) != "Mn")


def fold_address(address: Text) -> Text:
    """Return the e-mail address with small letters beyond ASCII: “BOB@BÜCHER.example” is ``BOB@BüCHER.example``.

    Letters of ASCII stay as they were typed: LOWER of each database makes them small, and of some no other ones.
    Accents stay, because “bücher.example” and “bucher.example” are two places. To fold once more changes nothing.
    """
    if address is None:
        return address
    small = "".join(one if one.isascii() else one.lower() for one in unicodedata.normalize("NFC", address))
    return unicodedata.normalize("NFC", small)
