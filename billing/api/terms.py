"""What the API can agree beside plan and seats: when a subscription ends, is charged next, is collected, for less."""

from typing import Any

from rest_framework import serializers as fields

from billing import operations
from billing.api.operations import Given, operation, preview
from billing.api.serializers import ConfirmSerializer, ReasonSerializer
from billing.audit.actor import Actor
from billing.models import Office
from billing.models.subscription import COLLECTION_PAUSED
from billing.operations.previews import Preview


class NothingSerializer(fields.Serializer[Any]):
    """An empty body."""


class CancelOnDateSerializer(ReasonSerializer):
    at = fields.DateTimeField(help_text="Service ends at this moment")


class PreviewTrialEndSerializer(fields.Serializer[Any]):
    at = fields.DateTimeField(required=True, allow_null=True, help_text="null: now")


class TrialEndSerializer(PreviewTrialEndSerializer, ReasonSerializer, ConfirmSerializer):
    pass


class PreviewRestartSerializer(fields.Serializer[Any]):
    credit = fields.ChoiceField(
        default="now", choices=["now", "not_at_all"], help_text="What is left of the present period"
    )


class RestartSerializer(PreviewRestartSerializer, ReasonSerializer, ConfirmSerializer):
    pass


class PauseCollectionSerializer(ReasonSerializer):
    invoices_become = fields.ChoiceField(choices=[code for code, _ in COLLECTION_PAUSED])
    until = fields.DateTimeField(required=False, allow_null=True, default=None, help_text="Else until it is resumed")


class PreviewDiscountSerializer(fields.Serializer[Any]):
    code = fields.CharField(max_length=200, help_text="A promotion code; for the vendor's staff also a coupon's id")


class DiscountSerializer(PreviewDiscountSerializer, ReasonSerializer):
    pass


@operation(given=ReasonSerializer)
def resume_renewal(office: Office, by: Actor, given: Given) -> Office:
    """The cancellation is taken back: the subscription renews. Money does not move now."""
    return operations.resume_renewal(office, by=by, **given)


@operation(given=CancelOnDateSerializer)
def cancel_on_date(office: Office, by: Actor, given: Given) -> Office:
    """The subscription ends at a moment, and is renewed until then. Money does not move now."""
    return operations.cancel_on_date(office, by=by, **given)


@operation(given=TrialEndSerializer)
def move_trial_end(office: Office, by: Actor, given: Given) -> Office:
    """The trial ends then, or now: then **money moves**. A longer trial is the vendor's to give."""
    return operations.move_trial_end(office, by=by, **given)


@preview(given=PreviewTrialEndSerializer)
def preview_trial_end(office: Office, by: Actor, given: Given) -> Preview:
    """The invoice that the trial's end brings. Confirm it with its ``as_of``."""
    return operations.preview_trial_end(office, by=by, **given)


@operation(given=RestartSerializer)
def restart_period(office: Office, by: Actor, given: Given) -> Office:
    """A whole period begins now. **Money moves**; a declined card changes nothing."""
    return operations.restart_period(office, by=by, **given)


@preview(given=PreviewRestartSerializer)
def preview_restarted_period(office: Office, by: Actor, given: Given) -> Preview:
    """What a period that begins now would charge. Confirm it with its ``as_of``."""
    return operations.preview_restarted_period(office, by=by, **given)


@operation(given=PauseCollectionSerializer)
def pause_collection(office: Office, by: Actor, given: Given) -> Office:
    """New invoices are not collected; status and access stay. The vendor's to give. Money does not move."""
    return operations.pause_collection(office, by=by, **given)


@operation(given=ReasonSerializer)
def resume_collection(office: Office, by: Actor, given: Given) -> Office:
    """Invoices are collected again, from the next one on. The vendor's to decide."""
    return operations.resume_collection(office, by=by, **given)


@operation(given=DiscountSerializer)
def apply_discount(office: Office, by: Actor, given: Given) -> Office:
    """The discount of this code, and no other, is taken off from the next invoice on. Money does not move now."""
    return operations.apply_discount(office, by=by, **given)


@preview(given=PreviewDiscountSerializer)
def preview_discount(office: Office, by: Actor, given: Given) -> Preview:
    """The next invoice with the discount of this code and no other."""
    return operations.preview_discount(office, by=by, **given)


@operation(given=ReasonSerializer)
def remove_discount(office: Office, by: Actor, given: Given) -> Office:
    """The next invoice is charged in full. Money does not move now."""
    return operations.remove_discount(office, by=by, **given)


@preview(given=NothingSerializer)
def preview_without_discount(office: Office, by: Actor, given: Given) -> Preview:
    """The next invoice without a discount."""
    return operations.preview_without_discount(office, by=by)
