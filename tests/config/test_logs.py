"""Each line of the log: one JSON object with the request and the process, without secrets."""

import json
import logging
import sys

import pytest
from django.db import OperationalError
from django.test import Client

from billing import errors
from config import logs, redaction

GIVEN = "a-secret-of-ours-without-a-form"
CARD, NO_CARD = "4242 4242 4242 4242", "4242 4242 4242 4243"
KEY = "0123456789abcdef" * 4
SECRETS = {
    "key of Stripe": "sk_live_51abcDEF",
    "restricted key of Stripe": "rk_test_51abcDEF",
    "secret of the webhook": "whsec_abc+DEF/0=",
    "key with a dash": "sk_test_abc-def",
    "key of backups": "AGE-SECRET-KEY-1QQPQYHAZC3DUV0KF5N5Z5Z5Z5Z5",
    "client secret": "seti_1abc_secret_2def",
    "token of a service": "obs_0123456789ab_abc-DEF_0123456789",
    "token of a person": f"Token {KEY[:40]}",
    "token in a header": "Bearer abcdefghij.0123",
    "link in an e-mail": "https://billing.vendor.example/invitation/?link=abc:def.0",
    "password in an address": "postgres://billing:hidden-word@db.vendor.example/billing",
    "key of the database": KEY,
    "e-mail address": "pat.person+billing@maple.example",
    "card": CARD,
    "card without spaces": CARD.replace(" ", ""),
    "last digits of a card": "last4: 4242",
    "our own": GIVEN,
}
HIDDEN = {"link in an e-mail": "abc:def.0", "password in an address": "hidden-word", "last digits of a card": "4242"}
KEPT = (
    "request 5f2b7a0c9d8e4f10a1b2c3d4e5f60718 of Office 3b0c7d1e-5a0f-4c55-9a53-0f1d2c3b4a59 at 2026-11-29 16:00:00",
    NO_CARD,
    "webhook not stored: the database did not take it",
    "job purge-events failed, attempt 12 of 12 in 1200 ms",
    "/api/v1/offices/3b0c7d1e-5a0f-4c55-9a53-0f1d2c3b4a59/invoices/?cursor=2",
)


def line_of(message, *arguments, error=None, form=logs.JSON):
    formatter = logs.Line(form, redaction.known([GIVEN, "short"]))
    record = logging.LogRecord("billing.test", logging.ERROR, __file__, 1, message, arguments, None)
    if error is not None:
        try:
            raise error
        except type(error):
            record.exc_info = sys.exc_info()
    return formatter.format(record)


@pytest.mark.parametrize("form", [logs.JSON, logs.TEXT])
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_leaves_in_a_message_or_a_traceback(name, form):
    secret = SECRETS[name]
    hidden = HIDDEN.get(name, secret.rpartition(" ")[2])
    lines = [
        line_of(f"it says {secret} here", form=form),
        line_of("it says %s, %s", {"a": [secret]}, secret, form=form),
        line_of("failed", error=ValueError(f"not {secret}"), form=form),
        line_of("failed", error=OperationalError(f"not\n{secret}"), form=form),
    ]

    for line in lines:
        assert hidden not in line
        assert redaction.GONE in line
        if form == logs.JSON:
            assert json.loads(line)["event"]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text):
    assert json.loads(line_of(text))["event"] == text


@pytest.mark.parametrize("form", [logs.JSON, logs.TEXT])
def test_a_secret_with_quotes_and_backslashes_is_found_as_it_is_written_there(form):
    given = 'corr"ect\\hörse-battery'
    line = logs.Line(form, redaction.known([given]))
    record = logging.LogRecord("smtp", logging.ERROR, __file__, 1, "535 %s and %r", (given, given), None)

    written = line.format(record)

    assert "hörse" not in written
    assert "h\\u00f6rse" not in written
    assert written.count(redaction.GONE) == 2


def test_a_short_secret_is_not_looked_for_in_words():
    assert json.loads(line_of("a short word"))["event"] == "a short word"


def test_a_line_says_when_where_and_in_which_process():
    logs.name_worker("machine:12")
    try:
        found = json.loads(line_of("it %s", "worked"))
    finally:
        logs.name_worker("")

    assert {name: found[name] for name in ("level", "logger", "event", "worker")} == {
        "level": "error",
        "logger": "billing.test",
        "event": "it worked",
        "worker": "machine:12",
    }
    assert found["process"] > 0
    assert found["time"].endswith("Z")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationalError("database is locked"), "OperationalError: database is locked"),
        (OperationalError("server closed\n  the connection"), "OperationalError: server closed the connection"),
        (errors.StripeUnavailable(), f"StripeUnavailable: {errors.StripeUnavailable()}"),
    ],
)
def test_what_is_expected_is_one_line_with_its_reason(error, reason):
    for form in (logs.JSON, logs.TEXT):
        line = line_of("not stored", error=error, form=form)
        assert "Traceback" not in line
        assert "\n" not in line
        assert reason in line


@pytest.mark.parametrize("error", [ValueError("x"), OperationalError("no such table: x"), errors.Defect("a defect")])
def test_a_defect_keeps_its_traceback_without_values(error):
    value_of_a_variable = "not-to-be-seen"
    found = json.loads(line_of("failed", error=error))

    assert "Traceback" in found["exception"]
    assert "test_logs.py" in found["exception"]
    assert value_of_a_variable not in json.dumps(found)


def test_the_request_id_of_the_answer_is_in_every_line_of_the_request(db, caplog):
    formatter = logs.Line(logs.JSON, ())
    seen = []

    class Heard(logging.Handler):
        def emit(self, record):
            seen.append(json.loads(formatter.format(record)))

    heard = Heard()
    logging.getLogger().addHandler(heard)
    try:
        answer = Client().get("/api/v1/no-such-address/")
    finally:
        logging.getLogger().removeHandler(heard)

    assert [one["request_id"] for one in seen if one["logger"] == "django.request"] == [answer.headers["X-Request-ID"]]
