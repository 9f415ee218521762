import uuid

import pytest

from billing import clock
from billing.models import AuditEntry, Invoice, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.charges import ChargeOffice
from tests.api.test_api import path, signed_in, usd
from tests.conftest import a_member, an_office, subscribed_office
from tests.operations.test_charges import asked

CHARGE = {"charge": "training", "amount": 25_000, "reason": "agreed"}


@pytest.fixture
def practice(stripe, operator, office):
    office = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return office


@pytest.fixture
def sent(operator, practice):
    return perform(
        ChargeOffice(charge="training", amount=30_000, days_until_due=14), practice, by=operator, reason="agreed"
    )


def of(invoice, rest=""):
    return path(invoice.office, f"invoices/{invoice.public_id}/{rest}")


def test_an_owner_reads_invoices_and_what_they_are_for(stripe, practice, sent):
    client = signed_in(a_member(practice, "owner"))

    listed = client.get(path(practice, "invoices/")).json()["results"]
    one = client.get(of(sent)).json()
    lines = client.get(of(sent, "lines/")).json()

    assert [(row["kind"], row["status"], row["amount_remaining"]["amount"]) for row in listed] == [
        ("one_off", "open", 30_000),
        ("start", "paid", 0),
    ]
    payments = one.pop("payments")
    assert one == listed[0]
    assert [(paying["status"], paying["amount_paid"]) for paying in payments] == [("open", usd(0))]
    assert [(line["text"], line["amount"]) for line in lines] == [("Training", usd(30_000))]
    for prefix in ("in_", "cus_", "price_", "pi_", "sub_"):
        assert prefix not in str(listed) + str(lines) + str(payments)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": "open"}, ["one_off"]),
        ({"status": "void"}, []),
        ({"to": "between"}, ["start"]),
        ({"from": "between"}, ["one_off"]),
        ({"from": "between", "status": "paid"}, []),
    ],
    ids=str,
)
def test_invoices_are_filtered_by_status_and_time(stripe, operator, practice, asked, found):
    stripe.advance(days=1)
    between = clock.billing().isoformat()
    stripe.advance(days=1)
    perform(ChargeOffice(charge="training", amount=500, days_until_due=1), practice, by=operator, reason="agreed")
    asked = {name: between if value == "between" else value for name, value in asked.items()}

    answer = signed_in(a_member(practice, "viewer")).get(path(practice, "invoices/"), asked)

    assert [row["kind"] for row in answer.json()["results"]] == found


@pytest.mark.parametrize("asked", [{"status": "nonsense"}, {"from": "yesterday"}])
def test_a_filter_that_means_nothing_is_refused(stripe, practice, asked):
    answer = signed_in(a_member(practice, "viewer")).get(path(practice, "invoices/"), asked)

    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (400, "invalid", list(asked))


def test_pages_follow_each_other_by_a_cursor_while_invoices_are_added(stripe, operator, practice):
    for amount in (500, 600, 700):
        stripe.advance(hours=1)
        perform(
            ChargeOffice(charge="training", amount=amount, days_until_due=1), practice, by=operator, reason="agreed"
        )
    client = signed_in(a_member(practice, "viewer"))

    first = client.get(path(practice, "invoices/"), {"page_size": 2}).json()
    stripe.advance(hours=1)
    perform(ChargeOffice(charge="training", amount=800, days_until_due=1), practice, by=operator, reason="agreed")
    second = client.get(first["next"]).json()

    assert [row["total"]["amount"] for row in first["results"] + second["results"]] == [700, 600, 500, 19_900]
    assert second["next"] is None


def test_a_list_takes_the_same_few_queries_however_many_invoices(
    stripe, operator, practice, django_assert_max_num_queries
):
    client = signed_in(a_member(practice, "viewer"))
    with django_assert_max_num_queries(5):
        client.get(path(practice, "invoices/"))


def test_the_vendor_previews_and_charges_and_a_repetition_is_one_charge(stripe, operator, practice):
    client = signed_in(operator.user)
    seen = client.post(path(practice, "charges/preview/"), CHARGE, format="json")
    body = {**CHARGE, "as_of": seen.json()["as_of"]}
    done, again = (
        client.post(path(practice, "charges/"), body, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert (seen.status_code, seen.json()["charged"], seen.json()["now"]) == (200, usd(25_000), True)
    assert (done.status_code, done.json()["status"], done.json()["amount_paid"]) == (201, "paid", usd(25_000))
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (done.json(), "true")
    stale = client.post(path(practice, "charges/"), body, format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "preview_stale")
    assert [one["amount"] for one in stripe.listed("charges")].count(25_000) == 1


def test_a_repetition_whose_first_answer_never_left_is_told_of_the_invoice_that_was_made(stripe, operator, practice):
    stripe.fail_next("503", method="POST", path_prefix="/v1/invoiceitems")
    client = signed_in(operator.user)
    headers = {"Idempotency-Key": "k"}
    first = client.post(path(practice, "charges/"), CHARGE, format="json", headers=headers)
    Operation.objects.update(lease_until=clock.wall())

    resume_unsettled()

    again = client.post(path(practice, "charges/"), CHARGE, format="json", headers=headers)

    assert (first.status_code, again.status_code) == (503, 201)
    assert again.json()["id"] == str(Invoice.objects.get(kind="one_off").public_id)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"charge": "a favour"}, 400, "invalid"),
        ({"amount": 5}, 422, "amount_out_of_bounds"),
        ({"amount": "2.5"}, 400, "invalid"),
        ({"days_until_due": 400}, 422, "days_invalid"),
        ({"reason": ""}, 422, "reason_required"),
    ],
    ids=str,
)
def test_a_charge_that_cannot_be_says_why(stripe, operator, practice, given, status, code):
    answer = signed_in(operator.user).post(path(practice, "charges/"), {**CHARGE, **given}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_owner_pays_and_a_repetition_pays_once(stripe, practice, sent):
    client = signed_in(a_member(practice, "owner"))
    done, again = (client.post(of(sent, "pay/"), {}, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (done.status_code, done.json()["status"]) == (200, "paid")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (done.json(), "true")
    assert [one["amount"] for one in stripe.listed("charges")].count(30_000) == 1
    refused = client.post(of(sent, "pay/"), {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice_paid")


def test_a_declined_card_and_a_strange_one_are_told_apart(stripe, practice, sent):
    client = signed_in(a_member(practice, "owner"))
    stripe.control("charges", outcome="decline")
    declined = client.post(of(sent, "pay/"), {}, format="json")
    strange = client.post(of(sent, "pay/"), {"payment_method": str(uuid.uuid4())}, format="json")
    stripes = client.post(of(sent, "pay/"), {"payment_method": "pm_card_mastercard"}, format="json")

    assert (declined.status_code, declined.json()["code"]) == (402, "card_declined")
    assert (strange.status_code, strange.json()["code"]) == (404, "payment_method_unknown")
    assert (stripes.status_code, list(stripes.json()["fields"])) == (400, ["payment_method"])


def test_a_card_that_is_listed_pays(stripe, practice, sent):
    asked(stripe, "payment_methods/pm_card_mastercard/attach", customer=practice.payment_provider_customer_id)
    stripe.deliver_and_apply()
    client = signed_in(a_member(practice, "owner"))
    listed = client.get(path(practice, "payment-methods/")).json()["payment_methods"]
    [card] = [one for one in listed if one["brand"] == "mastercard"]

    done = client.post(of(sent, "pay/"), {"payment_method": card["id"]}, format="json")

    assert (done.status_code, done.json()["status"]) == (200, "paid")
    assert sent.payments.get().card_brand == "mastercard"


@pytest.mark.parametrize(
    ("rest", "status"), [("void/", "void"), ("uncollectible/", "uncollectible"), ("send/", "open")]
)
def test_the_vendor_gives_up_or_sends_and_an_owner_does_not(stripe, operator, practice, sent, rest, status):
    refused = signed_in(a_member(practice, "owner")).post(of(sent, rest), {}, format="json")
    done = signed_in(operator.user).post(of(sent, rest), {"reason": "agreed"}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (403, "staff_only")
    assert (done.status_code, done.json()["status"]) == (200, status)


def test_a_retry_is_refused_where_nothing_failed(stripe, practice, sent):
    answer = signed_in(a_member(practice, "owner")).post(of(sent, "retry/"), {}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "no_failed_attempt")


POSTS = ("pay/", "retry/", "send/", "void/", "uncollectible/")
GETS = ("", "lines/", "pdf/", "page/")


@pytest.mark.parametrize("rest", POSTS)
def test_a_viewer_reads_and_may_not_act(stripe, practice, sent, rest):
    viewer = signed_in(a_member(practice, "viewer"))

    assert [viewer.get(of(sent, one)).status_code for one in GETS] == [200] * len(GETS)
    assert viewer.post(of(sent, rest), {}, format="json").status_code == 403
    assert viewer.post(path(practice, "charges/"), CHARGE, format="json").status_code == 403


def test_an_invoice_of_another_office_does_not_exist(stripe, operator, practice, sent):
    other = an_office("Another Practice")
    owner = signed_in(a_member(other, "owner"))
    staff = signed_in(operator.user)
    through_other = path(other, f"invoices/{sent.public_id}/")
    addresses = [of(sent), through_other]

    for client, seen in ((owner, addresses), (staff, [through_other, path(practice, f"invoices/{uuid.uuid4()}/")])):
        for address in seen:
            assert {client.get(address + rest).status_code for rest in GETS} == {404}
            assert {client.post(address + rest, {"reason": "try"}, format="json").status_code for rest in POSTS} == {
                404
            }
    sent.refresh_from_db()
    assert sent.status == "open"


@pytest.mark.parametrize("rest", ["invoices/", "invoices/upcoming/", "statement/", "cycles/", "standing/"])
def test_the_account_is_read_by_those_with_a_grant_alone(stripe, practice, outsider, rest):
    assert signed_in(a_member(practice, "viewer")).get(path(practice, rest)).status_code == 200
    assert signed_in(outsider.user).get(path(practice, rest)).status_code == 404


def test_the_documents_address_is_given_unkept_and_uncached(stripe, practice, sent):
    viewer = a_member(practice, "viewer")
    answer = signed_in(viewer).get(of(sent, "pdf/"))

    assert answer.headers["Cache-Control"] == "no-store"
    assert stripe.http.get(answer.json()["url"]).headers["Content-Type"] == "application/pdf"
    assert AuditEntry.objects.get(actor=viewer, what="opened the invoice's PDF").office == practice


def test_the_upcoming_invoice_is_asked_of_stripe(stripe, practice):
    viewer = signed_in(a_member(practice, "viewer"))
    seen = viewer.get(path(practice, "invoices/upcoming/")).json()
    assert (seen["charged"], seen["lines"][0]["text"], seen["now"]) == (usd(19_900), "Practice", False)

    stripe.fail_next("503", path_prefix="/v1/invoices/create_preview")
    assert viewer.get(path(practice, "invoices/upcoming/")).status_code == 503


def test_the_statement_the_cycles_and_the_standing_are_told(stripe, practice, sent):
    viewer = signed_in(a_member(practice, "viewer"))
    statement = viewer.get(path(practice, "statement/"), {"from": "2020-01-01T00:00:00Z"}).json()
    [cycle] = viewer.get(path(practice, "cycles/")).json()["results"]
    standing = viewer.get(path(practice, "standing/")).json()

    assert [(entry["what"], entry["balance"]["amount"]) for entry in statement["entries"]] == [
        ("invoice", 19_900),
        ("payment_succeeded", 0),
        ("invoice", 30_000),
    ]
    assert statement["entries"][-1]["invoice"] == str(sent.public_id)
    assert statement["closing"] == [usd(30_000)]
    assert statement["from"] is not None
    assert (cycle["status"], cycle["total"]) == ("paid", usd(19_900))
    assert (standing["owed"], standing["open_invoices"]) == (usd(30_000), 1)
    assert standing["last_payment"]["amount"] == usd(19_900)


@pytest.mark.parametrize("rest", ["invoices/upcoming/"])
def test_without_a_subscription_nothing_is_to_come(stripe, office, rest):
    answer = signed_in(a_member(office, "owner")).get(path(office, rest))

    assert (answer.status_code, answer.json()["code"]) == (404, "no_upcoming_invoice")
