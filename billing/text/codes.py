"""Codes of diagnoses (ICD-10), of procedures (CPT, HCPCS, CDT) and of drugs (NDC)."""

import re

ICD = (
    # with its dot, it counts alone: E11.9, S72.001A. Not "v10.2", which is a version
    re.compile(r"(?<![\w.])(?!v\d\d\.)[A-TV-Za-tv-zU][0-9oO][0-9AaBb] ?\.[0-9a-zA-Z]{1,4}(?![\w%]|\.\d)"),
    re.compile(r"(?<![\w.])[A-TV-Z][0-9][0-9AB] ?[,·] ?[0-9](?:[0-9]{0,2}[A-Z]?)?(?![\w%])(?<!, \d)"),
    re.compile(r"(?<![\w.-])(?!v)[a-tv-z]-\d[0-9ab]\.[0-9a-z]{1,4}(?![\w%]|\.\d)", re.IGNORECASE),
    re.compile(r"(?<![\w.-])(?![vaioyu])[a-tv-z][0-9OlI]?[0-9] ?\. ?\d(?=\s*(?:$|[,;)]))", re.IGNORECASE),
    re.compile(r"(?<![\w.-])[A-TV-Z](?:[0-9][OlI]|[OlI][0-9])\.\d[0-9A-Z]{0,3}\b"),
    re.compile(
        r"(?<!plan )(?<!type )(?<!class )(?<!tier )(?<!room )(?<!option )(?<![\w.'-])(?![aiouyv])"
        r"[a-tv-z] \d[0-9ab]\.(?:\d|\d{3}[a-z]?)(?![\w%]|[.,]\d)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![a-z])(?:icd[\W_]*(?:9|10|11)?|dx|ddx|diag\w*|diagnos\w*|problem|condition|coded(?: as)?|cie[\W_]*10|"
        r"impression)\b[\W_]*"
        r"(?:\b(?:code[sd]?|codigo|is|of|as|with|es|de|for|cm|y|and|10|a|no|number)\b[\W_]*)*"
        r"[a-tv-z][\W_]{0,2}\d[\W_]?[0-9ab](?:[\W_]{0,3}[0-9a-z]{1,4})?\b",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![a-z])(?:icd|cie|dx)[\W_]*(?:10|9)?[\W_]*[a-tv-z]\d[0-9ab][0-9a-z]{0,4}\b", re.IGNORECASE),
    re.compile(
        r"(?<![\w.-])[A-TV-Z]\d[0-9AB][.\-]?[0-9A-Z]{0,4}[\W_]*(?:is|was|as|=)?[\W_]*(?:the |a |her |his |their )?"
        r"(?:dx|diagnos\w*|icd\w*|condition)\b",
        re.IGNORECASE,
    ),
)
PROCEDURE = r"\d{4}[0-9FTUMftum]|[a-vA-V]\d{4}"
CPT = (
    re.compile(
        rf"(?<![a-z])(?:cpt|hcpcs|cdt|proc(?:edure)?s?|procedimiento|e/m|px|"
        rf"drg)\b[^0-9]{{0,24}}?(?:{PROCEDURE})(?![\d])",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<![a-z])(?:cpt|hcpcs|cdt)[\W_]*4?[\W_]*(?:{PROCEDURE})", re.IGNORECASE),
    re.compile(
        rf"(?<![\w.])(?:{PROCEDURE})[\W_]*(?:is |was |as |= ?|the |a )*(?:cpt|hcpcs|cdt|procedures?|modifier)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![a-z])(?:bill(?:ed|ing)?|cod(?:ed?|es|ing)|codigos?|visit|consult\w*|charg(?:ed?|es)|seen|service|"
        r"exam|session|facturad[oa]|"
        r"level [1-5]|for|modifier|performed|visita)\b[\W_]*(?:\w+[\W_]+){0,3}?(?:99[2-4]\d\d|9083[2-7]|"
        r"9079[12]|971[1-6]\d|G0\d{3}|J\d{4}|D\d{4})"
        r"(?![\d]|[.,]\d)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![\w.])(?:99[2-4]\d\d|9083[2-7]|971[1-6]\d)[\W_]*(?:visits?|consult\w*|exam|session|x ?\d|code|-\d\d\b)",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\w.])(?:99[2-4]\d\d)-(?:2[1-7]|5\d|9[15])\b"),
    re.compile(
        r"\b(?:surgery|operation|treatment|service|medical|exam|therapy)[ -]codes?\b[\W_]*\d{5}\b", re.IGNORECASE
    ),
)
NOT_A_PROCEDURE = re.compile(
    r"\b(?:zip|postal|discount|promo\w*|coupon|error|response|area|status|country|currency|access|decline|offer|"
    r"referral)"
    r"[ -]*codes?(?: is| was|:)? ?[a-z]{0,4}\d{0,5}\b",
    re.IGNORECASE,
)
NDC = (
    re.compile(r"(?<![\d-])(?:\d{5}-\d{4}-\d{1,2}|\d{4}-\d{4}-\d{2}|\d{5}-\d{3}-\d{2})(?![\d-])"),
    re.compile(
        r"(?<![\d])(?:\d{5}[\W_]{1,3}\d{4}[\W_]{1,3}\d{1,2}|\d{4}[\W_]{1,3}\d{4}[\W_]{1,3}\d{2}|"
        r"\d{5}[\W_]{1,3}\d{3}[\W_]{1,3}\d{2})(?![\d])"
    ),
    re.compile(
        r"(?<![a-z])(?:ndc|national drug code|drug code|codigo nacional)(?:[\W_]|\b(?:no|number|code|is|es|11|"
        r"10|numero)\b)*\d[\d \W_]{3,}\d",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![a-z])ndc[\W_]*\d{4,}", re.IGNORECASE),
)


def has_icd10(text: str) -> bool:
    return any(pattern.search(text) for pattern in ICD)


def has_cpt(text: str) -> bool:
    text = NOT_A_PROCEDURE.sub(" ", text)
    return any(pattern.search(text) for pattern in CPT)


def has_ndc(text: str) -> bool:
    return any(pattern.search(text) for pattern in NDC)
