"""Forms for amounts that people type."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from billing import money
from billing.admin.forms import WhyForm

DIGITS = "Write digits and a decimal point, such as 1299.00. No comma, no space and no sign of a currency."


class AmountField(forms.DecimalField):
    """A field for digits with a decimal point. Other numbers that Python reads, such as 1e3 and 1_000, are refused."""

    default_error_messages = {"invalid": DIGITS}

    def to_python(self, value: Any) -> Any:
        if not re.fullmatch(r"\s*-?[0-9]*\.?[0-9]*\s*", str(value or "")):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class AmountForm(WhyForm):
    """A form for an amount as a person writes it. The cleaned value is in minor units."""

    amount = AmountField(min_value=0, max_digits=14, widget=UnfoldAdminDecimalFieldWidget)
    currency = ""

    def ask_in(self, currency: str, help_text: str) -> None:
        self.currency = currency
        field = self.fields["amount"]
        field.label = f"Amount in {currency.upper()}"
        field.help_text = help_text

    def offer(self, left: money.Money) -> None:
        """Suggest all that is left as the amount."""
        self.ask_in(left.currency, f"At most {left}. That is all that is left.")
        self.initial["amount"] = left.decimal

    def clean_amount(self) -> int:
        return in_minor_units(self.cleaned_data["amount"], self.currency)


def in_minor_units(written: Decimal, currency: str) -> int:
    """Return the amount in minor units.

    In many countries 1.000 is a thousand: three decimals are refused, also if they are zero, unless the currency has
    three.

    Raises: ValidationError: the currency has fewer decimals.
    """
    exponent = written.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > max(money.decimals(currency), 2):
        raise forms.ValidationError(f"{currency.upper()} has fewer decimals than that. {DIGITS}")
    try:
        return money.from_decimal(written, currency).amount
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None
