"""The parts of an object: fields that hold further fields, and have no kind of their own."""

from typing import Any

Schema = dict[str, Any]


def part_in(schema: Schema) -> Schema | None:
    """Return the schema of the part that a field holds, alone or as each member of a list. None if it holds no part."""
    while schema.get("type") == "array":
        schema = schema["items"]
    if "anyOf" in schema:
        return next((part for one in schema["anyOf"] if (part := part_in(one))), None)
    is_page = "enum" in schema.get("properties", {}).get("object", {})
    return schema if "properties" in schema and not is_page else None
