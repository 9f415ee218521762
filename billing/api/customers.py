"""What the API can do to an Office as a customer: contact, portal, credit, archive."""

from typing import Any

from rest_framework import serializers as fields

from billing import operations
from billing.api.operations import Given, operation, preview, telling
from billing.api.serializers import ConfirmSerializer, CreditPreviewSerializer, OfficeSerializer, ReasonSerializer
from billing.audit.actor import Actor
from billing.models import Office
from billing.models.office import LOCALE
from billing.operations import reasons
from billing.operations.credit import CreditPreview


class ContactSerializer(ReasonSerializer):
    name = fields.CharField(required=False, max_length=200, help_text="The practice's name. Never a patient's.")
    billing_email = fields.EmailField(required=False, help_text="Where Stripe sends invoices")
    locale = fields.CharField(required=False, max_length=10, validators=[LOCALE], help_text="Such as en, es or pt-BR")


class PreviewCreditSerializer(fields.Serializer[Any]):
    amount = fields.IntegerField(help_text="Minor units: above zero is given, below zero is taken back")


class CreditSerializer(PreviewCreditSerializer, ConfirmSerializer):
    reason = fields.ChoiceField(choices=[code for code in reasons.CATALOGUE if code not in reasons.NEEDS_NOTE])


@operation(given=ContactSerializer, shown=OfficeSerializer)
def change_contact(office: Office, by: Actor, given: Given) -> Office:
    """Name, address and language of the invoices, here and at Stripe. What is not given stays."""
    return operations.change_contact(office, by=by, **given)


@telling(given=ReasonSerializer, name="url")
def open_portal(office: Office, by: Actor, given: Given) -> str:
    """The address of Stripe's portal for this Office, good for minutes. It is told once. **Money may move** there."""
    return operations.open_portal(office, by=by, **given)


@operation(given=CreditSerializer, shown=OfficeSerializer)
def adjust_credit(office: Office, by: Actor, given: Given) -> Office:
    """Give the Office credit for its next invoices, or take it back. For the vendor's staff; no money moves now."""
    return operations.adjust_credit(office, by=by, **given)


@preview(given=PreviewCreditSerializer, shown=CreditPreviewSerializer)
def preview_credit(office: Office, by: Actor, given: Given) -> CreditPreview:
    """The credit before and after. Confirm it with its ``as_of``. For the vendor's staff."""
    return operations.preview_credit(office, by=by, **given)


@operation(given=ReasonSerializer, shown=OfficeSerializer)
def archive_office(office: Office, by: Actor, given: Given) -> Office:
    """Close the Office's file: its members see it no more. For the vendor's staff; nothing may be live or due."""
    return operations.archive_office(office, by=by, **given)


@operation(given=ReasonSerializer, shown=OfficeSerializer)
def unarchive_office(office: Office, by: Actor, given: Given) -> Office:
    """Open the Office's file again. For the vendor's staff."""
    return operations.unarchive_office(office, by=by, **given)
