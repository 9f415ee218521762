"""One row of the table of controls."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the rule calls it. An addressable specification is done, or it is documented why something else is."""

    STANDARD = "standard"
    REQUIRED = "required"
    ADDRESSABLE = "addressable"


class Answer(StrEnum):
    MET = "the software does it"
    IN_PART = "the software does its part, people the rest"
    PEOPLE = "a person's duty"
    NOT_OURS = "does not apply"


@dataclass(frozen=True, slots=True)
class Control:
    """``code`` and ``tests`` are paths with blanks between, each with ``::name`` if one name is meant.

    Source: https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C
    """

    citation: str
    title: str
    kind: Kind
    answer: Answer
    what: str
    code: str = ""
    tests: str = ""

    @property
    def row(self) -> dict[str, str]:
        return {
            "citation": f"45 CFR {self.citation}",
            "title": self.title,
            "kind": self.kind.value,
            "answer": self.answer.value,
            "what": self.what,
            "code": self.code,
            "tests": self.tests,
        }
