"""Written whole or not at all: every file and folder of ours goes through two functions, and these hold."""

import ast
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

import xaimri
from deaths import Disk, every_change, files_of_at_most, killed
from judgements import judgement
from xaimri import scratch
from xaimri.archive import remove_partials, whole_file, whole_folder, write_text
from xaimri.errors import InvalidInput, StorageFault
from xaimri.evaluation import evaluate

SOURCE = Path(xaimri.__file__).parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc, pipes and names of 255 bytes")


class TestWholeFile:
    def test_the_old_file_stands_until_the_new_one_is_whole(self, tmp_path):
        target = tmp_path / "table.csv"
        target.write_text("old")
        with whole_file(target) as new:
            new.write_text("new")
            assert (new.name, target.read_text()) == ("table.csv", "old")
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

        monkeypatch.setattr(scratch.os, "fsync", full)
        with pytest.raises(StorageFault, match=r"note\.txt` can't be written \(No space left on device\)"):
            write_text(tmp_path / "note.txt", "text")
        assert list(tmp_path.iterdir()) == []

    def test_what_a_killed_process_left_can_be_removed_and_what_is_at_work_stays(self, tmp_path):
        write_text(tmp_path / "kept.txt", "kept")
        with Disk("dead", 4).below(tmp_path), whole_file(tmp_path / "new.npz") as new:
            new.write_bytes(b"half")
        assert len(list(tmp_path.iterdir())) == 2
        with whole_file(tmp_path / "other.txt") as other:
            other.write_text("half")
            remove_partials(tmp_path)
            assert sorted(file.name for file in tmp_path.iterdir()) == [".other.txt-1.partial", "kept.txt"]
            other.write_text("whole")
        assert sorted(file.name for file in tmp_path.iterdir()) == ["kept.txt", "other.txt"]

    def test_two_writers_of_one_file_do_not_mix(self, tmp_path):
        with whole_file(tmp_path / "a.txt") as one:
            one.write_text("one")
            with whole_file(tmp_path / "a.txt") as two:
                two.write_text("two")
                assert one.read_text() == "one"
            assert (tmp_path / "a.txt").read_text() == "two"
        assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "one")]


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

    @LINUX
    @pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
    def test_others_may_do_what_the_user_lets_them(self, tmp_path, mask):
        before = os.umask(mask)
        try:
            with whole_folder(tmp_path / "a" / "out"):
                pass
        finally:
            os.umask(before)
        for made in (tmp_path / "a", tmp_path / "a" / "out"):
            assert stat.S_IMODE(made.stat().st_mode) == 0o777 & ~mask

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


@pytest.fixture(scope="module")
def results():
    """Two of everything that is kept in a file or a folder."""
    model = xaimri.LinearClassifier.random((6, 5, 1), classes=3)
    images = np.random.default_rng(0).random((2, 6, 5))
    explanations = [xaimri.explain(model, image, "lime", samples=40, regions=4) for image in images]
    p = np.random.default_rng(0).dirichlet(np.ones(2), 12)
    reports = [evaluate(each, np.arange(12) % 2, range(12)) for each in (p, p[::-1])]
    judged = [judgement({"a": [list(values)]}) for values in np.random.default_rng(0).random((2, 6))]
    return {"explanation": explanations, "report": reports, "judgement": judged}


FILES = {
    "report": lambda results, path, which: results["report"][which].save(path),
    "judgement.json": lambda results, path, which: results["judgement"][which].save(path),
    "judgement.csv": lambda results, path, which: results["judgement"][which].save(path),
}


def listed(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def whole_results(results, folder, write):
    """Return what stands in a folder after each of two writings."""
    found = []
    for which in (0, 1):
        write(results, folder, which)
        found.append(listed(folder))
    assert found[0] != found[1]
    return found


@LINUX
@pytest.mark.parametrize("kind", ["full", "dead", "killed"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_old_or_new_whenever_the_writer_dies(results, tmp_path, name, kind):
    """And the next call is right, and nothing else is left."""

    def write(results, folder, which):
        FILES[name](results, folder / name, which)

    old, new = whole_results(results, tmp_path, write)
    steps = 0
    for disk in every_change(kind):
        write(results, tmp_path, 0)
        if kind == "killed":
            killed(disk, tmp_path, lambda: write(results, tmp_path, 1))
        else:
            with disk.below(tmp_path):
                write(results, tmp_path, 1)
        steps += disk.failed
        left = listed(tmp_path)
        assert left[name] in (old[name], new[name])
        if kind == "full":
            assert left in (old, new)
        write(results, tmp_path, 1)
        assert listed(tmp_path) == new
        assert len(list(tmp_path.iterdir())) == 1
    assert steps >= (4 if kind == "full" else 5)


@LINUX
@pytest.mark.parametrize("kind", ["full", "dead", "killed"])
@pytest.mark.parametrize("below", ["kept", "a/b/kept", "empty"])
def test_a_stored_explanation_is_whole_or_none_whenever_the_writer_dies(results, tmp_path, below, kind):
    explanation = results["explanation"][0]
    explanation.store(tmp_path / "expected")
    expected = listed(tmp_path / "expected")
    steps = 0
    for disk in every_change(kind):
        home = tmp_path / f"{disk.at}"
        home.mkdir()
        place = home / below
        if below == "empty":
            place.mkdir()
        if kind == "killed":
            killed(disk, home, lambda place=place: explanation.store(place))
        else:
            with disk.below(home):
                explanation.store(place)
        steps += disk.failed
        if kind == "full":
            assert listed(home) in ({}, {f"{below}/{name}": content for name, content in expected.items()})
        try:
            assert np.array_equal(xaimri.load(place).values, explanation.values)
        except InvalidInput:
            explanation.store(place)
        else:
            with pytest.raises(InvalidInput, match="is there already, and not empty"):
                explanation.store(place)
        assert {file for file in home.rglob("*") if file.name.endswith(".partial")} == set()
        assert listed(place) == expected
    assert steps >= 8


@LINUX
def test_a_disk_that_fills_up_within_a_file_leaves_what_was_there(results, tmp_path):
    for name, write in FILES.items():
        write(results, tmp_path / name, 0)
    before = listed(tmp_path)
    size = min(map(len, before.values()))
    for most in (0, 1, 63, size // 2, size - 200):
        for name, write in FILES.items():
            with (
                files_of_at_most(most),
                pytest.raises(StorageFault, match=r"can't be written \(File too large\)"),
            ):
                write(results, tmp_path / name, 1)
        with (
            files_of_at_most(most),
            pytest.raises(StorageFault, match=r"can't be written \(File too large\)"),
        ):
            results["explanation"][0].store(tmp_path / "a" / "kept")
        assert listed(tmp_path) == before
        assert len(list(tmp_path.iterdir())) == len(FILES)
    with (
        files_of_at_most(999),
        pytest.raises(StorageFault, match=r"png` can't be written \(File too large\)"),
    ):
        results["explanation"][0].save(tmp_path / "figure.png", dpi=20)
    assert listed(tmp_path) == before


@LINUX
def test_what_was_moved_by_halves_into_an_empty_folder_is_told_from_what_others_put_there(tmp_path):
    """A whole folder stays, and so does what somebody else has put beside the half."""

    def fill():
        with whole_folder(tmp_path) as folder:
            for name in "abc":
                (folder / name).write_text(name)

    with Disk("dead", 12).below(tmp_path):  # after the first of three is moved
        fill()
    assert {"a"} < {file.name for file in tmp_path.iterdir()}
    assert not (tmp_path / "b").exists()
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        fill()
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "mine").unlink()
    fill()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b", "c"]


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
            system = ast.unparse(node.func).startswith("Path('/proc/")  # a setting of the process, on no disk
            if name in WRITERS and not ours and not memory and not system:
                yield node.lineno, ast.unparse(node)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    yield from visit(tree, False)


def test_there_is_one_writer():
    """A figure drawn into memory is none."""
    found = {
        f"{file.relative_to(SOURCE)}:{line}": call
        for file in SOURCE.rglob("*.py")
        if file.name not in ("archive.py", "scratch.py")
        for line, call in calls_outside(ast.parse(file.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "address", ["s3://bucket/run", "memory://a", "file:///tmp/a", Path("s3://bucket/run")]
)
def test_an_address_makes_no_folders_here(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for write in (lambda: whole_folder(address), lambda: whole_file(address)):
        with pytest.raises(InvalidInput, match="is an address: give the path of a f"), write():
            pass
    assert not list(tmp_path.iterdir())
