"""Whether what goes on is of the same images: by their files' stamps, else by their content."""

import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort.sameness import image_sha256, stamp_of
from xaimri.data import Case, Dataset
from xaimri.errors import Cancelled, InvalidInput
from xaimri.images import Contrasts
from xaimri.sources import attempt

pytest.importorskip("pyarrow")

MODEL = LinearClassifier.random((6, 8, 1), classes=2, seed=0)


def pictures(count, seed=0):
    return [np.random.default_rng([seed, n]).random((6, 8)) for n in range(count)]


def write(folder, count, seed=0):
    folder.mkdir()
    for n, image in enumerate(pictures(count, seed)):
        Image.fromarray((255 * image).astype(np.uint8)).save(folder / f"{n:02}.png", compress_level=0)
    return folder


def start(cases, out):
    with pytest.raises(Cancelled):
        xaimri.explain_cohort(MODEL, cases, "saliency", out=out, progress=lambda told: False)


@pytest.mark.parametrize("kind", ["list", "mapping", "cases"])
def test_other_pixels_in_memory_under_the_same_names_are_refused(tmp_path, kind):
    def given(images):
        if kind == "list":
            return images
        if kind == "mapping":
            return {f"s{n}": image for n, image in enumerate(images)}
        return Dataset(("a",), tuple(Case(f"s{n}", 0, None, image) for n, image in enumerate(images)))

    mine = pictures(40)
    start(given(mine), tmp_path)
    others = [mine[0], *pictures(39, seed=1)]
    with pytest.raises(InvalidInput, match=r"the images of s?1, .* and 26 more are others than were"):
        xaimri.explain_cohort(MODEL, given(others), "saliency", out=tmp_path)
    later = [*mine[:32], *pictures(8, seed=2)]  # none of those that are finished
    assert xaimri.explain_cohort(MODEL, given(later), "saliency", out=tmp_path).done == 40


def test_a_file_that_was_written_since_and_a_folder_of_the_same_names_are_refused(tmp_path):
    folder, out = write(tmp_path / "scans", 40), tmp_path / "out"
    start(folder, out)
    record = sorted((file, file.read_bytes()) for file in out.rglob("*") if file.is_file())
    kept = (folder / "03.png").read_bytes()
    shutil.copyfile(folder / "20.png", folder / "03.png")
    with pytest.raises(InvalidInput, match=r"the images of 03\.png are others"):
        xaimri.explain_cohort(MODEL, folder, "saliency", out=out)
    with pytest.raises(InvalidInput, match=r"the images of 00\.png, .* and 27 more are others"):
        xaimri.explain_cohort(MODEL, write(tmp_path / "other", 40, seed=3), "saliency", out=out)
    assert sorted((file, file.read_bytes()) for file in out.rglob("*") if file.is_file()) == record
    (folder / "03.png").write_bytes(kept)  # written again, and the same
    moved = folder.rename(tmp_path / "moved")
    assert xaimri.explain_cohort(MODEL, moved, "saliency", out=out).done == 40


def test_a_broken_file_that_was_mended_is_another_image(tmp_path):
    folder, out = write(tmp_path / "scans", 34), tmp_path / "out"
    kept = (folder / "00.png").read_bytes()
    (folder / "00.png").write_bytes(b"broken")
    (folder / "01.png").unlink()
    start({file: folder / file for file in ("00.png", "01.png", "02.png")}, tmp_path / "few")
    start(folder, out)
    assert xaimri.explain_cohort(MODEL, folder, "saliency", out=out).done == 33
    (folder / "00.png").write_bytes(kept)
    with pytest.raises(InvalidInput, match=r"the images of 00\.png are others"):
        xaimri.explain_cohort(MODEL, folder, "saliency", out=out)
    few = {file: folder / file for file in ("00.png", "01.png", "02.png")}
    (folder / "01.png").write_bytes(kept)
    with pytest.raises(InvalidInput, match=r"the images of 00\.png, 01\.png are others"):
        xaimri.explain_cohort(MODEL, few, "saliency", out=tmp_path / "few")


def test_a_model_is_known_again_where_the_first_part_could_not_be_read(tmp_path):
    cases = {**{f"gone {n}": tmp_path / f"{n}.png" for n in range(33)}, "there": pictures(1)[0]}
    xaimri.explain_cohort(MODEL, cases, "saliency", out=tmp_path / "out")
    other = LinearClassifier.random((6, 8, 1), classes=2, seed=9)
    with pytest.raises(InvalidInput, match="the model, which gives other scores"):
        xaimri.explain_cohort(other, cases, "saliency", out=tmp_path / "out")


def test_a_stamp_is_of_all_files_of_an_image(tmp_path):
    folder = write(tmp_path / "a", 2)
    both = Contrasts({"one": folder / "00.png", "two": folder / "01.png"})
    case = Case("c", 0, None, both)
    before = stamp_of(both), stamp_of(folder), stamp_of(folder / "00.png")
    assert before[0] == before[1] == stamp_of(case)
    later = time.time_ns() + 10**9
    os.utime(folder / "01.png", ns=(later, later))
    assert stamp_of(both) == stamp_of(folder) != before[0]
    assert stamp_of(folder / "00.png") == before[2]


def test_an_image_is_hashed_no_more_often_than_it_must_be(tmp_path, monkeypatch):
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    given = np.random.default_rng(0).random((6, 8)).astype(np.float32)
    cohort = xaimri.explain_cohort(model, {"a": given}, "saliency", out=tmp_path / "run")
    np.save(tmp_path / "a.npy", given)
    np.save(tmp_path / "b.npy", given + 1)
    hashed = []

    def counted(source, read):
        hashed.append("file" if read is None else "pixels")
        return image_sha256(source, read)

    monkeypatch.setattr("xaimri.cohort.image.image_sha256", counted)
    cohort.explanation("a", image=given)
    assert hashed == ["pixels"]
    cohort.explanation("a", image=tmp_path / "a.npy")  # the same pixels, of a file now
    assert hashed[1:] == ["file", "pixels"]
    with pytest.raises(InvalidInput, match="is another one than was explained"):
        cohort.explanation("a", image=given + 1)
    assert hashed[3:] == ["pixels"]


def test_a_stamp_tells_an_older_file_beside_newer_ones_and_two_that_changed_places(tmp_path):
    folder = write(tmp_path / "a", 3)
    one, two, three = (folder / f"{n:02}.png" for n in range(3))
    for number, file in enumerate((one, two, three)):
        os.utime(file, ns=(10**18, (10 + number) * 10**18))
    before = stamp_of(folder), stamp_of(Contrasts({"t1": one, "t2": two}))
    os.utime(one, ns=(10**18, 9 * 10**18))  # an older copy, of as many bytes
    assert stamp_of(folder) != before[0]
    os.utime(one, ns=(10**18, 10 * 10**18))
    assert (stamp_of(folder), stamp_of(Contrasts({"t1": one, "t2": two}))) == before
    assert stamp_of(Contrasts({"t1": two, "t2": one})) != before[1]


def test_where_no_file_could_be_read_mended_ones_are_explained_and_the_model_is_known_then(tmp_path):
    folder, out = tmp_path / "scans", tmp_path / "out"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n:02}.png").write_bytes(b"broken")
    assert len(xaimri.explain_cohort(MODEL, folder, "saliency", out=out).filter(failed=True)) == 3
    shutil.rmtree(folder)
    write(folder, 3)
    with pytest.raises(InvalidInput, match="give `retry_failed`"):
        xaimri.explain_cohort(MODEL, folder, "saliency", out=out)
    mended = xaimri.explain_cohort(MODEL, folder, "saliency", out=out, retry_failed=True)
    assert len(mended.filter(failed=False)) == 3
    keys = mended.table(["key"])["key"].to_pylist()
    assert (
        keys
        == xaimri.explain_cohort(MODEL, folder, "saliency", out=tmp_path / "b")
        .table(["key"])["key"]
        .to_pylist()
    )
    other = LinearClassifier.random((6, 8, 1), classes=2, seed=9)
    with pytest.raises(InvalidInput, match="the model, which gives other scores"):
        xaimri.explain_cohort(other, folder, "saliency", out=out, retry_failed=True)


def test_a_file_that_is_written_while_it_is_read_is_no_row_of_either_content(tmp_path, monkeypatch):
    folder, out = write(tmp_path / "scans", 3), tmp_path / "out"

    def written_meanwhile(named, intake):
        found = attempt(named, intake)
        if named.name == "01.png":
            shutil.copyfile(folder / "02.png", folder / "01.png")
        return found

    monkeypatch.setattr("xaimri.cohort.work.attempt", written_meanwhile)
    cohort = xaimri.explain_cohort(MODEL, folder, "saliency", out=out)
    (row,) = cohort.filter(failed=True).table(["case", "failure", "stage"]).to_pylist()
    assert (row["case"], row["stage"]) == ("01.png", "read")
    assert "was written while it was read" in row["failure"]
    monkeypatch.undo()
    mended = xaimri.explain_cohort(MODEL, folder, "saliency", out=out, retry_failed=True)
    one, two = (mended.explanation(case) for case in ("01.png", "02.png"))
    np.testing.assert_array_equal(one.values, two.values)
