"""What the demo's people did this morning, so that no list of the admin that they would use is empty."""

from datetime import timedelta

from billing import clock
from billing.access import emergency, invitations, services
from billing.audit import actor, trail
from billing.bulk import follow_ups as bulk_follow_ups
from billing.bulk import starting
from billing.models import Membership, Office, ServiceIdentity, User
from billing.operations import follow_ups
from demo.seed_names import FINANCE, SECOND, STAFF

OWES = "Willow Women's Health"
CALLED = ("Harbor Pediatrics", "Elm Park Dental")


def work() -> None:
    """Write notes, assign an Office, invite somebody, give a service its secret, and an emergency role and its end."""
    olive, ada, fay = (User.objects.get(email=email) for email in (STAFF, SECOND, FINANCE))
    operator, administrator = actor.person(olive), actor.person(ada)
    office = Office.objects.get(name=OWES)
    follow_ups.write_note(office, by=operator, text="Called. A new card comes this week.")
    follow_ups.assign(office, by=operator, to=olive, reason="payment_problem")
    starting.start(
        bulk_follow_ups.NOTE,
        list(Office.objects.filter(name__in=CALLED)),
        by=operator,
        reason="the prices of next year",
        given={"text": "Told about the prices of next year.", "kind": "note"},
    )
    invitations.invite("support@vendor.example", "support", by=administrator)
    invitations.invite(
        "frontdesk@harbor.example",
        Membership.Role.MANAGER,
        office=Office.objects.get(name="Harbor Pediatrics"),
        by=administrator,
    )
    with trail.acting(administrator, reason="the product asks at each login"):
        service = ServiceIdentity.objects.create(
            name="The product",
            scopes=["entitlement:read"],
            all_offices=True,
            expires_at=clock.wall() + timedelta(days=90),
        )
        services.give_secret(service, by=administrator)
    role = emergency.give(fay, "operator", by=administrator, reason="nobody else was there")
    emergency.end(role, by=administrator, reason="it is done")
