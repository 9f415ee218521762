"""Characters that look like others: letters, dashes, dots, slashes. Each stands for the plain one.

Small capitals, letters in boxes and the like are found by their names in Unicode. The rest is a table.
"""

import re
import unicodedata
from functools import lru_cache

LETTERS = {
    # Cyrillic
    "А": "A", "В": "B", "Е": "E", "Ѕ": "S", "І": "I", "Ї": "I", "Ј": "J", "К": "K", "М": "M", "Н": "H", "О": "O",
    "Р": "P", "С": "C", "Т": "T", "У": "Y", "Ү": "Y", "Х": "X", "Ѵ": "V", "Ԛ": "Q", "Ԝ": "W", "Ԁ": "D", "З": "3",
    "а": "a", "в": "b", "ь": "b", "е": "e", "ѕ": "s", "і": "i", "ї": "i", "ј": "j", "к": "k", "м": "m", "н": "h",
    "о": "o", "р": "p", "с": "c", "т": "t", "у": "y", "ү": "y", "х": "x", "ѵ": "v", "ԛ": "q", "ԝ": "w", "ԁ": "d",
    "һ": "h", "ӏ": "l", "Ӏ": "I", "г": "r", "п": "n", "и": "u", "ո": "n", "з": "3", "ё": "e", "Ё": "E", "ɡ": "g",
    # Greek
    "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P",
    "Τ": "T", "Υ": "Y", "Χ": "X", "Ϲ": "C", "Ϳ": "J", "α": "a", "β": "b", "γ": "y", "ε": "e", "η": "n", "ι": "i",
    "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "ς": "c", "σ": "o", "τ": "t", "υ": "u", "χ": "x", "ω": "w", "ϲ": "c",
    "ϳ": "j", "μ": "u",
    # Armenian, Cherokee, Lisu and others
    "Տ": "S", "Օ": "O", "Լ": "L", "Ս": "U", "ա": "w", "օ": "o", "ս": "u", "հ": "h", "զ": "q", "ց": "g", "յ": "j",
    "Ꭰ": "D", "Ꭱ": "R", "Ꭲ": "T", "Ꭺ": "A", "Ꭻ": "J", "Ꭼ": "E", "Ꮃ": "W", "Ꮇ": "M", "Ꮋ": "H", "Ꮍ": "Y", "Ꮐ": "G",
    "Ꮒ": "h", "Ꮓ": "Z", "Ꮢ": "R", "Ꮩ": "V", "Ꮪ": "S", "Ꮮ": "L", "Ꮯ": "C", "Ꮲ": "P", "Ꮶ": "K", "Ᏼ": "B", "Ꭵ": "i",
    "ꓐ": "B", "ꓑ": "P", "ꓓ": "D", "ꓔ": "T", "ꓖ": "G", "ꓗ": "K", "ꓙ": "J", "ꓚ": "C", "ꓜ": "Z", "ꓝ": "F", "ꓟ": "M",
    "ꓠ": "N", "ꓡ": "L", "ꓢ": "S", "ꓣ": "R", "ꓦ": "V", "ꓧ": "H", "ꓪ": "W", "ꓫ": "X", "ꓬ": "Y", "ꓮ": "A", "ꓰ": "E",
    "ꓲ": "I", "ꓳ": "O", "ꓴ": "U", "ɑ": "a", "ı": "i", "ȷ": "j", "ɩ": "i", "ſ": "s", "ʟ": "l", "ʏ": "y", "ø": "o",
    "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ħ": "h", "ŧ": "t", "ß": "ss", "æ": "ae", "œ": "oe",
    "ǀ": "l", "ⲟ": "o", "ⲣ": "p", "ⲁ": "a", "ⲉ": "e", "ⲓ": "i", "ⲛ": "n", "ⲧ": "t", "ⲥ": "c",
}  # fmt: skip
MARKS = {
    **dict.fromkeys("−˗⁃ー‑╌─━", "-"),
    **dict.fromkeys("⁄∕╱⧸／年月", "/"),
    **dict.fromkeys("·•․。･‧∙⋅▪●◦", "."),
    **dict.fromkeys("∶ː꞉：", ":"),
    **dict.fromkeys("⧵∖＼", "\\"),
    **dict.fromkeys("‚，、،", ","),
    **dict.fromkeys("’‘ʼ′`´", "'"),
    **dict.fromkeys("|¦∣❘", "|"),
    "日": " ",
    "№": "no ",
    "º": "o",
    "ª": "a",
}
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")
"""Characters that show nothing, though Unicode does not call them spaces or invisible."""
NAMED = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|LATIN SMALL LETTER|LATIN CAPITAL LETTER|MODIFIER LETTER (?:SMALL|CAPITAL)|"
    r"LATIN SUBSCRIPT SMALL LETTER|(?:NEGATIVE )?(?:SQUARED|CIRCLED) LATIN (?:CAPITAL|SMALL) LETTER|"
    r"NEGATIVE (?:SQUARED|CIRCLED) LATIN CAPITAL LETTER|REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])(?: WITH .*)?"
)


@lru_cache(maxsize=4096)
def plain(character: str) -> str:
    """Return what the character looks like. "" if nobody sees it."""
    if character < "\x7f":
        return character
    category = unicodedata.category(character)
    if character in BLANK or category in ("Cf", "Mn", "Me", "Co", "Cn", "Cs"):
        return ""
    if character in MARKS:
        return MARKS[character]
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if category == "Pd":
        return "-"
    if character in LETTERS:
        return LETTERS[character]
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    found = NAMED.fullmatch(unicodedata.name(character, ""))
    return found.group(1).lower() if found else character
