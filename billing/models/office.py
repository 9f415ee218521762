"""The Office: a medical practice that the vendor bills.

``billing.projection`` writes the columns that mirror Stripe. Only its own name, e-mail address and settings are edited.
"""

import uuid
from typing import TYPE_CHECKING

from django.core.validators import RegexValidator
from django.db import models
from django.utils.functional import cached_property

from billing import clock, method_names
from billing.models.searched import Part, Searched
from billing.models.statuses import LIVE, SubscriptionStatus
from billing.money import Money, credit_in_words, of_each

if TYPE_CHECKING:
    from billing.models.payment_method import PaymentMethod
    from billing.models.subscription import Subscription

NAMELESS = "Office without a name"
"""How the name begins that an Office gets if its customer at Stripe had none."""
READ_AS = 2
"""As which version of our columns Stripe's objects are read. Raise it when a projected column comes, or means something
else. Then the next comparison fills in the rows of before, and what it fills in is no drift."""
LOCALE = RegexValidator(r"\A[a-z]{2,3}(-([A-Z]{2}|[0-9]{3}))?\Z", "A language is given as in: en, es, pt-BR, es-419.")


def read_now() -> int:
    return READ_AS


class Office(Searched):
    ADDRESS = "billing_email"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200, help_text="The practice's name. Never a patient's.")
    billing_email = models.EmailField(help_text="Where Stripe sends invoices.")
    time_zone = models.CharField(max_length=64, default="America/New_York")
    locale = models.CharField(max_length=10, default="en", validators=[LOCALE])
    currency = models.CharField(max_length=3, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.wall, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    requires_second_factor = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Its members see it only if they have a second factor.",
    )
    test_clock = models.CharField(max_length=255, blank=True, editable=False)

    look_ticket = models.BigIntegerField(default=0, editable=False)
    customer_ticket = models.BigIntegerField(default=0, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    schedules_ticket = models.BigIntegerField(default=0, db_default=0, editable=False)
    reconciled_at = models.DateTimeField(null=True, editable=False, help_text="Last seen in Stripe's list of customers")
    read_as = models.PositiveSmallIntegerField(
        default=read_now, db_default=0, editable=False, help_text="Which READ_AS all of its rows are as"
    )
    customer_deleted_at = models.DateTimeField(null=True, editable=False)

    payment_provider_customer_id = models.CharField(max_length=255, unique=True, null=True, editable=False)  # noqa: DJ001
    payment_provider_subscription_id = models.CharField(max_length=255, blank=True, editable=False)
    subscription_status = models.CharField(max_length=20, blank=True, editable=False, db_index=True)
    current_plan = models.ForeignKey(
        "billing.Plan", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    quantity = models.PositiveIntegerField(default=0, editable=False)
    billing_cycle_anchor_date = models.DateTimeField(null=True, editable=False)
    current_period_start = models.DateTimeField(null=True, editable=False)
    current_period_end = models.DateTimeField(null=True, editable=False)
    trial_end = models.DateTimeField(null=True, editable=False)
    cancel_at = models.DateTimeField(null=True, editable=False)
    collection_paused = models.CharField(max_length=20, blank=True, editable=False)
    collection_paused_until = models.DateTimeField(null=True, editable=False)
    past_due_since = models.DateTimeField(null=True, editable=False)
    balance_due = models.BigIntegerField(default=0, editable=False, help_text="Minor units in the currency")
    other_debts = models.JSONField(
        null=True,
        default=dict,
        editable=False,
        help_text="What is due in other currencies: minor units by currency",
    )
    also_live = models.JSONField(
        null=True,
        default=list,
        editable=False,
        help_text="What decides about access, of further live subscriptions, which should not be",
    )
    coming_schedules = models.JSONField(
        null=True,
        editable=False,
        help_text="Its schedules at Stripe that have not started, as billing.schedules stores them. Empty: none",
    )
    credit_balance = models.BigIntegerField(
        default=0,
        editable=False,
        help_text="Minor units in the Office's favour; below zero: owed with the next invoice",
    )
    other_credits = models.JSONField(
        null=True,
        default=dict,
        editable=False,
        help_text="Credit in other currencies, for invoices in these: minor units by currency",
    )
    credit_currency = models.CharField(max_length=3, db_default="", blank=True, editable=False)
    payment_method_brand = models.CharField(max_length=20, blank=True, editable=False)
    payment_method_last4 = models.CharField(max_length=4, blank=True, editable=False)
    payment_method_expires = models.CharField(max_length=7, blank=True, editable=False, help_text="YYYY-MM")

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["name", "id"], name="office_by_name"),
            models.Index(
                # not by archived_at, as SQLite would then take it wherever archived Offices are left out
                fields=["subscription_status", "current_plan"],
                name="office_unarchived_by_status",
                condition=models.Q(archived_at=None),
            ),
            models.Index(fields=["archived_at"], name="office_archived", condition=models.Q(archived_at__isnull=False)),
            models.Index(fields=["subscription_status", "past_due_since"], name="office_by_past_due"),
            models.Index(fields=["trial_end", "id"], name="office_by_trial_end"),
            models.Index(fields=["payment_method_expires", "current_period_end"], name="office_by_expiry"),
            models.Index(fields=["subscription_status", "name", "id"], name="office_of_status"),
            models.Index(fields=["current_period_end", "id"], name="office_by_period_end"),
            models.Index(fields=["balance_due", "id"], name="office_by_balance"),
            models.Index(fields=["cancel_at"], name="office_by_end"),
            models.Index(fields=["current_plan", "name", "id"], name="office_by_plan"),
        ]
        permissions = [
            ("view_billing", "May see this Office's billing"),
            ("see_details", "May see e-mail addresses, the last digits of cards and ids at Stripe"),
            ("open_documents", "May open this Office's invoices at Stripe"),
            ("preview_billing", "May ask Stripe what something would cost"),
            ("manage_billing", "May change what is billed to this Office, and how"),
            ("open_portal", "May open Stripe's portal for this Office"),
            ("operate_billing", "May do what only the vendor may do to an Office"),
            ("give_back", "May give money or credit back"),
            ("approve_requests", "May approve what another person asked for"),
            ("manage_members", "May change who belongs to this Office"),
            ("read_trail", "May read the audit trail of this Office"),
            ("export_billing", "May export records"),
            ("export_lists", "May export lists and the journal"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_behind(self) -> bool:
        """Return whether rows of it may still be as a version before read them."""
        return self.read_as < READ_AS

    @property
    def has_a_name(self) -> bool:
        return not self.name.startswith(NAMELESS)

    @property
    def email(self) -> str:
        """Return the e-mail address, under the name that dj-stripe expects."""
        return self.billing_email

    @property
    def current_subscription(self) -> "Subscription | None":
        """Return the row of the subscription that the Office's columns show. No query if all were prefetched."""
        if "subscriptions" in getattr(self, "_prefetched_objects_cache", ()):
            shown = self.payment_provider_subscription_id
            return next((one for one in self.subscriptions.all() if one.stripe_id == shown), None)
        rows = self.subscriptions.select_related("plan_price__plan")
        return rows.filter(stripe_id=self.payment_provider_subscription_id).first()

    @property
    def other_live_subscriptions(self) -> "list[Subscription]":
        """Return the live subscriptions beside the present one, which should not be. No query if there are none."""
        if not self.also_live:
            return []
        others = self.subscriptions.exclude(stripe_id=self.payment_provider_subscription_id)
        return list(others.filter(status__in=LIVE, deleted_at=None).select_related("plan_price__plan"))

    @cached_property
    def is_managed_by_schedule(self) -> bool:
        """Return whether a schedule at Stripe manages the present subscription.

        One query the first time, or none if subscriptions were prefetched. It says what is offered. What is asked for
        is checked again, with the row as it is then.
        """
        if "subscriptions" in getattr(self, "_prefetched_objects_cache", ()):
            present = self.current_subscription
            return present is not None and present.schedule is not None
        rows = self.subscriptions.filter(stripe_id=self.payment_provider_subscription_id)
        return bool(self.payment_provider_subscription_id) and rows.filter(schedule__isnull=False).exists()

    @property
    def has_live_subscription(self) -> bool:
        return self.subscription_status in LIVE

    @property
    def is_trialing(self) -> bool:
        return self.subscription_status == SubscriptionStatus.TRIALING

    @property
    def has_an_end(self) -> bool:
        """Return whether the subscription is live and ends by itself, with this period or on another day."""
        return self.has_live_subscription and self.cancel_at is not None

    @property
    def status_in_words(self) -> str:
        """Return the status, and what changes it: active, ends."""
        if not self.subscription_status:
            return "no subscription"
        ends = ", ends" if self.has_an_end else ""
        paused = ", not collected" if self.collection_paused else ""
        return f"{self.subscription_in_words}{ends}{paused}"

    @property
    def ends_with_this_period(self) -> bool:
        """Return whether the subscription does not renew: no period follows the present one."""
        ends, period = self.cancel_at, self.current_period_end
        return self.has_live_subscription and ends is not None and (period is None or ends <= period)

    @property
    def renews(self) -> bool:
        """Return whether another period follows the present one. Whether it is charged, ``billing.coming`` says."""
        return self.has_live_subscription and not self.ends_with_this_period

    @property
    def methods_on_file(self) -> "list[PaymentMethod]":
        """Return the payment methods that were not removed. No query if all were prefetched."""
        return [one for one in self.payment_methods.all() if not one.detached_at]

    @property
    def has_payment_method(self) -> bool:
        return bool(self.payment_method_brand or self.payment_method_last4)

    @property
    def pays_with(self) -> str:
        """Return what its invoices are charged to, in words. "" if there is nothing."""
        return method_names.called(self.payment_method_brand, self.payment_method_last4)

    @property
    def is_customer(self) -> bool:
        """Return whether Stripe has a customer for it that was not deleted there."""
        return bool(self.payment_provider_customer_id) and self.customer_deleted_at is None

    @property
    def credit(self) -> Money:
        """Return what is taken off the next invoices. Below zero, it is added to them."""
        return Money(self.credit_balance, self.credit_currency or self.currency)

    @property
    def credit_in_words(self) -> str:
        return "; ".join(credit_in_words(one) for one in (self.credit, *self.credits_in_other_currencies))

    @property
    def credits_in_other_currencies(self) -> tuple[Money, ...]:
        return tuple(of_each(self.other_credits or {}))

    @property
    def subscription_in_words(self) -> str:
        return self.subscription_status.replace("_", " ")

    @property
    def debts(self) -> tuple[Money, ...]:
        """Return what is due, an amount for each currency, that of its subscription first. At least one amount."""
        others = self.debts_in_other_currencies
        return (self.balance, *others) if self.balance_due or not others else others

    @property
    def debts_in_other_currencies(self) -> tuple[Money, ...]:
        return tuple(of_each(self.other_debts or {}))

    @property
    def owes_something(self) -> bool:
        return any(one.amount for one in self.debts)

    @property
    def debts_in_words(self) -> str:
        return " and ".join(map(str, self.debts))

    @property
    def balance(self) -> Money:
        """Return what is due in the currency of its subscription. ``debts`` has the other currencies too."""
        return Money(self.balance_due, self.currency)


class OfficePart(Part):
    """A part of an Office's name or e-mail address."""

    subject = models.ForeignKey(Office, on_delete=models.CASCADE, related_name="search_parts", db_index=False)

    class Meta(Part.Meta):
        abstract = False
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["subject", "part"], name="office_part_once")]
        indexes = [
            models.Index(
                fields=["part", "subject"], name="office_by_part", opclasses=["varchar_pattern_ops", "int8_ops"]
            )
        ]
