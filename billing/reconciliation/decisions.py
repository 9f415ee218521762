"""What a person does about what was found: each act is on record, with who and why. Nothing changes at Stripe."""

from billing import errors
from billing.access import roles
from billing.audit import trail
from billing.audit.actor import Actor
from billing.findings import resolve
from billing.models import Finding, Office
from billing.projection import link_customer
from billing.reconciliation import adoption, drift, stages
from billing.reconciliation.drift import Result
from billing.stripe_api.gateway import lists

ABOUT_ROWS = (drift.KIND, drift.NOT_COMPARED)


def compare_office(office: Office, *, by: Actor, reason: str) -> Result:
    """All that Stripe lists of the Office was held against its rows, and what differed was repaired. Safe to repeat.

    Raises:
        NotPermitted, ReasonRequired, TextNotNeutral, NoCustomer.
        StripeUnavailable: what was repaired before stays so.
    """
    _require(by, office, to="compare an Office with Stripe")
    reason = trail.checked_reason(reason)
    if not office.payment_provider_customer_id:
        raise errors.NoCustomer(office)
    with trail.acting(by, office=office, reason=reason):
        suspects = adoption.build(stages.of_one(office))
        result = drift.repair(suspects, by_hand=True)
        trail.record_act(office, f"compared with Stripe: {result.drifted} repaired, {result.left} left")
        if not result.left:
            for found in Finding.objects.filter(office=office, kind__in=ABOUT_ROWS, resolved_at=None):
                resolve(found.kind, found.subject, resolution=f"compared again by {by.label}")
    return result


def link_found_customer(finding: Finding, *, by: Actor, reason: str) -> Office:
    """The Office has the customer that says it is it, with all that Stripe lists of it.

    Raises: as ``compare_office``; FindingOver: it is resolved already, or one of the two has another.
    """
    office, others = finding.office, Office.objects.filter(payment_provider_customer_id=finding.subject)
    _require(by, office or finding, to="link a customer")
    if office is None or not _is_open(finding, "customer_not_linked") or others.exclude(pk=office.pk).exists():
        raise errors.FindingOver
    if (office.payment_provider_customer_id or finding.subject) != finding.subject:
        raise errors.FindingOver
    with trail.acting(by, office=office, reason=trail.checked_reason(reason)):
        office = link_customer(office.pk, finding.subject)
    compare_office(office, by=by, reason=reason)
    resolve(finding.kind, finding.subject, resolution=f"linked by {by.label}")
    return Office.objects.get(pk=office.pk)


def adopt_found_customer(finding: Finding, *, by: Actor, reason: str) -> Office:
    """The customer has an Office now, with all that Stripe lists of it.

    Raises: as ``compare_office``; FindingOver: it is resolved already, or subscribes to no plan of ours any more.
    """
    _require(by, finding, to="adopt a customer")
    if not _is_open(finding, "unknown_customer"):
        raise errors.FindingOver
    reason = trail.checked_reason(reason)
    office = Office.objects.filter(payment_provider_customer_id=finding.subject).first()
    if office is None:
        ours = adoption.of_ours(lists.subscriptions(customer=finding.subject, with_owners=True).objects)
        if not ours:
            raise errors.FindingOver
        with trail.acting(by, reason=reason):
            office = adoption.adopt_one(ours)
    compare_office(office, by=by, reason=reason)
    resolve(finding.kind, finding.subject, resolution=f"adopted by {by.label}")
    return Office.objects.get(pk=office.pk)


def close(finding: Finding, *, by: Actor, reason: str) -> None:
    """Somebody has seen to it. What still holds is found anew.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral; FindingOver.
    """
    _require(by, finding, to="close a finding")
    if finding.resolved_at is not None:
        raise errors.FindingOver
    reason = trail.checked_reason(reason)
    with trail.acting(by, office=finding.office, reason=reason):
        trail.record_act(finding, f"closed a finding: {finding.kind}", office=finding.office)
        resolve(finding.kind, finding.subject, resolution=f"closed by {by.label}: {reason}"[:200])


def _require(by: Actor, subject: Office | Finding, *, to: str) -> None:
    """Raises: NotPermitted, and the refusal is on record."""
    try:
        roles.require(by, "manage_billing", to=to)
    except errors.NotPermitted:
        with trail.acting(by):
            trail.record_refusal(subject, f"may not {to}")
        raise


def _is_open(finding: Finding, kind: str) -> bool:
    return finding.kind == kind and finding.resolved_at is None
