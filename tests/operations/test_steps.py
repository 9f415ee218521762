from datetime import timedelta

from billing import clock
from billing.audit import actor, trail
from billing.models import Operation
from billing.operations.engine.steps import Step
from billing.stripe_api import client


def test_a_step_that_is_asked_again_goes_where_it_went_first(stripe, subscribed, office):
    """Stripe refuses a key that comes with another address, and what was recorded is what is done."""
    with trail.acting(actor.job("tests"), reason="tests"):
        operation = Operation.objects.create(
            office=office, kind="open_portal", actor_kind="job", lease_until=clock.wall() + timedelta(minutes=1)
        )
    customer = subscribed.payment_provider_customer_id
    first, other = f"/v1/customers/{customer}", "/v1/customers/cus_somebodyElse1"
    client.post(first, {"name": "Elm Street Practice"}, step=Step(operation, "contact"))
    stripe.forget_requests()

    client.post(other, {"name": "Oak Street Practice"}, step=Step(operation, "contact"))

    [again] = stripe.requests("POST")
    assert again["path"] == first
    assert stripe.listed("customers")[0]["name"] == "Elm Street Practice"
