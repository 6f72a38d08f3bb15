"""`xaimri cohort judge`: columns beside the rows, a table with intervals, and its files."""

import csv

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import LinearClassifier

pytest.importorskip("pyarrow")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cohort of pictures, half of them with a mask, and a network in the place of a saved one."""
    for name in ("data", "masks"):
        (tmp_path / name).mkdir()
    rows = ["path,subject"]
    for n in range(12):
        draw = np.random.default_rng(n)
        Image.fromarray(draw.integers(0, 255, (6, 8), np.uint8)).save(tmp_path / "data" / f"{n:02}.png")
        if n % 2:
            mask = np.zeros((6, 8), np.uint8)
            mask[2:4, 3:6] = 255
            Image.fromarray(mask).save(tmp_path / "masks" / f"{n:02}_mask.png")
        rows.append(f"{n:02}.png,p{n // 2}")
    (tmp_path / "data" / "cases.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    model = xaimri.open_model(LinearClassifier.random((6, 8, 1), classes=2, seed=0))
    monkeypatch.setattr("xaimri.cohort.judging.open_model", lambda *_, **__: model)
    xaimri.explain_cohort(model, tmp_path / "data" / "cases.csv", "saliency", out=tmp_path / "run")
    return tmp_path


def test_a_cohort_is_judged_into_columns_and_its_table_is_kept(run, kept):
    asked = ("cohort", "judge", kept / "run", "net", "--metric", "deletion,relevance_mass",
             "--masks", kept / "masks", "-o", kept / "told")  # fmt: skip
    code, out, err = run(*asked)
    assert code == 0
    assert "12 of 12 cases" in err
    assert "Masks: 6 of 12 images have one." in out
    assert "the case has no mask" in out
    rows = list(csv.DictReader((kept / "told" / "judgement.csv").read_text().splitlines()))
    shown = xaimri.cohort.open(kept / "run").table(["case", "deletion"]).to_pylist()
    told = {row["case"]: float(row["value"]) for row in rows if row["metric"] == "deletion"}
    assert told == {row["case"]: row["deletion"] for row in shown}
    assert {file.name for file in (kept / "told").iterdir()} == {
        "judgement.csv", "judgement.json", "heat.png", "deletion.png"
    }  # fmt: skip
    assert run(*asked)[0] == 1  # the folder is there
    assert run(*asked, "--force")[0] == 0


def test_what_can_t_be_done_is_told(run, kept):
    code, _, err = run("cohort", "judge", kept / "run")
    assert code == 1
    assert "give the model that explained the cohort" in err
    code, _, err = run(
        "cohort", "judge", kept / "run", "net", "--metric", "entropy", "--masks", kept / "masks"
    )
    assert code == 1
    assert "no metric asks for the masks" in err
