import pytest

from billing import declines, errors


@pytest.mark.parametrize(
    "code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "do_not_honor", "", "new_one"]
)
def test_what_must_not_be_told_to_a_cards_holder_or_is_not_known_is_a_decline_as_any(code):
    assert declines.of(code) is declines.GENERIC
    assert not {"lost", "stolen", "fraud"} & set(str(errors.CardDeclined(code)).split())


def test_codes_that_mean_the_same_are_told_the_same():
    assert {declines.of(code).code for code in ("invalid_cvc", "incorrect_cvc")} == {"incorrect_cvc"}
    assert set(declines.SAME.values()) <= set(declines.TABLE)


@pytest.mark.parametrize("decline", declines.TABLE.values(), ids=lambda one: one.code)
def test_each_decline_says_why_and_what_a_person_can_do(decline):
    assert str(errors.CardDeclined(decline.code)) == f"{decline.says} {decline.next_step}"
    assert decline.next_step.endswith(".")
