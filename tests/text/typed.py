"""Every field into which a person can type, found by walking over forms, operations, the API and commands."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django import forms
from django.core.management import get_commands, load_command_class
from django.db import models
from drf_spectacular.generators import SchemaGenerator

import billing.pages.urls
import billing.sign_in.forms  # noqa: F401  the forms are found as subclasses, once their modules are imported
import config.urls  # noqa: F401  so are those of every page
from billing.operations.engine.registry import REGISTRY
from billing.text.fields import TYPED

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "hipaa.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def subclasses(base: type[Any]) -> Iterator[type[Any]]:
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


def of_forms() -> set[str]:
    ours = {one for one in subclasses(forms.BaseForm) if one.__module__.startswith("billing.")}
    return {
        f"{one.__name__}.{name}"
        for one in ours
        for name, field in one.base_fields.items()
        if isinstance(field, forms.CharField) and not _is_of_a_column(one, name)
    }


def _is_of_a_column(form: type[Any], name: str) -> bool:
    model = getattr(getattr(form, "_meta", None), "model", None)
    return model is not None and f"{model.__name__}.{name}" in TYPED


def of_operations() -> set[str]:
    return {f"{one.__name__}.{name}" for one in REGISTRY.values() for name in _texts_of(one)}


def _texts_of(declared: type[Any]) -> Iterator[str]:
    for name, one in declared.__dataclass_fields__.items():
        terms = one.metadata.get("terms")
        if terms and "str" in str(one.type) and not terms.choices and terms.form != "uuid":
            yield name


def of_the_api() -> set[str]:
    """Return the texts of bodies and queries that the API's document has, without those of a closed list or form."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    asked = [one for methods in document["paths"].values() for one in methods.values()]
    found = {f"?{one['name']}" for each in asked for one in each.get("parameters", ()) if _is_free(one["schema"])}
    for each in asked:
        for content in each.get("requestBody", {}).get("content", {}).values():
            name = content["schema"].get("$ref", "").rpartition("/")[2]
            body = document["components"]["schemas"].get(name, {})
            found |= {f"{name}.{key}" for key, value in body.get("properties", {}).items() if _is_free(value)}
    return found


def _is_free(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string" and "enum" not in schema and schema.get("format") not in ("uuid", "date-time")


def of_commands() -> set[str]:
    ours = [name for name, app in get_commands().items() if app == "billing"]
    found = set()
    for name in ours:
        parser = load_command_class("billing", name).create_parser("manage.py", name)
        texts = [one for one in parser._actions if isinstance(one, argparse._StoreAction) and one.type is None]
        found |= {f"{name} {one.dest}" for one in texts if one.dest in ("reason", "email")}
    return found


def text_columns() -> set[str]:
    """Return all columns of our tables that could hold a text."""
    from django.apps import apps

    kinds = (models.CharField, models.TextField, models.JSONField)
    return {
        f"{one.__name__}.{field.name}"
        for one in apps.get_app_config("billing").get_models()
        for field in one._meta.concrete_fields
        if isinstance(field, kinds) and not field.choices
    }


def table() -> dict[str, tuple[str, str, str]]:
    """Return the rows of the table in docs/hipaa.md: rule, place, and whether Stripe gets it."""
    return {
        name: (rule.strip(), kept.strip(), sent.strip()) for name, rule, kept, sent in ROW.findall(TABLE.read_text())
    }
