"""Every field into which people type is in the table of docs/hipaa.md, and is judged as it says."""

import pytest

from billing.operations.engine.registry import REGISTRY
from billing.text.fields import TYPED
from billing.text.gate import Typed
from tests.text import typed

JUDGED = {one.value for one in Typed}
NOT_TYPED = {
    "closed form": {"Office.time_zone", "Office.locale", "ServiceIdentity.networks", "Agreement.document_sha256"},
    "closed list": {"ServiceIdentity.scopes", "EmergencyRole.role", "Invitation.role", "PlanPrice.currency"},
    "a digest": {
        *("IdempotentRequest.key", "IdempotentRequest.body_hash", "KnownSetting.digest", "ServiceSecret.digest"),
        *("OneTimeLink.digest", "OneTimeLink.holds_for", "AccessToken.digest", "AccessToken.token_key"),
        *("User.password", "AuditEntry.mac", "AuditEntry.window_key", "AuditSeal.key", "AuditSeal.root"),
        *("AuditSeal.peaks", "AuditSeal.signature", "SealedEntry.leaf", "SealedTile.root", "TrailReview.root"),
        "User.searched_as",
        *("Agreement.outbound_fingerprint", "Finding.facts", "RefusalCount.key", "SuppressedAddress.digest"),
    },
    "a request, of fields that were judged": {
        *("ApprovalRequest.request", "Operation.request", "OperationStep.params", "BulkAct.given", "BulkRow.given"),
        *("PlanOperation.request", "PlanOperation.steps"),
    },
    "printed by this software": {"Agreement.outbound_list"},
    "chosen in filters, and refused if anything was typed": {"User.saved_views"},
    "judged where it was typed": {
        *("AuditEntry.actor_email", "AuditEntry.actor_label", "AuditEntry.changes", "AuditEntry.changes_text"),
        *("AuditEntry.object_repr", "AuditEntry.serialized_data", "AuditEntry.additional_data"),
        *("Operation.actor_label", "PlanOperation.actor_label", "Reconciliation.actor_label", "Notification.recipient"),
        *("Office.name_folded", "Plan.name_folded", "User.name_folded", "OfficePart.part", "UserPart.part"),
    },
}
"""Columns that take what people gave, in a closed form or after it was judged elsewhere."""
OURS = (
    *("AuditEntry", "CachedValue", "Finding", "IdempotentRequest", "Job", "KnownSetting", "Notification", "Operation"),
    *("OperationStep", "ApprovalRequest", "RateCount", "ReceivedEvent", "Reconciliation", "RefusalCount"),
    *("Backup", "BulkAct", "BulkRow", "Hold", "Movement", "Observation", "PlanOperation", "RolledUp", "RollUp"),
    *("ServiceSecret", "StripeAccount", "WorkerHeartbeat"),
)
"""Models whose other columns have words and codes of this software, or ids."""
FROM_STRIPE = (
    *("Adjustment", "Invoice", "InvoicePayment", "Office", "Payment", "PaymentMethod", "Plan", "PlanPrice"),
    *("Subscription", "SubscriptionChange", "SubscriptionItem"),
)
"""Models whose other columns the projection writes: ids, statuses, amounts and days."""


@pytest.fixture(scope="module")
def asked() -> set[str]:
    return typed.of_forms() | typed.of_operations() | typed.of_the_api() | typed.of_commands()


def test_the_table_has_each_field_that_can_be_typed_into_and_no_other(asked):
    assert set(typed.table()) == asked | set(TYPED)


def test_each_rule_of_the_table_is_one_of_the_gates_or_says_why_there_is_none():
    others = ("closed form: ", "closed list: ", "secret", "compared only")
    for name, (rule, _, _) in typed.table().items():
        assert rule in JUDGED or rule.startswith(others), name


def test_each_column_is_judged_as_the_table_says():
    table = typed.table()
    assert {name: table[name][0] for name in TYPED} == {name: field.value for name, field in TYPED.items()}


def test_each_text_of_an_operation_is_judged_as_the_table_says():
    table, judged = typed.table(), {}
    for declared in REGISTRY.values():
        for name, one in declared.__dataclass_fields__.items():
            terms = one.metadata.get("terms")
            if terms and terms.typed:
                judged[f"{declared.__name__}.{name}"] = terms.typed.value
    assert judged == {name: table[name][0] for name in typed.of_operations() if table[name][0] in JUDGED}


def test_each_column_that_can_hold_a_text_is_judged_or_takes_none_that_was_typed():
    known = set(TYPED).union(*NOT_TYPED.values())
    left = {name for name in typed.text_columns() - known if name.split(".")[0] not in OURS + FROM_STRIPE}
    assert left == set()
