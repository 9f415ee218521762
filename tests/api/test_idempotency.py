"""A repeated POST has one effect, and one answer that only changes from unknown to settled."""

import json
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import URLResolver, get_resolver
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from billing import clock, errors
from billing.access import grants
from billing.api.idempotency import IdempotentPosts
from billing.api.operations import PreviewView
from billing.audit import actor, trail
from billing.models import AuditEntry, IdempotentRequest, Membership, Office, Operation
from billing.operations.engine import idempotency
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.start import StartSubscription
from billing.worker import work_once
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, a_person, an_office, price, price_id

KEY = "one-and-only"


@pytest.fixture
def client(stripe, office):
    return signed_in(a_member(office, "owner"))


def body(**given):
    return {
        "price": str(price("practice-monthly").public_id),
        "payment_method": "pm_card_visa",
        "reason": "we begin",
        **given,
    }


def start(client, office, key=KEY, **given):
    return client.post(path(office, "subscription/"), body(**given), format="json", HTTP_IDEMPOTENCY_KEY=key)


def cancel(client, office, key=KEY, **given):
    given = {"reason": "we close", **given}
    return client.post(path(office, "subscription/cancel/"), given, format="json", HTTP_IDEMPOTENCY_KEY=key)


def is_replay(answer):
    return answer.headers.get("Idempotent-Replayed") == "true"


def the_same(first, second):
    return (first.status_code, told(first)) == (second.status_code, told(second)) and is_replay(second)


def told(answer):
    """Return it without the request's id: one that is not kept yet is made again for each request."""
    return answer.content and {name: one for name, one in answer.json().items() if name != "request_id"}


def died_before_it_answered():
    IdempotentRequest.objects.update(http_status=None, answer="")


def worker_comes():
    Operation.objects.filter(status__in=["open", "unknown"]).update(lease_until=clock.wall())
    resume_unsettled()


def test_a_repeated_start_charges_once_and_answers_the_same(stripe, client, office):
    first = start(client, office)
    stripe.forget_requests()
    second = start(client, office)

    assert first.status_code == 201
    assert not is_replay(first)
    assert the_same(first, second)
    assert stripe.requests() == []
    assert Operation.objects.count() == 1
    assert IdempotentRequest.objects.get().operation == Operation.objects.get()


def test_the_answer_stays_though_the_office_has_changed_since(stripe, client, office):
    first = start(client, office)
    cancel(client, office, key="another", at_period_end=False)

    assert the_same(first, start(client, office))
    assert Office.objects.get(pk=office.pk).subscription_status == "canceled"


def test_a_repeated_decline_is_the_same_decline_and_the_card_is_not_asked_again(stripe, client, office):
    first = start(client, office, payment_method="pm_card_chargeCustomerFail")
    stripe.forget_requests()
    second = start(client, office, payment_method="pm_card_chargeCustomerFail")

    assert (first.status_code, first.json()["code"]) == (402, "card_declined")
    assert the_same(first, second)
    assert IdempotentRequest.objects.get().http_status == 402
    assert stripe.requests() == []
    assert start(client, office, key="a-second-try").status_code == 201


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"price": "nonsense"}, 422, "plan_unknown"),
        ({"quantity": 3}, 422, "quantity_invalid"),
        ({"payment_method": ""}, 402, "payment_method_required"),
        ({"payment_method": "pm_card_authenticationRequired"}, 402, "authentication_required"),
    ],
)
def test_a_repeated_refusal_is_the_same_and_on_record_once(stripe, client, office, given, status, code):
    first = start(client, office, **given)
    entries = AuditEntry.objects.count()
    second = start(client, office, **given)

    assert (first.status_code, first.json()["code"]) == (status, code)
    assert the_same(first, second)
    assert AuditEntry.objects.count() == entries


def test_a_refusal_stays_though_it_would_be_granted_now(stripe, client, office):
    start(client, office, key="first")
    refused = start(client, office)
    cancel(client, office, key="end", at_period_end=False)

    assert (refused.status_code, refused.json()["code"]) == (409, "live_subscription_exists")
    assert the_same(refused, start(client, office))


def test_a_refused_role_is_refused_again(stripe, office):
    viewer = signed_in(a_member(office, "viewer"))
    first = start(viewer, office)

    assert first.status_code == 403
    assert the_same(first, start(viewer, office))
    assert AuditEntry.objects.filter(kind="refusal").count() == 1


def test_input_that_is_refused_is_not_remembered_so_that_it_can_be_mended(stripe, client, office):
    wrong = start(client, office, quantity="many")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid")
    assert not IdempotentRequest.objects.exists()

    assert start(client, office).status_code == 201


def test_waiting_for_another_operation_is_not_remembered(stripe, client, office):
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    start(client, office, key="first")
    waiting = start(client, office)
    worker_comes()
    settled = start(client, office)

    assert (waiting.status_code, waiting.json()["code"]) == (409, "operation_in_progress")
    assert (settled.status_code, settled.json()["code"]) == (409, "live_subscription_exists")


@pytest.mark.parametrize("where", ["/v1/customers", "/v1/subscriptions", "/v1/invoices"])
def test_a_lost_answer_is_unknown_until_it_settles_and_then_final(stripe, client, office, where):
    stripe.fail_next("503", path_prefix=where, method="POST")
    first = start(client, office)
    still = start(client, office)
    worker_comes()
    settled = start(client, office)

    assert (first.status_code, first.json()["code"]) == (503, "stripe_unavailable")
    assert "not known yet" in first.json()["detail"]
    assert the_same(first, still)
    assert (settled.status_code, settled.json()["status"]) == (201, "active")
    assert is_replay(settled)
    assert the_same(settled, start(client, office))
    assert Operation.objects.count() == 1
    assert len(stripe.listed("charges")) == 1


def test_a_lost_answer_that_turns_out_to_be_a_decline_is_that_decline(stripe, client, office):
    stripe.fail_next("503", path_prefix="/v1/invoices", method="POST")
    card = {"payment_method": "pm_card_chargeCustomerFail"}
    assert start(client, office, **card).status_code == 503
    worker_comes()
    settled = start(client, office, **card)

    assert (settled.status_code, settled.json()["code"]) == (402, "card_declined")
    assert the_same(settled, start(client, office, **card))


def test_a_request_that_stripe_never_did_says_so_for_good(stripe, client, office):
    stripe.fail_next("500_after", path_prefix="/v1/subscriptions", method="POST")
    start(client, office)
    worker_comes()
    abandoned = start(client, office)

    assert Operation.objects.get().status == "abandoned"
    assert abandoned.status_code == 503
    assert "did not do this" in abandoned.json()["detail"]
    assert the_same(abandoned, start(client, office))


def test_killed_between_outcome_and_answer_the_answer_follows_from_the_operation(stripe, client, office):
    started = start(client, office)
    died_before_it_answered()
    assert the_same(started, start(client, office))

    cancelled = cancel(client, office, key="end")
    IdempotentRequest.objects.filter(key=idempotency.digest("end")).update(http_status=None, answer="")
    assert cancelled.status_code == 200
    assert the_same(cancelled, cancel(client, office, key="end"))
    assert Operation.objects.count() == 2


def test_killed_between_decline_and_answer_it_is_the_same_decline(stripe, client, office):
    first = start(client, office, payment_method="pm_card_chargeCustomerFail")
    died_before_it_answered()

    assert the_same(first, start(client, office, payment_method="pm_card_chargeCustomerFail"))


def test_killed_while_stripe_was_asked_it_waits_for_the_worker(stripe, client, office):
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    start(client, office)
    Operation.objects.update(status="open")

    waiting = start(client, office)
    worker_comes()

    assert (waiting.status_code, waiting.json()["code"]) == (409, "request_in_progress")
    assert start(client, office).status_code == 201


@pytest.fixture
def claimed(stripe, client, office):
    """The key is claimed by a twin that has not begun anything: the row that a first request would make."""
    start(client, office, payment_method="")
    row = IdempotentRequest.objects.get()
    assert row.operation is None
    died_before_it_answered()
    return row


def test_a_twin_in_flight_is_told_to_wait(stripe, client, office, claimed):
    answer = start(client, office, payment_method="")

    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert "Wait" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert not is_replay(answer)
    assert not Operation.objects.exists()


def test_killed_before_anything_began_a_repetition_carries_it_out(stripe, client, office, claimed):
    IdempotentRequest.objects.update(lease_until=clock.wall())

    answer = start(client, office, payment_method="")

    assert (answer.status_code, answer.json()["code"]) == (402, "payment_method_required")
    assert not is_replay(answer)
    assert IdempotentRequest.objects.get().http_status == 402


@pytest.mark.usefixtures("commits_are_kept")
def test_a_process_that_lost_its_claim_begins_nothing(stripe, operator, office, claimed):
    IdempotentRequest.objects.update(lease_until=clock.wall())
    _, taken_over = idempotency.claim(claimed.actor, KEY, claimed.body_hash)
    assert taken_over

    with idempotency.carrying_out(claimed), pytest.raises(errors.RequestInProgress):
        perform(
            StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa"),
            office,
            by=operator,
            reason="too late",
        )

    assert not Operation.objects.exists()
    assert stripe.requests() == []
    with pytest.raises(errors.RequestInProgress):
        idempotency.keep(claimed, 201, "{}")
    assert not IdempotentRequest.objects.get().is_answered


class Slow(IdempotentPosts):
    """While it works, its claim lapses and a twin takes the request over, or has given it up already."""

    def carry_out(self, request, **address):
        if request.data["twin"] == "gave up":
            IdempotentRequest.objects.all().delete()
        else:
            IdempotentRequest.objects.update(claim_id=uuid.uuid4())
        if request.data["ends"] == "refused":
            raise errors.RequestInProgress
        return Response({"late": True})


@pytest.mark.parametrize("ends", ["done", "refused"])
@pytest.mark.parametrize("twin", ["works", "gave up"])
def test_what_comes_after_the_claim_was_lost_is_not_the_answer(outsider, ends, twin):
    request = APIRequestFactory().post("/", {"twin": twin, "ends": ends}, format="json", HTTP_IDEMPOTENCY_KEY=KEY)
    force_authenticate(request, outsider.user)

    answer = Slow.as_view()(request)

    assert (answer.status_code, answer.data["code"]) == (409, "request_in_progress")
    assert IdempotentRequest.objects.filter(http_status=None).count() == (twin == "works")


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_many_at_once_are_one(stripe, client, office):
    size, answers = 4, []
    together = threading.Barrier(size)

    def ask():
        together.wait()
        answers.append(start(client, office))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seen = {(answer.status_code, answer.json().get("code"), is_replay(answer)) for answer in answers}
    assert (201, None, False) in seen
    assert seen <= {(201, None, False), (201, None, True), (409, "request_in_progress", False)}
    assert sum(answer.status_code == 201 and not is_replay(answer) for answer in answers) == 1
    assert Operation.objects.count() == 1
    assert len(stripe.listed("charges")) == 1


def test_another_body_or_path_under_the_key_is_refused(stripe, client, office):
    start(client, office)

    for other in (start(client, office, quantity=2), cancel(client, office, **body())):
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
        assert "new key" in other.json()["detail"]
    assert Operation.objects.count() == 1


def test_the_same_body_written_in_another_way_is_the_same(stripe, client, office):
    first = start(client, office)
    backwards = json.dumps(dict(reversed(body().items())), indent=3)
    second = client.post(
        path(office, "subscription/"), backwards, content_type="application/json", HTTP_IDEMPOTENCY_KEY=KEY
    )
    assert the_same(first, second)


def test_the_same_key_of_another_actor_is_another_request(stripe, client, office):
    start(client, office)
    elsewhere = an_office("Another Practice")
    other = a_person("owner@elsewhere.example")
    with trail.acting(actor.job("tests")):
        grants.write_grants(Membership.objects.create(user=other, office=elsewhere, role="owner"))

    answer = start(signed_in(other), elsewhere)

    assert answer.status_code == 201
    assert not is_replay(answer)
    assert Operation.objects.count() == 2


def test_after_the_end_of_a_membership_a_repetition_finds_nothing(stripe, client, office):
    assert start(client, office).status_code == 201
    membership = Membership.objects.get()
    membership.ended_at = clock.wall()
    with trail.acting(actor.job("tests")):
        membership.save()
        grants.write_grants(membership)

    assert start(client, office).status_code == 404


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 256, "schlüssel", "tab\there"])
def test_a_key_that_is_none_is_refused(stripe, client, office, key):
    answer = start(client, office, key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert "255" in answer.json()["detail"]
    assert not Operation.objects.exists()


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_the_longest_and_shortest_keys_are_taken(stripe, client, office, key):
    assert the_same(start(client, office, key=key), start(client, office, key=key))


def test_without_a_key_each_request_is_its_own(stripe, client, office):
    first = client.post(path(office, "subscription/"), body(), format="json")
    second = client.post(path(office, "subscription/"), body(), format="json")

    assert (first.status_code, second.status_code) == (201, 409)
    assert not IdempotentRequest.objects.exists()


def test_a_success_without_an_operation_is_remembered_too(stripe, client, office):
    start(client, office)
    cancel(client, office, key="end")
    nothing_to_do = cancel(client, office, key="end-again")

    assert nothing_to_do.status_code == 200
    assert the_same(nothing_to_do, cancel(client, office, key="end-again"))
    assert Operation.objects.count() == 2


def test_after_a_day_the_worker_forgets_what_is_settled(stripe, client, office):
    start(client, office, key="settled")
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    assert cancel(client, office, key="unknown").status_code == 503
    cancel(client, office, key="refused", at_period_end=False)
    old = clock.wall() - idempotency.KEPT_FOR - timedelta(minutes=1)
    IdempotentRequest.objects.update(created_at=old + timedelta(minutes=2))
    work_once()
    assert IdempotentRequest.objects.count() == 2

    IdempotentRequest.objects.update(created_at=old)
    idempotency.purge()

    assert IdempotentRequest.objects.get().key == idempotency.digest("unknown")
    assert Operation.objects.count() == 2


def test_an_operation_asked_for_elsewhere_belongs_to_no_request(stripe, client, operator, office):
    start(client, office)
    perform(CancelSubscription(), Office.objects.get(pk=office.pk), by=operator, reason="by phone")

    assert Operation.objects.filter(idempotent_request=None).get().kind == "cancel"


NOT_IDEMPOTENT = {
    "api:sign-in": "the answer holds a token, and none is ever stored",
    "api:own-password": "the body holds passwords, and the token that would repeat it is void afterwards",
    "api:sign-out": "the token that would repeat it is void afterwards",
    "api:payment-methods": "the answer holds a client secret",
    "api:card-link": "the answer holds a link that lets anybody in",
    "api:portal": "the answer holds a link that lets anybody in",
    **dict.fromkeys(
        ("api:members", "api:change-member", "api:remove-member", "api:withdraw-invitation"),
        "it says what shall be so: repeating changes nothing",
    ),
    "api:preview-approval": "it changes nothing",
    "api:turn-down": "a request for approval is decided once: a repeated decision is refused",
    "api:withdraw-request": "a request for approval is decided once: a repeated decision is refused",
}


def posts():
    """The view class of every POST of the API, by the name of its address."""

    def walk(resolver, namespace):
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                yield from walk(entry, entry.namespace or namespace)
            elif namespace == "api":
                view = getattr(entry.callback, "cls", None)
                assert view is not None, f"{entry.name} is not a view of the REST framework"
                if hasattr(view, "post"):
                    yield f"api:{entry.name}", view

    found = list(walk(get_resolver(), None))
    assert len(dict(found)) == len(found), "each address has a name of its own"
    return dict(found)


def test_every_post_takes_a_key_or_is_exempt_for_a_reason():
    assert len(posts()) >= 40
    for name, view in posts().items():
        if issubclass(view, PreviewView):
            continue
        takes_keys = issubclass(view, IdempotentPosts)
        assert takes_keys != (name in NOT_IDEMPOTENT), (
            f"{name}: derive its view from IdempotentPosts, or give a reason here"
        )


def test_every_post_can_show_a_success_whose_answer_was_lost():
    for name, view in posts().items():
        if name not in NOT_IDEMPOTENT and not issubclass(view, PreviewView):
            assert view.settled is not IdempotentPosts.settled, f"{name}: say in settled() how a success is shown"


def test_the_document_names_the_header_on_every_such_post(db):
    document = APIClient().get("/api/v1/schema/", HTTP_ACCEPT="application/json").json()
    with_header = {
        address
        for address, methods in document["paths"].items()
        for one in methods.get("post", {}).get("parameters", [])
        if (one["name"], one["in"], one.get("required", False)) == ("Idempotency-Key", "header", False)
    }
    posted = {address for address, methods in document["paths"].items() if "post" in methods}
    without = {one for one in posted - with_header if not one.endswith("/preview/")}
    office = "/api/v1/offices/{public_id}"
    assert without == {
        "/api/v1/auth/token/",
        "/api/v1/auth/sign-out/",
        "/api/v1/account/password/",
        *(f"{office}/{rest}/" for rest in ("payment-methods", "payment-methods/link", "portal", "members")),
        *(f"{office}/members/{{person_id}}/{act}/" for act in ("change", "remove")),
        f"{office}/invitations/{{invitation_id}}/withdraw/",
        *(f"{office}/approvals/{{approval_id}}/{act}/" for act in ("turn-down", "withdraw")),
    }
