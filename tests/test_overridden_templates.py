"""Templates of libraries that we replace: each was compared with the version of the original that is installed.

``overridden_templates.txt`` has a line for each original that somebody has compared ours with: what it was of, its
name, and its digest. Supported versions of Python have different versions of a library, so one can have several lines.
"""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings
from django.template.utils import get_app_template_dirs

OURS = settings.BASE_DIR / "templates"
LIST = Path(__file__).with_name("overridden_templates.txt")
KNOWN = [line.split() for line in LIST.read_text().splitlines()]
DOCUMENT = (settings.BASE_DIR / "docs" / "dependencies.md").read_text()


def originals() -> dict[str, Path]:
    """Return the file of a library that would be used if ours was not there, by the name of the template."""
    found = {}
    for path in sorted(OURS.rglob("*")):
        name = path.relative_to(OURS).as_posix()
        theirs = [Path(place) / name for place in get_app_template_dirs("templates") if (Path(place) / name).is_file()]
        if theirs and path.is_file():
            found[name] = theirs[0]
    return found


def library_of(path: Path) -> str:
    return str(path).split("site-packages/")[-1].split("/")[0]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@pytest.mark.parametrize("name", originals())
def test_each_template_that_we_replace_was_compared_with_the_original_that_is_installed(name):
    path = originals()[name]
    known = {said for _, of, said in KNOWN if of == name}

    assert digest(path) in known, (
        f"{path} is not the one with which templates/{name} was compared. See what is new in it, take over what our "
        f"page needs (focus, names for a screen reader, fields of a form), look at the page in the browser, and "
        f"add to {LIST.name}:\n{library_of(path)}-VERSION {name} {digest(path)}"
    )


def test_the_list_names_only_templates_that_we_replace():
    assert {name for _, name, _ in KNOWN} == set(originals())


@pytest.mark.parametrize("name", originals())
def test_the_document_says_what_each_one_changes(name):
    assert f"`{name}`" in DOCUMENT, f"docs/dependencies.md does not say what templates/{name} changes."
