"""Containerfile and compose.yaml say what Procfile, .env.example and docs/databases.md say. Nothing is built here."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from billing.checks import ROLE_DEFAULTS
from config.variables import site
from config.variables.table import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = (ROOT / "Containerfile").read_text()
DATABASES = (ROOT / "docs" / "databases.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("release", "web", "worker")
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
BIND = " --host 0.0.0.0"


def test_web_and_worker_run_what_the_procfile_says():
    assert SERVICES["web"]["command"] == PROCFILE["web"] + BIND
    assert SERVICES["worker"]["command"] == PROCFILE["worker"]
    image = re.search(r"^CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    assert image
    assert yaml.safe_load(image[1]) == shlex.split(PROCFILE["web"] + BIND)


def test_tables_and_static_files_are_made_before_web_and_worker_start():
    assert SERVICES["release"]["command"] == f'sh -c "{PROCFILE["release"]}"'
    assert "manage.py migrate" in PROCFILE["release"]
    assert "manage.py collectstatic" in PROCFILE["release"]
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {"release": {"condition": "service_completed_successfully"}}
    assert SERVICES["release"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_of_ours(name):
    used = set(SERVICES[name]["environment"]) | set(re.findall(r'os\.environ\["([A-Z_]+)"\]', str(COMPOSE)))
    assert used <= set(VARIABLES)
    assert SERVICES[name]["env_file"] == ".env"


@pytest.mark.parametrize("name", OURS)
def test_the_database_is_reached_by_a_socket_that_they_share(name):
    folder = parse_qs(urlsplit(SERVICES[name]["environment"]["DATABASE_URL"]).query)["host"][0]
    assert f"socket:{folder}" in SERVICES[name]["volumes"]
    assert f"socket:{folder}" in SERVICES["postgres"]["volumes"]
    assert "listen_addresses=" in shlex.split(SERVICES["postgres"]["command"])


def test_the_limits_of_postgresql_are_the_same_wherever_they_are_given():
    words = shlex.split(SERVICES["postgres"]["command"])
    settings = [setting.partition("=") for word, setting in pairwise(words) if word == "-c"]
    given = {name.lower(): value for name, _, value in settings if name != "listen_addresses"}
    told = re.findall(r"^ +ALTER ROLE billing SET (\w+) = '(\w+)';$", DATABASES, re.MULTILINE)

    assert given == {name.lower(): value for name, value in told}
    assert given == {name.lower(): value for name, value in ROLE_DEFAULTS.items()}


def test_the_number_of_web_processes_is_the_same_wherever_it_is_given():
    started = [re.search(r"--workers[ =](\d+)", one)[1] for one in (PROCFILE["web"], SERVICES["web"]["command"])]

    assert {site.WEB_PROCESSES.default, *started} == {"2"}
    assert '"--workers", "2"' in CONTAINERFILE


def test_the_one_open_port_is_of_this_machine_only():
    assert [(name, it["ports"]) for name, it in SERVICES.items() if "ports" in it] == [("web", ["127.0.0.1:8000:8000"])]


def test_the_image_does_not_run_as_root_and_copies_what_the_product_needs():
    assert re.findall(r"^USER (.*)$", CONTAINERFILE, re.MULTILINE) == ["10001"]
    copied = {line.split()[1] for line in CONTAINERFILE.splitlines() if re.match("COPY [^-]", line)}
    assert copied == {"requirements.txt", "manage.py", "config", "billing", "templates"}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == copied


def test_the_image_has_a_python_that_is_supported():
    used = set(re.findall(r"^FROM python:(3\.\d+)-", CONTAINERFILE, re.MULTILINE))
    supported = re.search(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert supported
    assert len(used) == 1
    assert used <= set(supported[1].split())
