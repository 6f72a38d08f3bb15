"""The journey's choices: which case is shown, and that its figures say where it is from."""

import json
from dataclasses import replace

import numpy as np
import pytest

from unreadable import SHAPE, bar, cases_of, with_unreadable
from xaimri.data import Case, Dataset, Split, phantom, split
from xaimri.errors import InvalidInput
from xaimri.experiment.held_out import EVALUATED
from xaimri.images import Window
from xaimri.temperature import TemperatureScaling

pytestmark = pytest.mark.tensorflow


def _dataset(*who):
    pixels = np.zeros((4, 5), np.uint8)
    cases = [Case(f"{s}/{i}", label, s, pixels, slice=i) for label, s in who for i in range(3)]
    return Dataset(("ill", "well"), tuple(cases))


def test_the_shown_case_is_the_middle_slice_of_the_first_subject_of_the_test_part():
    from xaimri.experiment import representatives

    split = Split(_dataset((0, "a"), (1, "b")), _dataset((0, "c")), _dataset((0, "z"), (0, "y")))
    shown = [(case.id, part) for case, part in representatives(split, 0)]
    order = ["y/1", "y/0", "y/2", "z/1", "z/0", "z/2", "c/1", "c/0", "c/2", "a/1", "a/0", "a/2"]
    assert shown == [
        (name, "test" if name[0] in "yz" else {"c": "validation", "a": "train"}[name[0]]) for name in order
    ]


def test_a_class_that_is_only_in_training_is_shown_from_there_and_says_so():
    from xaimri.experiment import representatives

    split = Split(_dataset((0, "a"), (1, "b")), _dataset(), _dataset((0, "z")))
    case, part = next(representatives(split, 1))
    assert (case.id, part) == ("b/1", "train")
    assert next(representatives(split, 0))[1] == "test"


def test_a_class_without_cases_has_no_representative():
    from xaimri.experiment import representatives

    assert not list(representatives(Split(_dataset((0, "a")), _dataset(), _dataset()), 1))


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
    words = ["xaimri", "evaluate", str(folder), "phantom", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    assert capsys.readouterr().out.startswith(f"{report}\n")
    assert json.loads((tmp_path / "report.json").read_text()) == report.to_dict()
    assert report.remarks == ()


def test_the_same_network_kept_once_more_keeps_its_temperature_and_another_is_told_of(tmp_path, recwarn):
    import keras

    from xaimri import training
    from xaimri.adapters.keras.bundle import keep_scaling, load
    from xaimri.experiment.temperature import calibrated_bundle, keep_temperature

    dataset = phantom.make(subjects=8, slices=1, size=SIZE, seed=3)
    parts = split(dataset, validation=0.25, test=0.25, seed=3)
    assert calibrated_bundle(tmp_path / "net") is None
    _bundle(tmp_path / "net", dataset, parts)
    assert calibrated_bundle(tmp_path / "net") is None
    scaling = TemperatureScaling(2.0, 0.1, 1.8, 2.2, 0.9, 0.8, 8, 8)
    keep_scaling(tmp_path / "net", scaling)
    before = calibrated_bundle(tmp_path / "net")
    _bundle(tmp_path / "net", dataset, parts)
    assert load(tmp_path / "net").scaling is None
    keep_temperature(tmp_path / "net", before)
    assert load(tmp_path / "net").scaling == scaling
    assert not [each for each in recwarn if "calibrated" in str(each.message)]
    other = keras.models.clone_model(before.model)
    training.save(tmp_path / "net", other, dataset.classes)
    with pytest.warns(
        UserWarning, match="another one than the calibrated one that was there: calibrate it again"
    ):
        keep_temperature(tmp_path / "net", before)
    assert load(tmp_path / "net").scaling is None


def test_a_bundle_is_calibrated_on_its_validation_subjects_by_command(tmp_path, capsys, monkeypatch):
    import sys

    from xaimri import cli, experiment, open_model

    dataset = phantom.make(subjects=24, slices=2, size=SIZE, seed=3)
    parts = split(dataset, validation=0.5, test=0.25, seed=3)
    _bundle(tmp_path / "net", dataset, parts)
    before = open_model(tmp_path / "net")
    monkeypatch.setattr(sys, "argv", ["xaimri", "calibrate", str(tmp_path / "net"), "phantom"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    assert left.value.code == 0, told.err
    after = open_model(tmp_path / "net")
    scaling = after.scaling
    assert scaling == before.calibrated(parts.validation).scaling
    assert told.out.startswith(f"{scaling}\n")
    assert (scaling.subjects, scaling.by) == (len(set(parts.validation.subjects)), "subject")
    report = experiment.evaluate(after, parts.validation, tmp_path / "out")
    assert any("set the temperature" in remark for remark in report.remarks)
    with pytest.raises(InvalidInput, match="trained on"):
        experiment.calibrate(tmp_path / "net", parts.train)
    with pytest.raises(InvalidInput, match="to be tested on"):
        experiment.calibrate(tmp_path / "net", parts.test)
    assert open_model(tmp_path / "net").scaling == scaling


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


def test_subjects_of_training_are_known_again_however_the_folder_was_read(tmp_path):
    from xaimri import experiment

    dataset = phantom.make(subjects=16, slices=2, size=SIZE, seed=3)
    origin = {"maker": "folder", "subject": "(?P<subject>S.+)_", "classes": None}
    dataset = replace(dataset, origin=origin)
    parts = split(dataset, validation=0, test=0.5, seed=3)
    bundle = _bundle(tmp_path / "bundle", dataset, parts)
    otherwise = replace(parts.train, origin={**origin, "subject": "(?P<subject>S[0-9]+)"})
    report = experiment.evaluate(bundle, otherwise, tmp_path / "out")
    assert report.model["cases"] == {"train": len(parts.train)}
    assert report.notes[0].startswith(f"{len(parts.train)} of {len(parts.train)} cases are named as what the")


def test_calibration_and_operating_points_are_in_text_file_and_figures(journey, tmp_path):
    """Thresholds are chosen on other people, and give on these what the functions for arrays give."""
    from xaimri import experiment, open_model
    from xaimri.evaluation import calibration, operating_point, threshold_for

    folder, parts, _ = journey
    model, others = open_model(folder), phantom.make(subjects=20, slices=2, size=SIZE, seed=9)
    renamed = [replace(case, subject=f"other {case.subject}") for case in others]
    others, name = replace(others, cases=tuple(renamed)), parts.test.classes[0]
    point = {"sensitivity": 0.8, "validation": others}
    found = experiment.evaluate(model, parts.test, tmp_path, **point, positive=name)
    chosen = threshold_for(model.predict(others), others, name, 0.8)
    own = operating_point(model.predict(parts.test), parts.test, name, chosen)
    assert [(one.positive, one.level) for one in found.operating_points] == [
        (name, "slice"),
        (name, "subject"),
    ]
    assert str(found.operating_points[0]) == str(own)
    text, kept = (tmp_path / "report.txt").read_text(), json.loads((tmp_path / "report.json").read_text())
    assert str(own) in text
    assert f"chosen for a sensitivity of 0.8 on {len(chosen.subjects)} other subjects" in text
    assert kept == found.to_dict()
    assert kept["operating_points"][0]["chosen"]["wanted"] == 0.8
    expected = calibration(model.predict(parts.test), parts.test)
    assert kept["slice"]["calibration"] == expected.to_dict()
    assert f"{expected.top.ece} (perfect probabilities would have {expected.top.ece_of_chance:.2f}" in text
    assert {file.name for file in tmp_path.iterdir()} == set(EVALUATED)
    every = experiment.evaluate(model, parts.test, tmp_path, **point)
    assert {one.positive for one in every.operating_points} == set(parts.test.classes)
    few = replace(others, cases=tuple(c for c in others if c.label != 0 or c.subject == others[0].subject))
    left = experiment.evaluate(model, parts.test, tmp_path, sensitivity=0.8, validation=few)
    assert {one.positive for one in left.operating_points} == set(parts.test.classes[1:])
    assert any(note.startswith("No operating point: a threshold needs at least 5") for note in left.notes)
    mixed = replace(others, cases=(*others.cases, replace(parts.test[0], id="again")))
    for more, sentence in (
        ({"sensitivity": 0.8}, "needs `validation=`"),
        ({"positive": name}, "say for which `sensitivity=`"),
        ({"sensitivity": 0.8, "validation": mixed}, "choose it on the validation part"),
        ({"sensitivity": 0.8, "validation": few, "positive": name}, "a threshold needs at least 5 subjects"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            experiment.evaluate(model, parts.test, tmp_path, **more)


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
    assert dict(made.origin) == {**dataset.origin, "size": list(SIZE), "stages": [0, 1, 2, 3]}
    assert made.split["test"] == parts.record()["test"]


def test_a_training_on_contrasts_keeps_spacing_and_order_and_an_evaluation_tells_others(
    tmp_path, monkeypatch
):
    """BIDS, T1 and FLAIR as channels, percentiles of each: bundle, report and map go by the training."""
    nibabel = pytest.importorskip("nibabel")
    import keras

    import xaimri
    from xaimri import experiment, training
    from xaimri.data import read_bids, remake

    def network(classes, size, channels, **_):
        layers = [keras.Input((*size, channels)), keras.layers.Flatten(), keras.layers.Dense(len(classes))]
        return keras.Sequential([*layers, keras.layers.Softmax()])

    monkeypatch.setattr(training, "build_cnn3d", network)
    generator, size = np.random.default_rng(0), (6, 7, 8)

    def written(root, edges, people):
        for number in people:
            for kind, scale in (("T1w", 1.0), ("FLAIR", 90.0)):
                file = root / f"sub-{number}" / "anat" / f"sub-{number}_{kind}.nii.gz"
                file.parent.mkdir(parents=True, exist_ok=True)
                voxels = scale * (number % 2 + generator.uniform(0, 1, size))
                nibabel.save(nibabel.Nifti1Image(voxels.astype(np.float32), np.diag([*edges, 1])), file)
        rows = [f"{number}\t{number % 2}\t{number // 4}" for number in people]
        (root / "participants.tsv").write_text("\n".join(["participant_id\tgroup\tsite", *rows]))
        return read_bids(root, "group", suffix=("T1w", "FLAIR"))

    dataset = written(tmp_path / "set", (-1, 1, 1), range(16))
    parts = split(dataset, 0, 0.5, groups="site")
    reach = {"window": Window((1, 1), (99, 99), percentile=True), "fit": "stretch"}
    bundle = experiment.train(
        dataset, parts, tmp_path / "run", size=size, epochs=1, progress=False, augment=False, **reach
    )
    assert bundle.acquisition.record() == {
        "spacing": [[1, 1]] * 3, "anisotropy": [1, 1], "orientations": ["RAS"], "contrasts": ["T1w", "FLAIR"]
    }  # fmt: skip
    assert [c.id for c in remake(bundle.origin, tmp_path / "set")] == [c.id for c in dataset]
    held_out = experiment.evaluate(tmp_path / "run", parts.test, tmp_path / "report")
    assert "mm" not in " ".join(held_out.notes)
    thick = written(tmp_path / "other", (1, 1, 4), range(20, 28))
    told = " ".join(experiment.evaluate(tmp_path / "run", thick, tmp_path / "report").notes)
    assert "The network was trained on images of 1 x 1 x 1 mm, and this one has 1 x 1 x 4 mm" in told
    found = xaimri.explain(tmp_path / "run", thick[0].source, "saliency")
    assert "other_spacing" in {caveat.name for caveat in found.caveats}
    swapped = read_bids(tmp_path / "other", "group", suffix=("FLAIR", "T1w"))
    with pytest.raises(InvalidInput, match="T1w, FLAIR, in this order, and the image has FLAIR, T1w"):
        experiment.evaluate(tmp_path / "run", swapped, tmp_path / "report")


@pytest.fixture
def whole_and_mixed(tmp_path, monkeypatch):
    """A split of readable images, and the same with unreadable ones in every part."""
    bar(monkeypatch)
    whole = Split(*(cases_of(tmp_path / f"{n}", 8, seed=n) for n in range(3)))
    kinds = ("cut", "empty", "link"), ("text", "folder"), ("missing", "pipe", "barred")
    parts = zip(whole.parts(), kinds, strict=True)
    mixed = []
    for number, ((_, part), own) in enumerate(parts):
        place = tmp_path / f"{number}"
        cases = [
            replace(case, subject=f"{number}{case.subject}", id=f"{number}{case.id}")
            for case in with_unreadable(part, place, own)
        ]
        mixed.append(replace(part, cases=tuple(cases)))
    kept = (replace(part, cases=tuple(c for c in part if "bad" not in c.id)) for part in mixed)
    return Split(*kept), Split(*mixed)


def tiny():
    import keras

    layers = keras.layers
    flat = [keras.Input((*SHAPE, 1)), layers.Rescaling(1 / 255), layers.Flatten()]
    model = keras.Sequential([*flat, layers.Dense(2), layers.Softmax()])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


def test_unreadable_images_never_end_the_journey(whole_and_mixed, tmp_path, monkeypatch):
    """Train, keep, evaluate, explain: as on the data without them, and every place says what it left out."""
    from xaimri import experiment, training

    monkeypatch.setattr(training, "build_resnet50", lambda *_, **__: tiny())
    whole, mixed = whole_and_mixed
    settings = {"epochs": 2, "progress": False, "size": SHAPE, "batch": 5}
    made = {}
    for name, parts in (("whole", whole), ("mixed", mixed)):
        everything = replace(parts.train, cases=tuple(c for _, part in parts.parts() for c in part))
        if name == "mixed":
            assert "bad" in everything[0].id  # whose channels are not known
            with pytest.warns(UserWarning, match=r"^3 of 19 training cases can't be read and are left out: "):
                made[name] = experiment.train(everything, parts, tmp_path / name, **settings)
        else:
            made[name] = experiment.train(everything, parts, tmp_path / name, **settings)
    for one, two in zip(*(made[name].model.get_weights() for name in made), strict=True):
        assert one.tobytes() == two.tobytes()
    names = [
        "0ill/bad-cut.png",
        "0well/bad-empty.png",
        "0ill/bad-link.png",
        "1ill/bad-text.png",
        "1well/bad-folder.png",
    ]
    assert [failure.name for failure in made["mixed"].failures] == names
    assert made["whole"].failures == ()
    assert made["mixed"].split["train"] == sorted({case.subject for case in mixed.train})

    plain = experiment.evaluate(made["whole"], whole.test, tmp_path / "plain")
    found = experiment.evaluate(made["mixed"], mixed.test, tmp_path / "found")
    assert found.images == plain.images == 16
    left_out = {"notes": 0, "failures": 0, "model": 0}
    assert {**found.to_dict(), **left_out} == {**plain.to_dict(), **left_out}
    assert found.model["cases"] == plain.model["cases"] == {"test": 16}
    assert [failure.name for failure in found.failures] == [c.id for c in mixed.test if "bad" in c.id]
    sentence = (
        "3 of 19 cases can't be read and are left out: 2ill/bad-missing.png, 2well/bad-pipe.png, "
        "2ill/bad-barred.png. The first: there is no file "
    )
    assert found.notes[0].startswith(sentence)
    assert found.notes[1] == "Nothing is left of 1 subject: 2nobody."
    assert found.notes[2].endswith("held-out subjects are there; missing: 2nobody.")
    assert found.notes[3:] == plain.notes
    assert sentence in (tmp_path / "found" / "report.txt").read_text()
    assert len(json.loads((tmp_path / "found" / "report.json").read_text())["failures"]) == 3
    bad = mixed.test.take(i for i, case in enumerate(mixed.test) if "bad" in case.id)
    with pytest.raises(InvalidInput, match=r"^none of 3 cases can be read; the first: "):
        experiment.evaluate(made["mixed"], bad, tmp_path / "none")
    assert not (tmp_path / "none").exists()

    told = []
    shown = experiment.explain_classes(made["mixed"], mixed, tmp_path, ("saliency",), told.append)
    assert [one.case.id for one in shown] == ["2ill/2p00-0.png", "2well/2p01-0.png"]
    words = (
        "(Permission denied)",
        "ill: 2ill/2p00-0.png (test part) -> ",
        "is a pipe",
        "well: 2well/2p01-0.png",
    )
    for line, part in zip(told, words, strict=True):
        assert part in line


def _run(monkeypatch, *words):
    import sys

    from xaimri import cli

    monkeypatch.setattr(sys, "argv", ["xaimri", *map(str, words)])
    with pytest.raises(SystemExit, match="0"):
        cli.main()


def test_two_models_are_compared_on_the_same_people(journey, tmp_path, monkeypatch, capsys):
    """A bundle and itself with its classes in another order agree; who was trained on is told."""
    import xaimri
    from xaimri import experiment

    folder, parts, _ = journey
    model = xaimri.open_model(folder)
    names = parts.test.classes

    class Turned:
        classes = names[::-1]

        def logits(self, images):
            turned = model.classifier.logits(images)[:, ::-1]
            return np.pad(turned, [(0, 0), (0, len(self.classes) - len(names))])

    turned = xaimri.open_model(Turned())
    found = experiment.compare_models(model, turned, parts.test, permutations=50)
    assert [one.difference.value for one in found.differences] == pytest.approx([0.0] * 6, abs=1e-6)
    assert [note.split(":")[0] for note in found.notes] == ["b"]  # the bundle records its split
    assert "on whom it was trained is not recorded" in found.notes[0]
    p = model.predict(parts.test)
    same = experiment.compare_models(folder, np.asarray(p, float), parts.test, names=("net", "kept"))
    assert same["accuracy"].difference.value == 0
    _run(monkeypatch, "compare-models", folder, folder, "phantom", "--out", tmp_path)
    assert f"16 images of {len({case.subject for case in parts.test})} subjects" in capsys.readouterr().out
    told = json.loads((tmp_path / "comparison.json").read_text())
    assert told["differences"]["accuracy"]["a"] == pytest.approx(same["accuracy"].a)
    seen = experiment.compare_models(model, model.predict(parts.train), parts.train, names=("net", "kept"))
    assert seen.notes[0].startswith("net: 16 of 16 cases are named as what the network was trained on")
    Turned.classes = (*names, "other")
    with pytest.raises(InvalidInput, match="the models have other classes"):
        experiment.compare_models(p, xaimri.open_model(Turned()), parts.test)
    with pytest.raises(InvalidInput, match=r"\(cases, classes\) = \(16, 4\)"):
        experiment.compare_models(model, p[:3], parts.test)


def test_cross_validation_tests_every_subject_once_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    import csv

    from xaimri import experiment, open_model, training

    def network(classes, size, *_, **__):
        import keras

        layers = [keras.Input((*size, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
        return keras.Sequential([*layers, keras.layers.Dense(len(classes)), keras.layers.Softmax()])

    monkeypatch.setattr(training, "build_resnet50", network)
    dataset = phantom.make(subjects=16, slices=1, size=SIZE, seed=5, stages=(0, 3))
    settings = {"k": 2, "validation": 0, "size": SIZE, "epochs": 1, "progress": False, "augment": False}
    found = experiment.cross_validate(dataset, tmp_path, **settings)
    assert found.pooled.subjects == 16
    assert [fold.subjects for fold in found.folds] == [8, 8]
    with (tmp_path / "predictions.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert sorted(row["case"] for row in rows) == sorted(case.id for case in dataset)
    by_id = {case.id: case for case in dataset}
    for number in (1, 2):
        model = open_model(tmp_path / f"fold_{number}")
        own = [row for row in rows if row["fold"] == str(number)]
        assert {row["subject"] for row in own} == set(model.split["test"])
        assert not {row["subject"] for row in own} & set(model.split["train"])
        cases = replace(dataset, cases=tuple(by_id[row["case"]] for row in own))
        said = [[float(row[f"p({name})"]) for name in dataset.classes] for row in own]
        np.testing.assert_allclose(model.predict(cases), said, atol=1e-5)
    right = [max(dataset.classes, key=lambda name: float(row[f"p({name})"])) == row["class"] for row in rows]
    assert found.pooled.slice.accuracy.value == pytest.approx(np.mean(right))
    folds = [fold.subject.macro.auroc.value for fold in found.folds]
    assert found.mean("auroc") == pytest.approx(np.nanmean(folds), nan_ok=True)
    assert any("different networks against each other" in note for note in found.pooled.notes)
    assert "mean of folds" in (tmp_path / "report.txt").read_text()
    kept = (tmp_path / "report.json").read_text()
    assert json.loads(kept) == found.to_dict()
    (tmp_path / "fold_2" / "model.keras").unlink()
    again = experiment.cross_validate(dataset, tmp_path, **settings)
    assert json.dumps(again.to_dict()) == json.dumps(json.loads(kept))
    _run(monkeypatch, "cross-validate", "phantom", "--out", tmp_path / "cli", "--folds", 2, "--size", 32,
         "--weights", "random", "--epochs", 1)  # fmt: skip
    assert json.loads((tmp_path / "cli" / "report.json").read_text())["pooled"]["subjects"] == 40
    with pytest.raises(InvalidInput, match="`k` must be from 2"):
        experiment.cross_validate(dataset, tmp_path, **{**settings, "k": 30})
