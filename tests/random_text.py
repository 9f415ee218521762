"""Texts without what is random in them, in which any four digits stand by chance now and then."""

import re

RANDOM = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<![\w+-])[\w+-]{20,}={0,2}", re.ASCII)
"""UUIDs, and whatever is as long as a key of a form, a digest or a salt."""


def without_random(text: str) -> str:
    return RANDOM.sub("", text)
