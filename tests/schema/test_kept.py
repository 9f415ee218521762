"""An edit, a removal or a renaming of a migration is told, whatever the list says, and what cannot be told is said."""

import shutil
import subprocess

import pytest

from tests.schema import kept

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
ONE, TWO = b"operations = ['one']\n", b"operations = ['two']\n"


class Project:
    """A folder with two migrations that are listed."""

    def __init__(self, root):
        self.root, self.folder = root, root / kept.FOLDER
        self.folder.mkdir(parents=True)
        (root / kept.DIGESTS).touch()
        self.write("__init__.py", b"")
        self.write("0001_one.py", ONE)
        self.write("0002_two.py", TWO)
        kept.add(root)

    def write(self, name, content):
        (self.folder / name).write_bytes(content)

    def git(self, *arguments):
        who = ["-c", "user.name=A. Person", "-c", "user.email=a@person.example", "-c", "core.autocrlf=false"]
        subprocess.run(["git", "-C", str(self.root), *who, *arguments], check=True, capture_output=True)  # noqa: S607

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=A commit")

    def listed_anew(self):
        (self.root / kept.DIGESTS).write_bytes(b"")
        kept.add(self.root)

    def wrong(self):
        return kept.check(self.root)[0]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


@pytest.fixture
def committed(project):
    project.git("init", "--quiet")
    project.commit()
    return project


def test_ours_are_kept():
    wrong, _ = kept.check(kept.ROOT)

    assert wrong == []


def test_nothing_is_told_of_what_is_as_it_was(project, capsys):
    assert kept.main([], project.root) == 0
    assert "2 migrations held against billing/migrations/digests.txt" in capsys.readouterr().out


def test_an_edit_is_told_and_what_to_do_instead(project, capsys):
    project.write("0001_one.py", TWO)

    assert kept.main([], project.root) == 1
    told = capsys.readouterr().out
    assert "0001_one.py was edited" in told
    assert "undo the edit and write a new migration" in told


def test_other_line_endings_are_called_so(project):
    project.write("0001_one.py", ONE.replace(b"\n", b"\r\n"))

    (told,) = project.wrong()

    assert "0001_one.py has other line endings" in told


def test_a_new_one_is_to_be_listed_by_a_command_that_lists_no_edit(project):
    project.write("0001_one.py", TWO)
    project.write("0003_three.py", b"")
    assert [told for told in project.wrong() if "0003_three.py is not in" in told and kept.ADD in told]

    kept.main(["--add"], project.root)

    (told,) = project.wrong()
    assert "0001_one.py was edited" in told


def test_a_removed_and_a_renamed_one_are_told(project):
    (project.folder / "0002_two.py").rename(project.folder / "0002_deux.py")

    assert [told.split(" ")[0] for told in project.wrong()] == [
        "billing/migrations/0002_two.py",
        "billing/migrations/0002_deux.py",
    ]


@needs_git
def test_history_has_nothing_to_tell_of_what_is_as_it_was(committed):
    wrong, told = kept.check(committed.root)

    assert wrong == []
    assert "and 2 against the commits that added them" in told


@needs_git
def test_history_tells_of_an_edit_whose_digest_was_edited_too(committed):
    committed.write("0001_one.py", TWO)
    committed.listed_anew()
    (told,) = committed.wrong()
    assert "0001_one.py was edited by what is not committed yet" in told

    committed.commit()

    (told,) = committed.wrong()
    assert "0001_one.py was edited by" in told
    assert "not committed" not in told


@needs_git
def test_history_tells_of_one_that_was_taken_off_the_list_and_removed_or_renamed(committed):
    (committed.folder / "0002_two.py").rename(committed.folder / "0002_deux.py")
    committed.listed_anew()
    committed.commit()

    (told,) = committed.wrong()

    assert "0002_two.py" in told
    assert "is gone or has another name" in told


@needs_git
def test_an_edit_of_the_past_is_excused_once(committed, monkeypatch, tmp_path):
    monkeypatch.setattr(kept, "EDITED", {"0001_one.py": "somebody did"})
    monkeypatch.setattr(kept, "FIRST", tmp_path)
    (tmp_path / "0001_one.py").write_bytes(ONE)
    committed.write("0001_one.py", TWO)
    committed.listed_anew()
    committed.commit()
    wrong, told = kept.check(committed.root)
    assert wrong == []
    assert "0001_one.py was edited once: somebody did" in told

    (tmp_path / "0001_one.py").write_bytes(TWO)
    assert ["is not what" in told for told in committed.wrong()] == [True]
    (tmp_path / "0001_one.py").write_bytes(ONE)
    committed.write("0001_one.py", b"operations = ['three']\n")
    committed.listed_anew()
    (told,) = committed.wrong()
    assert "0001_one.py was edited by what is not committed yet" in told


@needs_git
def test_a_shallow_history_and_none_are_said(committed, tmp_path):
    committed.write("0003_three.py", b"")
    committed.listed_anew()
    committed.commit()
    committed.git("clone", "--quiet", "--depth=1", f"file://{committed.root}", str(tmp_path / "shallow"))
    shutil.copytree(committed.root, tmp_path / "tarball", ignore=shutil.ignore_patterns(".git"))
    shutil.copytree(tmp_path / "tarball", committed.root / "within")

    told = [kept.check(root) for root in (tmp_path / "shallow", tmp_path / "tarball", committed.root / "within")]

    assert [wrong for wrong, _ in told] == [[], [], []]
    assert ["NOT against git's history" in said for _, said in told] == [True, True, True]
    assert "the clone is shallow" in told[0][1]
    assert "not a git repository" in told[1][1]
    assert "no repository of its own" in told[2][1]
