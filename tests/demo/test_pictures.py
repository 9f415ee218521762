"""The pictures of README.md: each is there and small, and none is there that nothing shows."""

import re

from demo.stack import ROOT

MOST_BYTES = 150_000
SHOWN = re.findall(r"!\[[^\]]{10,}\]\((docs/pictures/[^)]+\.png)\)", (ROOT / "README.md").read_text())


def test_each_picture_that_is_shown_is_there_and_none_else():
    there = [str(one.relative_to(ROOT)) for one in (ROOT / "docs" / "pictures").iterdir()]

    assert len(SHOWN) == 4
    assert sorted(there) == sorted(SHOWN)


def test_no_picture_is_large():
    large = [name for name in SHOWN if (ROOT / name).stat().st_size > MOST_BYTES]

    assert not large
