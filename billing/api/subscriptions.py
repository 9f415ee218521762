"""What the API can do to an Office's subscription."""

from typing import Any

from rest_framework import serializers as fields
from rest_framework import status

from billing import operations
from billing.api.operations import Given, operation, preview
from billing.api.serializers import ConfirmSerializer, ReasonSerializer
from billing.api.views import CurrentSubscription
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.previews import Preview


class StartSerializer(fields.Serializer[Any]):
    price = fields.CharField(max_length=36, help_text="The id of a plan price")
    quantity = fields.IntegerField(default=1, min_value=1)
    trial_days = fields.IntegerField(default=0, min_value=0, help_text="Only the vendor's staff give a trial")
    coupon = fields.CharField(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="A promotion code; for the vendor's staff also a coupon's id",
    )


class SubscribeSerializer(StartSerializer, ReasonSerializer, ConfirmSerializer):
    payment_method = fields.RegexField(
        r"^pm_[A-Za-z0-9_]+$",
        default="",
        allow_blank=True,
        max_length=255,
        help_text="A card that Stripe's own form made",
    )


class CancelSerializer(ReasonSerializer):
    at_period_end = fields.BooleanField(default=True)


class PreviewChangeSerializer(fields.Serializer[Any]):
    price = fields.CharField(required=False, max_length=36, help_text="The id of a plan price; else the present one")
    quantity = fields.IntegerField(required=False, min_value=1, help_text="Seats; else as many as now")
    settle = fields.ChoiceField(
        default="now",
        choices=["now", "next_invoice", "not_at_all"],
        help_text="The difference for the rest of the period: charged or credited now, with the next invoice, or, for "
        "the vendor's staff alone, not at all",
    )


class ChangeSerializer(PreviewChangeSerializer, ReasonSerializer, ConfirmSerializer):
    pass


@operation(given=SubscribeSerializer, answers=status.HTTP_201_CREATED, base=CurrentSubscription)
def start_subscription(office: Office, by: Actor, given: Given) -> Office:
    """Start a subscription. **Money moves** unless there is a trial, which only the vendor's staff give."""
    return operations.subscribe(office, by=by, **given)


@preview(given=StartSerializer)
def preview_subscribe(office: Office, by: Actor, given: Given) -> Preview:
    """The first invoice, charged now or at the trial's end. Confirm it with its ``as_of``."""
    return operations.preview_subscribe(office, by=by, **given)


@operation(given=CancelSerializer)
def cancel_subscription(office: Office, by: Actor, given: Given) -> Office:
    """The subscription will not renew, or ends now. Money does not move."""
    return operations.cancel_subscription(office, by=by, **given)


@operation(given=ChangeSerializer)
def change_subscription(office: Office, by: Actor, given: Given) -> Office:
    """Another plan, interval or number of seats. **Money may move**; a declined card changes nothing."""
    return operations.change_subscription(office, by=by, **given)


@preview(given=PreviewChangeSerializer)
def preview_change(office: Office, by: Actor, given: Given) -> Preview:
    """What the change would charge or credit, to the cent. Confirm it with its ``as_of``."""
    return operations.preview_change(office, by=by, **given)
