"""What an entry says of a changed row: its own columns, and the relations to many that are declared. No more."""

import json

import pytest
from auditlog.diff import model_instance_diff

from billing.audit import trail
from billing.models import AuditEntry
from tests.access.test_matrix import rows
from tests.conftest import an_office


@pytest.mark.parametrize("model", trail.REGISTERED, ids=lambda model: model.__name__)
def test_a_new_row_and_one_that_goes_say_only_what_is_in_columns_of_their_own(db, model):
    columns = {one.name for one in model._meta.concrete_fields}
    for old, new in ((None, model()), (model(), None)):
        assert set(model_instance_diff(old, new) or {}) <= columns


def test_whatever_is_written_names_columns_and_declared_relations_only(stripe, office, administrator, operator):
    rows(office, administrator, operator)
    seen = set()
    for entry in AuditEntry.objects.exclude(changes=None):
        model = entry.content_type.model_class()
        declared = {one.name for one in model._meta.concrete_fields} | set(
            trail.REGISTERED[model].get("m2m_fields", ())
        )
        assert set(entry.changes) <= declared, entry.changes
        assert "billing." not in json.dumps(entry.changes), entry.changes
        seen.add(model)
    assert len(seen) > 10


def test_a_new_office_names_no_relation_of_others(db):
    office = an_office()
    entry = AuditEntry.objects.get(office=office)
    assert entry.changes["name"] == ["None", office.name]
    assert "operations" not in entry.changes
