"""The one shape of an amount in each answer: minor units, currency, and as people read it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as fields
from rest_framework.fields import get_attribute

from billing.money import Money


class MoneySerializer(fields.Serializer[Any]):
    """An amount of one currency."""

    amount = fields.IntegerField(
        help_text="Minor units of the currency: cents of `usd`, yen of `jpy`, thousandths of `kwd`"
    )
    currency = fields.CharField()
    formatted = fields.CharField(help_text="As the vendor's staff see it, such as `1,299.00 USD`. Do not read it back")


def shown(money: Money) -> dict[str, Any] | None:
    """Return the amount as each answer has it. None: no currency is known yet, so there is no amount."""
    if not money.currency:
        return None
    return {"amount": money.amount, "currency": money.currency, "formatted": str(money)}


@extend_schema_field(MoneySerializer)
class MoneyField(fields.Field[Any, Any, Any, Any]):
    """An amount: a ``Money``, or minor units with their ``currency`` in the column of this name beside them."""

    def __init__(self, *, currency: str = "currency", **of_the_framework: Any) -> None:
        super().__init__(read_only=True, **of_the_framework)
        self.currency = currency

    def get_attribute(self, instance: Any) -> Any:
        found = super().get_attribute(instance)
        if found is None or isinstance(found, Money):
            return found
        beside = [*self.source_attrs[:-1], *self.currency.split(".")]
        return Money(found, get_attribute(instance, beside))

    def to_representation(self, value: Money) -> dict[str, Any] | None:
        return shown(value)
