"""Reads the annotations in stripe-python's source as OpenAPI 3.0 schemas: of parameters (TypedDicts) and of objects.

The source is read and never imported. Every annotation is a syntax tree, and a class is identified by its place.
"""

import ast
import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

NULL: Schema = {"nullable": True}
SCALARS: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "Decimal": {"type": "string", "format": "decimal"},
    "Any": {},
    "object": {},
}
# The kinds of object that the document describes. Any other kind is an object without a description.
KINDS = frozenset(
    "account balance balance_transaction billing.meter billing.meter_event billing.meter_event_adjustment "
    "billing.meter_event_summary billing_portal.configuration billing_portal.session charge checkout.session coupon "
    "credit_note credit_note_line_item customer customer_balance_transaction discount dispute event invoice "
    "invoice_payment invoiceitem item line_item payment_intent payment_method plan price product promotion_code "
    "radar.early_fraud_warning refund setup_intent subscription subscription_item subscription_schedule tax_id "
    "tax_rate test_helpers.test_clock webhook_endpoint".split()
)


@dataclass(frozen=True)
class Scope:
    """The place of an annotation: its module, and the classes around it, outermost first."""

    module: Path
    classes: tuple[ast.ClassDef, ...] = ()


@functools.cache
def sdk() -> Path:
    """Return the folder of the installed stripe-python."""
    spec = importlib.util.find_spec("stripe")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("stripe-python is not installed")
    return Path(spec.origin).parent


def source_files(pattern: str) -> list[Path]:
    """List the SDK's files that match this pattern, always in the same order, without those of Stripe's second API."""
    return sorted(path for path in sdk().rglob(pattern) if "v2" not in path.relative_to(sdk()).parts)


@functools.cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def constant(file: str, name: str) -> str:
    """Return a constant of the SDK: the text that this file gives this name. Raises: LookupError."""
    for statement in ast.walk(ast.parse((sdk() / file).read_text())):
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=str(value))) if found == name:
                return value
    raise LookupError(f"{file}: {name}")


def object_schemas() -> dict[str, Schema]:
    """Return the schema of every kind of object that the document describes."""
    found = {}
    for module in source_files("_*.py"):
        for cls in _classes(parsed(module)):
            if (kind := _kind(cls)) in KINDS:
                schema = found[kind] = class_schema(Scope(module, (cls,)))
                schema["properties"].setdefault("object", {})["enum"] = [kind]
                schema["x-resourceId"] = kind
    return found


def schema_of(annotation: ast.expr, scope: Scope) -> Schema:
    """Return the schema of the annotation, read in its scope."""
    match annotation:
        case ast.Constant(value=None):
            return dict(NULL)
        case ast.Constant(value=str(quoted)):
            return schema_of(ast.parse(quoted, mode="eval").body, scope)
        case ast.BinOp(left=left, right=right):
            return _union([schema_of(one, scope) for one in [*_alternatives(left), right]])
        case ast.Subscript(value=ast.Name(id=generic), slice=ast.Tuple(elts=arguments)):
            return _generic_schema(generic, arguments, scope)
        case ast.Subscript(value=ast.Name(id=generic), slice=argument):
            return _generic_schema(generic, [argument], scope)
        case ast.Name(id=name) if name in SCALARS:
            return dict(SCALARS[name])
        case ast.Name() | ast.Attribute():
            return _reference(ast.unparse(annotation), scope)
    raise NotImplementedError(f"{scope.module}: {ast.unparse(annotation)}")


def class_schema(scope: Scope) -> Schema:
    """Return the schema of the innermost class: its annotated fields, under the names that the API uses."""
    cls = scope.classes[-1]
    api_names = _api_names(cls)
    properties, required, expandable = {}, [], []
    for field in cls.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if field.target.id.startswith("_") or field.target.id == "OBJECT_NAME":
            continue
        name = api_names.get(field.target.id, field.target.id)
        properties[name] = schema_of(field.annotation, scope)
        if not _may_be_absent(field.annotation):
            required.append(name)
        if "ExpandableField[" in ast.unparse(field.annotation):
            expandable.append(name)
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if expandable:
        schema["x-expandableFields"] = sorted(expandable)
    return schema


def find_class(name: str, scope: Scope) -> Scope | None:
    """Find the class with this dotted name by Python's rules: in the classes around, in the module, imported."""
    head, *rest = name.split(".")
    found = _enclosed(head, scope) or _top_level(head, scope.module)
    for part in rest:
        found = found and _nested(part, found)
    return found


def _reference(name: str, scope: Scope) -> Schema:
    """Return the schema for a class name: a reference for a described kind, in full for a class without a kind."""
    found = find_class(name, scope)
    if found is None:
        raise LookupError(f"{scope.module}: {name}")
    kind = _kind(found.classes[-1])
    if kind is None:
        return class_schema(found)
    return {"$ref": f"#/components/schemas/{kind}"} if kind in KINDS else {"type": "object"}


def _generic_schema(generic: str, arguments: list[ast.expr], scope: Scope) -> Schema:
    if generic == "Literal":
        values = [ast.literal_eval(one) for one in arguments]
        return SCALARS[type(values[0]).__name__] | {"enum": values}
    if generic == "Union":
        return _union([schema_of(one, scope) for one in arguments])
    last = schema_of(arguments[-1], scope)
    match generic:
        case "NotRequired" | "Required":
            return last
        case "Optional":
            return last | NULL
        case "List" | "Sequence":
            return {"type": "array", "items": last}
        case "Dict" | "Mapping" | "UntypedStripeObject":
            return {"type": "object", "additionalProperties": last}
        case "ExpandableField":
            return {"anyOf": [{"type": "string"}, *last.get("anyOf", [last])]}
        case "ListObject":
            return _page("list", last)
        case "SearchResultObject":
            page = _page("search_result", last)
            page["required"].append("next_page")
            page["properties"] |= {"next_page": {"type": "string"} | NULL, "total_count": {"type": "integer"}}
            return page
    raise NotImplementedError(f"{scope.module}: {generic}")


def _union(options: list[Schema]) -> Schema:
    """Return the schema of any of these. ``Literal[...]|str`` is the SDK's enum that may grow. It is an enum here.

    ``Literal[""]|str`` is not an enum. It is a string that may be empty, to unset a value.
    """
    some = [one for one in options if one != NULL]
    nullable = NULL if NULL in options else {}
    if len(some) == 2 and some[1] == SCALARS["str"] and "enum" in some[0]:
        return (some[1] if some[0]["enum"] == [""] else some[0]) | nullable
    return (some[0] if len(some) == 1 else {"anyOf": some}) | nullable


def _page(kind: str, item: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["object", "data", "has_more", "url"],
        "properties": {
            "object": {"type": "string", "enum": [kind]},
            "data": {"type": "array", "items": item},
            "has_more": {"type": "boolean"},
            "url": {"type": "string"},
        },
    }


def _alternatives(annotation: ast.expr) -> list[ast.expr]:
    if isinstance(annotation, ast.BinOp):
        return [*_alternatives(annotation.left), annotation.right]
    return [annotation]


def _may_be_absent(annotation: ast.expr) -> bool:
    """Whether the field may be absent. A parameter says ``NotRequired``; ``Optional`` means null or absent."""
    return ast.unparse(annotation).startswith(("NotRequired[", "Optional["))


def _api_names(cls: ast.ClassDef) -> dict[str, str]:
    """Return the API's names of fields that have another name in Python, because the API's name is a keyword there."""
    for statement in cls.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="_field_remappings")], value=value):
                return ast.literal_eval(value)
    return {}


def _kind(cls: ast.ClassDef) -> str | None:
    for statement in cls.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id="OBJECT_NAME"), value=ast.Constant(value=str(kind))):
                return kind
    return None


def _classes(tree: ast.Module | ast.ClassDef) -> list[ast.ClassDef]:
    return [one for one in tree.body if isinstance(one, ast.ClassDef)]


def _nested(name: str, scope: Scope) -> Scope | None:
    inner = [one for one in _classes(scope.classes[-1]) if one.name == name]
    return Scope(scope.module, (*scope.classes, inner[0])) if inner else None


def _enclosed(name: str, scope: Scope) -> Scope | None:
    for depth in range(len(scope.classes), 0, -1):
        if found := _nested(name, Scope(scope.module, scope.classes[:depth])):
            return found
    return None


def _top_level(name: str, module: Path) -> Scope | None:
    own = [one for one in _classes(parsed(module)) if one.name == name]
    if own:
        return Scope(module, (own[0],))
    origin, original = _imports(module).get(name, (None, name))
    return _top_level(original, origin) if origin else None


@functools.cache
def _imports(module: Path) -> dict[str, tuple[Path, str]]:
    """Map each imported name to the SDK's module that defines it, and its name there."""
    return {
        alias.asname or alias.name: (_path(statement.module), alias.name)
        for statement in ast.walk(parsed(module))
        if isinstance(statement, ast.ImportFrom) and statement.module and statement.module.startswith("stripe.")
        for alias in statement.names
    }


def _path(module: str) -> Path:
    path = sdk().joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
