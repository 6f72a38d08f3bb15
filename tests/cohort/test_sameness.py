"""Whether what goes on is of the same images: by their files' stamps, else by their content."""

import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort.sameness import stamp_of
from xaimri.data import Case, Dataset
from xaimri.errors import Cancelled, InvalidInput
from xaimri.images import Contrasts

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
    start(cases, tmp_path / "out")
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
