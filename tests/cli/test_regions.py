"""The command `xaimri regions`: the table of a map that was written as NIfTI."""

import csv

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier, Occlusion

SHAPE = (6, 5, 4)


def test_a_map_that_was_written_is_added_up_by_an_atlas(run, tmp_path):
    nib = pytest.importorskip("nibabel")
    affine = np.diag([-2.0, 2, 2, 1])  # stored from right to left
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3], labels[4] = 1, 2
    scan, atlas = tmp_path / "scan.nii.gz", tmp_path / "atlas.nii.gz"
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random(SHAPE).astype(np.float32), affine), scan)
    nib.save(nib.Nifti1Image(labels, affine), atlas)
    (tmp_path / "names.txt").write_text("1 one\n2 two\n")
    model = LinearClassifier.random((*SHAPE, 1), classes=2, seed=0)
    found = xaimri.explain(model, scan, Occlusion(window=1, absent=0.0), target=0)
    written = found.to_nifti(tmp_path / "map.nii.gz")
    words = ("regions", written, scan, atlas, "--names", tmp_path / "names.txt")
    code, out, err = run(*words, "--out", tmp_path / "table.csv")
    assert (code, err) == (0, "")
    assert "Occlusion of class_0" in out
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    truth = found.by_region(atlas, tmp_path / "names.txt")
    assert [row["name"] for row in rows] == ["one", "two", "(no region)"]
    for row, own in zip(rows, (*truth.rows, truth.rest), strict=True):
        assert float(row["sum"]) == pytest.approx(own.sum, rel=1e-5)
        assert (row["error_is"], float(row["volume"])) == ("exact", own.volume)
    assert run(*words, "--out", tmp_path / "table.csv")[0] == 1  # it is there already
    moved = nib.Nifti1Image(np.ones(SHAPE, np.float32), np.diag([2.0, 2, 2, 1]))
    nib.save(moved, tmp_path / "other.nii.gz")
    code, _, err = run("regions", written, tmp_path / "other.nii.gz", atlas)
    assert code == 1
    assert "lies elsewhere than" in err
    nib.save(nib.Nifti1Image(labels, np.diag([-2.0, 2, 3, 1])), atlas)
    assert "another grid than the image" in (told := run(*words)[2])
    assert "or say --same-space if both" in told
    assert run(*words, "--same-space")[0] == 0
