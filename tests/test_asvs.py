"""docs/asvs.md names each requirement once, and for each that is met a test or a chapter that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "asvs.md"
STATES = {"met", "not met", "not applicable"}
LEVELS_1_AND_2 = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "8.1": 2,
    "8.2": 3,
    "8.3": 1,
    "8.4": 1,
}
"""How many requirements each section of ASVS 5.0.0 has up to level 2. They are its first ones. 6.7 has none.

Source: https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/docs_en
"""
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CHAPTER = re.compile(r"\]\((\w+\.md)#([\w-]+)\)")


def table():
    """The rows as number, words, state, and what shows it."""
    lines = [line for line in DOCUMENT.read_text().splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def names_in(file):
    tree = ast.parse((ROOT / file).read_text())
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


@cache
def chapters_of(file):
    titles = re.findall(r"^#+ (.+)$", (DOCUMENT.parent / file).read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_each_requirement_is_there_once_and_in_order():
    expected = [f"{section}.{n}" for section, most in LEVELS_1_AND_2.items() for n in range(1, most + 1)]

    assert [row[0] for row in table()] == expected


@pytest.mark.parametrize("row", table(), ids=lambda row: row[0])
def test_what_is_met_names_what_shows_it_and_that_exists(row):
    number, words, state, shown = row
    tests, chapters = TEST.findall(shown), CHAPTER.findall(shown)

    assert state in STATES
    assert words
    assert shown
    assert "::" not in TEST.sub("", shown), "the name of a test that cannot be read"
    for file, name in tests:
        assert name in names_in(file), f"{number}: {file}::{name}"
    for file, chapter in chapters:
        assert chapter in chapters_of(file), f"{number}: {file}#{chapter}"
    if state == "met":
        assert tests or (chapters and number.split(".")[1] == "1"), f"{number} names no test"
