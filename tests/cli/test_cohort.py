"""`xaimri cohort`: a folder into a store, stopped and gone on with, looked at, and exported."""

import os
import signal

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import LinearClassifier, Model
from xaimri.images.intake import Intake

pytest.importorskip("pyarrow")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    for n in range(40):
        image = np.random.default_rng(n).integers(0, 255, (6, 8), np.uint8)
        Image.fromarray(image).save(tmp_path / "data" / f"{n:02}.png")
    model = Model(LinearClassifier.random((6, 8, 1), classes=2, seed=0), Intake((6, 8, 1)))
    monkeypatch.setattr("xaimri.options.open_model", lambda *_, **__: model, raising=False)
    monkeypatch.setattr("xaimri.options.open_with", lambda _, options, methods: (model, options))
    return tmp_path / "data"


def test_a_folder_is_explained_and_told_and_exported(run, folder, tmp_path):
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    code, out, err = run(*asked)
    assert code == 0
    assert "<Cohort: 40 cases by saliency, finished>" in out
    assert "32 of 40 cases" in err
    assert "40 of 40 cases" in err
    assert "0 failures" in err
    assert run(*asked)[0] == 0
    code, out, _ = run("cohort", "status", tmp_path / "out")
    assert code == 0
    assert out.splitlines() == ["40 of 40 cases by saliency", "finished: yes", "failures: 0 of 40 rows"]
    code, _, _ = run("cohort", "export", tmp_path / "out", "-o", tmp_path / "table")
    assert code == 0
    assert len((tmp_path / "table" / "cohort.csv").read_text().splitlines()) == 41


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_in_one_sentence_and_the_same_command_goes_on(
    run, folder, tmp_path, monkeypatch, number, code
):
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    from xaimri.cohort.store import Store

    plain = Store.write

    def write(store, part, rows):
        plain(store, part, rows)
        os.kill(os.getpid(), number)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", write)
        found, _, err = run(*asked)
    assert found == code
    assert err.strip().splitlines()[-1] == "xaimri: the run was stopped: the same command goes on."
    assert "Traceback" not in err
    assert signal.getsignal(signal.SIGTERM) == before
    assert xaimri.cohort.open(tmp_path / "out").done == 32
    assert "32 of 40 cases" in run("cohort", "status", tmp_path / "out")[1]
    assert run(*asked)[0] == 0


@pytest.mark.parametrize(("words", "target"), [("0", "class_0"), ("1", "class_1"), ("CLASS_0", "class_0")])
def test_a_class_is_given_by_index_or_name(run, folder, tmp_path, words, target):
    code, _, _ = run("cohort", "run", "model", folder, "-m", "saliency", "-o", tmp_path / "out", "-t", words)
    assert code == 0
    assert set(xaimri.cohort.open(tmp_path / "out").table(["target"])["target"].to_pylist()) == {target}


def test_a_table_of_paths_and_a_bids_folder_have_labels(run, folder, tmp_path):
    (tmp_path / "data" / "cases.csv").write_text("path,case,subject,label\n03.png,c,7,class_1\n")
    asked = ("cohort", "run", "model", folder / "cases.csv", "-m", "saliency", "-t", "label")
    assert run(*asked, "-o", tmp_path / "out")[0] == 0
    (row,) = xaimri.cohort.open(tmp_path / "out").table(["case", "subject", "label", "target"]).to_pylist()
    assert row == {"case": "c", "subject": "7", "label": "class_1", "target": "class_1"}
    code, _, err = run(*asked, "-o", tmp_path / "b", "--label", "diagnosis")
    assert code == 1
    assert "is no folder: leave --label out, or give a BIDS folder" in err


def test_failures_and_what_is_wrong_are_told(run, folder, tmp_path):
    (folder / "07.png").write_bytes(b"broken")
    code, _, err = run("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    assert code == 1
    assert "1 of 40 rows are failures" in err
    out = run("cohort", "status", tmp_path / "out")[1]
    assert "failures: 1 of 40 rows" in out
    code, _, err = run("cohort", "export", tmp_path / "out", "-o", tmp_path / "f", "-f", "png", "-m", "lime")
    assert code == 1
    assert "not known" in err
    for words in (("run", "model", tmp_path / "gone", "-o", tmp_path / "x"), ("status", tmp_path / "gone")):
        code, _, err = run("cohort", *words)
        assert code == 1
        assert len(err.strip().splitlines()) == 1
