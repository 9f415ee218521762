"""People and plans for the smoke test, which imports this module inside Django. Everything else happens over HTTP."""

from billing.access import grants
from billing.audit import actor, trail
from billing.models import Membership, Office, User
from billing.operations.catalogue import publish_plans
from demo.seed import catalogue, people
from demo.seed_names import OFFICE, OWNER
from demo.stack import demo_password

BY = actor.job("smoke test")


def join() -> None:
    """Make the owner a member of the Office."""
    with trail.acting(BY, reason="the smoke test's cast"):
        member = Membership(user=User.objects.get(email=OWNER), office=Office.objects.get(name=OFFICE))
        member.role = Membership.Role.OWNER
        member.save()
        grants.write_grants(member)


with trail.acting(BY, reason="the smoke test's cast"):
    people(demo_password())
    catalogue()
publish_plans(by=BY, reason="the smoke test's plans")
