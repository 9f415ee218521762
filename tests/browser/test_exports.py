"""A list is exported with the filters that it shows."""

import csv
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import site as sites
from tests.browser import steps


def test_the_file_has_the_row_that_was_looked_for(staff: Page, tmp_path: Path) -> None:
    name = steps.add_office(staff)
    staff.goto(f"{sites.lists()['office']}?q={name.replace(' ', '+')}")
    staff.get_by_role("link", name="Export", exact=True).click()
    steps.says(staff, "1 row:")
    staff.get_by_label("File").select_option("csv")
    staff.get_by_label("Reason").fill("the accountant asked for it")
    with staff.expect_download() as download:
        steps.press(staff, "Export")
    download.value.save_as(tmp_path / "offices.csv")

    with (tmp_path / "offices.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["Office"] for row in csv.DictReader(file)] == [name]
