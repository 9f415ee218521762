"""New objects and the look-up of operations, over the kept document."""

import re
import subprocess
import sys

import pytest

from stripe_sandbox.schema.load import DOCUMENT, OBJECTS, new, request_schema, response_schema

OPERATIONS = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]


@pytest.mark.parametrize("kind", sorted(set(OBJECTS) - {"error"}))
def test_a_new_object_has_every_required_field_and_is_not_deleted(kind: str) -> None:
    made = new(kind, id="x_1")
    assert made["object"] == kind
    assert made["id"] == "x_1"
    assert set(OBJECTS[kind].get("required", ())) <= set(made)
    assert "deleted" not in made


def test_new_objects_share_no_container() -> None:
    first, second = new("invoice"), new("invoice")
    first["discounts"].append("di_1")
    first["lines"]["data"] = []
    assert second["discounts"] == []
    assert second["lines"] == {}
    assert new("invoice") == second


def test_what_is_shown_only_on_request_is_not_in_a_new_object() -> None:
    assert "payments" not in new("invoice")
    assert "subscriptions" not in new("customer")
    assert new("customer")["name"] is None


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_parameters_of_every_operation_are_found_whatever_the_path_calls_its_own(method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    found = request_schema(method, re.sub(r"\{\w+\}", "{whatever}", path))
    if "requestBody" in operation:
        assert found is operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        return
    query = {one["name"]: one["schema"] for one in operation["parameters"] if one["in"] == "query"}
    assert found["properties"] == query
    assert found["additionalProperties"] is False


def test_a_fixed_path_is_not_taken_for_one_with_a_parameter() -> None:
    assert "query" in request_schema("get", "/v1/subscriptions/search")["required"]
    assert "query" not in request_schema("get", "/v1/subscriptions/{id}")["properties"]
    assert response_schema("get", "/v1/subscriptions/search") != response_schema("get", "/v1/subscriptions/{id}")


@pytest.mark.parametrize("look_up", [request_schema, response_schema])
def test_an_operation_that_is_not_in_the_schema_is_an_error(look_up) -> None:
    with pytest.raises(LookupError):
        look_up("get", "/v1/dragons")
    with pytest.raises(LookupError):
        look_up("delete", "/v1/charges/{charge}")


def test_serving_needs_neither_the_sdk_nor_the_validator() -> None:
    program = (
        "import sys, stripe_sandbox.schema.load, stripe_sandbox.schema.conformance;"
        "print(sorted({'stripe', 'jsonschema_rs'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
