"""The journey's choices: which case is shown, and that its figures say where it is from."""

import json
from dataclasses import replace

import numpy as np
import pytest

from xaimri.data import Case, Dataset, Split, phantom, split
from xaimri.images import Window

pytestmark = pytest.mark.tensorflow


def _dataset(*who):
    pixels = np.zeros((4, 5), np.uint8)
    cases = [Case(f"{s}/{i}", label, s, pixels, slice=i) for label, s in who for i in range(3)]
    return Dataset(("ill", "well"), tuple(cases))


def test_the_shown_case_is_the_middle_slice_of_the_first_subject_of_the_test_part():
    from xaimri.experiment import representative

    split = Split(_dataset((0, "a"), (1, "b")), _dataset((0, "c")), _dataset((0, "z"), (0, "y")))
    case, part = representative(split, 0)
    assert (case.id, part) == ("y/1", "test")


def test_a_class_that_is_only_in_training_is_shown_from_there_and_says_so():
    from xaimri.experiment import representative

    split = Split(_dataset((0, "a"), (1, "b")), _dataset(), _dataset((0, "z")))
    case, part = representative(split, 1)
    assert (case.id, part) == ("b/1", "train")
    assert representative(split, 0)[1] == "test"


def test_a_class_without_cases_has_no_representative():
    from xaimri.experiment import representative

    assert representative(Split(_dataset((0, "a")), _dataset(), _dataset()), 1) is None


SIZE = (26, 22)


def _bundle(folder, dataset, parts, **reach):
    """Keep a tiny network as if it had been trained on the first part."""
    import keras

    from xaimri import training

    layers = keras.layers
    flat = [keras.Input((*SIZE, 1)), layers.Rescaling(1 / 255), layers.Flatten()]
    model = keras.Sequential([*flat, layers.Dense(4), layers.Softmax()])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    kept = {"split": parts.record(), "origin": dataset.origin}
    return training.load(training.save(folder, model, dataset.classes, **reach, **kept))


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    """Bundle, split and report of a journey on phantoms that `phantom.make(seed=0)` does not make."""
    from xaimri import experiment

    folder = tmp_path_factory.mktemp("journey")
    dataset = phantom.make(subjects=16, slices=2, size=SIZE, seed=3)
    parts = split(dataset, validation=0, test=0.5, seed=3)
    bundle = _bundle(folder / "bundle", dataset, parts)
    return folder / "bundle", parts, experiment.evaluate(bundle, parts.test, folder / "report")


def test_evaluated_on_phantom_a_bundle_meets_its_own_subjects_again(journey, tmp_path, monkeypatch, capsys):
    import sys

    from xaimri import cli

    folder, _, report = journey
    words = ["xaimri", "evaluate", str(folder), "--data", "phantom", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert capsys.readouterr().out == f"{report}\n"
    assert json.loads((tmp_path / "report.json").read_text()) == report.to_dict()
    assert report.remarks == ()


def test_a_report_says_who_of_the_held_out_subjects_is_missing(journey, tmp_path):
    from xaimri import experiment

    folder, parts, report = journey
    lost = parts.test[0].subject
    fewer = parts.test.take([i for i, case in enumerate(parts.test) if case.subject != lost])
    found = experiment.evaluate(folder, fewer, tmp_path)
    note = f"{report.subjects - 1} of {report.subjects} held-out subjects are there; missing: {lost}."
    assert found.notes[0] == note
    assert note in (tmp_path / "report.txt").read_text()
    assert note in json.loads((tmp_path / "report.json").read_text())["notes"]


def test_a_bundle_is_evaluated_through_its_own_window_and_layout(journey, tmp_path):
    from xaimri import experiment

    _, parts, report = journey

    def deep(part):
        made = [replace(c, source=(8 * c.source.astype(np.uint16) + 50)[None]) for c in part]
        return replace(part, cases=tuple(made))

    reach = {"window": Window(50, 8 * 255 + 50), "layout": "channels_first"}
    bundle = _bundle(tmp_path / "bundle", deep(parts.train), parts, **reach)
    found = experiment.evaluate(bundle, deep(parts.test), tmp_path / "report")
    assert np.array_equal(found.slice.confusion, report.slice.confusion)
    assert found.slice.accuracy == report.slice.accuracy


def test_training_keeps_window_layout_and_origin_with_the_network(tmp_path, monkeypatch):
    import keras

    from xaimri import experiment, training

    layers = keras.layers
    tiny = [keras.Input((*SIZE, 1)), layers.Flatten(), layers.Dense(4), layers.Softmax()]
    monkeypatch.setattr(training, "build_resnet50", lambda *_, **__: keras.Sequential(tiny))
    dataset = phantom.make(subjects=8, slices=1, size=SIZE, seed=2)
    parts = split(dataset, validation=0, test=0.5)
    settings = {"epochs": 1, "progress": False}
    made = experiment.train(dataset, parts, tmp_path, size=SIZE, window=(0, 200), fit="pad", **settings)
    assert (made.fit, made.window, made.layout) == ("pad", Window(0, 200), None)
    assert dict(made.origin) == {**dataset.origin, "size": list(SIZE)}
    assert made.split["test"] == parts.record()["test"]
