"""The libraries that this installation runs on: name, version and licence, as each says itself."""

from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from typing import Any

LONGEST = 100
CLASSIFIED = "License :: "


def installed() -> Iterator[dict[str, Any]]:
    """Yield each installed package once, in the order of their names."""
    found = {one.metadata["Name"].lower(): one for one in distributions()}
    for _, one in sorted(found.items()):
        yield {"package": one.metadata["Name"], "version": one.version, "licence": licence_of(one)}


def licence_of(package: Distribution) -> str:
    """Return the licence in one line. Some packages put the whole text there, and others only a classifier.

    Source: https://packaging.python.org/en/latest/specifications/core-metadata/#license-expression
    """
    metadata = package.metadata
    given = next((metadata[name].strip() for name in ("License-Expression", "License") if name in metadata), "")
    if given and len(given) <= LONGEST and "\n" not in given:
        return given
    classifiers = metadata.get_all("Classifier") or []
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith(CLASSIFIED)]
    return ", ".join(named) or given.partition("\n")[0][:LONGEST] or "not said"
