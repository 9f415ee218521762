"""Operations on an Office as a customer."""

from typing import Any

from rest_framework import serializers as fields

from billing.api.operations import OperationView
from billing.api.serializers import OfficeSerializer
from billing.operations.engine import reasons


class OfficeOperation(OperationView):
    shown = OfficeSerializer


class CreditOperation(OfficeOperation):
    """Changes the credit. The reason must be a code of the catalogue that needs no note."""

    def reason(self) -> fields.Field[Any, Any, Any, Any]:
        return fields.ChoiceField(choices=[code for code in reasons.CATALOGUE if code not in reasons.NEEDS_NOTE])
