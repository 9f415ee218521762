"""The units of systemd start what the Procfile says, and systemd can read them."""

import shlex
import shutil
import subprocess

import pytest

from tests.config.test_containers import PROCFILE, ROOT

ANALYZE = shutil.which("systemd-analyze")
FOLDER = "/srv/office-billing"
UNITS = {name: ROOT / "deploy" / "systemd" / f"office-billing-{name}.service" for name in ("web", "worker")}


def given(name: str) -> dict[str, str]:
    lines = [line for line in UNITS[name].read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_what_the_procfile_says(name):
    program, *words = shlex.split(PROCFILE[name])

    assert shlex.split(given(name)["ExecStart"]) == [f"{FOLDER}/.venv/bin/{program}", *words]
    assert given(name)["KillMode"] == "mixed"  # processes that are left are killed too


def test_the_units_differ_only_in_what_they_run():
    names = ("ExecStart", "Description", "TimeoutStopSec")
    web, worker = ({key: value for key, value in given(name).items() if key not in names} for name in UNITS)

    assert web == worker


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_can_read_a_unit(name, tmp_path):
    unit = tmp_path / UNITS[name].name
    unit.write_text(UNITS[name].read_text().replace(FOLDER, str(ROOT)))  # its programs must exist

    found = subprocess.run([ANALYZE, "verify", str(unit)], capture_output=True, text=True, check=False)

    assert [line for line in found.stderr.splitlines() if unit.name in line] == []
    assert found.returncode == 0, found.stderr
