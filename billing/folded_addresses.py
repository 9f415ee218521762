"""E-mail addresses that are not stored in the form by which they are compared are written anew.

Saving a row gives its address that form. What is mended here was written by the version before, which knows no such
form and may run for some minutes beside this one.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction

from billing import jobs
from billing.audit import actor, trail
from billing.findings import ADDRESSES_ALIKE, report
from billing.folding import fold_address
from billing.models import Invitation, User

ADDRESSED: tuple[type[User | Invitation], ...] = (User, Invitation)


@jobs.job("fold-addresses", every=timedelta(hours=1))
def fold_addresses() -> None:
    """Write each one in its form. Where another row has it already, a finding says so, and both stay."""
    for model in ADDRESSED:
        rows = model._default_manager.order_by("pk").values_list("pk", "email")
        for pk in [pk for pk, address in rows.iterator() if address != fold_address(address)]:
            _mend(model._default_manager.get(pk=pk))


def _mend(row: User | Invitation) -> None:
    try:
        with transaction.atomic(), trail.acting(actor.job("fold-addresses"), reason="letters beyond ASCII are small"):
            row.email = fold_address(row.email)
            row.save(update_fields=["email"])
    except IntegrityError:
        what = row._meta.verbose_name
        report(
            ADDRESSES_ALIKE,
            f"{what} {row.public_id}",
            office=None,
            detail=f"The e-mail address of a row ({what} {row.public_id}) is that of another one, but for the size "
            "of its letters beyond ASCII. Nobody is found by it. Change or deactivate one of the two.",
        )
