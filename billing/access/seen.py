"""The one Office that somebody asks to see by its public id. The API and the pages for Offices both ask here."""

from typing import Any

from billing import errors
from billing.access import grants, second_factor
from billing.access.roles import Power
from billing.models import Office, ServiceIdentity, User


def office(caller: User | ServiceIdentity, public_id: Any) -> Office:
    """Return the Office, with its plan, if the caller may see its billing.

    Raises:
        Office.DoesNotExist: there is none, or the caller may not know of it.
        SecondFactorToEnrol: a member without a second factor, and the Office requires one.
    """
    try:
        return grants.offices_where(caller, Power.LOOK).select_related("current_plan").get(public_id=public_id)
    except Office.DoesNotExist:
        awaits = second_factor.offices_that_await_it(caller) if isinstance(caller, User) else None
        if awaits is not None and awaits.filter(public_id=public_id).exists():
            raise errors.SecondFactorToEnrol(second_factor.page()) from None
        raise
