"""What each column is into which people type. A column that is not here takes no text that a person typed."""

from collections.abc import Mapping

from billing import errors
from billing.text import gate
from billing.text.gate import Typed

TYPED: dict[str, Typed] = {
    "Office.name": Typed.BUSINESS_NAME,
    "Office.billing_email": Typed.EMAIL,
    "Plan.name": Typed.PLAN_NAME,
    "Plan.code": Typed.CODE,
    "PlanPrice.code": Typed.CODE,
    "User.name": Typed.PERSON_NAME,
    "User.email": Typed.EMAIL,
    "Invitation.email": Typed.EMAIL,
    "ServiceIdentity.name": Typed.NOTE,
    "Agreement.document_at": Typed.PLACE,
    "Agreement.counterparty": Typed.BUSINESS_NAME,
    "Agreement.services": Typed.LEGAL_BASIS,
    "Agreement.terms_version": Typed.LEGAL_BASIS,
    "Agreement.our_signer": Typed.PERSON_NAME,
    "Agreement.their_signer": Typed.PERSON_NAME,
    "Agreement.reviewer": Typed.PERSON_NAME,
    "Agreement.legal_basis": Typed.LEGAL_BASIS,
    "Agreement.withdrawn_reason": Typed.REASON,
    "Operation.reason": Typed.REASON,
    "PlanOperation.reason": Typed.REASON,
    "ApprovalRequest.reason": Typed.REASON,
    "ApprovalRequest.decision_reason": Typed.REASON,
    "EmergencyRole.reason": Typed.REASON,
    "EmergencyRole.end_reason": Typed.REASON,
    "Vouching.reason": Typed.REASON,
    "TrailReview.note": Typed.NOTE,
    "Reconciliation.reason": Typed.REASON,
    "OfficeNote.text": Typed.NOTE,
    "BulkAct.reason": Typed.REASON,
    "AuditEntry.reason": Typed.REASON,
}


CALLED = {
    "our_signer": "name of who signed for us",
    "their_signer": "name of who signed for them",
    "document_at": "place of the document",
    "counterparty": "name of the supplier",
    "services": "list of services",
    "terms_version": "version of the terms",
    "billing_email": "billing e-mail address",
    "email": "e-mail address",
}
"""What people call a column, where that is not its own name."""


def wrong(model: str, given: Mapping[str, object]) -> dict[str, str]:
    """Return which of these columns of a model have a text that would be refused, and why. Empty: none."""
    found = {}
    for name, value in given.items():
        field = TYPED.get(f"{model}.{name}")
        if field and isinstance(value, str) and value and (what := gate.refusal(value, field)):
            found[CALLED.get(name) or name.replace("_", " ")] = what
    return found


def check(model: str, **given: object) -> None:
    """Judge the values given for these columns of a model. A value that is no text, or is empty, is not judged.

    Raises:
        TextNotNeutral: it names the field.
    """
    for name, what in wrong(model, given).items():
        raise errors.TextNotNeutral(what, called=name)
