"""`xaimri evaluate --beside`: data from elsewhere are evaluated too, and laid beside the first."""

import json

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri.cli.beside import named_folders
from xaimri.errors import InvalidInput

SUBJECT = ("--subject", "(?P<subject>S[0-9]+)_")


def write(folder, seed, wrong=0):
    """Write two classes, the one dark and the other bright, and some images of the wrong brightness."""
    draw = np.random.default_rng(seed)
    for number in range(20):
        label = number % 2
        bright = label if number >= wrong else 1 - label
        pixels = draw.uniform(0, 90, (12, 12)) + 150 * bright
        file = folder / "ab"[label] / f"S{number}_.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    return folder


@pytest.fixture
def brightness(monkeypatch):
    """Open a network that goes by the mean."""
    weights = np.stack([np.zeros((12, 12, 1)), np.full((12, 12, 1), 1 / 144)])
    network = xaimri.LinearClassifier(weights, bias=[120, 0], classes=["a", "b"])
    opened = xaimri.open_model(network)
    monkeypatch.setattr(xaimri, "open_model", lambda *_, **__: opened)


@pytest.mark.usefixtures("brightness")
def test_figures_of_other_data_stand_beside_the_first_with_their_difference(run, tmp_path):
    inside, outside = write(tmp_path / "in", 0), write(tmp_path / "out", 1, wrong=5)
    (outside / "a" / "S40_.png").write_bytes((inside / "a" / "S0_.png").read_bytes())
    words = ("evaluate", "network", inside, *SUBJECT, "-o", tmp_path / "e", "--beside", f"oasis={outside}")
    code, told, error = run(*words)
    assert code == 0, error
    held = json.loads((tmp_path / "e" / "beside.json").read_text())
    first, second = held["populations"]
    assert (first["name"], second["name"]) == ("all", "oasis")
    assert first["figures"]["accuracy"]["value"] == 1
    assert second["figures"]["accuracy"]["value"] == pytest.approx(16 / 21)
    assert second["differences"]["accuracy"]["value"] == pytest.approx(16 / 21 - 1)
    assert second["differences"]["accuracy"]["high"] < 0
    assert json.loads((tmp_path / "e" / "oasis" / "report.json").read_text())["images"] == 21
    assert "`a/S0_.png` in all is `a/S40_.png` in oasis" in told
    assert (tmp_path / "e" / "beside.txt").read_text().strip() in told
    code, _, error = run(*words)
    assert code == 1
    assert "there already" in error


@pytest.mark.parametrize("words", ["oasis=", "a/b=data", "test=data", "all=data", "=data"])
def test_a_name_that_is_none_is_refused(words):
    with pytest.raises(InvalidInput, match="NAME=FOLDER"):
        named_folders([words])
    with pytest.raises(InvalidInput, match="each name once"):
        named_folders(["a=x", "a=y"])
    assert named_folders(["x=data/a=b"]) == {"x": "data/a=b"}
