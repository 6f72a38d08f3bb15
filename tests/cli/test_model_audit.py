"""`xaimri audit model`: a page and its figures, on the part of the split that the network has not seen."""

import json

import numpy as np
import pytest
from PIL import Image

from xaimri import LinearClassifier, Model
from xaimri.data import phantom
from xaimri.images.intake import Intake

SIZE = (26, 22)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of phantom slices, a folder per class, and a linear network in place of a saved one."""
    cases = phantom.make(subjects=24, slices=1, size=SIZE, stages=(0, 3))
    for case in cases:
        file = tmp_path / "data" / cases.classes[case.label] / f"{case.id.replace('/slice ', '_')}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(case.source)).save(file)
    network = LinearClassifier(
        LinearClassifier.random((*SIZE, 1), classes=2).weights / 50, classes=cases.classes
    )
    model = Model(network, Intake((*SIZE, 1)))
    monkeypatch.setattr("xaimri.open_model", lambda *_, **__: model)
    return tmp_path / "data"


def test_a_page_and_its_figures_are_written_and_covariates_are_read(run, folder, tmp_path):
    table = tmp_path / "people.csv"
    rows = "".join(f"S{i:03d},{60 + i}\n" for i in range(24))
    table.write_text(f"subject,age\n{rows}", encoding="utf-8")
    files = (tmp_path / "audit.html", tmp_path / "audit.json")
    given = ("--subject", "(?P<subject>S[0-9]+)_", "--method", "saliency", "-o", files[0], "-o", files[1])
    code, out, err = run("audit", "model", "net", folder, *given, "--covariates", table, "--maps", 4)
    assert (code, err) == (0, "")
    assert "Auditing on 24 images (all of the data): about 264 predictions" in out
    kept = json.loads(files[1].read_text(encoding="utf-8"))
    assert kept["headline"] in out
    assert {probe["name"] for probe in kept["probes"]} >= {"age", "mean intensity"}
    assert kept["relevance"]["images"] == 4
    assert kept["headline"] in files[0].read_text(encoding="utf-8")
    code, _, err = run("audit", "model", "net", folder, *given)
    assert code == 1
    assert "there already" in err


def test_without_subjects_the_way_is_told(run, folder, tmp_path):
    code, _, err = run("audit", "model", "net", folder, "--out", tmp_path / "audit.html")
    assert code == 1
    assert "have no subject" in err
    assert not (tmp_path / "audit.html").exists()
