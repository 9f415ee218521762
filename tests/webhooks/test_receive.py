import io
import json
import time

import pytest
from django.test import Client
from stripe import WebhookSignature

from billing.models import AuditEntry, ReceivedEvent
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.start import StartSubscription
from billing.webhooks import receive
from tests.conftest import post_delivery, price_id


@pytest.fixture
def delivery(stripe, operator, office):
    perform(StartSubscription(price=price_id("practice-monthly"), trial_days=7), office, by=operator, reason="new")
    return stripe.taken()[0]


def signed(body, *, secret="whsec_only_for_tests", at=None):
    return {"Stripe-Signature": WebhookSignature.generate_signature_header(body, secret, at or int(time.time()))}


def test_a_signed_event_is_kept_as_a_hint_without_its_body(delivery):
    assert post_delivery(delivery).status_code == 200

    row = ReceivedEvent.objects.get()
    assert (row.type, row.status) == ("customer.created", "waiting")
    assert row.customer_id.startswith("cus_")
    assert "maple" not in json.dumps(list(ReceivedEvent.objects.values()), default=str)


def test_a_duplicate_is_one_event(delivery):
    assert [post_delivery(delivery).status_code for _ in range(3)] == [200, 200, 200]
    assert ReceivedEvent.objects.count() == 1


def test_it_takes_one_statement_once_its_address_is_known(delivery, django_assert_num_queries):
    receive._known.clear()  # of this process
    with django_assert_num_queries(2):
        post_delivery(delivery)
    with django_assert_num_queries(1):
        post_delivery(delivery)


def test_during_a_roll_both_secrets_count(delivery):
    headers = signed(delivery["body"], secret="whsec_during_a_roll")
    assert post_delivery(delivery, headers=headers).status_code == 200


@pytest.mark.parametrize("age", [301, 4_000, -310, -90_000])
def test_a_stale_or_early_signature_is_refused(delivery, age):
    headers = signed(delivery["body"], at=int(time.time()) - age)
    assert post_delivery(delivery, headers=headers).status_code == 400
    assert not ReceivedEvent.objects.exists()


@pytest.mark.parametrize("header", ["", "t=1,v1=abc", "v1=abc", "t=x,v1=", "t=99999999999999,v1=0", "t=1\x00,v1=é"])
def test_a_missing_or_wrong_signature_is_refused_and_nothing_kept(delivery, header):
    before = AuditEntry.objects.count()
    answer = post_delivery(delivery, headers={"Stripe-Signature": header})
    assert answer.status_code == 400
    assert "signature" in answer.text.lower()
    assert not ReceivedEvent.objects.exists()
    assert AuditEntry.objects.count() == before


def test_an_old_delivery_with_a_second_stamp_of_now_is_refused(delivery):
    old = int(time.time()) - 4_000
    signature = signed(delivery["body"], at=old)["Stripe-Signature"].partition(",")[2]
    for stamps in (f"t=+{old},t={int(time.time())}", f"t={int(time.time())},t={old}", f"t={old},t={int(time.time())}"):
        answer = post_delivery(delivery, headers={"Stripe-Signature": f"{stamps},{signature}"})
        assert answer.status_code == 400
    assert not ReceivedEvent.objects.exists()


def test_a_signature_of_now_that_is_not_ascii_is_refused(delivery):
    answer = post_delivery(delivery, headers={"Stripe-Signature": f"t={int(time.time())},v1=é"})
    assert answer.status_code == 400


def test_a_changed_body_is_refused(delivery):
    changed = delivery["body"].replace("customer.created", "customer.deleted")
    assert post_delivery(delivery, body=changed).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("null", 200),
        ("[]", 200),
        ('"x"', 200),
        ("{}", 200),
        ('{"object":"event"}', 200),
        ('{"object":"event","data":null}', 200),
        ('{"object":"v2.core.event","type":"v1.billing.meter.no_meter_found","data":{}}', 200),
        ("not json", 400),
        ("[" * 200_000, 400),
        ("9" * 5_000, 400),
        ('{"object":"event","livemode":true,"id":"evt_1","data":{"object":{"id":"cus_1"}}}', 400),
        ('{"object":"event","livemode":false,"account":"acct_2","id":"evt_1","data":{"object":{}}}', 400),
    ],
)
def test_a_signed_body_is_never_an_error_of_ours(delivery, body, status):
    assert post_delivery(delivery, body=body, headers=signed(body)).status_code == status
    assert not ReceivedEvent.objects.exists()


def test_odd_values_in_a_signed_event_are_no_error_of_ours(delivery):
    body = json.dumps(
        {
            "object": "event",
            "id": "evt_odd",
            "type": "charge.failed",
            "livemode": False,
            "created": 1e99,
            "data": {"object": {"id": 7, "customer": ["x"], "charge": "a\0b"}, "previous_attributes": []},
        }
    )
    assert post_delivery(delivery, body=body, headers=signed(body)).status_code == 200


@pytest.mark.parametrize("text", ["evt_\ud800", "evt_\0", "evt_" + "x" * 2_000, "évt"])
def test_no_text_in_a_signed_event_is_too_odd_to_be_stored(delivery, text):
    about = {"id": text, "object": text, "customer": text}
    body = json.dumps({"object": "event", "id": text, "type": text, "livemode": False, "data": {"object": about}})

    assert post_delivery(delivery, body=body, headers=signed(body)).status_code == 200
    assert ReceivedEvent.objects.count() == 1


@pytest.mark.parametrize("forwarded", ["", "garbage", "1.2.3.4, ::::, \0", "x" * 5_000])
def test_a_forwarded_address_does_no_harm(delivery, forwarded):
    assert post_delivery(delivery, headers={"X-Forwarded-For": forwarded}).status_code == 200


@pytest.mark.parametrize("length", ["-1", "²", "9" * 5_000, "many"])
def test_an_odd_declared_length_is_refused(delivery, length):
    path = "/" + delivery["url"].split("/", 3)[3]
    answer = Client().generic("POST", path, "x", content_type="application/json", CONTENT_LENGTH=length)
    assert answer.status_code in (400, 413)


def test_a_body_that_is_not_whole_is_not_called_wrongly_signed(delivery):
    body, path = delivery["body"].encode(), "/" + delivery["url"].split("/", 3)[3]
    given = {
        "content_type": "application/json",
        "headers": {"Stripe-Signature": delivery["headers"]["Stripe-Signature"]},
    }

    cut = Client().generic("POST", path, **given, CONTENT_LENGTH=len(body), **{"wsgi.input": io.BytesIO(body[:50])})
    left = Client().generic("POST", path, **given, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": io.BytesIO(body)})

    assert (cut.status_code, cut.content) == (400, b"The body is not whole.\n")
    assert (left.status_code, left.content) == (411, b"The body was not read: it has no length.\n")


def test_a_body_over_one_megabyte_is_refused(delivery):
    body = "x" * 1_000_001
    assert post_delivery(delivery, body=body, headers=signed(body)).status_code == 413


def test_bytes_that_are_not_utf8_are_refused(delivery):
    answer = Client().post(
        "/" + delivery["url"].split("/", 3)[3], b"\xff\xfe", content_type="application/json", headers=signed("x")
    )
    assert answer.status_code == 400


def test_an_unknown_address_is_not_found(delivery):
    unknown = {**delivery, "url": "http://x/stripe/webhook/00000000-0000-4000-8000-000000000000/"}
    assert post_delivery(unknown).status_code == 404


def test_only_post_is_answered(delivery):
    assert Client().get("/" + delivery["url"].split("/", 3)[3]).status_code == 405
