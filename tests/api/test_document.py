"""The OpenAPI document is complete: fields are described, refusals are there, and examples are what it says."""

from io import StringIO

import jsonschema_rs
import pytest
from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.serializers import ChoiceField, ModelSerializer, MultipleChoiceField, Serializer

from billing.api import descriptions, document, examples
from billing.api.account import PeriodSerializer
from billing.api.schema import Named
from tests.processes import ROOT


@pytest.fixture(scope="module")
def made():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def schemas(made):
    return made["components"]["schemas"]


def test_it_is_openapi_3_1_without_a_warning(made):
    validate_schema(made)
    assert made["openapi"].startswith("3.1")
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_the_document_that_is_kept_is_that_of_the_code():
    written = StringIO()
    call_command("spectacular", stdout=written)
    kept = (ROOT / "openapi.yaml").read_text()
    assert kept == written.getvalue(), "Run: make openapi.yaml"


def test_each_field_is_described(made):
    assert [f"{schema}.{name}" for schema, name, said in document.fields(made) if not said.get("description")] == []


def test_each_operation_has_a_summary_of_its_own_that_fits_a_line(made):
    summaries = [operation["summary"] for _, _, operation in document.operations(made)]
    assert [one for one in summaries if not 10 < len(one) <= 105 or one[0].islower() or "`" in one] == []
    assert "Change your own password" in summaries
    assert [one for one in summaries if summaries.count(one) > 1] == []


def serializers_of_rows(of=ModelSerializer):
    for one in of.__subclasses__():
        yield from serializers_of_rows(one)
        if one.__module__.startswith("billing."):
            yield one


def test_what_can_be_empty_is_said_to_be():
    """A column that can be empty answers "", which must be among the values of its field."""
    known = set()
    for serializer in serializers_of_rows():
        for name, field in serializer().fields.items():
            if isinstance(field, ChoiceField) and not isinstance(field, MultipleChoiceField):
                column = serializer.Meta.model._meta.get_field(field.source)
                known.add((name, column.blank))
                assert field.allow_blank == column.blank, (serializer, name)
    assert {("outcome", True), ("kind", False)} <= known


def test_nothing_is_said_in_the_words_of_openapi_3_0(made):
    """Since 3.1 “nullable” means nothing: a client would not expect the null."""

    def words(of):
        for name, said in of.items() if isinstance(of, dict) else enumerate(of) if isinstance(of, list) else ():
            yield name
            yield from words(said)

    assert not {"nullable", "example"} & set(words(made))


def serializers_of_the_api(of=Serializer):
    for one in of.__subclasses__():
        yield from serializers_of_the_api(one)
        if one.__module__.startswith("billing.api") and not issubclass(one, Named):
            yield one


def test_what_can_be_null_is_said_to_be():
    """A value that comes from beside the row is null where nothing is there, and a typed client must expect that."""
    found = {
        (serializer.__name__, name): field.allow_null
        for serializer in serializers_of_the_api()
        for name, field in serializer().fields.items()
        if field.default is None and serializer is not PeriodSerializer  # which is asked with, and never shown
    }
    assert ("SubscriptionSerializer", "plan") in found
    assert [one for one, allows in found.items() if not allows] == []


def test_a_description_of_null_is_of_what_can_be_null(schemas):
    said = {
        (schema, field)
        for schema, shape in schemas.items()
        for field, about in shape.get("properties", {}).items()
        if "Null:" in about.get("description", "") and not is_nullable(about)
    }
    assert said == set()


def is_nullable(about):
    return "null" in about.get("type", ()) or any(is_nullable(one) for one in about.get("oneOf", ()))


def test_the_figures_of_the_document(made):
    """Each operation and answer says in words what it is, each field too, and each body that is sent has an example."""
    all_operations = list(document.operations(made))
    answers = [
        (path, method, code, answer if "$ref" not in answer else made["components"]["responses"][code])
        for path, method, operation in all_operations
        for code, answer in operation["responses"].items()
    ]
    with_example = {name for name, shape in made["components"]["schemas"].items() if shape.get("examples")}
    undescribed = [(schema, name) for schema, name, said in document.fields(made) if not said.get("description")]
    figures = {
        "operations": len(all_operations),
        "answers": len(answers),
        "fields": len(list(document.fields(made))),
        "examples": len(with_example),
    }
    print(figures)  # noqa: T201  pytest -rP shows them

    assert [(path, method) for path, method, said in all_operations if not said.get("description")] == []
    assert [(*at, code) for *at, code, said in answers if said["description"] in ("", document.NO_BODY)] == []
    assert undescribed == []
    assert document.sent(made) - with_example == set()
    assert figures["operations"] >= 78
    assert figures["answers"] >= 800
    assert figures["examples"] >= 40


def test_no_description_is_of_a_field_that_is_gone(made):
    there = {(schema, name) for schema, name, _ in document.fields(made)}
    assert set(descriptions.COMMON) <= {name for _, name in there}
    of = {(schema, name) for schema, names in descriptions.OF.items() for name in names}
    assert of <= there


def test_each_address_has_each_refusal_that_every_address_can_answer(made):
    for path, method, operation in document.operations(made):
        refused = {code for code in operation["responses"] if code >= "400"}
        assert set(document.OF_EVERY_ADDRESS) <= refused, (path, method)
        assert refused <= set(document.REFUSALS), (path, method)
        assert ("413" in refused) == ("requestBody" in operation), (path, method)
        names_a_row = "{" in path or "cursor" in [one["name"] for one in operation.get("parameters", ())]
        assert "404" in refused or not names_a_row, (path, method)
        for code in refused:
            assert operation["responses"][code] == {"$ref": f"#/components/responses/{code}"}, (path, method)
    for answer in made["components"]["responses"].values():
        assert list(answer["content"]) == ["application/problem+json"]


def test_each_address_is_under_one_heading_that_the_document_lists(made):
    listed = [one["name"] for one in made["tags"]]
    assert {tag for _, _, operation in document.operations(made) for tag in operation["tags"]} == set(listed)
    assert document.tag_of("/api/v1/offices/{public_id}/invoices/{invoice_id}/pay/") == "Invoices"
    assert document.tag_of("/api/v1/offices/{public_id}/") == "Offices"


def test_each_tag_names_a_part_of_an_address(made):
    parts = {part for path in made["paths"] for part in path.split("/")}
    assert set(document.TAGS) <= parts


@pytest.mark.parametrize("name", examples.OF)
def test_each_example_is_what_its_schema_says(made, name):
    whole = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(examples.OF[name])
    required = {one for one, said in made["components"]["schemas"][name]["properties"].items() if said.get("readOnly")}
    assert required <= set(examples.OF[name])
