"""With DEBUG off the admin needs its static files collected; whoever forgot is told, and not by a bare 500."""

import json
import shutil
import subprocess
import sys

import pytest
from django.core import checks
from django.test import Client

from billing.checks import check_static_files
from billing.models import User
from tests.processes import ROOT, production

pytestmark = pytest.mark.django_db  # some of the checks ask the database
FONT = "unfold/fonts/inter/styles.css"


@pytest.fixture
def collected(released, tmp_path, settings):
    """A copy of its own for one test, with static files served as in production."""
    folder = tmp_path / "collected"
    shutil.copytree(released, folder)
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    settings.STATIC_ROOT = str(folder)
    return folder


def manifest(folder):
    return json.loads((folder / "staticfiles.json").read_text())


def told():
    """What `manage.py check --deploy` says of static files, and it always says what to type."""
    said = checks.run_checks(tags=["billing"], include_deployment_checks=True)
    found = [one for one in said if one.id not in ("billing.W007", "billing.W008")]  # the role on PostgreSQL, proxies
    assert all("python manage.py collectstatic --no-input" in one.hint for one in found)
    return [(one.id, one.msg) for one in found]


@pytest.mark.slow
def test_after_a_release_nothing_is_missing_and_the_admin_shows_its_pages(collected, administrator):
    assert told() == []
    client = Client()

    assert FONT.replace(".css", ".") in client.get("/admin/login/", follow=True).content.decode()
    client.force_login(User.objects.get(pk=administrator.user.pk))
    for page in ("", "billing/plan/", "billing/plan/add/", "billing/office/"):
        assert client.get(f"/admin/{page}").status_code == 200


def test_where_nothing_was_collected_the_check_says_what_to_type(collected):
    shutil.rmtree(collected)
    assert told() == [("billing.E001", f"The static files are not collected. {collected} has none.")]


def test_a_file_that_came_with_an_update_is_missed(collected):
    listed = manifest(collected)
    del listed["paths"][FONT]
    (collected / "staticfiles.json").write_text(json.dumps(listed))

    assert told() == [("billing.E001", f"Static files are missing in {collected}: 1, among them {FONT}.")]


def test_a_file_that_is_listed_but_gone_is_missed(collected):
    (collected / manifest(collected)["paths"][FONT]).unlink()
    assert told() == [("billing.E001", f"Static files are missing in {collected}: 1, among them {FONT}.")]


def test_a_list_that_was_cut_off_is_told(collected):
    (collected / "staticfiles.json").write_text('{"paths": {')
    [(number, message)] = told()

    assert number == "billing.E001"
    assert "cannot be read" in message


@pytest.mark.parametrize("change", [lambda text: text + " ", lambda text: text[:-2] + text[:2]])
def test_a_file_of_another_version_is_a_warning(collected, change):
    (collected / FONT).write_text(change((collected / FONT).read_text()))
    assert told() == [("billing.W004", f"Static files in {collected} are of another version: 1, among them {FONT}.")]


def test_with_debug_on_nothing_needs_to_be_collected(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    assert check_static_files() == []


def test_the_web_server_does_not_start_without_and_says_what_to_type(tmp_path):
    command = [sys.executable, "-c", "import config.wsgi"]
    ended = subprocess.run(command, cwd=ROOT, env=production(tmp_path), capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    said = ended.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured: The static files are not collected" in said
    assert "python manage.py collectstatic --no-input" in said
