"""Pages stored as files: a folder for each book, a file for each page.

With ``WRITE_SNAPSHOTS=1`` the files are written, otherwise they are compared.
"""

import base64
import difflib
import functools
import hashlib
import itertools
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib import parse

FOLDER = Path(__file__).parent / "snapshots"
WRITING = os.environ.get("WRITE_SNAPSHOTS") == "1"
MOST_SHOWN = 40
HEADERS = ("Location", "Cache-Control", "Retry-After", "Idempotent-Replayed", "WWW-Authenticate", "Allow")
NUMBERED = (
    ("uuid", re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])")),
    ("request", re.compile(r"\b[0-9a-f]{32}\b")),
    ("prefix", re.compile(r"\b[0-9A-F]{8}(?=-\d{4}\b)")),
    ("id", re.compile(r"\b(?:cs_test|[a-z]{2,8})_[0-9a-f]{24}(?:_secret_[0-9a-f]+)?\b")),
    ("id's end", re.compile(r"(?<=_…)[0-9A-Za-z]{4}\b")),
    ("content type", re.compile(r"(?<=content_type__id__exact=)\d+")),
    ("group", re.compile(r'(?<=<option value=")\d+(?="[^>]*>\s*(?:administrator|auditor|finance|operator|support)\b)')),
    ("group", re.compile(r"(?<=groups__id__exact=)\d+")),
    ("service token", re.compile(r"\bobs_[0-9a-f]{12}(?:_[\w-]{43})?")),
    ("stamp", re.compile(r'(?<=name="stamp" value=")[0-9a-f]+')),
    ("seen", re.compile(r'(?:(?<=name="seen" value=")|(?<="seen": "))[0-9a-f]{64}')),
    ("token", re.compile(r'(?<="token": ")[0-9a-f]+')),
    ("etag", re.compile(r'(?<=ETag: ")[0-9a-f]+')),
)
"""What differs from run to run. In each page it is replaced by a number, in the order in which it appears."""
STYLING = re.compile(r"""(?<= )(class|style|:?x-[\w:.@-]+)="([^"]*)"(?=[\s>/])""")
"""Classes are sorted, because Unfold sometimes joins them in the order of a set."""
LONG = 30
LEGEND = "_styling.txt"


def _place_in_list(found: re.Match[str]) -> str:
    return parse.unquote_plus(base64.b64decode(parse.unquote(found[0])).decode())


FIXED: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<=[?&]cursor=)[A-Za-z0-9]+(?:%3D)*"), _place_in_list),  # its time is then taken as any other
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<stripe>"),
    (re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[^"]+'), "<csrf>"),
    (re.compile(r"(X-CSRFToken[^A-Za-z0-9]+)[A-Za-z0-9]{32,}"), r"\1<csrf>"),
    (re.compile(r"(>(?:salt|hash)</strong>: )[^<*]+"), r"\1<secret>"),
    (re.compile(r"(?<=\d\d:\d\d:\d\d)\.\d{6}"), ".<microseconds>"),
)


class Book:
    """The pages of one test."""

    def __init__(self, name: str) -> None:
        self.folder = FOLDER / name
        self.pages: dict[str, list[str]] = defaultdict(list)
        self.legend: dict[str, str] = {}  # the long styling attributes by the hashes that replace them

    def add(self, page: str, text: str) -> None:
        """Add a text to the page, below what is on it already."""
        self.pages[page].append(text if text.endswith("\n") else f"{text}\n")

    def close(self) -> None:
        """Write the pages to their files, or compare them. Raises: AssertionError that shows the differences."""
        found = {name: self._short(normal("\n".join(texts))) for name, texts in self.pages.items()}
        if self.legend:
            found[LEGEND] = "".join(f"{mark} {value}\n" for mark, value in sorted(self.legend.items()))
        kept = {str(path.relative_to(self.folder)): path for path in sorted(self.folder.rglob("*")) if path.is_file()}
        if WRITING:
            for name in kept.keys() - found.keys():
                kept[name].unlink()
            for name, text in found.items():
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
            return
        before = {name: path.read_bytes().decode() for name, path in kept.items()}
        names = sorted(before.keys() | found.keys())
        differ = [name for name in names if before.get(name) != found.get(name)]
        assert not differ, "\n".join(
            [f"{len(differ)} of {len(names)} pages are not what they were: {', '.join(differ)}", ""]
            + [line for name in differ[:MOST_SHOWN] for line in _difference(name, before, found)]
        )

    def _short(self, text: str) -> str:
        def put(found: re.Match[str]) -> str:
            value = " ".join(sorted(found[2].split()) if found[1] == "class" else found[2].split())
            if len(value) < LONG:
                return f'{found[1]}="{value}"'
            mark = "#" + hashlib.sha256(value.encode()).hexdigest()[:6]
            assert self.legend.setdefault(mark, value) == value
            return f'{found[1]}="{mark}"'

        return STYLING.sub(put, text)


def _difference(name: str, before: dict[str, str], found: dict[str, str]) -> list[str]:
    was, now = (one.get(name, "").splitlines() for one in (before, found))
    return list(
        itertools.islice(difflib.unified_diff(was, now, f"{name} was", f"{name} is", "", "", 2, ""), MOST_SHOWN)
    )


def normal(text: str) -> str:
    """Return the text without what differs from run to run."""
    for pattern, put in FIXED:
        text = pattern.sub(put, text)
    for what, pattern in NUMBERED:
        seen: dict[str, int] = {}
        text = pattern.sub(functools.partial(_placeholder, what, seen), text)
    return text


def _placeholder(what: str, seen: dict[str, int], found: re.Match[str]) -> str:
    return f"<{what} {_number(seen, found[0])}>"


def _number(seen: dict[str, int], value: str) -> int:
    return seen.setdefault(value, len(seen) + 1)


def exchange(asked: str, answer: Any, given: Any = None, only: re.Pattern[str] | None = None) -> str:
    """Return a request and its answer. With ``only``, just the matching parts of an HTML page."""
    told = f" {json.dumps(given, ensure_ascii=False, default=str)}" if given is not None else ""
    headers = [f"{name}: {answer.headers[name]}" for name in HEADERS if name in answer.headers]
    return "\n".join([f">>> {asked}{told}", f"<<< {answer.status_code}", *headers, *_body(answer, only)])


def _body(answer: Any, only: re.Pattern[str] | None) -> list[str]:
    if answer.status_code >= 500 and "json" not in answer.headers["Content-Type"]:
        return ["a defect"]
    if answer.streaming:  # the hashes of an export are others each time
        return [f"{len(b''.join(answer.streaming_content).splitlines())} lines"]
    text = answer.content.decode()
    if answer.headers.get("Content-Type", "").startswith(("application/json", "application/problem+json")):
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False).splitlines()
    return main_part("\n".join(only.findall(text)) if only else text)


def main_part(html: str) -> list[str]:
    """Return the title and what is beside the sidebar: header, buttons, messages, content. Lines are stripped."""
    title = re.search(r"<title>.*?</title>", html, re.DOTALL)
    begins, ends = html.find('<div id="main"'), html.find('<div id="modal-overlay"')
    shown = f"{title[0] if title else ''}\n{html[begins:ends]}" if 0 <= begins < ends else html
    return [line.strip() for line in shown.splitlines() if line.strip()]
