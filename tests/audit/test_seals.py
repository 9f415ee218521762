"""What is done to the trail behind the software's back is found and named. The triggers are out of the way here."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from billing import clock, sealing
from billing.audit import actor, append_only, keys, leaves, merkle, seals, trail, verify
from billing.models import AuditEntry, AuditSeal, Finding, Office, SealedEntry
from tests.audit.aged import dated_back
from tests.conftest import a_person, an_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
RFC_8032 = {  # section 7.1, test 2
    "private": "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "public": "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "message": b"\x72",
    "signature": "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
}


@pytest.fixture
def offices():
    """Three seals, each of a few entries about two Offices, an hour ago."""
    made = []
    for name in ("Maple", "Oak", "Elm"):
        made.append(an_office(name))
        with trail.acting(actor.job("tests"), reason="a walk"):
            trail.record_act(made[0], f"thought of {name}", office=made[0])
        sealing.seal()
    return made


def sql(text, *given):
    with append_only.lifted(connection), connection.cursor() as cursor:
        cursor.execute(text, given)


def rows(model=AuditEntry):
    return models.QuerySet(model)


def changed(model, key, **values):
    with append_only.lifted(connection):
        rows(model).filter(pk=key).update(**values)


def deleted(model, **which):
    with append_only.lifted(connection):
        found = rows(model).filter(**which)
        found._raw_delete(found.db)


def entry(place):
    """Return the number of the entry at this place of the tree."""
    return SealedEntry.objects.get(position=place).entry


def copied(number, **values):
    """Put a copy of an entry into the table by SQL, as somebody does who has not our key."""
    names = [field.column for field in AuditEntry._meta.concrete_fields if field.column not in ("id", *values)]
    columns = ", ".join([*names, *values])
    with append_only.lifted(connection), connection.cursor() as cursor:
        given = [connection.ops.adapt_unknown_value(value) for value in values.values()]
        places = ", ".join([*names, *("%s" for _ in values)])
        cursor.execute(
            f"INSERT INTO billing_auditentry ({columns}) SELECT {places} FROM billing_auditentry WHERE id = %s",
            [*given, number],
        )
    return rows().order_by("-pk").values_list("pk", flat=True)[0]


def sealed_by_another_key(settings):
    """Somebody else signs the whole trail anew, with a key of their own."""
    deleted(SealedEntry)
    deleted(AuditSeal)
    mine, settings.AUDIT_SEAL_KEY = settings.AUDIT_SEAL_KEY, "11" * 32
    seals.seal()
    settings.AUDIT_SEAL_KEY = mine


def test_a_trail_that_nobody_touched_is_whole(offices):
    found = verify.verify()

    assert (found.faults, found.seals, found.unsealed) == ([], 3, 0)
    assert (found.entries, found.last_good) == (AuditEntry.objects.count(), AuditEntry.objects.latest("pk").pk)
    assert AuditSeal.objects.count() == 3


@pytest.mark.parametrize("column", [name for name in leaves.COLUMNS if name not in ("content_type_id", "nonce")])
def test_an_entry_that_was_edited_is_named(offices, column):
    number = entry(4)
    value = {"timestamp": clock.wall(), "billing_at": clock.wall(), "remote_addr": "203.0.113.7", "cid": "x"}
    numbers = {"action": 3, "object_id": 999, "remote_port": 1, "office_id": an_office("Birch").pk}
    numbers["actor_id"] = a_person("somebody@vendor.example").pk
    forged = {name: {"x": 1} for name in ("changes", "serialized_data", "additional_data")} | value | numbers
    changed(AuditEntry, number, **{column: forged.get(column, "forged")})

    found = verify.verify()

    assert [(fault.entry, fault.what[:11]) for fault in found.faults] == [(number, "was changed")]
    assert found.last_good == entry(3)


def attack(name):
    def register(does):
        ATTACKS[name] = does
        return does

    return register


ATTACKS = {}


@attack("an entry was deleted")
def delete(settings):
    number = entry(4)
    deleted(AuditEntry, pk=number)
    return number, "is missing", entry(3)


@attack("an entry and its place were deleted")
def delete_place(settings):
    deleted(AuditEntry, pk=entry(4))
    after = entry(5)
    deleted(SealedEntry, position=4)
    return after, "place 4 of the tree is missing", entry(3)


@attack("an entry was changed, and its place in the tree too")
def edit_both(settings):
    number = entry(4)
    changed(AuditEntry, number, what="forged")
    leaf = merkle.leaf_hash(leaves.of(AuditEntry.objects.get(pk=number))).hex()
    changed(SealedEntry, 4, leaf=leaf)
    return number, "was not written by this software", entry(3)


@attack("an entry without our mark was put in")
def insert(settings):
    number = copied(entry(2), nonce=None, mac="")
    return number, "was not written by this software", entry(len(SealedEntry.objects.all()) - 1)


@attack("a copy of an entry was put in, with a mark that is not its own")
def insert_with_other_mark(settings):
    number = copied(entry(2), nonce=None)
    return number, "was not written by this software", entry(len(SealedEntry.objects.all()) - 1)


@attack("all entries were dated back")
def backdate(settings):
    with append_only.lifted(connection):
        rows().update(timestamp=clock.wall() - timedelta(days=3))
    return entry(2), "was changed after it was sealed", None


@attack("two entries changed places")
def reorder(settings):
    first, second = entry(2), entry(4)
    changed(AuditEntry, first, id=999_999)
    changed(AuditEntry, second, id=first)
    changed(AuditEntry, 999_999, id=second)
    return first, "was changed after it was sealed, or is at another place", entry(1)


@attack("the entries of two Offices were swapped")
def swap(settings):
    first, second = (
        AuditEntry.objects.get(what="", office__name=name, action=AuditEntry.Action.CREATE) for name in ("Maple", "Oak")
    )
    changed(AuditEntry, first.pk, office=second.office)
    changed(AuditEntry, second.pk, office=first.office)
    return first.pk, "was changed after it was sealed", None


@attack("the tail was cut, but its seal stayed")
def cut(settings):
    last = AuditSeal.objects.first()
    numbers = list(last.entries.values_list("entry", flat=True))
    deleted(SealedEntry, seal=last)
    deleted(AuditEntry, pk__in=numbers)
    return f"seal {last.number}", "its entries from place", entry(SealedEntry.objects.count() - 1)


@attack("it was signed anew with another key")
def sign_anew(settings):
    sealed_by_another_key(settings)
    return "seal 1", "its signature is not by a key of ours", None


@attack("a seal says another root")
def other_root(settings):
    seal = AuditSeal.objects.get(number=2)
    changed(AuditSeal, 2, root="00" * 32)
    return f"seal {seal.number}", "its signature is not by a key of ours", None


@attack("a seal is gone")
def seal_gone(settings):
    with append_only.lifted(connection):
        rows(SealedEntry).filter(seal=2).update(seal=3)
    deleted(AuditSeal, number=2)
    return "seal 3", "seal 2 is missing", None


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_done_behind_the_softwares_back_is_found_and_named(offices, settings, name, capsys):
    about, what, last_good = ATTACKS[name](settings)

    found = verify.verify()

    first = next(fault for fault in found.faults if about in (fault.entry, f"seal {fault.seal}"))
    assert first.what.startswith(what), str(first)
    if last_good is not None:
        assert found.last_good == last_good
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit")
    assert ended.value.code == 1
    assert str(first) in capsys.readouterr().out
    sealing.verify_trail()
    assert Finding.objects.get(kind="audit_trail_changed").severity == "critical"


def test_an_entry_that_gets_a_number_from_before_is_named(offices):
    number = entry(1)
    deleted(AuditEntry, pk=number)
    changed(SealedEntry, 1, entry=999_999)
    copy = copied(entry(2), nonce=None, mac="")
    with append_only.lifted(connection):
        rows().filter(pk=copy).update(id=number)
    dated_back(timedelta(hours=1), seals=(1, 2))

    faults = [str(fault) for fault in verify.verify().faults]

    assert f"entry {number}: came after later entries were sealed, so it was put in" in faults


def test_a_tail_that_was_cut_with_its_seals_is_found_by_a_head_that_is_kept_elsewhere(settings, tmp_path):
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads")
    an_office("Maple")
    sealing.seal()
    an_office("Oak")
    sealing.seal()
    deleted(SealedEntry, seal=2)
    deleted(AuditSeal, number=2)
    deleted(AuditEntry, office__name="Oak")

    assert [str(fault) for fault in verify.verify().faults] == [
        "seal 2: is kept elsewhere, and is not here: the end of the trail was cut off"
    ]
    settings.AUDIT_HEADS_FILE = ""
    assert verify.verify().is_whole  # which is what the documents say that it cannot find


def test_a_trail_that_was_replaced_is_found_by_a_head_that_is_kept_elsewhere(settings, tmp_path):
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads")
    office = an_office("Maple")
    sealing.seal()
    deleted(SealedEntry)
    deleted(AuditSeal)
    with append_only.lifted(connection):
        one = AuditEntry.objects.get(office=office)
        one.what = "forged"
        rows().filter(pk=one.pk).update(what="forged", mac=leaves.mac(one))
    kept, settings.AUDIT_HEADS_FILE = settings.AUDIT_HEADS_FILE, ""
    sealing.seal()
    settings.AUDIT_HEADS_FILE = kept

    assert "the trail was replaced" in str(verify.verify().faults[0])


def test_an_entry_that_is_committed_late_joins_the_next_seal(offices):
    late = an_office("Birch")
    number = AuditEntry.objects.get(office=late).pk
    assert number > entry(0)
    changed(AuditEntry, number, id=10_000)  # as if 10,000 had been given first and committed last
    an_office("Ash")

    sealing.seal()
    sealing.seal()

    found = verify.verify()
    assert (found.faults, found.unsealed) == ([], 0)


def test_an_entry_that_was_committed_late_is_sealed_though_no_worker_ran_for_an_hour(offices):
    late = AuditEntry.objects.get(office=an_office("Birch"))
    deleted(AuditEntry, pk=late.pk)  # as if its transaction had not ended yet
    an_office("Ash")
    sealing.seal()
    late.save_base(raw=True, force_insert=True)
    dated_back(timedelta(hours=1), seals=range(1, AuditSeal.objects.count() + 1))

    sealing.seal()

    assert (verify.verify().faults, AuditEntry.objects.filter(~seals.is_sealed()).count()) == ([], 0)


def test_two_seals_of_the_same_moment_are_not_both_made(offices):
    an_office("Birch")
    last = AuditSeal.objects.first()
    with pytest.raises(DatabaseError, match=r"(?i)unique|duplicate|append-only"), transaction.atomic():
        seals._added(list(AuditEntry.objects.filter(~seals.is_sealed())), None, clock.wall())

    assert AuditSeal.objects.first() == last


def wrote(count, office):
    with trail.acting(actor.job("tests"), reason="a busy minute"):
        for number in range(count):
            trail.record_act(office, f"thought {number}", office=office)


def test_many_entries_are_sealed_a_few_at_a_time_so_that_others_can_write_in_between(offices, monkeypatch):
    monkeypatch.setattr(seals, "MOST_TOGETHER", 5)
    before, sealed = AuditSeal.objects.count(), SealedEntry.objects.count()
    pauses = []

    def pause(seconds):
        pauses.append((seconds > 0, connection.in_atomic_block, SealedEntry.objects.count() - sealed))

    monkeypatch.setattr(sealing.time, "sleep", pause)
    wrote(12, offices[0])

    assert not sealing.seal()
    assert pauses == [(True, False, 5), (True, False, 10)]

    sizes = SealedEntry.objects.filter(seal__number__gt=before).values_list("seal").annotate(models.Count("pk"))
    assert sorted(size for _, size in sizes) == [2, 5, 5]
    assert verify.verify().is_whole


def test_when_sealing_takes_long_other_jobs_have_a_turn(offices, monkeypatch):
    monkeypatch.setattr(seals, "MOST_TOGETHER", 5)
    monkeypatch.setattr(sealing, "SEALS_FOR", 0.0)
    wrote(12, offices[0])

    assert [sealing.seal() for _ in range(3)] == [True, True, False]
    assert verify.verify().is_whole


def test_a_rotated_key_still_verifies_what_it_signed(offices, settings):
    before = next(iter(keys.public_keys().values())).hex()
    settings.AUDIT_SEAL_KEY = "22" * 32
    settings.AUDIT_ENTRY_KEYS = ["33" * 32, *settings.AUDIT_ENTRY_KEYS]
    an_office("Birch")
    sealing.seal()

    assert "its signature is not by a key of ours" in str(verify.verify().faults[0])
    settings.AUDIT_SEAL_PUBLIC_KEYS = [before]
    assert verify.verify().is_whole
    settings.AUDIT_ENTRY_KEYS = settings.AUDIT_ENTRY_KEYS[:1]
    assert "was not written by this software" in str(verify.verify().faults[0])


def test_entries_of_the_version_before_count_for_a_day_after_the_first_seal(monkeypatch):
    for name in ("Maple", "Oak"):  # a process of the version before still runs after the first seal
        office = an_office(name)
        changed(AuditEntry, AuditEntry.objects.get(office=office).pk, nonce=None, mac="")
        sealing.seal()
    assert verify.verify().is_whole

    monkeypatch.setattr(verify, "OLD_VERSION_MAY_WRITE", timedelta(0))
    forged = AuditEntry.objects.get(office__name="Maple").pk

    assert str(verify.verify().faults[0]) == f"entry {forged}: was not written by this software"


def test_a_forged_entry_is_told_when_it_is_sealed(offices):
    number = copied(entry(2), nonce=None)

    sealing.seal()

    assert Finding.objects.get(kind="audit_entry_forged").subject == str(number)


def test_entries_without_a_mark_are_told_when_they_are_sealed(offices, monkeypatch):
    number = copied(entry(2), nonce=None, mac="")
    sealing.seal()

    told = Finding.objects.get()
    assert (told.kind, told.severity, told.subject) == ("audit_entries_unmarked", "critical", str(number))
    assert told.detail.startswith(f"Audit entries without a mark of our key: 1, from entry {number} ")

    monkeypatch.setattr(verify, "OLD_VERSION_MAY_WRITE", timedelta(0))
    later = copied(entry(2), nonce=None, mac="")
    sealing.seal()

    assert Finding.objects.get(kind="audit_entry_forged").subject == str(later)


def test_entries_from_the_time_without_marks_are_nothing_to_tell():
    for name in ("Maple", "Oak"):
        changed(AuditEntry, AuditEntry.objects.get(office=an_office(name)).pk, nonce=None, mac="")
    an_office("Elm")

    sealing.seal()

    assert not Finding.objects.exists()


def test_the_signature_is_ed25519_as_in_rfc_8032(settings):
    settings.AUDIT_SEAL_KEY = RFC_8032["private"]

    name, signature = keys.sign(RFC_8032["message"])

    assert signature == RFC_8032["signature"]
    assert keys.public_keys()[name].hex() == RFC_8032["public"]


def test_a_leaf_is_the_same_json_on_every_database(db):
    office = Office(pk=7, name="Élan")
    with trail.acting(actor.job("tests"), reason="because"):
        made = AuditEntry(
            content_type_id=leaves.ContentType.objects.get_for_model(Office).pk,
            object_pk="7",
            object_id=7,
            object_repr=str(office),
            action=1,
            changes={"b": ["1", "2"], "a": ["x", "ü"]},
        )
    made.timestamp = made.billing_at = clock.wall().replace(2026, 3, 1, 12, 0, 0, 123)
    made.office_id, made.actor_kind, made.actor_label = 7, "job", "tests"

    assert json.loads(leaves.of(made)) == {
        **{"v": 1, "nonce": None, "timestamp": "2026-03-01T12:00:00.000123+00:00"},
        **{"billing_at": "2026-03-01T12:00:00.000123+00:00", "kind": "change", "action": 1},
        **{"content_type": "billing.office", "object_pk": "7", "object_id": 7, "object_repr": str(office)},
        **{"changes": {"a": ["x", "ü"], "b": ["1", "2"]}, "changes_text": "", "serialized_data": None},
        **{"additional_data": None, "actor_id": None, "actor_kind": "job", "actor_label": "tests"},
        **{"actor_email": None, "office_id": 7, "reason": "", "request_id": "", "cid": None},
        **{"remote_addr": None, "remote_port": None, "what": ""},
    }
    assert leaves.of(made).isascii()
