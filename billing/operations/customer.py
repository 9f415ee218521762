"""The Office as Stripe's customer: made, addressed, let into Stripe's own portal."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from billing import errors
from billing.audit.actor import Actor
from billing.findings import CONTACT_DIFFERS, resolve
from billing.models import Office, Operation
from billing.operations.bodies import operation_body
from billing.operations.protocol import perform, perform_and_tell
from billing.operations.run import Run, Step
from billing.projection import link_customer
from billing.stripe_api import charging, client, gateway

CONTACT = ("name", "billing_email", "locale")


def ensure_customer(office: Office, *, by: Actor, reason: str) -> Office:
    """The Office is a customer at Stripe. Money does not move. Repeating is a no-op.

    Raises: as ``billing.operations.protocol.perform``.
    """
    if office.payment_provider_customer_id:
        return office
    return perform("ensure_customer", office, by=by, reason=reason, request={}, guard=lambda _: None)


def change_contact(
    office: Office,
    *,
    by: Actor,
    reason: str,
    name: str | None = None,
    billing_email: str | None = None,
    locale: str | None = None,
) -> Office:
    """Invoices are addressed so, here and at Stripe; what is not given stays. Money does not move.

    The address itself is on the Office, in its audit trail and in the request to Stripe; the operation says it masked.

    Raises:
        ContactInvalid, NothingToChange: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/api/customers/update
    """
    given = {"name": name, "billing_email": billing_email, "locale": locale}
    wanted = {field: " ".join(value.split()) for field, value in given.items() if value is not None}

    def guard(fresh: Office) -> None:
        _check_contact(fresh, wanted)

    def begun(operation: Operation) -> None:
        """The address is written down where the request is, and there alone."""
        run, fresh = Run(operation), Office.objects.get(pk=office.pk)
        after = {field: wanted.get(field, getattr(fresh, field)) for field in CONTACT}
        params = gateway.contact(
            name=after["name"], email=after["billing_email"], locale=after["locale"], operation=run.id
        )
        path = gateway.path_of(fresh.payment_provider_customer_id or "")
        run.step("contact").intend("post", path, params, client.API_VERSION)

    present = Office.objects.values(*CONTACT).get(pk=office.pk)
    request = {
        "before": _masked({field: present[field] for field in wanted}),
        "after": _masked(wanted),
    }
    return perform("update_customer", office, by=by, reason=reason, request=request, guard=guard, begun=begun)


def open_portal(office: Office, *, by: Actor, reason: str) -> str:
    """The address of Stripe's portal for this Office, for whoever opens it within minutes; it is stored nowhere.

    There the Office can pay and change cards, as the portal is set up at Stripe: **money may move**.

    Raises:
        DeterminationMissing, NoCustomer: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform_and_tell``.
    Source: https://docs.stripe.com/customer-management
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        if not fresh.is_customer:
            raise errors.NoCustomer(fresh)

    return perform_and_tell("open_portal", office, by=by, reason=reason, request={}, guard=guard)


def customer_of(run: Run, office: Office) -> str:
    """The Office's customer id; the customer is created where there is none."""
    office.refresh_from_db(fields=["payment_provider_customer_id"])
    if office.payment_provider_customer_id:
        return office.payment_provider_customer_id
    customer = gateway.create_customer(office, operation=run.id, step=run.step("customer"))
    return link_customer(office.pk, customer).payment_provider_customer_id or ""


def customer_made(run: Run, office: Office) -> str:
    """The Office's customer id, also where this operation made the customer and no answer said so; else empty.

    It is looked for by the address that it was made with: the Office may have another by now.
    """
    office.refresh_from_db(fields=["payment_provider_customer_id"])
    if office.payment_provider_customer_id:
        return office.payment_provider_customer_id
    asked = run.step("customer").recorded()
    customer = gateway.find_customer(asked["email"], operation=run.id) if asked else ""
    if customer:
        link_customer(office.pk, customer)
    return customer


def return_url() -> str:
    """Where Stripe's pages lead back to: a page that says only that it is done."""
    return settings.SITE_URL + reverse("returned")


def refuse_deleted(office: Office) -> None:
    if office.customer_deleted_at:
        raise errors.NoCustomer(office)


def _check_contact(office: Office, wanted: dict[str, str]) -> None:
    refuse_deleted(office)
    try:
        Office(**wanted).clean_fields(exclude={field.name for field in Office._meta.fields} - set(wanted))
    except ValidationError as error:
        wrong = [f"{field.replace('_', ' ')}: {' '.join(words)}" for field, words in error.message_dict.items()]
        raise errors.ContactInvalid(" ".join(wrong)) from None
    differs = office.findings.filter(kind=CONTACT_DIFFERS, resolved_at=None)
    if all(getattr(office, field) == value for field, value in wanted.items()) and not differs.exists():
        raise errors.NothingToChange("these are the Office's name, address and language already.")


def _masked(contact: dict[str, str]) -> dict[str, str]:
    """As it may be kept with the operation: ``b…@maple.example``."""
    shown = dict(contact)
    if "billing_email" in shown:
        local, _, domain = shown["billing_email"].rpartition("@")
        shown["billing_email"] = f"{local[:1]}…@{domain}"
    return shown


def _addressed(office: Office, step: Step) -> None:
    """Our own columns are what Stripe was told."""
    told = step.recorded()
    office.refresh_from_db(fields=CONTACT)
    after = {"name": told["name"], "billing_email": told["email"], "locale": told["preferred_locales"][0]}
    resolve(CONTACT_DIFFERS, str(office.public_id), resolution="Stripe was told")
    changed = [field for field, value in after.items() if getattr(office, field) != value]
    for field in changed:
        setattr(office, field, after[field])
    if changed:
        with transaction.atomic(durable=True):
            office.save(update_fields=changed)


def _was_made(run: Run, office: Office) -> bool:
    return bool(customer_made(run, office))


def _was_addressed(run: Run, office: Office) -> bool:
    done = gateway.fetch_customer(office.payment_provider_customer_id or "").operation == run.id
    if done:
        _addressed(office, run.step("contact"))
    return done


def _cannot_be_found(run: Run, office: Office) -> bool:
    """Stripe lists no portal links; one whose address nobody was told is of no use and soon void."""
    return False


@operation_body("ensure_customer", search=_was_made)
def _ensure_customer(run: Run, office: Office) -> None:
    customer_of(run, office)


@operation_body("update_customer", search=_was_addressed)
def _update_customer(run: Run, office: Office, *, before: dict[str, str], after: dict[str, str]) -> None:
    step = run.step("contact")
    if office.payment_provider_customer_id:
        gateway.update_customer(office.payment_provider_customer_id, step.recorded(), step=step)
    _addressed(office, step)


@operation_body("open_portal", search=_cannot_be_found)
def _open_portal(run: Run, office: Office) -> None:
    customer = office.payment_provider_customer_id or ""
    run.told = gateway.create_portal_link(customer, return_url=return_url(), step=run.step("portal"))
