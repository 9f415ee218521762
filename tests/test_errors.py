import ast
from collections import Counter
from pathlib import Path

import pytest

from billing import errors
from billing.problem_details import STATUS


def every_refusal(kind=errors.BillingError):
    return [one for child in kind.__subclasses__() for one in (child, *every_refusal(child))]


BASES = (errors.Refusal, errors.Defect, errors.NotSent)
EVERY = [one for one in every_refusal() if one.__module__.startswith("billing.errors.") and one not in BASES]
CODES = [one.code for one in EVERY]
PREFIXES = (
    "acct bps cbtxn ch cn cs_live cs_test cus di dp du evt ii in inpay pi pm price prod promo py pyr re req seti si "
    "sub sub_sched txn we mandate"
).split()


def test_each_class_of_each_subject_is_found_under_its_name_in_the_package():
    files = sorted(Path(errors.__file__).parent.glob("*.py"))
    named = Counter(
        node.name for file in files for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)
    )

    assert named.total() > len(EVERY) > 100
    assert [name for name, n in named.items() if n > 1] == []
    assert [name for name in named if not hasattr(errors, name)] == []


@pytest.mark.parametrize("prefix", PREFIXES)
def test_of_an_id_of_stripes_its_kind_and_its_end_are_shown(prefix):
    assert errors.without_stripe_ids(f"No such thing: '{prefix}_1Mm8s8LkdIwHu7ix'.") == (
        f"No such thing: '{prefix}_…u7ix'."
    )


@pytest.mark.parametrize("prefix", ["seti", "pi", "cs_test"])
def test_a_client_secret_is_not_shown(prefix):
    secret = f"{prefix}_1Mm8s8LkdIwHu7ix_secret_NcIAxvX9wyTv"

    assert errors.without_stripe_ids(f"{secret}, again") == f"{prefix}_…u7ix, again"


@pytest.mark.parametrize(
    "words",
    [
        *CODES,
        "in_progress",
        "in_the_wrong_currency",
        "sub_sched",
        "pm_card_chargeCustomerFail",
        "default_payment_method",
        "practice-monthly, 2026-11-24, SHA_256",
        "3b0c7d1e-5a0f-4c55-9a53-0f1d2c3b4a59:setup_intent",
    ],
)
def test_our_own_words_are_left_alone(words):
    assert errors.without_stripe_ids(words) == words


def test_each_refusal_has_a_code_of_its_own():
    assert len(set(CODES)) == len(CODES)
    assert "billing_error" not in CODES


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_each_refusal_says_of_which_category_it_is_and_speaks_in_sentences(kind):
    assert isinstance(kind.category, errors.Category)
    for words in (kind.message, kind.remedy):
        assert not words or words.endswith((".", ":"))
    assert not issubclass(kind, errors.Refusal) or kind.message


def test_the_api_has_a_status_for_each_category():
    assert set(STATUS) == set(errors.Category)
