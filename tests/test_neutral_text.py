import pytest

from billing import errors, neutral_text


@pytest.mark.parametrize(
    "text",
    [
        "agreed by phone",
        "Invoice 0007 was for the wrong plan",
        "20 seats from next month",
        "refund of 49.00 USD as agreed",
        "the practice moved to Suite 1200",
    ],
)
def test_what_says_why_is_kept(text):
    assert neutral_text.checked(f"  {text}\n") == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("write to jane@maple.example", "an e-mail address"),
        ("her SSN is 123-45-6789", "a social security number"),
        ("born 03/04/1961", "a date"),
        ("since 1961-03-04", "a date"),
        ("call +1 (555) 123-4567", "a telephone"),
        ("card 4242 4242 4242 4242", "a telephone, card or record number"),
        ("The Patient was here", "words about patients"),
        ("diagnosed last week", "words about patients"),
        ("see MRN", "words about patients"),
        ("a" * 201, "more than 200 characters"),
    ],
)
def test_what_could_point_to_a_person_is_refused_and_not_repeated(text, what):
    with pytest.raises(errors.TextNotNeutral, match=what) as refused:
        neutral_text.checked(text)
    assert text not in str(refused.value)
