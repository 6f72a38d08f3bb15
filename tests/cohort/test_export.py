"""A cohort as files for other programs: a table, NIfTI, pictures; whole or not at all."""

import csv

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.errors import InvalidInput
from xaimri.images import Picture, read_picture

pytest.importorskip("pyarrow")

SHAPE = (4, 5, 6, 1)
AFFINE = np.array([[2.0, 0, 0, -10], [0, 2, 0, 5], [0, 0, 3, 1], [0, 0, 0, 1]])


@pytest.fixture
def scans():
    given = {
        name: Picture(np.random.default_rng(n).random(SHAPE[:-1]), affine=AFFINE)
        for n, name in enumerate(("=1+1", "a/b", "a_b", "A_B"))
    }
    return {**given, "flat": np.full(SHAPE[:-1], np.nan)}


@pytest.fixture
def cohort(tmp_path, scans):
    model = LinearClassifier.random(SHAPE, classes=2, seed=0)
    return xaimri.explain_cohort(model, scans, ["saliency", "input_x_gradient"], out=tmp_path / "run")


def test_a_table_has_every_row_and_no_formula(cohort, tmp_path):
    folder = cohort.export(tmp_path / "table")
    text = (folder / "cohort.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 10
    assert [row["case"] for row in rows[::2]] == ["'=1+1", "a/b", "a_b", "A_B", "flat"]
    table = cohort.table().to_pylist()
    for told, row in zip(rows, table, strict=True):
        assert told["method"] == row["method"]
        assert bool(told["failure"]) == (row["case"] == "flat")
        if row["failure"] is None:
            assert float(told["probability of class_1"]) == row["probabilities"][1]
            assert [float(told["positive"]), float(told["negative"])] == row["sums"]
    with pytest.raises(InvalidInput):
        cohort.export(tmp_path / "table")


def test_a_table_has_what_metrics_say(cohort, tmp_path, scans):
    model = LinearClassifier.random(SHAPE, classes=2, seed=0)
    cohort.judge("sparseness", model=model, images=scans, independent=True)
    chosen = cohort.filter(method="input_x_gradient")
    folder = chosen.export(tmp_path / "table")
    rows = list(csv.DictReader((folder / "cohort.csv").read_text(encoding="utf-8").splitlines()))
    shown = chosen.table(["case", "sparseness", "sparseness_failure"]).to_pylist()
    assert len(rows) == len(shown) == 5
    for told, row in zip(rows, shown, strict=True):
        assert told["case"].lstrip("'") == row["case"]
        assert told["sparseness"] == ("" if row["sparseness"] is None else repr(row["sparseness"]))
        assert bool(told["sparseness_failure"]) == (row["case"] == "flat")


def test_each_map_lies_on_its_scan_under_a_name_of_its_own(cohort, tmp_path, scans):
    folder = cohort.export(tmp_path / "maps", "nii.gz")
    files = sorted(folder.glob("*.nii.gz"))
    assert len({file.name.lower() for file in files}) == 8
    for case, name in (("=1+1", "=1+1_input_x_gradient"), ("a_b", "a_b-2_input_x_gradient")):
        found = read_picture(folder / f"{name}.nii.gz", 3)
        expected = cohort.explanation(case, "input_x_gradient", image=scans[case]).values
        np.testing.assert_array_equal(found.pixels[..., 0], expected)
        np.testing.assert_allclose(found.affine, AFFINE)
    failures = list(csv.DictReader((folder / "failures.csv").read_text().splitlines()))
    assert [row["case"] for row in failures] == ["flat", "flat"]
    assert (
        len(list(cohort.filter(method="saliency").export(tmp_path / "few", "nii.gz").glob("*.nii.gz"))) == 4
    )


def test_pictures_are_of_images_that_can_be_read_again(cohort, tmp_path):
    with pytest.raises(InvalidInput, match="no map can be written: the image of `=1\\+1` was in memory"):
        cohort.export(tmp_path / "none", "png")
    assert not (tmp_path / "none").exists()
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    for n in range(2):
        np.save(tmp_path / f"{n}.npy", np.random.default_rng(n).random((6, 8)))
    given = {f"{n}.npy": tmp_path / f"{n}.npy" for n in range(3)}
    flat = xaimri.explain_cohort(model, given, "saliency", out=tmp_path / "flat")
    folder = flat.export(tmp_path / "figures", "png")
    assert sorted(file.name for file in folder.iterdir()) == [
        "0_saliency.png",
        "1_saliency.png",
        "failures.csv",
        "files.csv",
    ]


def test_it_is_told_of_which_case_each_file_is(tmp_path):
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    long = "deep/" * 60
    names = ["a/b.npy", "a_b.npy", "a_b-2.npy", f"{long}x.npy", f"{long}y.npy", 'q"?.npy', "new\nline.npy"]
    for n, _ in enumerate(names):
        np.save(tmp_path / f"{n}.npy", np.random.default_rng(n).random((6, 8)))
    given = {name: tmp_path / f"{n}.npy" for n, name in enumerate(names)}
    cohort = xaimri.explain_cohort(model, given, "saliency", out=tmp_path / "run")
    folder = cohort.export(tmp_path / "figures", "png")
    told = list(csv.DictReader((folder / "files.csv").read_text().splitlines(keepends=True)))
    assert [row["case"] for row in told] == names
    files = [row["file"] for row in told]
    assert len({name.lower() for name in files}) == len(names)
    assert {file.name for file in folder.iterdir()} == {*files, "files.csv"}
    assert all(name.endswith("_saliency.png") and len(name) < 220 for name in files)
    assert not any(mark in name for name in files for mark in '<>:"|?*\\\n')


def test_what_a_run_writes_meanwhile_is_not_among_the_files(tmp_path, monkeypatch):
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    for n in range(40):
        np.save(tmp_path / f"{n:02}.npy", np.random.default_rng(n).random((6, 8)))
    xaimri.explain_cohort(model, tmp_path, "saliency", out=tmp_path / "run")
    later = tmp_path / "run" / "rows" / "part-000001.parquet"
    content = later.read_bytes()
    later.unlink()
    cohort = xaimri.cohort.open(tmp_path / "run")
    table = type(cohort).table

    def then(self, *columns):
        found = table(self, *columns)
        later.write_bytes(content)
        return found

    monkeypatch.setattr(type(cohort), "table", then)
    folder = cohort.export(tmp_path / "figures", "png")
    assert len(list(folder.glob("*.png"))) == 32


def test_an_unknown_method_is_told(cohort):
    with pytest.raises(InvalidInput, match="did you mean 'saliency'"):
        cohort.filter(method="salience")
    with pytest.raises(InvalidInput, match="`expression` must be one of Arrow"):
        cohort.filter("probability > 0.9")
