"""The pages that links in e-mails open: accepting an invitation, and setting a new password."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from billing.access import invitations, links
from billing.models import AuditEntry, OneTimeLink, User
from tests.conftest import PASSWORD, a_person, can_sign_in
from tests.sign_in.browser import Browser

pytestmark = pytest.mark.django_db
GOOD = {"name": "Nora New", "new_password1": "a dozen blue kettles", "new_password2": "a dozen blue kettles"}


def page_of(link):
    return "/" + link.split("/", 3)[3]


@pytest.fixture
def invitation(administrator, office):
    found = invitations.invite("nora@maple.example", "owner", office=office, by=administrator)
    return page_of(links.to_accept(found))


@pytest.fixture
def new_password(db):
    return page_of(links.to_set_password(a_person("mira@maple.example")))


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_an_invited_person_chooses_name_and_password_and_can_sign_in(invitation, office):
    shown = Client(enforce_csrf_checks=True).get(invitation)
    assert "For nora@maple.example. Your role: owner of Maple Street Family Practice." in text(shown)

    done = Client().post(invitation, GOOD)

    assert done.status_code == 200
    assert "Now sign in as nora@maple.example." in text(done)
    assert User.objects.get(email="nora@maple.example").name == "Nora New"
    assert can_sign_in("nora@maple.example", GOOD["new_password1"])


def test_invited_staff_are_led_to_where_they_sign_in(administrator):
    found = invitations.invite("sam@vendor.example", "auditor", by=administrator)
    address = page_of(links.to_accept(found))

    done = Client().post(address, GOOD)

    assert 'href="/admin/"' in done.content.decode()
    assert can_sign_in("sam@vendor.example", GOOD["new_password1"])
    client = Client()
    client.force_login(User.objects.get(email="sam@vendor.example"))
    assert client.get("/admin/billing/office/").status_code == 200


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"new_password2": "another one entirely"}, "didn’t match"),
        ({"new_password1": "short", "new_password2": "short"}, "at least 12. Several"),
        ({"new_password1": "nora@maple.example", "new_password2": "nora@maple.example"}, "Without your own name"),
        (
            {"new_password1": "noranew-noranew", "name": "noranew-noranew", "new_password2": "noranew-noranew"},
            "Without your own name",
        ),
        ({"name": ""}, "This field is required"),
    ],
)
def test_a_form_that_is_not_right_makes_no_account_and_the_link_stays(invitation, given, says):
    shown = Client().post(invitation, GOOD | given)

    assert says in text(shown)
    assert not User.objects.filter(email="nora@maple.example").exists()
    assert Client().post(invitation, GOOD).status_code == 200


def test_somebody_who_has_an_account_signs_in_and_only_confirms(invitation, office):
    user, browser = a_person("nora@maple.example"), Browser()
    shown = browser.get(invitation)
    assert "The invitation is for nora@maple.example, who has an account. Sign in to it" in text(shown)
    assert not re.findall(r'type="(\w+)"', shown.content.decode())
    login = html.unescape(re.search(r'href="(/account/login/[^"]+)"', shown.content.decode())[1])
    assert 'type="password"' in browser.get(login).content.decode()
    back = browser.sign_in(user.email, to=parse_qs(urlsplit(login).query)["next"][0])
    assert back.headers["Location"] == invitation

    shown = browser.get(invitation)
    assert "password" not in re.findall(r'type="(\w+)"', shown.content.decode())
    done = browser.post(invitation, GOOD | {"csrfmiddlewaretoken": "x"})

    assert "/billing/" in done.content.decode()
    user.refresh_from_db()
    assert (user.memberships.get().office, user.check_password(PASSWORD), user.name) == (office, True, "")


def test_a_link_alone_makes_nobody_with_an_account_a_member(invitation):
    user = a_person("nora@maple.example")
    other = Browser()
    other.sign_in(a_person("other@maple.example").email)

    for browser in (Client(), other):
        shown = browser.post(invitation, GOOD | {"csrfmiddlewaretoken": "x"})
        assert "Sign in to accept the invitation" in text(shown)
    assert "You are signed in as other@maple.example. Sign out first" in text(shown)
    assert not user.memberships.exists()


def test_a_person_sets_a_new_password(new_password):
    assert "For mira@maple.example" in text(Client().get(new_password))

    done = Client().post(new_password, GOOD)

    assert "Your new password is set" in text(done)
    assert can_sign_in("mira@maple.example", GOOD["new_password1"])


def test_a_new_password_is_judged_like_every_password(new_password):
    shown = Client().post(new_password, GOOD | {"new_password1": "password1234", "new_password2": "password1234"})

    assert "stolen passwords" in text(shown)
    assert not OneTimeLink.objects.exclude(used_at=None).exists()


@pytest.mark.parametrize("which", ["invitation", "new_password"])
def test_looking_uses_nothing_up_and_a_used_link_says_what_to_do(request, which):
    address = request.getfixturevalue(which)
    for _ in range(3):  # as mail scanners do
        assert Client().get(address).status_code == 200
    Client().head(address)
    assert Client().post(address, GOOD).status_code == 200

    for answer in (Client().get(address), Client().post(address, GOOD)):
        assert answer.status_code == 404
        assert "This link was used, was withdrawn or has expired. Ask for a new one." in text(answer)


@pytest.mark.parametrize("path", ["/invitation/", "/new-password/"])
@pytest.mark.parametrize("query", ["", "?link=", "?link=guessed", "?link=%00", "?other=1", f"?link={'x' * 5000}"])
def test_a_link_that_was_never_made_opens_nothing(db, path, query):
    for answer in (Client().get(path + query), Client().post(path + query, GOOD)):
        assert answer.status_code == (400 if "%00" in query else 404)
    assert not User.objects.exists()


@pytest.mark.parametrize("which", ["invitation", "new_password"])
def test_the_pages_are_stored_nowhere_and_the_secret_is_not_in_the_trail(request, which):
    address = request.getfixturevalue(which)
    answer = Client().get(address)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert "nora" not in str(answer.cookies)

    Client().post(address, GOOD)

    secret = address.partition("link=")[2]
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_form_from_another_site_is_refused(invitation):
    assert Client(enforce_csrf_checks=True).post(invitation, GOOD).status_code == 403
