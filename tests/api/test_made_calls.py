"""Each operation of the document, called as an owner, a viewer and an outsider of an Office that exists.

Schemathesis makes the calls of the document: right and wrong ones, always the same. Each finds the Office as it was
subscribed: what a call changed, here and at the local Stripe, is undone after it. All checks of Schemathesis are on.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.pytest.lazy import get_all_tests

from billing import errors
from billing.access import invitations, tokens
from billing.audit import actor
from billing.models import Office, User
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from tests import made_calls
from tests.conftest import LocalStripe, a_member, a_person, kept_stock, rolled_back, subscribed_office
from tests.in_this_process import application

DOCUMENT = "/api/v1/schema/"
OF_AN_OFFICE = "/api/v1/offices/{public_id}/"
ACCEPTED = ["2xx", "3xx", "401", "402", "403", "404", "409", "422"]
"""What a right call gets. It can be refused for what the document cannot say, such as a price that is not sold."""
FOR_STAFF = {f"GET {OF_AN_OFFICE}approvals/", f"GET {OF_AN_OFFICE}approvals/{{approval_id}}/"}
"""The reads that are for no member: requests for approval are the vendor's."""
FOR_OWNERS = {f"GET {OF_AN_OFFICE}{rest}/" for rest in ("members", "invitations", "audit-trail", "audit-trail/export")}
FOR_ALL = {"GET /api/v1/plans/", "GET /api/v1/offices/"}
"""The reads at which an outsider is answered: plans, and a list without any Office."""
NOT_OF_IT = {"owner": FOR_STAFF, "viewer": FOR_STAFF | FOR_OWNERS}


@dataclass
class Caller:
    """Somebody with a token, and the statuses of what was answered to each operation."""

    role: str
    token: str
    stripe: LocalStripe
    answers: dict[str, Counter[int]] = field(default_factory=dict)

    def call(self, case: Any) -> None:
        with rolled_back(), self._undone_at_stripe(case.operation.method):
            answer = case.call(headers={"Authorization": f"Bearer {self.token}"})
            answers = self.answers.setdefault(case.operation.label, Counter())
            if case.method.upper() == case.operation.method.upper():  # others are tried too, and OPTIONS is answered
                answers[answer.status_code] += 1
            case.validate_response(answer, headers={"Authorization": f"Bearer {self.token}"})

    @contextlib.contextmanager
    def _undone_at_stripe(self, method: str) -> Iterator[None]:
        try:
            yield
        finally:
            if method != "get":
                self.stripe.control("put_back")


def ids_of(office: Office, *, owner: User, by: actor.Actor) -> dict[str, str]:
    """Make one of each thing that an address can name, and return their ids by their names in addresses."""
    sent = perform(ChargeOffice(charge="training", amount=30_000, days_until_due=14), office, by=by, reason="agreed")
    with contextlib.suppress(errors.SentForApproval):
        perform(AdjustCredit(amount=900_000), office, by=by, reason="goodwill")
    invited = invitations.invite("waiting@maple.example", "viewer", office=office, by=actor.person(owner))
    named = {
        "public_id": office,
        "invoice_id": sent,
        "payment_id": office.payments.get(),
        "card_id": office.payment_methods.get(),
        "person_id": User.objects.get(email="manager@maple.example"),
        "approval_id": office.approval_requests.get(),
        "invitation_id": invited,
    }
    return {name: str(one.public_id) for name, one in named.items()}


@pytest.fixture(params=["owner", "viewer", "outsider"])
def role(request):
    return request.param


@pytest.fixture
def there(stripe, settings, operator, office, no_limit_is_reached):
    """Return the ids of an Office and of what it has, and its people."""
    settings.APPROVAL_LIMITS = {"usd": 200_000}
    office = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    people = {role: a_member(office, role) for role in ("owner", "manager", "viewer")}
    people["outsider"] = a_person("outsider@elsewhere.example")
    ids = ids_of(office, owner=people["owner"], by=operator)
    stripe.deliver_and_apply()
    kept_stock(stripe.url).clear()  # the next test stocks anew: this one keeps an Office in its place
    stripe.control("keep")
    return ids, people


@pytest.fixture
def caller(stripe, there, role):
    _, people = there
    _, token = tokens.make(people[role])
    return Caller(role, token, stripe)


def plain(product):
    """Let the product not compress what Schemathesis would not unpack."""
    return lambda environ, answered: product({**environ, "HTTP_ACCEPT_ENCODING": "identity"}, answered)


@pytest.fixture
def document(there):
    ids, _ = there
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "parameters": {f"path.{name}": one for name, one in ids.items()},
            "generation": {
                "deterministic": True,
                "max-examples": 4,
                "no-shrink": True,
                "database": "none",
                "allow-x00": False,  # tests/api/test_odd_input.py sends NULs
            },
            "checks": {"max_response_time": 60, "positive_data_acceptance": {"expected-statuses": ACCEPTED}},
        }
    )
    with application() as product:
        yield schemathesis.openapi.from_wsgi(DOCUMENT, plain(product), config=config)


def failures(document, caller):
    """Make the calls of each operation, and yield what is wrong: of one operation, what is found first."""
    # Its decorator for tests does the same, and stops at pytest 9.2, where it sets what cannot be set any more.
    made = get_all_tests(schema=document, test_func=caller.call, settings=None, given_kwargs={})
    for one in made:
        operation, calls = one.ok()  # type: ignore[union-attr]  # it raises what is wrong with the document
        try:
            calls()
        except FailureGroup as wrong:
            yield f"{operation.label}: {wrong}"


def reads_that_are_answered(answers):
    return {
        name for name, counts in answers.items() if name.startswith("GET ") and any(200 <= one < 300 for one in counts)
    }


@pytest.mark.slow
def test_each_call_of_the_document_is_answered_as_the_document_says(role, caller, document):
    wrong = list(failures(document, caller))
    made_calls.note(role, caller.answers)

    assert wrong == [], "\n\n".join(wrong)
    assert len(caller.answers) > 70
    reads = {name for name in caller.answers if name.startswith("GET ")}
    right = FOR_ALL if role == "outsider" else reads - NOT_OF_IT[role]
    assert reads_that_are_answered(caller.answers) == right
