"""Telephone numbers and e-mail addresses."""

import re

CALLED = (
    r"\b(?:tel|phone|telephone|ph|cell|cellphone|mobile|fax|call|called|text|sms|whatsapp|reach|telefono|tfno|"
    r"tlf|movil|"
    r"celular|(?:her|his|their|my|the) number|llam\w+|contact|home|work)\b"
)
PHONES = (
    re.compile(r"(?<![\w+])\+[\s(]*\d(?:[\W_]{0,3}\d){6,14}(?!\d)"),
    re.compile(r"(?<![\d.])(?:1[\W_]{0,3})?\(?[2-9]\d\d\)?[\W_]{0,3}\d{3}[\W_]{0,3}\d{4}(?![\d])"),
    re.compile(r"(?<![\d.,/-])[2-9]\d\d ?[-.] ?\d{4}(?![\d-])(?!\.\d)"),
    re.compile(rf"{CALLED}[\W_]*(?:\w+[\W_]+){{0,3}}?\(?\d(?:[\W_]{{0,3}}\d){{6,14}}(?!\d)", re.IGNORECASE),
    re.compile(r"(?<![\d.,])0(?:[ ./()-]{0,2}\d){9,11}(?!\d)"),
    re.compile(r"\b1-?8(?:00|88|77|66|55|44|33)-[A-Z0-9-]{7,9}\b"),
    re.compile(
        r"(?<![\d.,])(?:[6789]\d{2}[ .-]\d{2}[ .-]\d{2}[ .-]\d{2}|[6789]\d{2}[ .-]\d{3}[ .-]\d{3}|"
        r"\d{2}(?:[ .-]\d{2}){4})(?!\d)"
    ),
)
NAME = r"[\w.+%'-]{1,64}"
HOST = r"[a-z0-9-]{1,63}"
TLD = r"(?:com|org|net|edu|gov|io|co|us|uk|es|mx|info|biz|health|me|example|test|app|dev)"
AT = r"(?:\s*[(\[{<]\s*(?:at|arroba|@|a)\s*[)\]}>]\s*|[\s_]+(?:at|arroba)[\s_]+|\s*@\s*)"
DOT = r"(?:\s*[(\[{<]\s*(?:dot|punto|\.)\s*[)\]}>]\s*|[\s_]+(?:dot|punto)[\s_]+)"
EMAILS = (
    re.compile(
        r"[\w.+%'\"-]{1,64}\s?@\s?(?:\[?\d{1,3}(?:\.\d{1,3}){3}\]?|"
        r"[\w-]*[a-z][\w-]*(?:\.[\w-]+)*\.[a-z]{2,})",
        re.IGNORECASE,
    ),
    re.compile(r"[\w.+%'-]@[\w-]{0,63}[a-z]", re.IGNORECASE),
    re.compile(rf"\b{NAME}{AT}(?:{HOST}(?:{DOT}|\s*\.\s*))+{TLD}\b(?<!\d)", re.IGNORECASE),
    re.compile(rf"\b{NAME}\s*(?:{AT})\s*{HOST}{DOT}{HOST}\b", re.IGNORECASE),
    re.compile(r"\bmailto\s*:", re.IGNORECASE),
    re.compile(
        r"\b(?:e-?mail|correo)\b[\W_]*(?:\w+[\W_]+){0,2}?[\w.+-]+\s(?:at|arroba|en)\s(?:gmail|yahoo|hotmail|"
        r"outlook|icloud|aol)\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\b{NAME}\s*(?:{AT})\s*(?:gmail|yahoo|hotmail|outlook|icloud|aol|protonmail)\b", re.IGNORECASE),
)
MAIL_AT = re.compile(
    r"\b(?:e-?mail|mail|correo)\b[\W_]*(?:\w+[\W_]+)?[\w.+-]{1,64} at [\w-]{1,63}\.[a-z]{2}", re.IGNORECASE
)
BARE_AT = re.compile(r"\s+at\s+[a-z0-9-]+\.[a-z.]+", re.IGNORECASE)


def has_phone(text: str) -> bool:
    return any(pattern.search(text) for pattern in PHONES)


def has_email(text: str) -> bool:
    """Return whether an address is in it, also one that says (at) and dot. "Paid at checkout.stripe.com" is none."""
    without_places = BARE_AT.sub(" ", text)
    return bool(MAIL_AT.search(text)) or any(pattern.search(without_places) for pattern in EMAILS)
