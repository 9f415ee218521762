"""The serializers of the API. Amounts have one shape: ``amounts``. Times are UTC. Stripe's ids are never shown."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import clock, schedules
from billing.api.amounts import MoneyField, MoneySerializer, shown
from billing.models import Office, PaymentMethod, PlanPrice, Subscription, SubscriptionItem
from billing.money import Money
from billing.operations.offices.cards import on_file

CREDIT = "In the Office's favour; below zero: owed with the next invoice. Null: no currency is known yet"


class PlanPriceSerializer(serializers.ModelSerializer[PlanPrice]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    plan = serializers.CharField(source="plan.name", read_only=True)
    unit_amount = MoneyField()
    # said here, because a column's largest number differs from one database to another
    interval_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = PlanPrice
        fields = ["id", "plan", "code", "currency", "unit_amount", "interval", "interval_count", "per_seat"]


class OfficeSerializer(serializers.ModelSerializer[Office]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    credit_balance = MoneyField(source="credit", allow_null=True, help_text=CREDIT)

    class Meta:
        model = Office
        fields = ["id", "name", "billing_email", "time_zone", "locale", "currency", "subscription_status"]
        fields += ["credit_balance", "archived_at"]
        read_only_fields = fields


class SubscriptionItemSerializer(serializers.ModelSerializer[SubscriptionItem]):
    """One price of a subscription. ``plan`` and ``price`` are null if the price is not one of our plans.

    ``unit_amount`` is null if what is billed cannot be told from the price.
    """

    plan = serializers.CharField(source="plan_price.plan.name", read_only=True, default=None, allow_null=True)
    price = serializers.UUIDField(source="plan_price.public_id", read_only=True, default=None, allow_null=True)
    unit_amount = MoneyField(allow_null=True)
    monthly_amount = MoneyField()
    discount = serializers.CharField(read_only=True)

    class Meta:
        model = SubscriptionItem
        fields = ["plan", "price", "quantity", "currency", "unit_amount", "interval", "interval_count"]
        fields += ["monthly_amount", "discount", "current_period_start", "current_period_end"]
        read_only_fields = fields


class OtherSubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """A live subscription beside the present one. There should be none: each can be charged, and a finding tells of it.

    ``started_at`` is since when it bills. ``monthly_amount`` is of all items, before discounts and taxes.
    """

    plan = serializers.CharField(source="plan_price.plan.name", read_only=True, default=None, allow_null=True)
    items = SubscriptionItemSerializer(source="present_items", many=True, read_only=True)
    monthly_amount = MoneyField()
    discount = serializers.CharField(source="discounts_in_words", read_only=True)

    class Meta:
        model = Subscription
        fields = ["status", "plan", "quantity", "currency", "items", "monthly_amount", "discount", "started_at"]
        fields += ["current_period_start", "current_period_end", "trial_end", "cancel_at"]
        read_only_fields = fields


class SubscriptionSerializer(serializers.ModelSerializer[Office]):
    """The Office's present subscription. ``plan`` and ``quantity`` are those of the first item that is a plan of ours.

    ``monthly_amount`` is of all items, before discounts and taxes. ``current_period_end`` is the earliest end
    of the items' periods: the next charge.
    """

    status = serializers.CharField(source="subscription_status", read_only=True)
    plan = serializers.CharField(source="current_plan.name", read_only=True, default=None, allow_null=True)
    payment_method = serializers.SerializerMethodField()
    discount = serializers.SerializerMethodField()
    items = serializers.SerializerMethodField()
    monthly_amount = serializers.SerializerMethodField()
    balance_due = MoneyField(allow_null=True, help_text="What is due in its currency. Null: no currency is known yet")
    schedule = serializers.SerializerMethodField(
        help_text="What a schedule at Stripe starts, changes or ends by itself, in words. Empty if there is none"
    )
    also_live = OtherSubscriptionSerializer(source="other_live_subscriptions", many=True, read_only=True)
    other_debts = serializers.ListField(child=MoneyField(), source="debts_in_other_currencies", read_only=True)
    credit_balance = MoneyField(source="credit", allow_null=True, help_text=CREDIT)
    other_credits = serializers.ListField(child=MoneyField(), source="credits_in_other_currencies", read_only=True)

    class Meta:
        model = Office
        fields = [
            "status",
            "plan",
            "quantity",
            "currency",
            "items",
            "monthly_amount",
            "balance_due",
            "other_debts",
            "credit_balance",
            "other_credits",
            "billing_cycle_anchor_date",
            "current_period_start",
            "current_period_end",
            "trial_end",
            "cancel_at",
            "collection_paused",
            "collection_paused_until",
            "discount",
            "schedule",
            "past_due_since",
            "confirmed_at",
            "payment_method",
            "also_live",
        ]
        read_only_fields = fields

    def to_representation(self, office: Office) -> Any:
        self._present = office.current_subscription
        return super().to_representation(office)

    def get_discount(self, office: Office) -> str:
        return self._present.discounts_in_words if self._present else ""

    def get_schedule(self, office: Office) -> str:
        return schedules.told(office, self._present)

    @extend_schema_field(SubscriptionItemSerializer(many=True))
    def get_items(self, office: Office) -> Any:
        items = self._present.present_items if self._present else []
        return SubscriptionItemSerializer(items, many=True).data

    @extend_schema_field(MoneySerializer(allow_null=True))
    def get_monthly_amount(self, office: Office) -> Any:
        return shown(self._present.monthly if self._present else Money(0, office.currency))

    def get_payment_method(self, office: Office) -> dict[str, str] | None:
        if not office.has_payment_method:
            return None
        return {
            "name": office.pays_with,
            "brand": office.payment_method_brand,
            "last4": office.payment_method_last4,
            "expires": office.payment_method_expires,
        }


class PaymentMethodSerializer(serializers.ModelSerializer[PaymentMethod]):
    """What the Office can pay with. ``name`` is what people call it, such as “visa …4242” or “bank account …6789”.

    ``brand`` of anything but a card is Stripe's word for its kind. A card is good to the end of the month ``expires``.
    """

    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField(source="__str__", read_only=True)
    expiry = serializers.SerializerMethodField()

    class Meta:
        model = PaymentMethod
        fields = ["id", "name", "brand", "last4", "expires", "expiry", "is_default"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["valid", "expires this month", "expired"]))
    def get_expiry(self, card: PaymentMethod) -> str:
        return card.expiry(clock.billing())


class PaymentMethodsSerializer(serializers.Serializer[Office]):
    """What the Office has on file to pay with, the default first."""

    payment_methods = serializers.SerializerMethodField()

    @extend_schema_field(PaymentMethodSerializer(many=True))
    def get_payment_methods(self, office: Office) -> Any:
        return PaymentMethodSerializer(on_file(office), many=True).data


class CreditPreviewSerializer(serializers.Serializer[Any]):
    """Above zero is credit in the Office's favour, below zero is owed with the next invoice."""

    before = MoneyField()
    change = MoneyField()
    after = MoneyField()
    as_of = serializers.DateTimeField()
    waits = serializers.CharField(help_text="Why it waits for a second person once it is confirmed, if it does")


class PaymentLinkSerializer(serializers.Serializer[Any]):
    address = serializers.URLField(
        help_text="Anyone who has this address can pay. It is not stored here. To see it again, send the same request"
    )
    expires_at = serializers.DateTimeField()


class PreviewLineSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    amount = MoneyField(help_text="Negative is a credit")
    period_start = serializers.DateTimeField(allow_null=True)
    period_end = serializers.DateTimeField(allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """A possible invoice. If ``now`` is true, it is charged now. Otherwise it comes at ``at``."""

    now = serializers.BooleanField()
    at = serializers.DateTimeField(allow_null=True)
    as_of = serializers.DateTimeField()
    lines = PreviewLineSerializer(many=True)
    discount = MoneyField()
    tax = MoneyField(help_text="All of it: within the prices and on top of them")
    tax_within = MoneyField(help_text="The part of ``tax`` that the amounts of the lines include already")
    total = MoneyField(help_text="Negative is kept as credit")
    charged = MoneyField(help_text="What is charged, after credit")
    put_off = MoneyField(help_text="Too little to be charged. The next invoice asks for it")
    afterwards = serializers.CharField()
    says = serializers.CharField(help_text="What to know besides the amounts")


class EntitlementSerializer(serializers.Serializer[Any]):
    access = serializers.ChoiceField(choices=["full", "none"])
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused, as problem details (RFC 9457)."""

    type = serializers.URLField(help_text="The page that explains this code")
    title = serializers.CharField(help_text="What all refusals with this code have in common")
    status = serializers.IntegerField(help_text="The HTTP status")
    code = serializers.CharField(help_text="The kind of the refusal, for programs. It stays the same")
    detail = serializers.CharField(help_text="What is wrong and what to do, in words that may be shown to a person")
    request_id = serializers.CharField(help_text="By which the vendor finds this request in the log and audit trail")
    decline_code = serializers.CharField(required=False, help_text="Why a payment was declined")
    next_step = serializers.CharField(required=False, help_text="What a person can do about a declined payment")
    payment_page = serializers.URLField(
        required=False,
        allow_null=True,
        help_text="While a subscription waits for its first payment: the page at Stripe where it is completed. Open it "
        "now and do not store it. Null if it is not known at this moment",
    )
    fields = serializers.DictField(  # type: ignore[assignment]  # the name is the API's
        required=False, help_text="What is wrong with each field, by its name"
    )
