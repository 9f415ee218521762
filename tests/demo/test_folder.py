"""The folder of a demo: who may use it, and what becomes of the data that is there."""

import pytest

from demo import folder as folders
from demo.stack import DidNotStart


@pytest.fixture
def folder(tmp_path):
    for name in ("sandbox.db", "stripe.db", "demo.env", "web.log"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_second_demo_in_the_same_folder_is_told_to_take_another(tmp_path):
    with folders.alone_in(tmp_path), pytest.raises(DidNotStart, match=r"DEMO_FOLDER=.* WEB_PORT=.* STRIPE_PORT="):
        folders.alone_in(tmp_path).__enter__()


def test_the_folder_is_free_again_when_the_demo_ended(tmp_path):
    for _ in range(2):
        with folders.alone_in(tmp_path):
            assert (tmp_path / "lock").exists()


def test_two_demos_run_beside_each_other_in_two_folders(tmp_path):
    with folders.alone_in(tmp_path / "one"), folders.alone_in(tmp_path / "two"):
        assert {one.name for one in tmp_path.iterdir()} == {"one", "two"}


def test_whole_data_stays(folder):
    folders.keep(folder)

    assert folders.has_data(folder)


@pytest.mark.parametrize("mark", [None, "", "0", folders.DATA + "1"])
def test_data_of_another_version_or_of_an_unfinished_start_is_put_aside(folder, mark):
    if mark is not None:
        (folder / "data").write_text(mark)

    assert not folders.has_data(folder)
    assert folders.put_aside(folder)

    assert (folder / "demo.env").exists()  # the password stays
    assert not list(folder.glob("*.db"))
    assert (folder / "old" / "sandbox.db").read_text() == "sandbox.db"


def test_only_the_newest_data_is_kept_aside(folder):
    folders.put_aside(folder)
    (folder / "sandbox.db").write_text("newer")

    assert folders.put_aside(folder)

    assert [(one.name, one.read_text()) for one in (folder / "old").iterdir()] == [("sandbox.db", "newer")]


def test_a_new_folder_has_nothing_to_put_aside(tmp_path):
    (tmp_path / "lock").touch()

    assert not folders.put_aside(tmp_path)
    assert not folders.has_data(tmp_path)
