"""The serializers of the API. Money is minor units with its currency. Times are UTC. Stripe's ids are never shown."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import clock
from billing.models import Office, PaymentMethod, PlanPrice
from billing.operations.offices.cards import on_file


class PlanPriceSerializer(serializers.ModelSerializer[PlanPrice]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    plan = serializers.CharField(source="plan.name", read_only=True)
    # said here, because a column's largest number differs from one database to another
    unit_amount = serializers.IntegerField(read_only=True, help_text="Minor units of the currency.")
    interval_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = PlanPrice
        fields = ["id", "plan", "code", "currency", "unit_amount", "interval", "interval_count", "per_seat"]


class OfficeSerializer(serializers.ModelSerializer[Office]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Office
        fields = ["id", "name", "billing_email", "time_zone", "locale", "currency", "subscription_status"]
        fields += ["credit_balance", "archived_at"]
        read_only_fields = fields


class SubscriptionSerializer(serializers.ModelSerializer[Office]):
    """The Office's current subscription."""

    status = serializers.CharField(source="subscription_status", read_only=True)
    plan = serializers.CharField(source="current_plan.name", read_only=True, default=None)
    payment_method = serializers.SerializerMethodField()
    discount = serializers.SerializerMethodField()

    class Meta:
        model = Office
        fields = [
            "status",
            "plan",
            "quantity",
            "currency",
            "balance_due",
            "credit_balance",
            "billing_cycle_anchor_date",
            "current_period_start",
            "current_period_end",
            "trial_end",
            "cancel_at",
            "collection_paused",
            "collection_paused_until",
            "discount",
            "past_due_since",
            "confirmed_at",
            "payment_method",
        ]
        read_only_fields = fields

    def get_discount(self, office: Office) -> str:
        current = office.current_subscription
        return current.discount if current else ""

    def get_payment_method(self, office: Office) -> dict[str, str] | None:
        if not office.has_payment_method:
            return None
        return {
            "brand": office.payment_method_brand,
            "last4": office.payment_method_last4,
            "expires": office.payment_method_expires,
        }


class PaymentMethodSerializer(serializers.ModelSerializer[PaymentMethod]):
    """A card on file. It is good to the end of the month ``expires``."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    expiry = serializers.SerializerMethodField()

    class Meta:
        model = PaymentMethod
        fields = ["id", "brand", "last4", "expires", "expiry", "is_default"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["valid", "expires this month", "expired"]))
    def get_expiry(self, card: PaymentMethod) -> str:
        return card.expiry(clock.billing())


class PaymentMethodsSerializer(serializers.Serializer[Office]):
    """The cards on file, the default one first."""

    payment_methods = serializers.SerializerMethodField()

    @extend_schema_field(PaymentMethodSerializer(many=True))
    def get_payment_methods(self, office: Office) -> Any:
        return PaymentMethodSerializer(on_file(office), many=True).data


class CreditPreviewSerializer(serializers.Serializer[Any]):
    """Minor units; above zero is credit in the Office's favour, below zero is owed with the next invoice."""

    currency = serializers.CharField(source="before.currency")
    before = serializers.IntegerField(source="before.amount")
    change = serializers.IntegerField(source="change.amount")
    after = serializers.IntegerField(source="after.amount")
    as_of = serializers.DateTimeField()


class PaymentLinkSerializer(serializers.Serializer[Any]):
    address = serializers.URLField(
        help_text="Anyone who has this address can pay. It is not stored here. To see it again, send the same request"
    )
    expires_at = serializers.DateTimeField()


class PreviewLineSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    amount = serializers.IntegerField(source="amount.amount", help_text="Minor units. Negative is a credit")
    period_start = serializers.DateTimeField(allow_null=True)
    period_end = serializers.DateTimeField(allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """A possible invoice. If ``now`` is true, it is charged now. Otherwise it comes at ``at``."""

    now = serializers.BooleanField()
    at = serializers.DateTimeField(allow_null=True)
    as_of = serializers.DateTimeField()
    currency = serializers.CharField(source="total.currency")
    lines = PreviewLineSerializer(many=True)
    discount = serializers.IntegerField(source="discount.amount")
    tax = serializers.IntegerField(source="tax.amount")
    total = serializers.IntegerField(source="total.amount", help_text="Negative is kept as credit")
    charged = serializers.IntegerField(source="charged.amount", help_text="What the card is charged, after credit")
    afterwards = serializers.CharField()
    says = serializers.CharField(help_text="What to know besides the amounts")


class EntitlementSerializer(serializers.Serializer[Any]):
    access = serializers.ChoiceField(choices=["full", "none"])
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class SignInSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = serializers.CharField(style={"input_type": "password"}, trim_whitespace=False)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires = serializers.DateTimeField()


class ProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    decline_code = serializers.CharField(required=False, help_text="Why a card was declined")
    next_step = serializers.CharField(required=False, help_text="What a person can do about a declined card")
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the name is the API's
