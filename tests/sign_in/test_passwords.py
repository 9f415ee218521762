"""Which passwords are refused, wherever somebody chooses one, and what they are told."""

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError

from billing.models import User
from tests.conftest import PASSWORD, a_member

FINE = [
    PASSWORD,
    "seven wild geese over a lake",
    "Xk9#mQ2$vLp8",
    "vier-rote-Ziegel-am-Dach",
    "ключ под третьим камнем",
    "x" + "9fQ-" * 40 + "lorem ipsum tail",
    "the maple tree behind our practice fell",  # words of the Office, and enough others
]
REFUSED = {
    "too_short": ["", "a", "elevenchars", "Xk9#mQ2$vLp"],
    "breached": ["passwordpassword", "123456789012", "qwertyuiopas", "abcabcabcabc", "password1234", "PASSWORD1234"],
    "easy_to_guess": [
        *("passwordpassword", "123456789012", "qwertyuiopas", "abcabcabcabc", "aaaaaaaaaaaa", "zyxwvutsrqpo"),
        *("246813579246", "abcabcabcabd", "qwertyuiop[]", "Password2024!", "0987654321098", "asdfghjkl;'asdf"),
    ],
    "about_oneself": [
        *(
            "owner@maple.example",
            "Maple2026!Maple",
            "maple-street-1",
            "MiraMaple#2026",
            "xMira!Quillon9",
            "owner-1234!xyz",
        ),
        "Family.Practice.7",
    ],
}


@pytest.fixture
def person(office):
    user = a_member(office, "owner")
    user.name = "Mira Quillon"
    return user


def refused(password, person):
    try:
        validate_password(password, person)
    except ValidationError as weak:
        return {one.code for one in weak.error_list}
    return set()


@pytest.mark.parametrize("password", FINE)
def test_a_password_that_is_hard_to_guess_is_fine(person, password):
    assert refused(password, person) == set()


@pytest.mark.parametrize(("why", "password"), [(why, one) for why, those in REFUSED.items() for one in those])
def test_a_weak_password_is_refused(person, why, password):
    assert why in refused(password, person)


def test_each_rule_refuses_for_itself(person):
    """Each rule is needed: there is a password that no other rule refuses."""
    assert refused("Xk9#mQ2$vLp", person) == {"too_short"}
    assert refused("246813579246", person) == {"easy_to_guess"}
    assert refused("xMira!Quillon9", person) == {"about_oneself"}
    assert refused("10021982molly!", person) == {"breached"}


def test_nobody_yet_is_no_hindrance(db):
    assert refused("seven wild geese over a lake", None) == set()
    assert refused("mira@elm.example", User(email="mira@elm.example", name="")) >= {"about_oneself"}


def test_a_very_long_password_is_judged_quickly(person):
    for password in ("ab1!" * 250_000, "password" * 100_000):
        refused(password, person)


def test_each_refusal_says_what_to_do(person):
    for why, those in REFUSED.items():
        with pytest.raises(ValidationError) as weak:
            validate_password(those[-1], person)
        said = next(one.messages[0] for one in weak.value.error_list if one.code == why)
        assert "must have" in said or "Choose" in said
    assert len(password_validators_help_texts()) == 4
