"""An e-mail is put into the outbox together with its cause, once for one reason, and without texts."""

import uuid

import pytest
from django.db import transaction

from billing import errors
from billing.models import Notification
from tests.conftest import a_person

Kind = Notification.Kind


def put(**given):
    Notification.objects.put(Kind.ROLE_GIVEN, "because", **given)


@pytest.mark.django_db(transaction=True)
def test_it_is_there_only_if_its_cause_was_committed():
    with pytest.raises(errors.Defect, match="transaction of its cause"):
        put(address="x@maple.example")

    with transaction.atomic():
        put(address="x@maple.example")
        transaction.set_rollback(True)
    assert not Notification.objects.exists()

    with transaction.atomic():
        put(address="x@maple.example")
    assert Notification.objects.count() == 1


@pytest.mark.django_db
def test_there_is_one_for_one_reason():
    put(address="x@maple.example")
    put(address="y@maple.example")

    assert list(Notification.objects.values_list("recipient", flat=True)) == ["x@maple.example"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parameter",
    [
        "two words",
        "",
        "mira@maple.example",
        "https://billing.vendor.example/",
        "a/b",
        "naïve",
        "x" * 41,
        "Zt3xkV8bq0cJmW5rPpQy2nL6sUaHdEfGiOoXwKvB1R4",  # as long as the secret of a link
        "line\nline",
    ],
)
def test_a_text_a_link_an_address_or_a_token_is_never_kept_with_it(parameter):
    with pytest.raises(errors.Defect, match="must be an id or a code"):
        put(address="x@maple.example", role=parameter)


@pytest.mark.django_db
def test_ids_codes_and_numbers_are_kept_with_it():
    given = {"role": "operator", "plan": str(uuid.uuid4()), "amount": 0, "late": False, "when": "2026-11-28T10:00:00"}

    put(address="x@maple.example", **given)

    assert Notification.objects.get().context == given


@pytest.mark.django_db
def test_it_is_to_a_user_to_an_address_or_to_an_office():
    for given in ({}, {"user": a_person("x@maple.example"), "address": "x@maple.example"}):
        with pytest.raises(errors.Defect, match="to a user, to an address, or to an Office"):
            put(**given)
