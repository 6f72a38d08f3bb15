"""`xaimri cohort regions`: the table of a cohort's maps, printed and written."""

import csv

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier

nib = pytest.importorskip("nibabel")
pytest.importorskip("pyarrow")

SPACE = (6, 8, 10)


@pytest.fixture
def kept(tmp_path):
    rows = ["path,subject,label"]
    for n in range(8):
        scan = np.random.default_rng(n).random(SPACE).astype(np.float32) + 1
        nib.save(nib.Nifti1Image(scan, np.eye(4)), tmp_path / f"{n}.nii.gz")
        rows.append(f"{n}.nii.gz,p{n},{'ill' if n < 6 else 'well'}")
    (tmp_path / "cases.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    labels = np.zeros(SPACE, np.uint8)
    labels[:3], labels[3:, :4] = 1, 2
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "atlas.nii.gz")
    (tmp_path / "names.txt").write_text("1 front\n2 back\n", encoding="utf-8")
    model = LinearClassifier.random((*SPACE, 1), classes=2, seed=0)
    xaimri.explain_cohort(model, tmp_path / "cases.csv", ["saliency", "input_x_gradient"], target=1,
                          out=tmp_path / "run")  # fmt: skip
    return tmp_path


def test_the_table_is_printed_and_written(run, kept):
    asked = ("cohort", "regions", kept / "run", kept / "atlas.nii.gz", "--names", kept / "names.txt",
             "-m", "saliency", "--amount", "mean", "--label", "ill")  # fmt: skip
    code, out, err = run(*asked, "-o", kept / "regions.csv")
    assert (code, err) == (0, "")
    assert "front" in out
    assert "6 subjects" in out
    rows = list(csv.DictReader((kept / "regions.csv").read_text().splitlines()))
    cohort = xaimri.cohort.open(kept / "run").filter(label="ill")
    expected = cohort.regions(kept / "atlas.nii.gz", kept / "names.txt", method="saliency", amount="mean")
    assert [float(row["mean"]) for row in rows] == [row.mean for row in expected.rows]
    code, _, err = run(*asked, "-o", kept / "regions.csv")
    assert code == 1
    assert "there already" in err


def test_what_is_asked_for_must_be_clear(run, kept):
    code, _, err = run("cohort", "regions", kept / "run", kept / "atlas.nii.gz")
    assert code == 1
    assert "--method" in err
    code, _, err = run("cohort", "regions", kept / "run", kept / "atlas.nii.gz", "-o", kept / "t.txt")
    assert code == 1
    assert "must end in .csv or .json" in err
