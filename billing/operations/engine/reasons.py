"""Why billing is changed: a catalogue, and a short note where it does not say enough."""

from billing import errors
from billing.audit.actor import Actor

CATALOGUE: dict[str, str] = {
    "office_asked": "The Office asked for it",
    "agreed": "Agreed with the Office",
    "correction": "A mistake is corrected",
    "duplicate": "Charged twice",
    "goodwill": "Goodwill",
    "payment_problem": "A problem with the payment",
    "closing": "The practice is closing",
    "suspected_fraud": "Suspected fraud",
    "other": "Other",
}
NEEDS_NOTE = ("other",)
BY_THE_OFFICE = "The Office did it itself"


def in_words(code: str, note: str = "") -> str:
    """The reason in words. Raises: ReasonRequired where the code is none of the catalogue or wants a note."""
    note = note.strip()
    if code not in CATALOGUE or (code in NEEDS_NOTE and not note):
        raise errors.ReasonRequired
    return f"{CATALOGUE[code]}: {note}" if note else CATALOGUE[code]


def code_of(text: str) -> str:
    """The catalogue's code, given as such or in the words made of it; empty for words of somebody's own."""
    if text in CATALOGUE:
        return text
    return next((code for code, words in CATALOGUE.items() if text == words or text.startswith(f"{words}: ")), "")


def given(text: str, *, by: Actor) -> str:
    """What an API's caller said: a code, words of their own, or nothing, which only an Office's own people may.

    Raises: ReasonRequired.
    """
    text = text.strip()
    if not text and by.user is not None and not by.user.is_staff:
        return BY_THE_OFFICE
    return in_words(text) if text in CATALOGUE else text
