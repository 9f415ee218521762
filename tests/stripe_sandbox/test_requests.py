"""Keys, parameters, pages, expansion and idempotency: what every endpoint shares."""

import pytest
import stripe

from tests.stripe_sandbox.conftest import Sandbox, error_of


def test_another_key_is_refused(sandbox: Sandbox) -> None:
    error = error_of(sandbox.ask("GET", "customers", Authorization="Bearer sk_test_of_someone_else"), 401)
    assert error["type"] == "invalid_request_error"


def test_every_answer_names_its_request_and_version(sandbox: Sandbox) -> None:
    answer = sandbox.ask("POST", "customers", Stripe_Version="2026-08-26.dahlia", Idempotency_Key="k")
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == "2026-08-26.dahlia"
    assert answer.headers["Idempotency-Key"] == "k"


@pytest.mark.parametrize(
    ("path", "given", "param", "code"),
    [
        ("customers", {"colour": "red"}, "colour", "parameter_unknown"),
        ("customers", {"address[planet]": "Mars"}, "address[planet]", "parameter_unknown"),
        ("products", {}, "name", "parameter_missing"),
        ("subscriptions", {"customer": "cus_x", "trial_period_days": "soon"}, "trial_period_days", None),
        ("subscriptions", {"customer": "cus_x", "payment_behavior": "hope"}, "payment_behavior", None),
        ("subscriptions", {"customer": "cus_x", "cancel_at_period_end": "maybe"}, "cancel_at_period_end", None),
    ],
)
def test_an_unknown_missing_or_wrong_parameter_is_named(
    sandbox: Sandbox, path: str, given: dict[str, str], param: str, code: str | None
) -> None:
    error = sandbox.refused("POST", path, given)
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert code is None or error["code"] == code


def test_what_does_not_exist_is_a_resource_missing(sandbox: Sandbox) -> None:
    error = sandbox.refused("GET", "customers/cus_x", status=404)
    assert error == {
        "type": "invalid_request_error",
        "code": "resource_missing",
        "param": "id",
        "message": "No such customer: 'cus_x'",
    }


def test_an_address_that_is_not_there_says_so(sandbox: Sandbox) -> None:
    assert "Unrecognized request URL" in sandbox.refused("GET", "unicorns", status=404)["message"]


def test_lists_are_newest_first_and_turn_pages_in_both_directions(sandbox: Sandbox) -> None:
    made = [sandbox.post("customers", {"name": f"Office {n}"})["id"] for n in range(5)][::-1]
    first = sandbox.get("customers", limit=2)
    assert [one["id"] for one in first["data"]] == made[:2]
    assert (first["object"], first["has_more"], first["url"]) == ("list", True, "/v1/customers")
    last = sandbox.get("customers", limit=3, starting_after=made[1])
    assert [one["id"] for one in last["data"]] == made[2:]
    assert not last["has_more"]
    assert [one["id"] for one in sandbox.get("customers", limit=2, ending_before=made[3])["data"]] == made[1:3]
    assert sandbox.refused("GET", "customers", {"limit": "101"})["param"] == "limit"


def test_a_page_before_has_more_when_newer_ones_are_left_out(sandbox: Sandbox) -> None:
    made = [sandbox.post("customers", {"name": f"Office {n}"})["id"] for n in range(4)][::-1]
    assert sandbox.get("customers", limit=2, ending_before=made[3])["has_more"]
    assert not sandbox.get("customers", limit=3, ending_before=made[3])["has_more"]


def test_stripes_own_client_pages_through_everything(sandbox: Sandbox, sandbox_sdk: stripe.StripeClient) -> None:
    for n in range(3):
        sandbox_sdk.v1.customers.create({"name": f"Office {n}"})
    found = sandbox_sdk.v1.customers.list({"limit": 1}).auto_paging_iter()
    assert [one.name for one in found] == ["Office 2", "Office 1", "Office 0"]


def test_a_named_field_is_expanded_also_in_lists(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    shown = sandbox.ask("GET", f"subscriptions/{made['id']}", {"expand[]": "latest_invoice.payments"}).json()
    assert shown["latest_invoice"]["payments"]["data"][0]["status"] == "paid"
    shown = sandbox.ask("GET", "subscriptions", {"expand[]": "data.customer"}).json()
    assert shown["data"][0]["customer"]["name"] == "Maple Street"
    assert "payments" not in sandbox.get(f"invoices/{made['latest_invoice']}")


@pytest.mark.parametrize("field", ["name", "description", "metadata", "unicorn"])
def test_a_field_that_is_no_reference_cannot_be_expanded(sandbox: Sandbox, field: str) -> None:
    customer = sandbox.customer(card=None)
    error = sandbox.refused("GET", f"customers/{customer['id']}", {"expand[]": field})
    assert error["message"] == f"This property cannot be expanded ({field})."


def test_a_part_of_an_object_is_expanded_only_where_stripe_says_so(sandbox: Sandbox) -> None:
    """Source: https://docs.stripe.com/api/invoices/object: ``tax_rate`` is a string, ``subscription`` expandable."""
    rate = sandbox.post("tax_rates", {"display_name": "VAT", "percentage": 20, "inclusive": "false"})["id"]
    made = sandbox.subscription(sandbox.customer()["id"], **{"default_tax_rates[0]": rate})
    path = f"invoices/{made['latest_invoice']}"
    assert sandbox.get(path)["total_taxes"][0]["tax_rate_details"]["tax_rate"] == rate
    field = "total_taxes.tax_rate_details.tax_rate"
    error = sandbox.refused("GET", path, {"expand[]": field})
    assert error["message"] == f"This property cannot be expanded ({field})."
    parent = sandbox.get(path, **{"expand[]": "parent.subscription_details.subscription"})["parent"]
    assert parent["subscription_details"]["subscription"]["id"] == made["id"]


def test_what_is_left_out_may_be_named_in_expand(sandbox: Sandbox) -> None:
    """A refund that did not fail has no such balance transaction, and the request is right all the same."""
    customer = sandbox.customer()["id"]
    sandbox.subscription(customer)
    refund = sandbox.post("refunds", {"charge": sandbox.listed("charges", customer=customer)[0]["id"]})["id"]
    assert "failure_balance_transaction" not in sandbox.get(f"refunds/{refund}")
    assert sandbox.get(f"refunds/{refund}", **{"expand[]": "failure_balance_transaction"})["id"] == refund
    coupon = sandbox.post("coupons", {"percent_off": 10, "duration": "once"})["id"]
    for field in ("applies_to", "currency_options"):
        assert field not in sandbox.get(f"coupons/{coupon}", **{"expand[]": field})
    sandbox.refused("GET", f"refunds/{refund}", {"expand[]": "failure_reason"})
    sandbox.refused("GET", f"refunds/{refund}", {"expand[]": "status.whatever"})


def test_a_deleted_customer_is_expanded_as_three_fields(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    sandbox.ask("DELETE", f"customers/{made['customer']}").raise_for_status()
    shown = sandbox.ask("GET", f"subscriptions/{made['id']}", {"expand[]": "customer"}).json()["customer"]
    assert shown == {"id": made["customer"], "object": "customer", "deleted": True}


def test_the_same_key_gives_the_first_answer_again(sandbox: Sandbox) -> None:
    first = sandbox.ask("POST", "customers", {"name": "Maple"}, Idempotency_Key="one")
    again = sandbox.ask("POST", "customers", {"name": "Maple"}, Idempotency_Key="one")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(sandbox.listed("customers")) == 1


def test_the_same_key_with_other_parameters_is_an_error(sandbox: Sandbox) -> None:
    sandbox.ask("POST", "customers", {"name": "Maple"}, Idempotency_Key="one")
    error = error_of(sandbox.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one"), 400)
    assert error["type"] == "idempotency_error"


def test_a_decline_is_kept_under_its_key_and_a_refused_parameter_is_not(sandbox: Sandbox) -> None:
    customer = sandbox.customer(card=None)["id"]
    path = "payment_methods/pm_card_chargeDeclined/attach"
    first = sandbox.ask("POST", path, {"customer": customer}, Idempotency_Key="one")
    again = sandbox.ask("POST", path, {"customer": customer}, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (402, 402)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert sandbox.ask("POST", "products", {}, Idempotency_Key="two").status_code == 400
    assert sandbox.ask("POST", "products", {"name": "Practice"}, Idempotency_Key="two").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("503", 503)])
def test_a_fault_before_the_work_leaves_nothing_behind(sandbox: Sandbox, kind: str, status: int) -> None:
    sandbox.control("faults", kind=kind, next=2, method="POST", path_prefix="/v1/customers")
    assert sandbox.ask("GET", "customers").status_code == 200
    assert sandbox.ask("POST", "products", {"name": "Practice"}).status_code == 200
    answers = [sandbox.ask("POST", "customers", Idempotency_Key="one").status_code for _ in range(3)]
    assert answers == [status, status, 200]
    assert len(sandbox.listed("customers")) == 1


def test_a_fault_after_the_beginning_is_kept_under_its_key(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="500_after")
    answers = [sandbox.ask("POST", "customers", Idempotency_Key="one").status_code for _ in range(2)]
    assert answers == [500, 500]


def test_an_answer_that_comes_too_late_has_done_its_work(sandbox: Sandbox) -> None:
    sandbox.control("faults", kind="timeout_after", seconds=0)
    assert sandbox.ask("POST", "customers", Idempotency_Key="one").status_code == 200
    again = sandbox.ask("POST", "customers", Idempotency_Key="one")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.listed("customers")) == 1


def test_an_unknown_fault_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.http.post("/_sandbox/faults", json={"kind": "flood"}).status_code == 400
