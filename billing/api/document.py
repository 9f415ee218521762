"""What is added to the OpenAPI document after the framework made it: descriptions, examples, and each refusal.

Source: https://drf-spectacular.readthedocs.io/en/latest/settings.html, POSTPROCESSING_HOOKS
"""

import re
from collections.abc import Iterator
from typing import Any

from billing.api import descriptions, examples
from billing.api.paging import Pages
from billing.problem_details import MEDIA_TYPE

Document = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = {"$ref": "#/components/schemas/Problem"}
REFUSALS = {
    "400": "The request cannot be read, or some fields are missing or wrong",
    "401": "The token is missing, wrong or expired",
    "402": "The payment was declined, or there is nothing to charge",
    "403": "You may not do this",
    "404": "There is no such thing, or you may not see it",
    "406": "The API answers JSON only",
    "409": "It cannot be done in the present state. `detail` says why",
    "413": "The body is larger than 64 KiB",
    "415": "The body is not JSON",
    "422": "A value cannot be taken. `detail` says why",
    "429": "You asked too often. `Retry-After` says when to ask again",
    "500": "An error on our side. It is in our log",
    "502": "Stripe refused it. Nothing was changed",
    "503": "The database or Stripe did not answer. Ask again, with the same Idempotency-Key",
}
SUCCESSES = {
    "200": "It is done. This is the result",
    "201": "It is made",
    "202": "It waits for a second person. `Location` is the address that shows how it ends",
    "204": "It is done. There is nothing to show",
}
A_READ, A_PREVIEW = "What is there now", "What it would cost or change. Nothing was changed"
OF_EVERY_ADDRESS = ("400", "401", "403", "406", "429", "500", "503")
"""403: some addresses are not open to each token, of a service or of a person."""
WITH_A_BODY = ("413", "415")
TAGS = {
    "auth": "Signing in",
    "account": "Signing in",
    "plans": "Plans",
    "entitlement": "Entitlement",
    "subscription": "Subscription",
    "payment-methods": "Payment methods",
    "invoices": "Invoices",
    "charges": "Invoices",
    "payments": "Payments",
    "adjustments": "Payments",
    "approvals": "Approvals",
    "statement": "Account",
    "cycles": "Account",
    "standing": "Account",
    "credit": "Account",
    "audit-trail": "Audit trail",
    "members": "Members",
    "invitations": "Members",
    "second-factor": "Members",
}
"""By the part of the address that names the subject. What has none is about the Office itself."""
OFFICE = "Offices"
SAYS_SOMETHING = r"\S"
"""The pattern of a text that must not be empty: spaces alone are nothing."""
AN_ID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
"""The pattern of an id that can also be null: then some tools do not look at the format."""
NO_BODY = "No response body"
"""What the framework says of a 204."""
NOT_KEPT = {"Document", "application/jsonl"}
"""What is shown once, and what is a stream, have no ETag."""
CURSOR = Pages.cursor_query_param
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of an earlier answer",
}


def tag_of(path: str) -> str:
    """Return under which heading an address is: ``/api/v1/offices/{public_id}/invoices/`` is “Invoices”."""
    parts = [one for one in path.split("/") if one and not one.startswith("{")]
    return next((TAGS[one] for one in parts if one in TAGS), OFFICE)


def complete(result: Document, **_: Any) -> Document:
    """Add to the document what it lacks. A hook of drf-spectacular."""
    for schema, field, about in fields(result):
        if "description" not in about and (words := descriptions.of(schema, field)):
            about["description"] = words
    _say_what_must_not_be_empty(result)
    for name, example in examples.OF.items():
        result["components"]["schemas"][name]["examples"] = [example]
    for path, method, operation in operations(result):
        operation["tags"] = [tag_of(path)]
        operation.setdefault("summary", first_sentence(operation.get("description", "")))
        _describe_successes(path, method, operation)
        _add_refusals(path, operation)
        if method == "get" and not NOT_KEPT & _shown(operation):
            _add_not_modified(operation)
    result["components"]["responses"] = {
        code: {"description": says, "content": {MEDIA_TYPE: {"schema": PROBLEM}}} for code, says in REFUSALS.items()
    }
    result["tags"] = [{"name": name} for name in dict.fromkeys([*TAGS.values(), OFFICE])]
    return result


def first_sentence(description: str) -> str:
    """Return what a list of operations shows of one: its first sentence, without marks and the full stop."""
    words = " ".join(description.replace("`", "").split())
    return re.split(r"(?<=[.?]) ", words, maxsplit=1)[0].removesuffix(".")


def fields(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield each field of each schema: the schema's name, its own, and what is said of it."""
    for schema, about in document["components"]["schemas"].items():
        for field, said in about.get("properties", {}).items():
            yield schema, field, said


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def sent(document: Document) -> set[str]:
    """Return the names of the schemas of bodies that are sent."""
    return {
        content["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in operations(document)
        for content in operation.get("requestBody", {}).get("content", {}).values()
    }


def _say_what_must_not_be_empty(document: Document) -> None:
    """Let each text that is sent and must not be empty say so, and none that is shown: that can be empty."""
    given = sent(document)
    texts = [(about, schema in given) for schema, _, about in fields(document)]
    asked = [one["schema"] for _, _, operation in operations(document) for one in operation.get("parameters", ())]
    for about, is_sent in [*texts, *((one, True) for one in asked)]:
        if about.get("minLength") == 1 and not is_sent:
            del about["minLength"]
        elif about.get("minLength") == 1 and not {"pattern", "format"} & about.keys():
            about["pattern"] = SAYS_SOMETHING
        elif is_sent and about.get("format") == "uuid" and isinstance(about["type"], list):
            about["pattern"] = AN_ID


def _shown(operation: Document) -> set[str]:
    """Return the types of the body of a success, and the names of its schemas."""
    content = operation["responses"]["200"]["content"]
    return {*content, *(one["schema"].get("$ref", "").rpartition("/")[2] for one in content.values())}


def _describe_successes(path: str, method: str, operation: Document) -> None:
    """Say of each success what it means, where the view does not say it."""
    for code, answer in operation["responses"].items():
        if code in SUCCESSES and answer["description"] in ("", NO_BODY):
            answer["description"] = A_READ if method == "get" else SUCCESSES[code]
            if path.endswith("/preview/"):
                answer["description"] = A_PREVIEW


def _add_not_modified(operation: Document) -> None:
    """Let a read say that it can be asked whether an answer is still right."""
    operation.setdefault("parameters", []).append(IF_NONE_MATCH)
    operation["responses"]["304"] = {"description": "Nothing has changed since the answer with this `ETag`"}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _add_refusals(path: str, operation: Document) -> None:
    """Let the operation name each refusal that it can answer, as problem details.

    404, because what an id or a cursor names can be missing.
    """
    answers = operation["responses"]
    named = [*OF_EVERY_ADDRESS, *(WITH_A_BODY if "requestBody" in operation else ())]
    if "{" in path or any(one["name"] == CURSOR for one in operation.get("parameters", ())):
        named.append("404")
    refused = {code for code in answers if code in REFUSALS} | set(named)
    for code in sorted(refused):
        answers[code] = {"$ref": f"#/components/responses/{code}"}
    operation["responses"] = dict(sorted(answers.items()))
