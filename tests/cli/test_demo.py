"""The demonstration: subjects that the shipped weights never met, gains of known maps, one page of all."""

from base64 import b64decode

import numpy as np
import pytest
from matplotlib.figure import Figure

from xaimri import Explanation, LinearClassifier, explain
from xaimri.cli.demo import LAST_SEED, LEVEL, SIZE, STAGES, relevance_gain
from xaimri.cli.demo_page import Part, write_page
from xaimri.data import phantom
from xaimri.documents.picture import picture


def test_the_weights_learned_from_seeds_that_no_demonstration_may_use(run):
    assert min(phantom.TRAINED_SEEDS) > LAST_SEED
    code, _, err = run("demo", "--seed", phantom.TRAINED_SEEDS[0])
    assert code == 2
    assert "--seed" in err


def test_every_explained_slice_has_an_answer():
    for case in phantom.make(4, LEVEL + 2, SIZE, change="ventricles", stages=STAGES):
        assert case.slice != LEVEL or case.mask.sum() > 50


def made(values) -> Explanation:
    """An explanation with these values: a linear classifier's input times gradient on a picture of ones."""
    weights = np.stack([np.zeros_like(values), values])[..., None]
    return explain(LinearClassifier(weights), np.ones(values.shape), "input_x_gradient", target=1)


def test_the_gain_is_1_for_an_even_map_and_the_inverse_share_for_a_right_one():
    brain = np.zeros((8, 8), bool)
    brain[1:7, 1:7] = True
    answer = np.zeros((8, 8), bool)
    answer[2:5, 2:5] = True
    maps = [np.ones((8, 8)), answer * 2.0, brain * ~answer * 1.0, -np.ones((8, 8))]
    gains = relevance_gain([made(each) for each in maps], [answer] * 4, [brain] * 4)
    assert gains == pytest.approx([1, 36 / 9, 0, 0])


def test_the_page_holds_its_pictures_and_nothing_from_elsewhere(tmp_path):
    png = picture(Figure(figsize=(1, 1)), "A sheet.")
    (tmp_path / "a <b>.png").write_bytes(b64decode(png.data.split(",")[1]))
    part = Part(
        "all", "since <1", "subject-safe: yes", "0.90", ["method  gain", "lime <i>"], [tmp_path / "a <b>.png"]
    )
    text = write_page(tmp_path, [part]).read_text()
    assert png.data in text
    assert 'alt="Slice, known answer and maps: a &lt;b&gt;."' in text
    assert "since &lt;1" in text
    assert "subject-safe: yes" in text
    assert "method  gain\nlime &lt;i&gt;" in text
    assert "http" not in text.replace("http-equiv", "")
