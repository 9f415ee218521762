"""A typed client that is generated from openapi.yaml does the main path. Each answer has a body of its own type."""

import functools
import importlib
import subprocess
import sys
import uuid
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from tests.conftest import PASSWORD, a_member
from tests.in_this_process import application
from tests.processes import ROOT

PACKAGE = "office_billing_client"
CONFIG = f"""
package_name_override: {PACKAGE}
post_hooks: []
content_type_overrides:
  application/jsonl: text/plain
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Generate the client. A warning of the generator, such as of an answer that it leaves out, is a failure."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(ROOT / "openapi.yaml")]
    command += ["--config", str(folder / "config.yaml"), "--output-path", str(folder / "made"), "--fail-on-warning"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder / "made"))
    with application() as product:
        models = importlib.import_module(f"{PACKAGE}.models")
        yield SimpleNamespace(models=models, client=functools.partial(client_of, product))
    sys.path.remove(str(folder / "made"))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def client_of(product: Any, token: str = "") -> Any:
    """Return a client, with a token or without, that asks the product in this process."""
    kinds = importlib.import_module(PACKAGE)
    more: dict[str, Any] = {"transport": httpx.WSGITransport(app=product)}
    given = {"base_url": "http://testserver", "raise_on_unexpected_status": True, "httpx_args": more}
    return kinds.AuthenticatedClient(token=token, **given) if token else kinds.Client(**given)


def asked(client: Any, module: str, *address: Any, gives: int, **given: Any) -> Any:
    """Call one operation, and return what was parsed. It has this status, and is never None."""
    answer = importlib.import_module(f"{PACKAGE}.api.{module}").sync_detailed(*address, client=client, **given)
    assert answer.status_code == gives, answer.content
    assert answer.parsed is not None, module
    return answer.parsed


def signed_in(generated: Any, email: str) -> Any:
    body = generated.models.SignIn(email=email, password=PASSWORD)
    return generated.client(asked(generated.client(), "signing_in.auth_token_create", gives=200, body=body).token)


def test_it_does_the_main_path(generated, stripe, operator, office, no_limit_is_reached):
    of = generated.models
    client = signed_in(generated, a_member(office, "owner").email)

    plans = asked(client, "plans.plans_list", gives=200, page_size=2)
    assert (len(plans.results), plans.previous, plans.next_ is not None) == (2, None, True)
    cursor = httpx.URL(plans.next_).params["cursor"]
    rest = asked(client, "plans.plans_list", gives=200, page_size=2, cursor=cursor)
    monthly = next(one for one in [*plans.results, *rest.results] if one.code == "seats-monthly")
    assert (monthly.unit_amount.amount, monthly.unit_amount.currency, monthly.per_seat) == (4_900, "usd", True)

    [found] = asked(client, "offices.offices_list", gives=200).results
    assert asked(client, "offices.offices_retrieve", found.id, gives=200) == found
    assert asked(client, "subscription.offices_subscription_retrieve", found.id, gives=200).plan is None
    assert asked(client, "entitlement.offices_entitlement_retrieve", found.id, gives=200).access == of.AccessEnum.NONE

    cost = of.Start(price=monthly.code, quantity=3)
    seen = asked(client, "subscription.preview_subscribe", found.id, gives=200, body=cost)
    assert seen.charged == of.Money(amount=14_700, currency="usd", formatted="147.00 USD")
    start = of.Subscribe(price=monthly.code, quantity=3, payment_method="pm_card_visa", as_of=seen.as_of)
    key = str(uuid.uuid4())
    started, again = (
        asked(client, "subscription.start_subscription", found.id, gives=201, body=start, idempotency_key=key)
        for _ in range(2)
    )
    assert (started.status, started.plan, started.quantity, again) == ("active", "Team", 3, started)
    assert asked(client, "entitlement.offices_entitlement_retrieve", found.id, gives=200).access == of.AccessEnum.FULL

    seen = asked(client, "subscription.preview_change", found.id, gives=200, body=of.PreviewChange(quantity=5))
    change = of.Change(quantity=5, as_of=seen.as_of)
    assert asked(client, "subscription.change_subscription", found.id, gives=200, body=change).quantity == 5

    office.refresh_from_db()
    perform(ChargeOffice(charge="training", amount=30_000, days_until_due=14), office, by=operator, reason="agreed")
    stripe.deliver_and_apply()
    invoices = asked(client, "invoices.offices_invoices_list", found.id, gives=200).results
    assert [(one.kind.value, one.status) for one in invoices][:1] == [("one_off", "open")]
    lines = asked(client, "invoices.offices_invoices_lines_list", found.id, invoices[0].id, gives=200)
    assert [(one.text, one.amount.amount) for one in lines] == [("Training", 30_000)]
    paid = asked(client, "invoices.pay_invoice", found.id, invoices[0].id, gives=200, body=of.Pay())
    assert (paid.status, paid.amount_remaining.amount) == ("paid", 0)
    [newest, *_] = asked(client, "payments.offices_payments_list", found.id, gives=200).results
    assert (newest.invoice, newest.amount.amount, newest.failure) == (invoices[0].id, 30_000, None)
    assert len(asked(client, "account.offices_cycles_list", found.id, gives=200).results) == 1

    leaving = asked(client, "subscription.cancel_subscription", found.id, gives=200, body=of.Cancel())
    assert leaving.cancel_at == started.current_period_end
    kept = asked(client, "subscription.resume_renewal", found.id, gives=200, body=of.Reason())
    assert (kept.cancel_at, kept.status) == (None, "active")


def test_each_refusal_is_a_problem_with_its_code(generated, stripe, office, outsider, no_limit_is_reached):
    of = generated.models
    owner, viewer = (signed_in(generated, a_member(office, role).email) for role in ("owner", "viewer"))
    stranger = signed_in(generated, outsider.user.email)
    start, there = "subscription.start_subscription", office.public_id
    good = of.Subscribe(price="practice-monthly", payment_method="pm_card_visa")

    def refused(client: Any, module: str, *address: Any, gives: int, **given: Any) -> str:
        problem = asked(client, module, *address, gives=gives, **given)
        assert isinstance(problem, of.Problem)
        assert (problem.status, bool(problem.detail), bool(problem.request_id)) == (gives, True, True)
        assert problem.type_.endswith(f"/api/v1/problems/#{problem.code}")
        return problem.code

    assert refused(generated.client("no-token"), "offices.offices_list", gives=401) == "authentication_failed"
    assert refused(viewer, start, there, gives=403, body=good) == "not_permitted"
    assert refused(stranger, start, there, gives=404, body=good) == "not_found"
    nothing = of.Subscribe(price="")
    assert refused(owner, start, there, gives=400, body=nothing) == "invalid"
    unknown = of.Subscribe(price="no-such-plan", payment_method="pm_card_visa")
    assert refused(owner, start, there, gives=422, body=unknown) == "plan_unknown"
    declined = of.Subscribe(price="practice-monthly", payment_method="pm_card_chargeDeclined")
    assert refused(owner, start, there, gives=402, body=declined) == "card_declined"
    assert (
        refused(owner, "subscription.cancel_subscription", there, gives=409, body=of.Cancel()) == "no_live_subscription"
    )
