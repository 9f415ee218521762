"""Closing an Office's file, and opening it again. Stripe is not asked; each attempt is in the audit trail."""

import contextlib
from collections.abc import Iterator

from django.db import transaction

from billing import clock, errors
from billing.access import grants
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.open_links import may_have_link
from billing.operations.protocol import asked_by, unsettled


def archive_office(office: Office, *, by: Actor, reason: str) -> Office:
    """Nothing of the Office's billing changes any more, and its members see it no more. Nothing is deleted.

    For the vendor's staff alone.

    Raises:
        StaffOnly, ReasonRequired: as for every operation.
        OfficeArchived: it is archived already.
        StillBilled: a subscription is live, something is due, or a payment link may be open.
        OperationInProgress: nobody knows yet how another change ended.
    """
    with _on_record("archive_office", office, by=by, reason=reason):
        fresh = _locked(office)
        if fresh.archived_at:
            raise errors.OfficeArchived(fresh)
        if fresh.has_live_subscription:
            raise errors.StillBilled(fresh, f"its subscription is {fresh.subscription_status}. Cancel it first.")
        if fresh.balance_due:
            raise errors.StillBilled(fresh, f"{fresh.balance} are due. Collect, void or write off its open invoices.")
        if other := unsettled(fresh):
            raise errors.OperationInProgress(other, asked_by(other, by))
        if may_have_link(fresh):
            raise errors.StillBilled(fresh, "somebody could still pay for it. Withdraw its payment link first.")
        fresh.archived_at = clock.wall()
        fresh.save(update_fields=["archived_at"])
        grants.write_grants_of(fresh)
    return fresh


def unarchive_office(office: Office, *, by: Actor, reason: str) -> Office:
    """The Office can be billed again, and its members see it as before. For the vendor's staff alone.

    Raises:
        StaffOnly, ReasonRequired: as for every operation.
        NotArchived: there is nothing to bring back.
    """
    with _on_record("unarchive_office", office, by=by, reason=reason):
        fresh = _locked(office)
        if not fresh.archived_at:
            raise errors.NotArchived(fresh)
        fresh.archived_at = None
        fresh.save(update_fields=["archived_at"])
        grants.write_grants_of(fresh)
    return fresh


@contextlib.contextmanager
def _on_record(what: str, office: Office, *, by: Actor, reason: str) -> Iterator[None]:
    """What is written inside is one transaction, by this person and for this reason; a refusal is recorded too."""
    with trail.acting(by, office=office, reason=reason):
        try:
            grants.require_vendor(by, "change_office", to="archive an Office or bring it back")
            trail.stated(reason)
            with transaction.atomic(durable=True):
                yield
        except errors.BillingError as refusal:
            trail.record_refusal(office, f"{what}: {refusal.on_record}")
            raise


def _locked(office: Office) -> Office:
    """No operation begins before the transaction ends."""
    return Office.objects.select_for_update().get(pk=office.pk)
