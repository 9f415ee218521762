"""Checks which Python versions the product supports: ``make check-pythons``.

For each given version, every locked requirement must have a wheel; nothing is installed for this check. For each
version with an interpreter on this machine, the main job (``demo.smoke``) and then QUICK run in their own environment.
The last lines report the results. The version that runs this check is tested by `make test`.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt", "requirements-containers.txt")
DRIVERS = {
    "requirements-otel.txt": ("3.11", "3.12", "3.13", "3.14"),
    "requirements-libsql.txt": ("3.11", "3.12", "3.13", "3.14"),
    "requirements-encrypted.txt": ("3.11", "3.12", "3.13"),
}
"""The locks of the drivers, and for which Pythons there are wheels. They are installed without what they depend on."""
QUICK = (
    "tests/config/test_settings.py",
    "tests/config/test_first_migrate.py",
    "tests/config/test_encrypted_file.py",
    "tests/webhooks/test_receive.py",
    "tests/test_stripe_api.py",
    "tests/test_money.py",
)
"""Settings, a first migration, a web server, the SDK: where another Python would make a difference."""
UV = str(Path(sys.executable).with_name("uv"))


def main(*versions: str) -> int:
    _check_claim(versions)
    told, failed = [], False
    for version in versions:
        locks = [*LOCKS, *(lock for lock, on in DRIVERS.items() if version in on)]
        missing = [lock for lock in locks if not _has_wheels(lock, version)]
        ran, passed = _run_on(version) if not missing else ("not run", False)
        failed |= not passed
        told.append(f"Python {version}: {'no wheels for ' + ', '.join(missing) if missing else 'wheels'}; {ran}")
    _say("\n" + "\n".join(told))
    return 1 if failed else 0


def _check_claim(versions: tuple[str, ...]) -> None:
    """Check that these versions are exactly those that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    admits = SpecifierSet(project["requires-python"])
    admitted = {f"3.{minor}" for minor in range(50) if f"3.{minor}.0" in admits}
    if admitted != set(versions):
        sys.exit(f"pyproject.toml admits Python {', '.join(sorted(admitted))}, the Makefile {', '.join(versions)}")


def _has_wheels(lock: str, version: str) -> bool:
    _say(f"== {lock} on Python {version}")
    with tempfile.TemporaryDirectory() as folder:
        command = [UV, "pip", "install", "--dry-run", "--quiet", "--only-binary", ":all:", "--require-hashes"]
        command += ["--python-version", version, "--target", folder, "-r", lock]
        command += ["--no-deps"] if lock in DRIVERS else []
        return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _run_on(version: str) -> tuple[str, bool]:
    """Return what was run, and whether it passed. A missing interpreter is not a failure."""
    if version == ".".join(platform.python_version_tuple()[:2]):
        return f"make test runs on it ({platform.python_version()})", True
    if not (python := _interpreter(version)):
        return "not run: no interpreter here", True
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        own = f"{folder}/bin/python"
        environment = {**os.environ, "VIRTUAL_ENV": folder}
        install = [UV, "pip", "install", "--quiet", "--require-hashes", "--python", own]
        commands = (
            [UV, "venv", "--quiet", "--clear", "--python", python, folder],
            [*install, "-r", "requirements-dev.txt"],
            [*install, "--no-deps", *(part for lock, on in DRIVERS.items() if version in on for part in ("-r", lock))],
            [own, "-m", "demo.smoke"],
            [own, "-m", "pytest", "-n", "2", "-m", "not slow", *QUICK],
        )
        for command in commands:
            _say(f"== Python {version}: {Path(command[0]).name} {' '.join(command[1:3])}")
            if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
                return f"FAILED on {python}: {' '.join(command[1:])}", False
    return f"the main job and quick tests passed in {time.monotonic() - began:.0f} s", True


def _interpreter(version: str) -> str:
    """Return the path of a working Python of this version, or an empty text. pyenv's versions need not be selected."""
    name = f"python{version}"
    found = [shutil.which(name, path=folder) for folder in os.get_exec_path()]
    if shutil.which("pyenv"):
        listed = subprocess.run(["pyenv", "whence", "--path", name], capture_output=True, text=True, check=False)  # noqa: S607
        found += listed.stdout.split()
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    for path in filter(None, found):
        ended = subprocess.run([path, "-c", program], capture_output=True, text=True, check=False)
        if ended.stdout.strip() == version:
            return path
    return ""


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
