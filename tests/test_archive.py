"""Written whole or not at all: every file and folder of ours goes through two functions, and these hold."""

import ast
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import xaimri
from xaimri import archive
from xaimri.archive import remove_partials, whole_file, whole_folder, write_text
from xaimri.errors import InvalidInput, StorageFault

SOURCE = Path(xaimri.__file__).parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc, pipes and names of 255 bytes")


class TestWholeFile:
    def test_the_old_file_stands_until_the_new_one_is_whole(self, tmp_path):
        target = tmp_path / "table.csv"
        target.write_text("old")
        with whole_file(target) as new:
            new.write_text("new")
            assert (new.suffix, target.read_text()) == (".csv", "old")
            written = new.stat().st_ino
        assert target.stat().st_ino == written  # renamed, not copied
        assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("table.csv", "new")]

    @pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()])
    def test_an_error_leaves_what_was_there(self, tmp_path, error):
        write_text(tmp_path / "table.csv", "old")

        def fail(place):
            with whole_file(place) as new:
                new.write_text("half")
                raise error

        for place in (tmp_path / "table.csv", tmp_path / "a" / "b" / "c.csv"):
            with pytest.raises(type(error)):
                fail(place)
        assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("table.csv", "old")]

    def test_folders_on_the_way_are_made_and_long_names_fit(self, tmp_path):
        name = 250 * "n" + ".txt"
        assert write_text(tmp_path / "a" / "b" / name, "all").read_text() == "all"
        assert [file.name for file in (tmp_path / "a" / "b").iterdir()] == [name]

    def test_a_folder_or_a_file_on_the_way_is_a_wrong_argument(self, tmp_path):
        write_text(tmp_path / "file", "mine")
        with pytest.raises(InvalidInput, match="is a folder: give the name of a file"):
            write_text(tmp_path, "text")
        with pytest.raises(InvalidInput, match="is a file, not a folder: give another place"):
            write_text(tmp_path / "file" / "below.txt", "text")
        assert (tmp_path / "file").read_text() == "mine"

    @LINUX
    def test_a_device_or_a_pipe_is_not_replaced(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InvalidInput, match="is no regular file: give the name of a file"):
            write_text(tmp_path / "pipe", "text")
        assert (tmp_path / "pipe").is_fifo()

    @LINUX
    @pytest.mark.parametrize("place", ["/proc/none/out.txt", "n" * 300])
    def test_a_disk_that_takes_nothing_is_told_in_one_sentence(self, place):
        with pytest.raises(StorageFault, match="give another place") as told:
            write_text(place, "text")
        assert str(told.value).count(". ") == 0

    def test_a_full_disk_is_told_and_leaves_nothing(self, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(archive.os, "fsync", full)
        with pytest.raises(StorageFault, match=r"note\.txt` can't be written \(No space left on device\)"):
            write_text(tmp_path / "note.txt", "text")
        assert list(tmp_path.iterdir()) == []

    def test_what_a_killed_process_left_can_be_removed(self, tmp_path, monkeypatch):
        write_text(tmp_path / "kept.txt", "kept")
        with monkeypatch.context() as patch:
            patch.setattr(archive, "_discard", lambda partial: None)  # as if the process were killed
            with suppress(KeyboardInterrupt), whole_file(tmp_path / "new.npz") as new:
                new.write_bytes(b"half")
                raise KeyboardInterrupt
        assert len(list(tmp_path.iterdir())) == 2
        remove_partials(tmp_path)
        assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]


class TestWholeFolder:
    @pytest.mark.parametrize("below", ["out", "a/b/out"])
    @pytest.mark.parametrize("error", [InvalidInput("bad."), KeyboardInterrupt(), ConnectionError("gone")])
    def test_an_error_leaves_nothing(self, tmp_path, below, error):
        def fail():
            with whole_folder(tmp_path / below) as folder:
                (folder / "half.txt").write_text("half")
                raise error

        with pytest.raises(type(error)):
            fail()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("below", ["out", "a/b/out"])
    def test_nothing_is_there_before_the_end_and_everything_after(self, tmp_path, below):
        with whole_folder(tmp_path / below) as folder:
            (folder / "more").mkdir()
            (folder / "more" / "table.txt").write_text("all")
            assert not (tmp_path / below).exists()
        assert (tmp_path / below / "more" / "table.txt").read_text() == "all"
        assert [file.name for file in tmp_path.iterdir()] == [below.split("/")[0]]
        assert (tmp_path / below).stat().st_mode & 0o777 == 0o755

    def test_an_empty_folder_is_used_as_it_is(self, tmp_path):
        before = tmp_path.stat().st_ino
        with whole_folder(tmp_path) as folder:
            (folder / "table.txt").write_text("all")
        assert [file.name for file in tmp_path.iterdir()] == ["table.txt"]
        assert tmp_path.stat().st_ino == before

    def test_what_stands_in_the_way_is_told_before_any_work(self, tmp_path):
        write_text(tmp_path / "file", "mine")
        for place, sentence in (
            (tmp_path, "is there already, and not empty: give a new folder"),
            (tmp_path / "file", "is a file, not a folder"),
            (tmp_path / "file" / "out", "is a file, not a folder"),
        ):
            with pytest.raises(InvalidInput, match=sentence), whole_folder(place):
                raise AssertionError("work was begun")
        assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]

    @LINUX
    def test_a_fault_of_the_disk_names_the_wanted_place_and_others_pass(self, tmp_path):
        with pytest.raises(StorageFault, match="`/proc/out` can't be written"), whole_folder("/proc/out"):
            raise AssertionError("work was begun")

        def write(name):
            with whole_folder(tmp_path / "out") as folder:
                write_text(folder / name, "text")

        with pytest.raises(StorageFault, match=r"out/n+` can't be written") as told:
            write("n" * 300)
        assert ".partial" not in str(told.value)
        with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "out"):
            Path("nowhere").read_text()
        assert list(tmp_path.iterdir()) == []


WRITERS = {"write_text", "write_bytes", "savefig", "savez", "savez_compressed", "mkdtemp", "fsync", "rename"}
"""Calls that write to a disk, or bring a file to its place, by their last name."""


def calls_outside(tree):
    """Yield calls that write and lie within no `with whole_file` or `with whole_folder`."""

    def visit(node, inside):
        if isinstance(node, ast.With):
            words = " ".join(ast.unparse(item.context_expr) for item in node.items)
            inside = inside or "whole_file(" in words or "whole_folder(" in words
        if isinstance(node, ast.Call) and not inside:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            ours = ast.unparse(node.func) in ("archive.write_text", "write_text")
            memory = name == "savefig" and ast.unparse(node.args[0]) in ("written", "kept")
            if name in WRITERS and not ours and not memory:
                yield node.lineno, ast.unparse(node)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    yield from visit(tree, False)


def test_there_is_one_writer():
    """A figure drawn into memory is none."""
    found = {
        f"{file.relative_to(SOURCE)}:{line}": call
        for file in SOURCE.rglob("*.py")
        if file.name != "archive.py"
        for line, call in calls_outside(ast.parse(file.read_text()))
    }
    assert found == {}
