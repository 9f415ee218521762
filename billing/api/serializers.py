"""The shapes of the API. Money is minor units with its currency; time is UTC; Stripe's ids never appear."""

from typing import Any

from rest_framework import serializers

from billing.models import Office, PlanPrice


class PlanPriceSerializer(serializers.ModelSerializer[PlanPrice]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    plan = serializers.CharField(source="plan.name", read_only=True)

    class Meta:
        model = PlanPrice
        fields = ["id", "plan", "code", "currency", "unit_amount", "interval", "interval_count", "per_seat"]


class OfficeSerializer(serializers.ModelSerializer[Office]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Office
        fields = ["id", "name", "billing_email", "time_zone", "locale", "currency", "subscription_status"]
        read_only_fields = fields


class SubscriptionSerializer(serializers.ModelSerializer[Office]):
    """The Office's current subscription."""

    status = serializers.CharField(source="subscription_status", read_only=True)
    plan = serializers.CharField(source="current_plan.name", read_only=True, default=None)
    payment_method = serializers.SerializerMethodField()

    class Meta:
        model = Office
        fields = [
            "status",
            "plan",
            "quantity",
            "currency",
            "balance_due",
            "billing_cycle_anchor_date",
            "current_period_start",
            "current_period_end",
            "trial_end",
            "cancel_at",
            "past_due_since",
            "confirmed_at",
            "payment_method",
        ]
        read_only_fields = fields

    def get_payment_method(self, office: Office) -> dict[str, str] | None:
        if not office.has_payment_method:
            return None
        return {
            "brand": office.payment_method_brand,
            "last4": office.payment_method_last4,
            "expires": office.payment_method_expires,
        }


class SubscribeSerializer(serializers.Serializer[Any]):
    price = serializers.CharField(max_length=36, help_text="The id of a plan price")
    quantity = serializers.IntegerField(default=1, min_value=1)
    trial_days = serializers.IntegerField(default=0, min_value=0)
    payment_method = serializers.RegexField(
        r"^pm_[A-Za-z0-9_]+$",
        default="",
        allow_blank=True,
        max_length=255,
        help_text="A card that Stripe's own form made",
    )
    reason = serializers.CharField(max_length=200)


class CancelSerializer(serializers.Serializer[Any]):
    at_period_end = serializers.BooleanField(default=True)
    reason = serializers.CharField(max_length=200)


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
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the name is the API's
