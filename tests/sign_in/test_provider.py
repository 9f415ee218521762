"""Staff sign in through the vendor's OpenID Connect provider: their groups there give and take roles here."""

import time

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken

from billing.audit import actor, trail
from billing.models import AuditEntry, Notification, User
from config import sign_in
from config.environment import Problems, Secret
from tests.conftest import PASSWORD, a_member, a_person
from tests.sign_in.browser import Browser, entries
from tests.sign_in.oidc_provider import CLIENT, SECRET, running

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
ROLES = "operator=billing-operators,operator=billing-everything,auditor=billing-auditors"
ANNA = {
    "sub": "00u1",
    "email": "anna@vendor.example",
    "email_verified": True,
    "name": "Anna Operator",
    "groups": ["billing-operators", "lunch"],
    "amr": ["pwd", "mfa"],
}


@pytest.fixture
def provider(settings):
    with running() as one:
        problems = Problems()
        settings.REQUIRE_SECOND_FACTOR = True
        settings.OIDC = sign_in.Provider(
            issuer=one.issuer,
            client_id=CLIENT,
            client_secret=Secret(SECRET),
            name="Vendor accounts",
            groups_claim="groups",
            roles=sign_in.ROLES.read(ROLES),
            second_factor=frozenset({"mfa"}),
            email_domains=(),
        )
        settings.OIDC.check(debug=True, problems=problems)
        assert not problems.found
        settings.SOCIALACCOUNT_PROVIDERS = settings.OIDC.for_allauth()
        one.claims = dict(ANNA)
        yield one


def through(browser, *, to="/admin/"):
    """Go to the provider and come back. Returns the answer to what the provider says."""
    there = browser.post(f"/account/oidc/staff/login/?process=login&next={to}")
    back = httpx.get(there.headers["Location"]).headers["Location"]
    assert back.startswith("http://testserver/account/oidc/staff/login/callback/?")
    return browser.get(back.removeprefix("http://testserver"))


def roles_of(email):
    return sorted(User.objects.get(email=email).groups.values_list("name", flat=True))


def test_the_sign_in_page_offers_it_only_where_it_is_set_up(client, provider, settings):
    assert "Sign in through Vendor accounts" in client.get("/account/login/").content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert "Sign in through" not in client.get("/account/login/").content.decode()
    assert client.post("/account/oidc/staff/login/").status_code == 404


def test_a_new_person_gets_an_account_and_the_roles_of_their_groups(provider):
    browser = Browser()

    answer = through(browser, to="/admin/billing/office/")

    assert answer.headers["Location"] == "/admin/billing/office/"
    assert browser.get("/admin/billing/office/").status_code == 200
    anna = User.objects.get(email="anna@vendor.example")
    assert (anna.name, anna.is_staff, anna.has_usable_password()) == ("Anna Operator", True, False)
    assert roles_of(anna.email) == ["operator"]
    assert entries(anna)[-1] == ("act", anna.email, "signed in with the provider and a second factor there")


def test_what_the_provider_says_is_not_kept(provider):
    through(Browser())
    through(Browser())

    assert SocialAccount.objects.get().extra_data == {}
    assert not SocialToken.objects.exists()


def test_the_trail_names_the_provider_for_each_role_that_was_given_and_taken(provider):
    through(Browser())
    provider.claims["groups"] = ["billing-auditors"]
    through(Browser())

    assert roles_of("anna@vendor.example") == ["auditor"]
    changes = AuditEntry.objects.filter(kind="change", changes__has_key="groups").order_by("pk")
    told = [(one.actor_label, one.changes["groups"]["operation"], one.changes["groups"]["objects"]) for one in changes]
    by = f"sign-in through {provider.issuer}"
    assert told == [(by, "add", ["operator"]), (by, "delete", ["operator"]), (by, "add", ["auditor"])]


@pytest.mark.parametrize("groups", [["lunch"], [], None, "lunch", {"a": 1}, [1, None]])
def test_without_a_group_that_gives_a_role_nobody_gets_in_and_a_role_from_before_ends(provider, groups):
    through(Browser())
    provider.claims["groups"] = groups
    browser = Browser()

    answer = through(browser)

    assert answer.status_code == 403
    assert "None of your groups there gives a role here" in answer.content.decode()
    assert browser.get("/admin/").status_code == 302
    anna = User.objects.get(email="anna@vendor.example")
    assert (roles_of(anna.email), anna.is_staff) == ([], False)


def test_a_stranger_without_such_a_group_gets_no_account(provider):
    provider.claims["groups"] = ["lunch"]

    assert through(Browser()).status_code == 403
    assert not User.objects.exists()


def test_a_role_that_the_settings_do_not_name_is_left_to_administrators(provider):
    ada = a_person("anna@vendor.example", group="administrator")

    through(Browser())

    assert roles_of(ada.email) == ["administrator", "operator"]


def test_an_account_with_the_same_verified_address_is_that_person(provider, office):
    anna = a_person("Anna@Vendor.example")

    through(Browser())

    assert User.objects.get().pk == anna.pk
    assert User.objects.get().has_usable_password()
    assert SocialAccount.objects.get().user_id == anna.pk


@pytest.mark.parametrize("verified", [False, None, "false"])
def test_an_address_that_is_not_verified_opens_no_account(provider, verified):
    a_person("anna@vendor.example", group="operator")
    provider.claims["email_verified"] = verified
    browser = Browser()

    answer = through(browser)

    assert answer.status_code == 403
    assert "does not say that your e-mail address is verified" in answer.content.decode()
    assert not SocialAccount.objects.exists()


def test_an_address_in_a_domain_of_the_vendor_counts_as_verified(provider, settings):
    provider.claims["email_verified"] = None
    for domain, expected in (("elsewhere.example", 403), ("vendor.example", 302)):
        settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["verified_email"] = [domain]
        assert through(Browser()).status_code == expected


def test_another_person_with_the_same_address_at_the_provider_is_still_matched_by_it(provider):
    through(Browser())
    provider.claims |= {"sub": "00u2", "email": "bert@vendor.example", "name": "Bert"}
    through(Browser())

    assert User.objects.count() == 2


def test_who_was_switched_off_stays_out_and_gets_no_role(provider):
    anna = a_person("anna@vendor.example")
    with trail.acting(actor.job("tests")):
        anna.is_active = False
        anna.save()

    answer = through(Browser())

    assert answer.status_code == 403
    assert "switched off" in answer.content.decode()
    assert roles_of(anna.email) == []


@pytest.mark.parametrize("claims", [{"amr": ["pwd"]}, {"amr": None}, {"amr": "pwd", "acr": "urn:low"}])
def test_without_the_providers_word_staff_enrol_here(provider, claims):
    provider.claims |= claims
    browser = Browser()
    through(browser)

    assert browser.get("/admin/").headers["Location"] == "/account/2fa/"
    assert browser.enrol().status_code == 302
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize("claims", [{"amr": ["mfa"]}, {"amr": None, "acr": "mfa"}, {"amr": "mfa"}])
def test_with_the_providers_word_none_is_asked_for_here(provider, claims):
    provider.claims |= {"amr": []}
    browser = Browser()
    through(browser)
    browser.enrol()
    provider.claims |= claims

    again = Browser()
    assert through(again).headers["Location"] == "/admin/"
    assert again.get("/admin/").status_code == 200


def test_an_enrolled_person_without_the_providers_word_uses_it_here(provider):
    provider.claims["amr"] = ["pwd"]
    browser = Browser()
    through(browser)
    browser.enrol()

    again = Browser()
    assert through(again).headers["Location"] == "/account/2fa/authenticate/"
    assert again.give_code(browser.code()).headers["Location"] == "/admin/"


@pytest.mark.parametrize("wrong", [{"iss": "https://other.example"}, {"aud": "another"}, {"exp": int(time.time()) - 1}])
def test_an_id_token_for_somebody_else_or_from_another_time_is_refused(provider, wrong):
    provider.wrong = wrong
    browser = Browser()

    answer = through(browser)

    assert answer.status_code == 401
    assert "its answer could not be used" in answer.content.decode()
    assert entries() == [
        ("refusal", "somebody who is not signed in", "sign-in through the provider: its answer could not be used")
    ]
    assert not User.objects.exists()


def test_who_stops_there_is_told_how_to_go_on(provider):
    provider.cancelled = True
    browser = Browser()

    answer = through(browser)

    assert "You stopped there" in browser.get(answer.headers["Location"]).content.decode()


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(provider):
    there = Browser().post("/account/oidc/staff/login/?process=login")
    back = httpx.get(there.headers["Location"]).headers["Location"]

    answer = Browser().get(back.removeprefix("http://testserver"))

    assert answer.status_code == 401
    assert not User.objects.exists()


def test_nobody_connects_an_account_of_the_provider_to_another_person(provider, office):
    owner = a_member(office, "owner")
    browser = Browser()
    browser.sign_in(owner.email)
    there = browser.post("/account/oidc/staff/login/?process=connect")
    back = httpx.get(there.headers["Location"]).headers["Location"]

    assert browser.get(back.removeprefix("http://testserver")).status_code == 403
    assert not SocialAccount.objects.exists()


def test_a_provider_that_is_away_is_said_so_and_passwords_still_work(provider, settings, operator):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:1"
    browser = Browser()

    answer = browser.post("/account/oidc/staff/login/?process=login")

    assert answer.status_code == 503
    assert "did not answer, or its answer could not be used" in answer.content.decode()
    assert browser.sign_in(operator.user.email, PASSWORD).status_code == 302


def test_without_a_password_there_is_none_to_change_or_reset(provider):
    browser = Browser()
    through(browser)

    assert "You have no password here" in browser.get("/account/password/change/").content.decode()
    Browser().post("/account/password/reset/", {"email": "anna@vendor.example"})
    assert not Notification.objects.exists()
