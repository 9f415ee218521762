"""The one rule by which names are compared when people search: without case, accents and forms of writing. Pure.

No database has it: each compares in its own way, and a libSQL server takes no functions of ours. So what is searched
is folded here, stored beside the name, and compared letter by letter with what was typed, folded too.
"""

import unicodedata


def fold(text: str) -> str:
    """Return the text for comparing: “Élan  Vital” is ``elan vital``, “STRASSE” and “Straße” are ``strasse``.

    Marks on letters are dropped, so “ü” is ``u`` and not ``ue``. Letters are made capital once, because some have no
    small form of their own: the Turkish “ı” has the capital “I”. To fold once more changes nothing.
    Source: https://docs.python.org/3/howto/unicode.html#comparing-strings
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(one for one in apart if unicodedata.category(one) != "Mn")
    together = unicodedata.normalize("NFKC", letters.upper().casefold())
    return " ".join(together.split())
