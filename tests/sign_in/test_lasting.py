"""How long a session lasts, what a page is told of it, and which cookies a browser is given."""

import subprocess
import sys
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from billing import clock
from tests.conftest import a_member
from tests.other_connections import locked_by_another
from tests.processes import production
from tests.sign_in.browser import Browser, entries

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
STAFF = "operator@vendor.example"


def where(answer):
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def browsing(email):
    browser = Browser()
    browser.sign_in(email)
    return browser


def rewind(*, seen=timedelta(0), began=timedelta(0)):
    """Let the sessions be last used, and begun, so long ago."""
    now = clock.wall()
    UserSession.objects.update(last_seen_at=now - seen, created_at=now - max(began, seen))


def told(answer):
    """Return the seconds until the session ends, as the page is told, and why it ends."""
    now, ends, why = answer.cookies["session_ends"].value.split(".")
    return int(ends) - int(now), why


@pytest.mark.parametrize(
    ("staff", "seen", "began", "says"),
    [
        (True, timedelta(minutes=14), timedelta(0), ""),
        (True, timedelta(minutes=15), timedelta(0), "nothing was asked for some time"),
        (True, timedelta(0), timedelta(hours=11, minutes=59), ""),
        (True, timedelta(0), timedelta(hours=12), "you signed in 12 hours ago"),
        (True, timedelta(days=3), timedelta(days=3), "nothing was asked for some time"),
        (False, timedelta(minutes=15), timedelta(0), ""),
        (False, timedelta(minutes=60), timedelta(0), "nothing was asked for some time"),
        (False, timedelta(0), timedelta(hours=12), "you signed in 12 hours ago"),
    ],
)
def test_a_session_ends_when_it_is_not_used_and_at_last_in_any_case(operator, office, staff, seen, began, says):
    person = operator.user if staff else a_member(office, "owner")
    browser = browsing(person.email)
    rewind(seen=seen, began=began)

    answer = browser.get("/account/sessions/")

    if not says:
        assert answer.status_code == 200
        return
    assert where(answer).startswith("/account/login/?next=/account/sessions/")
    assert says in browser.get("/account/login/").content.decode()
    assert ("act", person.email, f"session over: {says}") in entries(person)
    assert not UserSession.objects.exists()
    assert not Session.objects.filter(pk=browser.cookies["sessionid"].value or "gone").exists()


def test_each_use_puts_the_end_off_but_never_beyond_the_last_hour(operator):
    browser = browsing(STAFF)
    for _ in range(3):
        rewind(seen=timedelta(minutes=14), began=timedelta(hours=1))
        assert told(browser.get("/admin/")) == (15 * 60, "idle")
    rewind(began=timedelta(hours=11, minutes=50))
    left, why = told(browser.get("/admin/"))
    assert (why, left in (10 * 60, 10 * 60 - 1)) == ("at_last", True)  # a second can pass before the answer


def test_a_form_that_is_sent_too_late_changes_nothing(administrator, operator):
    browser = browsing(administrator.user.email)
    page = f"/admin/billing/user/{operator.user.pk}/change/"
    rewind(seen=timedelta(minutes=16))

    assert where(browser.post(page, {"email": "other@vendor.example"})).startswith("/admin/login/")

    operator.user.refresh_from_db()
    assert operator.user.email == STAFF


def test_a_page_is_read_within_half_a_minute_without_a_write(operator, django_assert_num_queries):
    browser = browsing(STAFF)
    rewind(seen=timedelta(seconds=25))
    with django_assert_num_queries(2) as asked:  # the session with the row that says how long it lasts, and the person
        browser.get("/done/")
    assert all(one["sql"].startswith("SELECT") for one in asked.captured_queries)


def test_a_page_is_shown_also_while_the_use_of_the_session_cannot_be_written(operator, caplog):
    browser = browsing(STAFF)
    rewind(seen=timedelta(minutes=5))

    with locked_by_another("usersessions_usersession", mode="EXCLUSIVE"):
        answer = browser.get("/done/")

    assert answer.status_code == 200
    assert "the use of a session was not written" in caplog.text
    seconds, why = told(answer)
    assert (9 * 60 < seconds <= 10 * 60, why) == (True, "idle")


def test_a_session_without_its_row_is_over(operator):
    browser = browsing(STAFF)
    UserSession.objects.all().delete()

    assert where(browser.get("/admin/")).startswith("/admin/login/")
    assert "this session was ended" in browser.get("/account/login/").content.decode()


def test_a_person_ends_one_of_their_own_sessions_and_nobody_elses(operator, auditor):
    mine, other, foreign = browsing(STAFF), browsing(STAFF), browsing("auditor@vendor.example")
    row = UserSession.objects.filter(user=operator.user).latest("pk")
    strangers = UserSession.objects.get(user=auditor.user)

    for one in (row, strangers):
        mine.post("/account/sessions/", {"session": one.pk})

    assert where(other.get("/admin/")).startswith("/admin/login/")
    assert mine.get("/admin/").status_code == 200
    assert foreign.get("/admin/").status_code == 200


@pytest.mark.parametrize("page", ["/account/", "/admin/"])
def test_pages_for_people_who_are_signed_in_have_the_script_that_warns(operator, page):
    assert "billing/idle.js" in browsing(STAFF).get(page).content.decode()
    assert "billing/idle.js" not in Browser().get("/account/login/").content.decode()


def test_signing_out_takes_back_what_the_page_was_told(operator):
    browser = browsing(STAFF)
    browser.get("/admin/")
    assert browser.cookies["session_ends"].value

    browser.post("/account/logout/")

    assert not browser.cookies["session_ends"].value


ASK = """
import django; django.setup()
from django.conf import settings
from django.test import Client
answer = Client().get("/account/login/", secure=True, HTTP_HOST="billing.vendor.example")
print(settings.SESSION_COOKIE_NAME, [str(one) for one in answer.cookies.values()])
"""


@pytest.mark.slow
def test_in_production_cookies_are_of_this_host_alone(tmp_path, released):
    there = production(tmp_path) | {"STATIC_ROOT": str(released), "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "manage.py", "migrate"], env=there, check=True, capture_output=True)

    said = subprocess.run([sys.executable, "-c", ASK], env=there, check=True, capture_output=True, text=True).stdout

    assert said.startswith("__Host-session ")
    assert "__Host-csrf=" in said
    assert "Secure" in said
    assert "Path=/" in said
    assert "Domain" not in said


def test_with_debug_on_the_names_are_plain_because_there_is_no_https(operator):
    browser = browsing(STAFF)
    browser.get("/account/password/change/")
    assert {"sessionid", "csrftoken"} <= browser.cookies.keys()
    assert not any(name.startswith("__Host-") for name in browser.cookies)


def test_a_page_that_refreshes_by_itself_does_not_keep_a_session_alive(operator):
    browser = browsing(operator.user.email)
    rewind(seen=timedelta(minutes=10))

    by_itself = browser.get("/account/sessions/", headers={"HX-Request": "true", "HX-Trigger": "comparison-progress"})
    assert told(by_itself)[0] == pytest.approx(5 * 60, abs=2)
    by_a_person = browser.get("/account/sessions/", headers={"HX-Request": "true", "HX-Trigger": "search"})
    assert told(by_a_person)[0] == pytest.approx(15 * 60, abs=2)
