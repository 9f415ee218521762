"""Two ways of writing one e-mail address are one address, on every database."""

import importlib
import unicodedata
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Lower
from hypothesis import given
from hypothesis import strategies as st

from billing import errors
from billing.access import invitations
from billing.folding import fold_address
from billing.models import Invitation, User
from billing.models.address_field import AddressField
from tests.conftest import a_person, an_office

MIGRATION = "billing.migrations.0038_addresses_beyond_ascii"
SMALL = "bob@bücher.example"
WRITTEN = [SMALL, "BOB@BÜCHER.example", "Bob@BüCHER.Example", unicodedata.normalize("NFD", "BOB@BÜCHER.example")]
OTHERS = ["bob@bucher.example", "bob@buecher.example"]


@pytest.mark.parametrize("again", WRITTEN)
@pytest.mark.parametrize("first", WRITTEN)
def test_there_is_one_open_invitation_to_an_address(administrator, first, again):
    office = an_office()
    assert invitations.invite(first, "owner", office=office, by=administrator)
    with pytest.raises(errors.InvitationOpen):
        invitations.invite(again, "viewer", office=office, by=administrator)
    for other in OTHERS:
        assert invitations.invite(other, "viewer", office=office, by=administrator)


@pytest.mark.parametrize("again", WRITTEN)
@pytest.mark.parametrize("first", WRITTEN)
def test_there_is_one_user_with_an_address_and_each_way_of_writing_it_finds_them(db, first, again):
    user = a_person(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        a_person(again)
    with pytest.raises(ValidationError, match="This address is taken"):
        User(email=again, password="x").validate_constraints()

    assert User.objects.get_by_natural_key(again) == user
    assert User.objects.get(email__iexact=again) == user
    assert not any(User.objects.filter(email__iexact=other).exists() for other in OTHERS)


def test_letters_of_ascii_stay_as_they_were_typed(db):
    user = a_person("Bob.Smith@BÜCHER.Example")
    assert user.email == User.objects.get().email == "Bob.Smith@BüCHER.Example"


def test_each_address_that_must_be_unique_is_compared_by_the_rule():
    unique = {
        (model, field.name)
        for model in apps.get_app_config("billing").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.EmailField) and (field.unique or _is_in_a_constraint(model, field.name))
    }
    assert unique == {(User, "email"), (Invitation, "email")}
    assert all(isinstance(model._meta.get_field(name), AddressField) for model, name in unique)


def _is_in_a_constraint(model: type[models.Model], name: str) -> bool:
    constraints = [one for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
    return any(name in one.fields or Lower(name) in one.expressions for one in constraints)


@given(st.text(max_size=20))
def test_to_fold_once_more_changes_nothing_and_the_migration_folds_the_same(text):
    folded = fold_address(text)
    assert fold_address(folded) == folded
    assert importlib.import_module(MIGRATION)._folded(text) == folded


def written_before(typed: str, email: str) -> None:
    """Store an address as a version before this one did."""
    a_person(typed)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_user SET email = %s WHERE email = %s", [email, typed])


def migrate():
    state = MigrationExecutor(connection).loader.project_state([("billing", MIGRATION.rpartition(".")[2])])
    importlib.import_module(MIGRATION).write_in_one_form(state.apps, SimpleNamespace(connection=connection))


def test_what_is_stored_already_is_written_anew(db):
    written_before("ana@x.example", "ANA@ÉLAN.example")
    migrate()
    assert User.objects.get(email__iexact="ana@élan.example").email == "ANA@éLAN.example"


def test_two_that_are_stored_already_stay_and_the_small_one_is_found(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT LOWER(%s)", ["Ü"])
        if cursor.fetchone() == ("ü",):
            pytest.skip("this database never had two of them")
    small = a_person(SMALL)
    written_before("two@x.example", "BOB@BÜCHER.example")
    migrate()
    assert User.objects.count() == 2
    assert User.objects.get(email__iexact="BOB@BÜCHER.example") == small
