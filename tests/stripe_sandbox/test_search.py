"""Stripe's search: its language, its fields, its pages and its lag."""

from typing import Any

import pytest
import stripe

from stripe_sandbox import search
from stripe_sandbox.schema.load import OBJECTS
from tests.stripe_sandbox.conftest import Sandbox, error_of


def cast(sandbox: Sandbox) -> None:
    for name, email, given in (
        ("Maple Street", "billing@maple.example", {"metadata[office]": "12", "phone": "+15550100"}),
        ("Oak Lane", "billing@oak.example", {"metadata[office]": "13", 'metadata[key "2"]': "it's"}),
        ("Elm", "", {}),
    ):
        sandbox.post("customers", {"name": name, "email": email, **given})


def found(sandbox: Sandbox, query: str, kind: str = "customers") -> list[str]:
    return [one["name"] for one in sandbox.get(f"{kind}/search", query=query)["data"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('email:"billing@maple.example"', ["Maple Street"]),
        ("email:'BILLING@maple.example'", ["Maple Street"]),
        ('email:"maple"', []),
        ('name~"street"', ["Maple Street"]),
        ('email~"billing"', ["Oak Lane", "Maple Street"]),
        ('-name:"Elm"', ["Oak Lane", "Maple Street"]),
        ("email:null", ["Elm"]),
        ("-email:null", ["Oak Lane", "Maple Street"]),
        ('metadata["office"]:"12"', ["Maple Street"]),
        ("metadata['office']:'1'", []),
        ('metadata["office"]:null', ["Elm"]),
        ('metadata["key \\"2\\""]:"it\'s"', ["Oak Lane"]),
        ('email~"billing" AND metadata["office"]:"13"', ["Oak Lane"]),
        ('email~"billing" metadata["office"]:"13"', ["Oak Lane"]),
        ('name:"Elm" or metadata["office"]:"13"', ["Elm", "Oak Lane"]),
        ("created>0", ["Elm", "Oak Lane", "Maple Street"]),
        ("created<1000", []),
        ("created>=1 AND created<=4000000000 AND -created:5", ["Elm", "Oak Lane", "Maple Street"]),
        ("phone:'+15550100'", ["Maple Street"]),
    ],
)
def test_a_query_finds_what_it_says(sandbox: Sandbox, query: str, names: list[str]) -> None:
    cast(sandbox)
    assert found(sandbox, query) == names


@pytest.mark.parametrize(
    "query",
    [
        "",
        "name",
        "name:",
        'name:"Elm" AND',
        'AND name:"Elm"',
        'name:"Elm"email:null',
        "name:Elm",
        'name:"Elm',
        'name:"Elm" AND email:null OR phone:null',
        'name:"Elm" email:null OR phone:null',
        'colour:"red"',
        'name["x"]:"Elm"',
        "metadata:null",
        'metadata["a"]~"abc"',
        'name~"ab"',
        "name>5",
        'created~"555"',
        'created:"soon"',
        "created>null",
        '(name:"Elm")',
        " AND ".join(['name:"Elm"'] * 11),
    ],
)
def test_a_query_that_is_none_is_refused(sandbox: Sandbox, query: str) -> None:
    error = sandbox.refused("GET", "customers/search", {"query": query})
    assert (error["type"], error["param"]) == ("invalid_request_error", "query")


def test_a_search_has_its_own_pages(sandbox: Sandbox, sandbox_sdk: stripe.StripeClient) -> None:
    cast(sandbox)
    first = sandbox.get("customers/search", query="created>0", limit=2)
    assert [one["name"] for one in first["data"]] == ["Elm", "Oak Lane"]
    assert (first["object"], first["url"], first["has_more"]) == ("search_result", "/v1/customers/search", True)
    assert "total_count" not in first
    whole = {"query": "created>0", "limit": 2, "page": first["next_page"], "expand[0]": "total_count"}
    last = sandbox.get("customers/search", **whole)
    assert [one["name"] for one in last["data"]] == ["Maple Street"]
    assert (last["has_more"], last["next_page"], last["total_count"]) == (False, None, 3)
    paged = sandbox_sdk.v1.customers.search({"query": "created>0", "limit": 1}).auto_paging_iter()
    assert [one.name for one in paged] == ["Elm", "Oak Lane", "Maple Street"]
    for wrong in ({"page": "next"}, {"limit": 101}, {"limit": 0}):
        answer = sandbox.ask("GET", "customers/search", {"query": "created>0", **wrong})
        assert error_of(answer, 400)["param"] == next(iter(wrong))
    assert sandbox.refused("GET", "customers/search")["code"] == "parameter_missing"


def test_what_is_deleted_is_not_found(sandbox: Sandbox) -> None:
    made = sandbox.post("customers", {"name": "Maple"})
    sandbox.ask("DELETE", f"customers/{made['id']}").raise_for_status()
    assert found(sandbox, 'name:"Maple"') == []


def test_a_search_lags_behind_where_it_is_told_to(sandbox: Sandbox) -> None:
    sandbox.control("settings", search_lag_seconds=60)
    made = sandbox.post("customers", {"name": "Maple"})
    assert found(sandbox, 'name:"Maple"') == []
    sandbox.advance(61)
    assert found(sandbox, 'name:"Maple"') == ["Maple"]
    sandbox.post(f"customers/{made['id']}", {"name": "Oak"})
    assert found(sandbox, "created>0") == []
    sandbox.advance(61)
    assert found(sandbox, "created>0") == ["Oak"]


def test_a_preview_of_the_future_is_not_a_change(sandbox: Sandbox) -> None:
    made = sandbox.subscription(sandbox.customer()["id"])
    sandbox.control("settings", search_lag_seconds=60)
    sandbox.advance(61)
    sandbox.post("invoices/create_preview", {"subscription": made["id"]})
    shown = sandbox.get("subscriptions/search", query="status:'active'")
    assert [one["id"] for one in shown["data"]] == [made["id"]]


def everything(sandbox: Sandbox) -> dict[str, Any]:
    """One of each kind that can be searched."""
    customer = sandbox.customer()
    subscription = sandbox.subscription(customer["id"], **{"metadata[office]": "12"})
    price = subscription["items"]["data"][0]["price"]
    return {
        "customers": customer,
        "subscriptions": subscription,
        "invoices": sandbox.get(f"invoices/{subscription['latest_invoice']}"),
        "charges": sandbox.listed("charges")[0],
        "payment_intents": sandbox.listed("payment_intents")[0],
        "prices": price,
        "products": sandbox.get(f"products/{price['product']}"),
    }


@pytest.mark.parametrize(
    ("kind", "query", "other"),
    [
        ("subscriptions", "status:'active' AND metadata['office']:'12'", "status:'canceled'"),
        ("subscriptions", "canceled_at:null", "-canceled_at:null"),
        ("invoices", "total>=1000 AND currency:'usd' AND customer:'{customer}'", "total<1000"),
        ("invoices", "subscription:'{subscription}' AND status:'paid'", "subscription:'sub_x'"),
        ("charges", "amount:1000 AND payment_method_details.card.last4:'4242'", "refunded:'true'"),
        ("charges", "disputed:'false' AND status:'succeeded'", "payment_method_details.card.brand:'amex'"),
        ("payment_intents", "status:'succeeded' AND amount>999", "-currency:'usd'"),
        ("prices", "active:'true' AND type:'recurring' AND product:'{product}'", "lookup_key:'x'"),
        ("products", "active:true AND name~'pract'", "name:'Pract'"),
        ("customers", "name:'Maple Street'", "phone~'555'"),
    ],
)
def test_each_kind_is_found_by_its_own_fields(sandbox: Sandbox, kind: str, query: str, other: str) -> None:
    there = everything(sandbox)
    names = {one: there[f"{one}s"]["id"] for one in ("customer", "subscription", "product")}
    shown = sandbox.get(f"{kind}/search", query=query.format(**names))
    assert [one["id"] for one in shown["data"]] == [there[kind]["id"]]
    assert shown["url"] == f"/v1/{kind}/search"
    assert sandbox.get(f"{kind}/search", query=other)["data"] == []


@pytest.mark.parametrize("kind", search.FIELDS)
def test_each_field_that_can_be_searched_is_one_of_the_kind(kind: str) -> None:
    names = {name.partition(".")[0] for name in search.FIELDS[kind] if (kind, name) not in search.ELSEWHERE}
    assert names <= set(OBJECTS[kind]["properties"])
