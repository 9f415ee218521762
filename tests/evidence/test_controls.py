"""The table of controls is complete, names what is there, and docs/hipaa.md shows the same."""

import ast
from functools import cache
from pathlib import Path

import pytest

from billing.evidence.control import Answer, Kind
from billing.evidence.controls import CONTROLS, as_table

ROOT = Path(__file__).parents[2]
BY_THE_RULE = {
    "164.308(a)": "1i(S) 1iiA(R) 1iiB(R) 1iiC(R) 1iiD(R) 2(S) 3i(S) 3iiA(A) 3iiB(A) 3iiC(A) 4i(S) 4iiA(R) 4iiB(A) "
    "4iiC(A) 5i(S) 5iiA(A) 5iiB(A) 5iiC(A) 5iiD(A) 6i(S) 6ii(R) 7i(S) 7iiA(R) 7iiB(R) 7iiC(R) 7iiD(A) 7iiE(A) 8(S)",
    "164.308(b)": "1(S) 2(S) 3(R)",
    "164.312(a)": "1(S) 2i(R) 2ii(R) 2iii(A) 2iv(A)",
    "164.312(b)": "(S)",
    "164.312(c)": "1(S) 2(A)",
    "164.312(d)": "(S)",
    "164.312(e)": "1(S) 2i(A) 2ii(A)",
    "164.316(a)": "(S)",
    "164.316(b)": "1(S) 2i(R) 2ii(R) 2iii(R)",
}
"""Each paragraph with S for a standard, R for required and A for addressable, read from the rule by hand.

Source: https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C, appendix A
"""
KINDS = {"S": Kind.STANDARD, "R": Kind.REQUIRED, "A": Kind.ADDRESSABLE}
NAMED = [(one, name) for one in CONTROLS for name in (one.code + " " + one.tests).split()]


@cache
def names_in(file: str) -> set[str]:
    found = set()
    for one in ast.parse((ROOT / file).read_text()).body:
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            found.add(one.name)
        if isinstance(one, ast.Assign):
            found |= {target.id for target in one.targets if isinstance(target, ast.Name)}
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            found.add(one.target.id)
    return found


def without_brackets(citation: str) -> str:
    return citation.replace("(", "").replace(")", "")


def test_each_paragraph_of_the_rule_is_there_once_in_its_order_and_as_what_it_is():
    expected = [
        (without_brackets(section) + one[:-3], KINDS[one[-2]])
        for section, paragraphs in BY_THE_RULE.items()
        for one in paragraphs.split()
    ]

    assert [(without_brackets(one.citation), one.kind) for one in CONTROLS] == expected


@pytest.mark.parametrize(("control", "named"), NAMED, ids=lambda one: one if isinstance(one, str) else one.citation)
def test_what_a_control_names_is_there(control, named):
    file, _, name = named.partition("::")

    assert (ROOT / file).is_file()
    assert not name or name in names_in(file)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda one: one.citation)
def test_what_the_software_does_is_shown_by_code_and_a_test(control):
    if control.answer in (Answer.MET, Answer.IN_PART):
        assert control.code
        assert control.tests
    if control.answer is Answer.NOT_OURS:
        assert not control.code + control.tests
    assert all(one.startswith("tests/") for one in control.tests.split())
    assert control.what.endswith(".")


def test_the_document_shows_the_same_table():
    assert as_table() in (ROOT / "docs" / "hipaa.md").read_text()
