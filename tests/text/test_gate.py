"""The gate for typed texts, against a corpus of what must not be kept and of what must."""

import random
import time

import pytest

from billing import errors
from billing.text import fields, gate, numbers
from billing.text.gate import Typed
from tests.text.__main__ import FIELDS, alarms, misses, rows


def test_nothing_of_the_corpus_that_must_not_be_kept_is_kept():
    assert misses("tuned") == []


def test_nothing_ordinary_of_the_corpus_is_refused():
    assert alarms("tuned") == []


def test_names_and_addresses_with_a_word_of_health_are_refused_where_no_practice_is_named():
    assert [row[2] for row in misses("names")] == ["jane.sickchild@maple.example"]


def test_practices_may_be_called_by_words_of_health_but_for_these():
    # one more word, such as "center", helps
    assert [row[1] for row in alarms("names")] == ["New Hope Addiction Treatment", "Elm TMS for Depression"]


@pytest.mark.parametrize("surname", "Parkinson Alzheimer Hodgkin Crohn Stroke Gout Rash Ulcer Fracture".split())
def test_a_surname_is_no_illness_right_after_given_names(surname):
    for kept in ("Mary {}", "Mary Ann {}", "Dr. Mary {}", "Mr. {}", "M. {}", "{}, Mary", "Mary {}, MD", "Mary {} Jr."):
        assert gate.refusal(kept.format(surname), Typed.PERSON_NAME) == ""
    for kept in ("mary.{}", "m{}", "mary{}", "{}"):
        assert gate.refusal(f"{kept.format(surname.lower())}@maple.example", Typed.EMAIL) == ""
    for refused in (
        "Mary, {}",
        "Mary: {}",
        "Mary - {}",
        "Mary ({})",
        "Mary {}'s disease",
        "Mary Roe {}",
        "{}, Jane Roe",
    ):
        assert gate.refusal(refused.format(surname), Typed.PERSON_NAME)


@pytest.mark.parametrize("suffix", ["LLC", "Inc", "Inc.", "P.C.", "P.A.", "MD", "M.D.", "Ltd", "S.A.", "PLLC"])
def test_what_a_company_is_called_by_excuses_no_person(suffix):
    for word in ("HIV", "cancer"):
        assert gate.refusal(f"Elm {word} {suffix}", Typed.BUSINESS_NAME) == ""
        for refused in ("Jane Roe {}", "Jane Roe, {},", "Roe, {},", "Mrs Roe {}", "J. Roe {}", "Roe ({})"):
            assert gate.refusal(f"{refused.format(word)} {suffix}", Typed.BUSINESS_NAME)


@pytest.mark.parametrize("service", ["Dialysis", "Mammography", "MRI", "Rehab", "Detox", "Diálisis"])
def test_a_place_may_be_called_by_its_service_and_no_person(service):
    for kept in ("DaVita {}", "Fresenius {}", "Elm {}", "{} of Elm", "St. Joseph {}", "{}"):
        assert gate.refusal(kept.format(service), Typed.BUSINESS_NAME) == ""
    for refused in ("Jane Roe {}", "J. Roe {}", "Mrs Roe {}", "Doe, {}", "Doe ({})", "Elm Clinic - Jane Roe {}"):
        assert gate.refusal(refused.format(service), Typed.BUSINESS_NAME)


@pytest.mark.parametrize("word", ["leukemia", "leukaemia", "anemia", "anaemia", "tumor", "tumour"])
def test_a_condition_is_known_in_both_spellings(word):
    assert gate.refusal(f"Jane Roe, {word}", Typed.BUSINESS_NAME)
    assert gate.refusal(f"she has {word}", Typed.NOTE)


@pytest.mark.parametrize("word", ["HIV", "cancer", "diabetes", "patients", "mental illness", "sick child"])
def test_a_word_of_health_needs_the_word_of_a_practice_beside_it(word):
    for kept in (f"{word} clinic of Elm", f"Elm {word} center", f"Institute for {word}", f"Elm {word}, LLC"):
        assert gate.refusal(kept, Typed.BUSINESS_NAME) == ""
    for refused in (f"Jane Roe, {word}", f"{word}: Jane Roe", f"Elm Clinic (Jane Roe, {word})", f"Elm - Roe {word}"):
        assert "without the word of a practice" in gate.refusal(refused, Typed.BUSINESS_NAME)


def test_the_corpus_has_each_kind_and_each_field():
    smuggled, ordinary = rows("tuned_smuggled.txt"), rows("tuned_ordinary.txt")
    assert {row[0] for row in smuggled} == set("date record ssn card phone icd10 cpt ndc words email".split())
    assert {row[1] for row in smuggled} == {row[0] for row in ordinary} == set(FIELDS)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("write to jane@maple.example", "an e-mail address"),
        ("her SSN is 123-45-6789", "a social security number"),
        ("since 1961-03-04", "a date"),
        ("born 03/04/1961", "a date of birth"),
        ("call +1 (555) 123-4567", "a telephone number"),
        ("card 4242 4242 4242 4242", "a card number"),
        ("7766 5100 1234 5", "a telephone, card or record number"),
        ("no need, as patients say", "words about patients"),
        ("MRN883122", "a record number"),
        ("E11.9", "the code of a diagnosis"),
        ("CPT 99213", "the code of a treatment"),
        ("NDC 0002-8215-01", "the code of a drug"),
        ("a" * 201, "more than 200 characters"),
        ("a\x00b", "control characters"),
    ],
)
def test_a_refusal_says_what_it_found_and_never_repeats_the_text(text, what):
    with pytest.raises(errors.TextNotNeutral, match=what) as refused:
        gate.checked(text, Typed.NOTE)
    assert text not in str(refused.value)


def test_a_text_is_kept_as_it_was_typed_but_in_one_line():
    assert gate.checked("  Clínica São José,\n 2nd floor ", Typed.NOTE) == "Clínica São José, 2nd floor"


def test_the_same_text_is_judged_by_what_the_field_is():
    dated = "Memo of 2026-03-12 about patients"
    assert gate.refusal(dated, Typed.LEGAL_BASIS) == ""
    assert gate.refusal(dated, Typed.NOTE) == "a date"
    assert gate.refusal("Patient First Care", Typed.BUSINESS_NAME) == ""
    assert gate.refusal("office@maple.example", Typed.EMAIL) == ""


@pytest.mark.parametrize(
    "place",
    [
        "https://docs.example/d/123456789/edit",
        "https://contracts.example/file/4155552671?version=20261127",
        "https://drive.example/d/1aB2c3D4e5F6g7H8i9J0k123456789012345/view#E11.9",
        "https://dms.example/record/4242424242424242",
        r"\\files\legal\2026-11-27\baa-123456789.pdf",
        "/srv/legal/2026-11-27/baa.pdf",
        "s3://legal-documents/20261127/000123456789.pdf",
        "dms.example/legal/123456789",
        "contracts register, number 12",
        "safe, folder of 2026-11-27; scan: https://docs.example/d/987654321",
    ],
)
def test_an_address_of_a_document_is_no_note(place):
    assert gate.refusal(place, Typed.PLACE) == ""


@pytest.mark.parametrize(
    "place",
    [
        "https://docs.example/mrn883122",
        "https://docs.example/d/1?ssn=123-45-6789",
        "https://docs.example/roe-dob-1961-04-12",
        "safe, call 415-555-2671",
        "safe, card 4242 4242 4242 4242 https://docs.example/d/1",
        "chart 88312",
        "jane@maple.example",
        "Jane Roe, treated for asthma",
    ],
)
def test_what_points_to_a_person_is_refused_beside_and_in_an_address(place):
    assert gate.refusal(place, Typed.PLACE)


def test_a_check_of_columns_judges_only_what_people_type_into_them():
    fields.check("Office", name="Maple Clinic", time_zone="4242 4242 4242 4242", archived_at=None)
    with pytest.raises(errors.TextNotNeutral, match="The billing e-mail address seems to contain a record number"):
        fields.check("Office", name="Maple Clinic", billing_email="mrn883122@maple.example")


@pytest.mark.parametrize("number", ["4242424242424242", "378282246310005", "79927398713"])
def test_the_last_digit_proves_a_card(number):
    assert numbers.is_luhn(number)
    assert not numbers.is_luhn(f"{number[:-1]}{(int(number[-1]) + 1) % 10}")


@pytest.mark.parametrize(
    "alphabet", ["1 ", "a1-", "no number ", "dob 0/", "a@. ", "(at)", "12.", "patient ", "jane", "Jane ", "Е\u200b1"]
)
def test_no_text_takes_long_to_judge(alphabet):
    shuffled = random.Random(7)
    for text in (alphabet * 2000, "".join(shuffled.choices(alphabet, k=2000))):
        for field, longest in (
            (Typed.NOTE, gate.LONGEST_BASIS),
            (Typed.PERSON_NAME, gate.LONGEST),
            (Typed.EMAIL, gate.LONGEST_EMAIL),
        ):
            began = time.process_time()
            gate.found(text[:longest], field)
            assert time.process_time() - began < 2
