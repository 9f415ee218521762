"""All words of these pages are in one place, so that another language can stand there."""

import dataclasses
import re
from pathlib import Path

import pytest

from billing.office_pages.texts import ENGLISH, Texts
from tests.processes import ROOT

TEMPLATES = sorted((ROOT / "templates" / "billing" / "office_pages").glob("*.html"))
MODULES = sorted((ROOT / "billing" / "office_pages").glob("*.py"))


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_a_template_has_no_words_of_its_own(file: Path) -> None:
    left = re.sub(r"\{% block (?:shape|tone) %\}.*?\{% endblock %\}", " ", file.read_text())  # names of classes
    left = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", left, flags=re.DOTALL)
    left = re.sub(r"<[^>]*>", " ", left)

    assert re.findall(r"[A-Za-z]{2,}", left) == []


def test_each_text_is_used_and_each_that_is_asked_for_exists() -> None:
    asked = {name for file in TEMPLATES for name in re.findall(r"\bt\.(\w+)", file.read_text())}
    asked |= {name for file in MODULES for name in re.findall(r"\bENGLISH\.(\w+)", file.read_text())}

    assert asked == {one.name for one in dataclasses.fields(Texts)}
    assert all(getattr(ENGLISH, name) for name in asked)
