"""The HTML of the sandbox's pages: one style, no scripts, everything escaped."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from stripe_sandbox.currencies import money
from stripe_sandbox.kinds import Row

STYLE = """
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f6f8fa;color:#1a1f36}
main{max-width:1100px;margin:0 auto;padding:2rem 1rem}
main.narrow{max-width:560px}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{color:#56606e}
a{color:#4b45c6}
code{overflow-wrap:anywhere}
.test{white-space:nowrap;background:#ffe7c2;color:#5b3600;border-radius:6px;padding:.2rem .6rem;font-size:.8rem}
.box{background:#fff;border:1px solid #e3e8ee;border-radius:8px;padding:1rem;margin:1rem 0}
.row{display:flex;gap:.5rem;align-items:center;flex-wrap:wrap}
.error{background:#fde8e8;border:1px solid #f5b5b5;border-radius:8px;color:#8a1c1c;padding:.6rem 1rem;margin:1rem 0}
.total{font-size:1.8rem;font-weight:600;color:#1a1f36;margin:.25rem 0}
dl{background:#fff;border:1px solid #e3e8ee;border-radius:8px;margin:.5rem 0}
dl div{display:flex;justify-content:space-between;gap:1rem;padding:.45rem .75rem;border-top:1px solid #e3e8ee}
dl div:first-child{border-top:0}
dd{margin:0;text-align:right;white-space:nowrap}
form{margin:0}
label{display:block;font-size:.85rem;color:#56606e;margin:.75rem 0 .25rem}
input,select{font:inherit;width:100%;padding:.45rem .6rem;border:1px solid #c9d1da;border-radius:6px;background:#fff}
button{font:inherit;border:0;border-radius:6px;padding:.45rem .9rem;background:#4b45c6;color:#fff;cursor:pointer}
button.quiet{background:#fff;color:#1a1f36;border:1px solid #c9d1da}
button.wide{width:100%;margin-top:1rem;padding:.65rem}
button:focus-visible,a:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid #f5a623}
.scroll{overflow-x:auto;background:#fff;border:1px solid #e3e8ee;border-radius:8px}
table{width:100%;border-collapse:collapse}
th,td{text-align:left;vertical-align:top;padding:.45rem .75rem;border-top:1px solid #e3e8ee}
th{border-top:0;font-size:.8rem;color:#56606e}
td:last-child,th:last-child{text-align:right}
td form{display:inline-block;margin:.1rem 0}
td button{white-space:nowrap;padding:.15rem .6rem;font-size:.85rem}
small{color:#56606e;display:block}
nav{display:flex;gap:1rem;flex-wrap:wrap;margin:.75rem 0}
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:.75rem}
.counts div{background:#fff;border:1px solid #e3e8ee;border-radius:8px;padding:.6rem 1rem;color:#56606e;
font-size:.85rem}
.counts b{display:block;font-size:1.4rem;color:#1a1f36}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:.75rem}
.facts div,td small{overflow-wrap:anywhere}
.tries{white-space:nowrap}
.clock{padding:.25rem 0}
.clock span{flex:1 1 260px}
.empty{background:#fff;border:1px dashed #c9d1da;border-radius:8px;padding:.75rem 1rem;margin:0}
.pill{background:#e8ebf0;color:#3a4252;border-radius:99px;padding:.1rem .6rem;font-size:.8rem;white-space:nowrap}
.pill.good{background:#d9f2e3;color:#0d5a2d}
.pill.waiting{background:#ffefc9;color:#6b4700}
.pill.bad{background:#fde0e0;color:#8a1c1c}
@media(max-width:700px){
main{padding:1rem .75rem}
.clock button{padding:.35rem .5rem;font-size:.85rem}
thead{display:none}
tr{display:block;border-top:1px solid #e3e8ee;padding:.5rem 0}
tbody tr:first-child{border-top:0}
td,td:last-child{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.2rem .75rem;text-align:right}
td::before{content:attr(data-head);color:#56606e;font-size:.8rem;text-align:left}
}
"""
LOOKS = {
    "good": set("active trialing paid succeeded delivered won ready complete enabled issued".split()),
    "waiting": set(
        "incomplete draft open pending past_due requires_action requires_payment_method requires_confirmation "
        "needs_response warning_needs_response under_review advancing processing paused".split()
    ),
    "bad": set("unpaid canceled incomplete_expired uncollectible failed dropped lost disputed".split()),
}


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


def document(title: str, body: str, *, narrow: bool = False) -> str:
    """Return a whole page. The body is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main{' class=narrow' if narrow else ''}>{body}</main></body></html>"
    )


def table(heads: list[str], rows: Iterable[list[str]], *, empty: str = "None yet.") -> Safe:
    """Return a table, or a list on a narrow screen. Cells are escaped unless ``Safe``. With no rows, show ``empty``."""
    body = "".join(
        "<tr>"
        + "".join(f'<td data-head="{escape(head)}">{cell(one)}</td>' for head, one in zip(heads, row, strict=True))
        + "</tr>"
        for row in rows
    )
    if not body:
        return Safe(f'<p class="empty">{cell(empty)}</p>')
    head = "".join(f"<th>{cell(one)}</th>" for one in heads)
    return Safe(f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def pairs(rows: Iterable[tuple[str, str]]) -> Safe:
    """Return rows with a text at the left and one at the right, on every screen; escaped unless ``Safe``."""
    body = "".join(f"<div><dt>{cell(left)}</dt><dd>{cell(right)}</dd></div>" for left, right in rows)
    return Safe(f"<dl>{body}</dl>")


def pill(word: str) -> Safe:
    """Return a status, with a colour for good, waiting or bad."""
    look = next((look for look, words in LOOKS.items() if word in words), "")
    return Safe(f'<span class="pill {look}">{escape(word.replace("_", " "))}</span>')


def link(address: str, text: str) -> Safe:
    return Safe(f'<a href="{escape(address)}">{escape(text)}</a>')


def cell(text: str) -> str:
    return text if isinstance(text, Safe) else escape(str(text))


def button(action: str, label: str, /, *, quiet: bool = False, **values: str) -> Safe:
    """Return a form with one button that posts these values."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(one)}">' for name, one in values.items())
    look = ' class="quiet"' if quiet else ""
    return Safe(f'<form method="post" action="{escape(action)}">{hidden}<button{look}>{escape(label)}</button></form>')


def cost(price: Row) -> str:
    """Return a price's amount, and its interval."""
    exact = price["unit_amount"] is None
    amount = f"{price['unit_amount_decimal']} of the least unit of {price['currency'].upper()}" if exact else ""
    every = price["recurring"]
    count = every and (f"{every['interval_count']} {every['interval']}s" if every["interval_count"] > 1 else "")
    each = f" each {count or every['interval']}" if every else ""
    return f"{amount or money(price['unit_amount'], price['currency'])}{each}"


def time_shown(epoch: int | None) -> str:
    """Return the time in UTC. ``epoch`` is in seconds since 1970."""
    return f"{datetime.fromtimestamp(epoch, UTC):%d %b %Y, %H:%M} UTC" if epoch is not None else "–"
