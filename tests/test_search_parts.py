"""The parts by which Offices and people are found: what they are, and that each way to write a name writes them."""

import pytest

from billing import search, search_parts
from billing.audit import actor, trail
from billing.models import AuditEntry, Office, Plan, User
from billing.models.searched import LONGEST, parts_of
from tests.conftest import an_office


@pytest.fixture(autouse=True)
def somebody():
    with trail.acting(actor.job("tests"), reason="tests"):
        yield


def parts(row):
    return set(row.search_parts.values_list("part", flat=True))


def found(typed, **how):
    return [one.name for one in Office.objects.filter(search.named(Office, typed, **how)).order_by("name")]


def test_a_word_of_a_name_begins_at_each_letter_and_an_address_at_each_word():
    made = parts_of("Oak Süd", "b.oak@elm.example")

    assert made == {
        **dict.fromkeys(["oak", "ak", "k", "sud", "ud", "d"], True),
        **dict.fromkeys(["b.oak@elm.example", "oak@elm.example", "elm.example", "example"], False),
    }


def test_no_part_is_longer_than_its_column():
    made = parts_of("a" * 200, f"{'b' * 60}.{'c' * 60}@d.example")

    assert max(map(len, made)) == LONGEST


def test_an_office_and_a_person_get_their_parts_when_they_are_made(db):
    office = Office.objects.create(name="Élan", billing_email="b@oak.example")
    person = User.objects.create_user("zoe@oak.example", "x", name="Žofie")

    assert {"elan", "lan", "b@oak.example", "example"} <= parts(office)
    assert {"zofie", "fie", "zoe@oak.example"} <= parts(person)


def test_another_name_has_other_parts(db):
    office = an_office("Maple")
    office.name = "Cedar"
    office.save(update_fields=["name"])

    assert "cedar" in parts(office)
    assert "maple" not in set(office.search_parts.filter(of_name=True).values_list("part", flat=True))
    assert found("maple", details=False) == []


def test_a_save_of_the_same_name_writes_no_part(db, django_assert_num_queries):
    office = an_office()
    before = set(office.search_parts.values_list("pk", flat=True))
    office.save()

    assert set(office.search_parts.values_list("pk", flat=True)) == before


def test_what_was_written_past_the_save_is_mended_and_no_entry_is_made(db):
    office = an_office("Maple")
    Office.objects.bulk_create([Office(name="Aspen", billing_email="a@aspen.example")])
    Office.objects.filter(pk=office.pk).update(name="Birch")
    entries = AuditEntry.objects.count()

    assert search_parts.mend(Office) == 2
    assert found("birch") == ["Birch"]
    assert found("spe") == ["Aspen"]
    assert found("mapl", details=False) == []
    assert search_parts.mend(Office) == 0
    assert AuditEntry.objects.count() == entries


def test_the_job_mends_a_part_of_many_and_is_due_again(db, monkeypatch):
    monkeypatch.setattr(search_parts, "AT_MOST", 2)
    Office.objects.bulk_create(Office(name=f"Aspen {n}", billing_email="a@aspen.example") for n in range(3))

    assert search_parts.write_some()
    assert not search_parts.write_some()
    assert len(found("aspen")) == 3


@pytest.mark.parametrize("details", [True, False])
def test_an_address_is_found_only_by_who_may_see_addresses(db, details):
    Office.objects.create(name="Élan Vital", billing_email="accounts@oak.example")

    assert found("accounts@oak", details=details) == (["Élan Vital"] if details else [])
    assert found("vit élan", details=details) == ["Élan Vital"]


def test_many_are_found_as_few_are(db, monkeypatch):
    Office.objects.bulk_create(
        Office(name=f"{'Dental' if n % 2 else 'Eye'} Care {n}", billing_email=f"b{n}@oak.example") for n in range(40)
    )
    search_parts.mend(Office)
    asked = ["dental", "ental car", "care 1", "eye 7", "e", "1", "oak.example dental", "nothing", "d e", "3 care"]
    few = [found(one) for one in asked]
    monkeypatch.setattr(search, "FEW", 3)

    assert [found(one) for one in asked] == few
    assert len(few[0]) == 20
    assert few[3] == []  # no Eye Care has an odd number


@pytest.mark.parametrize("typed", ["", "  ", '"', "%", "_", "\0", "dental%"])
def test_what_is_no_part_finds_nothing(db, typed):
    an_office("Dental Care")

    assert found(typed) == []


def test_a_plan_has_no_parts(db):
    assert not hasattr(Plan, "search_parts")
