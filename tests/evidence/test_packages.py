"""The licence of a package is one line, however the package says it."""

from importlib.metadata import Distribution

import pytest

from billing.evidence.packages import installed, licence_of


class Package(Distribution):
    """A package with only these lines of metadata."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def read_text(self, filename):
        return "\n".join(["Metadata-Version: 2.4", "Name: example", *self.lines]) if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: Apache-2.0 OR MIT", "License: something else"], "Apache-2.0 OR MIT"),
        (["License: BSD"], "BSD"),
        (
            ["License: The whole text", " of a licence", "Classifier: License :: OSI Approved :: MIT License"],
            "MIT License",
        ),
        (["Classifier: License :: OSI Approved :: MIT License", "Classifier: Framework :: Django"], "MIT License"),
        (["License: The whole text", " of a licence"], "The whole text"),
        ([], "not said"),
    ],
)
def test_it_is_one_line(lines, licence):
    assert licence_of(Package(*lines)) == licence


def test_each_package_is_listed_once_with_its_version():
    found = [one["package"].lower() for one in installed()]

    assert found == sorted(set(found))
    assert {"django", "stripe", "dj-stripe"} <= set(found)
