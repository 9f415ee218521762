"""Rows are read in batches, and whoever goes through them may write meanwhile."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import F

import billing
from billing.batches import batches, each
from billing.models import Office
from tests.conftest import an_office

ONLY_READ = {
    "folded_addresses.py": "collects the keys before it writes",
    "evidence/state.py": "prints a table",
    "evidence/access_review.py": "prints a table",
}


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
def test_each_row_comes_once_in_the_order_of_the_keys(db, count, sizes):
    made = [an_office(f"Practice {number}").pk for number in range(count)]
    rows = Office.objects.order_by("-name")

    assert [len(batch) for batch in batches(rows, size=3)] == sizes
    assert [row.pk for row in each(rows, size=3)] == made


def test_a_row_that_is_gone_or_new_meanwhile_moves_no_other(db):
    made = [Group.objects.create(name=f"group {number}") for number in range(4)]
    rows = each(Group.objects.filter(name__startswith="group "), size=2)
    seen = [next(rows), next(rows)]
    made[0].delete()
    made.append(Group.objects.create(name="group 4"))

    assert [row.name for row in [*seen, *rows]] == [f"group {number}" for number in range(5)]


@pytest.mark.django_db(transaction=True)
def test_between_two_rows_one_may_write_though_others_write_too():
    for number in range(6):
        an_office(f"Practice {number}")

    def write(pk: int) -> None:
        Office.objects.filter(pk=pk).update(look_ticket=F("look_ticket") + 1)

    def as_another(pk: int) -> None:
        try:
            write(pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        for office in each(Office.objects.all(), size=2):
            pool.submit(as_another, office.pk).result()
            write(office.pk)

    assert set(Office.objects.values_list("look_ticket", flat=True)) == {2}


def test_no_other_code_writes_while_it_reads():
    """``QuerySet.iterator`` leaves a query open. Where it is used, nothing is written before it has ended."""
    folder = Path(billing.__file__).parent
    using = {
        str(path.relative_to(folder)) for path in folder.rglob("*.py") if re.search(r"\.iterator\(", path.read_text())
    }

    assert using == set(ONLY_READ)
