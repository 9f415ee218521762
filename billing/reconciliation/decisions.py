"""What a person can do about a finding. The audit trail says who did it and why. Nothing changes at Stripe."""

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.findings import KINDS, decide, end, resolve
from billing.models import Finding, Office
from billing.projection import link_customer
from billing.reconciliation import adoption, drift, stages
from billing.reconciliation.drift import Result
from billing.stripe_api.gateway import lists

ABOUT_ROWS = (drift.KIND, drift.NOT_COMPARED)


def compare_office(office: Office, *, by: Actor, reason: str) -> Result:
    """Compare all that Stripe lists of the Office with its rows, and repair what differs. Repeating is safe.

    The findings about what is equal now are over. If the look failed, nothing was compared, and no finding is over.

    Raises:
        NotPermitted, ReasonRequired, TextNotNeutral, NoCustomer.
        StripeUnavailable: what was repaired before it stays repaired.
    """
    _require(by, office, to="compare an Office with Stripe")
    reason = trail.checked_reason(reason)
    if not office.payment_provider_customer_id:
        raise errors.NoCustomer(office)
    with trail.acting(by, office=office, reason=reason):
        suspects = adoption.build(stages.of_one(office))
        result = drift.repair(suspects, by_hand=True)
        trail.record_act(office, f"compared with Stripe: {result.drifted} repaired, {result.left} left")
        if str(office.public_id) not in result.differs:
            over = Finding.objects.filter(office=office, kind__in=ABOUT_ROWS).exclude(subject__in=result.differs)
            end(over, resolution=f"compared again by {by.label}")
    return result


def link_found_customer(finding: Finding, *, by: Actor, reason: str) -> Office:
    """Link the found customer to its Office, and compare the Office with Stripe.

    Raises:
        What ``compare_office`` raises.
        FindingOver: the finding is resolved, or the Office or the customer is linked to another one.
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
    """Make an Office of the found customer, and compare it with Stripe.

    Raises:
        What ``compare_office`` raises.
        FindingOver: the finding is resolved, or the customer no longer subscribes to one of our plans.
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
    """Close the finding, and keep it closed: the same facts do not open it again. Other facts open a new one.

    Raises:
        NotPermitted, ReasonRequired, TextNotNeutral.
        FindingOver: it is resolved already.
        FindingClosesItself: it tells of what no person can decide.
    """
    _require(by, finding, to="close a finding")
    if finding.resolved_at is not None:
        raise errors.FindingOver
    if not may_close(finding):
        raise errors.FindingClosesItself
    reason = trail.checked_reason(reason)
    with trail.acting(by, office=finding.office, reason=reason):
        if not decide(finding, resolution=f"closed by {by.label}: {reason}"[:200]):
            raise errors.FindingOver
        trail.record_act(finding, f"closed a finding: {finding.kind}", office=finding.office)


def may_close(finding: Finding) -> bool:
    """Return whether a person can close it. Kinds of an older version can be closed."""
    return finding.kind not in KINDS or KINDS[finding.kind].by_person


def _require(by: Actor, subject: Office | Finding, *, to: str) -> None:
    """Refuse an actor without the permission, and record the refusal. Raises: NotPermitted."""
    try:
        roles.require(by, Power.OPERATE, to=to)
    except errors.NotPermitted as refusal:
        with trail.acting(by):
            trail.record_refusal(subject, f"may not {to}", code=refusal.code)
        raise


def _is_open(finding: Finding, kind: str) -> bool:
    return finding.kind == kind and finding.resolved_at is None
