"""A price move is previewed Office by Office, confirmed once within the hour, and leaves out who changed since."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from billing import clock, errors
from billing.bulk import price_moves, running, starting
from billing.bulk.kinds import Cannot
from billing.models import BulkAct, BulkRow, Operation, Plan
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.change import ChangeSubscription
from tests.admin.test_offices import signed_in
from tests.admin.test_plans import confirm as confirm_price
from tests.admin.test_plans import shown as price_shown
from tests.conftest import ADMINISTRATOR, a_person, an_office, price, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
REASON = "the new price list"


def dearer(by):
    """A price of 59.00 USD for each seat beside that of 49.00."""
    client = signed_in(by.user)
    page = f"/admin/billing/plan/{Plan.objects.get(code='team').pk}/add-price/"
    given = {"amount": "59", "per_seat": "on", "price_code": "seats-dearer"}
    confirm_price(client, page, says=price_shown(client, page, **given), **given)
    return price("seats-dearer")


def seated(by, *seats):
    return [subscribed_office(an_office(f"Practice {n}"), by=by, plan="seats-monthly", quantity=n) for n in seats]


def worked_off(act):
    while running.go_on(str(act.pk)):
        pass
    return BulkAct.objects.get(pk=act.pk)


def previewed(new, by, when="not_at_all"):
    return worked_off(price_moves.preview(price("seats-monthly"), new, when=when, by=by, reason=REASON))


def states(act):
    return dict(act.rows.values_list("office__name", "state"))


def test_the_totals_of_a_preview_are_those_of_its_offices_and_nothing_changes(stripe, administrator, operator):
    seated(operator, 2, 5)
    subscribed_office(an_office("Other plan"), by=operator)
    subscribed_office(an_office("Trying"), by=operator, plan="seats-monthly", quantity=9, trial_days=14)
    new = dearer(administrator)

    act = previewed(new, operator, "now")

    [total] = price_moves.come_to(act).totals.values()
    assert (total.offices, total.before, total.after) == (3, 7 * 4_900, 7 * 5_900)
    assert 0 < total.charged <= 7 * 1_000  # it began today: nearly the whole difference
    assert total.credited == 0
    assert not Operation.objects.filter(kind="change_subscription").exists()


def test_from_the_next_period_on_nothing_is_charged_now(stripe, administrator, operator):
    seated(operator, 2)
    new = dearer(administrator)
    act = previewed(new, operator)
    [total] = price_moves.come_to(act).totals.values()
    assert (total.charged, total.credited, total.after) == (0, 0, 2 * 5_900)
    before = len(stripe.listed("invoices"))

    worked_off(price_moves.confirm(act, by=operator))

    office = an_office_named("Practice 2")
    assert (office.current_subscription.plan_price, office.quantity) == (new, 2)
    assert len(stripe.listed("invoices")) == before
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    assert office.invoices.latest("created_at").total == 2 * 5_900


def an_office_named(name):
    return BulkRow.objects.filter(office__name=name).latest("pk").office


def test_who_changed_since_the_preview_is_left_out_with_why_and_the_others_are_moved(stripe, administrator, operator):
    seated(operator, 2, 3, 4, 6)
    new = dearer(administrator)
    act = previewed(new, operator)
    perform(ChangeSubscription(quantity=9), an_office_named("Practice 3"), by=operator, reason=REASON)
    there = an_office_named("Practice 4").current_subscription  # in Stripe's dashboard, and we know of it
    stripe.post(
        f"subscriptions/{there.stripe_id}", **{"items[0][id]": there.items.get().stripe_id, "items[0][quantity]": 8}
    )
    stripe.deliver_and_apply()

    move = price_moves.confirm(act, by=operator)
    perform(ChangeSubscription(quantity=7), an_office_named("Practice 6"), by=operator, reason=REASON)
    move = worked_off(move)

    assert states(move) == {
        "Practice 2": "done",
        "Practice 3": "left_out",
        "Practice 4": "left_out",
        "Practice 6": "failed",
    }
    assert move.rows.get(office__name="Practice 3").says == "It changed since its preview."
    assert "preview" in move.rows.get(office__name="Practice 6").says
    assert {one.plan_price.code for one in new.subscription_set.all()} == {"seats-dearer"}
    assert new.subscription_set.count() == 1


def test_a_move_is_confirmed_once_and_within_the_hour(stripe, administrator, operator):
    seated(operator, 2, 3)
    new = dearer(administrator)
    old_one, act = previewed(new, operator), previewed(new, operator)
    worked_off(price_moves.confirm(act, by=operator))

    with pytest.raises(errors.PreviewStale):
        price_moves.confirm(act, by=operator)
    with pytest.raises(errors.NothingToActOn):
        price_moves.confirm(old_one, by=operator)
    assert Operation.objects.filter(kind="change_subscription").count() == 2


def test_of_two_people_who_confirm_at_the_same_moment_one_begins_the_move(stripe, administrator, operator):
    seated(operator, 2)
    act = previewed(dearer(administrator), operator)
    together, came_to = threading.Barrier(2), []

    def confirm(by) -> None:
        together.wait()
        try:
            price_moves.confirm(BulkAct.objects.get(pk=act.pk), by=by)
        except errors.BillingError as error:
            came_to.append(error.code)
        finally:
            connections.close_all()

    people = [threading.Thread(target=confirm, args=[by]) for by in (operator, administrator)]
    for one in people:
        one.start()
    for one in people:
        one.join()

    assert came_to == ["preview_stale"]
    assert BulkAct.objects.filter(kind="move_price").count() == 1


def test_a_preview_that_is_older_than_an_hour_moves_nobody(stripe, administrator, operator):
    seated(operator, 2)
    act = previewed(dearer(administrator), operator)
    row = act.rows.get()
    row.given["result"]["as_of"] = (clock.billing() - timedelta(minutes=61)).isoformat()
    row.save()

    with pytest.raises(errors.NothingToActOn):
        price_moves.confirm(act, by=operator)
    page = signed_in(operator.user).get(f"/admin/billing/plan/move/{act.pk}/").content.decode()
    assert "This preview is older than an hour." in page
    assert "Confirm and move" not in page


def test_a_payment_that_is_declined_leaves_that_office_and_the_others_go_on(stripe, administrator, operator):
    first, _ = seated(operator, 2, 3)
    act = previewed(dearer(administrator), operator, "now")
    customer = first.payment_provider_customer_id
    stripe.control("charges", outcome="decline", code="insufficient_funds", customer=customer)

    move = worked_off(price_moves.confirm(act, by=operator))

    assert states(move) == {"Practice 2": "failed", "Practice 3": "done"}
    first.refresh_from_db()
    assert first.current_subscription.plan_price == price("seats-monthly")


@pytest.mark.parametrize(
    ("to", "when", "why"),
    [
        ("practice-euro", "now", "It is billed in USD, and the new price is in EUR."),
        ("practice-yearly", "not_at_all", "It is charged once a month, and the new price once a year"),
    ],
)
def test_who_cannot_be_moved_is_left_out_with_why(stripe, operator, to, when, why):
    offices = seated(operator, 2)
    judged = price_moves.PREVIEW.judge(
        offices, {"old": str(price("seats-monthly").public_id), "new": str(price(to).public_id), "settle": when}
    )
    left_out = judged[offices[0].pk]
    assert isinstance(left_out, Cannot)
    assert left_out.why.startswith(why)
    with pytest.raises(errors.NothingToActOn, match=why):
        price_moves.preview(price("seats-monthly"), price(to), when=when, by=operator, reason=REASON)


def test_who_may_not_operate_moves_nobody(stripe, auditor, operator):
    seated(operator, 2)
    with pytest.raises(errors.NotPermitted):
        price_moves.preview(price("seats-monthly"), price("practice-monthly"), when="now", by=auditor, reason=REASON)
    assert not BulkAct.objects.exists()


def test_a_person_previews_confirms_and_watches_a_move_on_the_pages(stripe, administrator, operator):
    seated(operator, 2, 16)
    new = dearer(administrator)
    client = signed_in(a_person("priya@vendor.example", group=ADMINISTRATOR))
    page = f"/admin/billing/plan/{new.plan.pk}/move/"
    given = {"old": str(price("seats-monthly").public_id), "new": str(new.public_id), "when": "not_at_all"}

    answer = client.post(page, {**given, "why": "agreed", "note": ""})

    here = answer.headers["Location"]
    waiting = client.get(here).content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    assert "0 of 2 Offices" in waiting
    assert f'href="{here}">Look again</a>' in waiting
    assert "Confirm and move" not in waiting
    worked_off(BulkAct.objects.get())
    ready = client.get(here).content.decode()
    assert "Confirm and move 2 Offices" in ready
    assert "every 2s" not in ready
    words = " ".join(re.sub(r"<[^>]+>", " ", ready).split())
    assert "Monthly recurring revenue before 882.00 USD" in words
    assert "Monthly recurring revenue after 1,062.00 USD" in words
    client.post(here)
    worked_off(BulkAct.objects.latest("pk"))
    assert "The move has ended" in client.get(here).content.decode()
    assert new.subscription_set.count() == 2


def test_a_batch_that_takes_six_seconds_for_each_preview_is_ready_in_half_an_hour():
    assert price_moves.BATCH * 6 <= 30 * 60


def test_one_move_is_of_one_batch(stripe, administrator, operator, monkeypatch):
    seated(operator, 2, 3)
    monkeypatch.setattr(price_moves, "BATCH", 1)
    assert starting.MOST >= price_moves.BATCH
    assert previewed(dearer(administrator), operator).rows.count() == 1


def test_a_confirmation_takes_as_many_statements_for_many_offices_as_for_one(stripe, administrator, operator):
    offices = seated(operator, 2, 3, 4)
    act = previewed(dearer(administrator), operator)
    taken = []

    for few in (offices[:1], offices):
        with CaptureQueriesContext(connection) as seen:
            judged = price_moves.MOVE.judge(few, {**act.given, "preview": act.pk})
        assert not any(isinstance(one, Cannot) for one in judged.values())
        taken.append(len(seen))

    assert taken[0] == taken[1] <= 4


def test_what_was_unknown_of_a_move_is_shown_as_what_it_came_to(stripe, administrator, operator):
    seated(operator, 2, 3, 4)
    act = previewed(dearer(administrator), operator)
    move = worked_off(price_moves.confirm(act, by=operator))
    move.rows.update(state="unknown", says=running.ASKING)
    refused, unsettled = (move.rows.get(office__name=name).operation for name in ("Practice 3", "Practice 4"))
    Operation.objects.filter(pk=refused.pk).update(status="rejected", error_message="Stripe refused it.")
    Operation.objects.filter(pk=unsettled.pk).update(status="unknown")

    client = signed_in(operator.user)
    for page in (f"/admin/billing/plan/move/{act.pk}/", f"/admin/billing/bulkact/{move.pk}/change/"):
        context = client.get(page).context
        rows = {str(row["office"]): row for row in context.get("told") or context["rows"]}
        assert [(one["title"], one["n"]) for one in context["counts"]] == [
            ("done", 1),
            ("failed", 1),
            ("outcome not known yet", 1),
        ]
        assert (rows["Practice 3"]["state"], rows["Practice 3"]["says"]) == ("failed", "Stripe refused it.")
        assert rows["Practice 4"]["says"] == running.ASKING
        assert rows.get("Practice 2", {"state": "done"})["state"] == "done"
    listed = client.get(f"/admin/billing/bulkact/{move.pk}/change/?state=failed").context["rows"]
    assert [str(row["office"]) for row in listed] == ["Practice 3"]


def test_a_move_shows_how_far_it_is_as_any_bulk_act_does(stripe, administrator, operator):
    seated(operator, 2)
    act = price_moves.preview(price("seats-monthly"), dearer(administrator), when="now", by=operator, reason=REASON)
    client = signed_in(operator.user)
    here = [f"/admin/billing/plan/move/{act.pk}/", f"/admin/billing/bulkact/{act.pk}/change/"]

    of_move, of_act = (client.get(one).content.decode() for one in here)
    for how_far in (
        r'<div id="bulk-progress".*every 2s',
        r'<label for="bulk-bar"><strong>0 %</strong>: 0 of 1 Office<',
    ):
        assert re.search(how_far, of_act)
        assert re.search(how_far, of_move)
    assert "Previewing" in of_move

    worked_off(act)
    of_move = client.get(here[0]).content.decode()
    assert "The preview is ready" in of_move
    assert "every 2s" not in of_move
