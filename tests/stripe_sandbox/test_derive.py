"""The kept document is what the installed stripe-python says."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

from stripe_sandbox.schema import load
from stripe_sandbox.schema.load import DOCUMENT, OBJECTS, request_schema, response_schema

KEPT = Path(load.__file__).with_name("billing.json")


def test_deriving_again_gives_the_kept_document_to_the_byte(tmp_path: Path) -> None:
    named = re.search(r"stripe-python ([\d.]+)", DOCUMENT["info"]["title"])
    assert named
    installed = importlib.metadata.version("stripe")
    again_by = "derive it again: python -m stripe_sandbox.schema.derive"
    assert installed == named[1], (
        f"billing.json is of stripe-python {named[1]}, and {installed} is installed: {again_by}"
    )
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, "-m", "stripe_sandbox.schema.derive", str(again)], check=True)
    assert again.read_bytes() == KEPT.read_bytes(), "run python -m stripe_sandbox.schema.derive"


def test_a_sign_of_deletion_is_a_truth_value() -> None:
    assert OBJECTS["customer"]["properties"]["deleted"] == {"type": "boolean", "enum": [True]}


def test_what_may_be_expanded_is_an_id_or_an_object_alone_and_in_lists() -> None:
    charge, invoice = OBJECTS["charge"], OBJECTS["invoice"]
    assert charge["properties"]["application"]["anyOf"] == [{"type": "string"}, {"type": "object"}]
    discount = {"$ref": "#/components/schemas/discount"}
    assert invoice["properties"]["discounts"]["items"]["anyOf"] == [{"type": "string"}, discount]
    assert "discounts" in invoice["x-expandableFields"]


def test_a_string_that_may_be_emptied_is_a_string_and_an_enum_that_may_grow_is_what_is_known() -> None:
    product = request_schema("post", "/v1/products/{id}")["properties"]
    assert product["description"] == {"type": "string"}
    assert "incomplete_expired" in OBJECTS["subscription"]["properties"]["status"]["enum"]


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert {"checkout.Session.create", "billing_portal.Session.create", "Customer.retrieve"} <= set(names)


def test_an_error_may_hold_the_payment_that_failed() -> None:
    error = OBJECTS["error"]["properties"]["error"]
    assert error["properties"]["payment_intent"] == {"$ref": "#/components/schemas/payment_intent", "nullable": True}
    assert error["required"] == ["type"]


def test_a_page_of_a_search_tells_where_the_next_begins() -> None:
    page = response_schema("get", "/v1/customers/search")
    assert page["properties"]["next_page"] == {"type": "string", "nullable": True}
    assert "next_page" in page["required"]
    assert "next_page" not in response_schema("get", "/v1/customers")["properties"]
