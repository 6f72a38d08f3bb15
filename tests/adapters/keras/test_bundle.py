from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import xaimri
from deaths import every_change, files_of_at_most
from frameworks import on_first_use
from xaimri import json_file
from xaimri.errors import InvalidInput, StorageFault, XaimriError
from xaimri.folder_lock import lock
from xaimri.images import Picture, Window
from xaimri.images.acquisition import Acquisition
from xaimri.objective import Objective
from xaimri.regular_file import sha256_of
from xaimri.temperature import TemperatureScaling

with on_first_use():
    import keras

    from xaimri.adapters.keras import bundle, bundle_record
    from xaimri.training import load, reference_images, save

pytestmark = pytest.mark.tensorflow

CLASSES = ("young", "old")
HISTORY = {"epoch": [1, 2], "loss": [0.7, 0.5]}


def network(level):
    model = keras.Sequential(
        [keras.Input((6, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(2), keras.layers.Softmax()]
    )
    rng = np.random.default_rng(level)
    model.set_weights([rng.normal(0, 0.01, w.shape) for w in model.get_weights()])
    return model


def answers(model):
    return np.asarray(model(reference_images((6, 5, 1))))


@pytest.fixture
def saved(tmp_path):
    save(tmp_path, network(0), CLASSES, fit="pad", split={"seed": 3}, history=HISTORY)
    return tmp_path


def rewrite(folder, edit):
    """Change a record, and sign it as if it had been written so; return it."""
    record = json.loads((folder / "bundle.json").read_text())
    del record["checksum"]
    changed = edit(record)
    (folder / "bundle.json").write_text(json_file.text_of(changed))
    return changed


def test_everything_comes_back(saved):
    loaded = load(saved)
    assert (loaded.classes, loaded.fit) == (CLASSES, "pad")
    assert (dict(loaded.split), dict(loaded.history)) == ({"seed": 3}, HISTORY)
    assert loaded.versions["keras"] == keras.__version__
    np.testing.assert_allclose(answers(loaded.model), answers(network(0)), atol=1e-7)
    assert sorted(path.name for path in saved.iterdir()) == ["bundle.json", "model.keras"]


def test_how_images_reached_it_and_how_the_data_were_made_come_back(tmp_path):
    origin = {"maker": "phantom", "subjects": 4, "slices": 2, "size": [26, 22], "seed": 7}
    window = Window(1, 99, percentile=True, top=1.0)
    save(tmp_path, network(0), CLASSES, window=window, layout="channels_first", origin=origin)
    loaded = load(tmp_path)
    assert (loaded.window, loaded.layout, dict(loaded.origin)) == (window, "channels_first", origin)
    save(tmp_path, network(0), CLASSES, window=(0, 4000))
    loaded = load(tmp_path)
    assert (loaded.window, loaded.layout, loaded.origin) == (Window(0, 4000), None, None)


def test_spacing_and_orientation_of_the_training_come_back_and_are_told(tmp_path):
    pixels = np.random.default_rng(0).uniform(0, 255, (6, 5))
    here, there = (Picture(pixels, affine=np.diag([1.0, edge, 1.0, 1.0])) for edge in (1, 3))
    known = Acquisition.of([Picture(pixels, (1.0, 1.0), here.affine)])
    save(tmp_path, network(0), CLASSES, acquisition=known)
    assert load(tmp_path).acquisition == known
    model = xaimri.open_model(tmp_path)
    found = [model.explain(image, "saliency").caveats for image in (here, there, pixels)]
    assert [[c.name for c in each if c.name.startswith("other")] for each in found] == [
        [],
        ["other_spacing"],
        [],
    ]
    assert load(save(tmp_path, network(0), CLASSES)).acquisition is None
    for broken in ({}, {"spacing": [1], "anisotropy": [1, 1], "orientations": []}, 3):
        rewrite(tmp_path, lambda record, broken=broken: {**record, "acquisition": broken})
        with pytest.raises(InvalidInput, match="acquisition"):
            load(tmp_path)


def test_a_temperature_is_kept_and_divides_the_logits_of_the_opened_bundle_alone(saved):
    scaling = TemperatureScaling(2.5, 0.2, 2.1, 2.9, 0.9, 0.7, 40, 20, "subject", ("S1", "S2"), ("One.",))
    images = reference_images((6, 5, 1))
    before = xaimri.open_model(saved)
    assert (before.temperature, load(saved).scaling) == (1, None)
    digest = sha256_of(saved / "model.keras", "")
    bundle.keep_scaling(saved, scaling)
    assert sha256_of(saved / "model.keras", "") == digest
    assert sorted(path.name for path in saved.iterdir()) == ["bundle.json", "model.keras"]
    loaded, model = load(saved), xaimri.open_model(saved)
    assert (loaded.scaling, model.scaling, model.temperature) == (scaling, scaling, 2.5)
    np.testing.assert_allclose(answers(loaded.model), answers(network(0)), atol=1e-7)
    old, new = (each.classifier for each in (before, model))
    np.testing.assert_allclose(new.logits(images) * 2.5, old.logits(images), rtol=1e-5)
    for of in ("logit", "log_odds", "probability"):
        objective = Objective((1,) * 4, of)
        slopes = objective.cotangents(new.logits(images)) @ np.array(loaded.model.layers[-2].kernel).T
        found = new.gradient(images, objective).values.reshape(4, -1)
        np.testing.assert_allclose(found, slopes / 2.5, rtol=1e-3, atol=1e-8)
    again = save(saved / "again", loaded.model, CLASSES, scaling=scaling)
    assert load(again).scaling == scaling
    bundle.keep_scaling(saved, None)
    assert load(saved).scaling is None
    for broken in ({}, {**scaling.record(), "temperature": -1.0}, 2.5):
        rewrite(saved, lambda record, broken=broken: {**record, "scaling": broken})
        with pytest.raises(InvalidInput, match="scaling"):
            load(saved)


def test_a_network_that_predicts_by_itself_is_not_said_to_differ_for_its_temperature(saved):
    class Predicting(keras.Sequential):
        def predict(self, x, **_):
            return np.asarray(self(np.asarray(x)))

    model = Predicting([keras.Input((6, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.add(keras.layers.Softmax())
    model.set_weights([3 * w for w in network(0).get_weights()])
    cold = xaimri.KerasClassifier(model).tempered(4.0)
    found = xaimri.open_model(cold).explain(reference_images((6, 5, 1))[0], "saliency")
    assert not found.caveats
    assert found.diagnostics["outputs"] == "softmax"


def test_the_model_alone_is_a_keras_file(saved):
    np.testing.assert_allclose(
        answers(keras.models.load_model(saved / "model.keras")), answers(network(0)), atol=1e-7
    )


def test_a_second_save_replaces_the_first(saved):
    save(saved, network(1), ("a", "b"))
    assert load(saved).classes == ("a", "b")
    np.testing.assert_allclose(answers(load(saved).model), answers(network(1)), atol=1e-7)


STEPS = [5, pytest.param(1, marks=pytest.mark.slow)]
"""Every fifth change of the disk, or every one."""


def one_whole_bundle(folder, models, names):
    """See that a folder has one of two bundles, and return which."""
    loaded = load(folder)
    which = names.index(loaded.classes)
    np.testing.assert_allclose(answers(loaded.model), answers(models[which]), atol=1e-7)
    return which


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["full", "dead"])
def test_a_death_while_saving_leaves_one_whole_bundle(tmp_path, kind, step):
    """At every change that is made to the disk; and the next call is right and leaves nothing else."""
    models, names = [network(0), network(1)], [CLASSES, ("a", "b")]
    (tmp_path / "notes.txt").write_text("mine")
    found = []
    for disk in every_change(kind, step):
        save(tmp_path, models[0], names[0])
        with disk.below(tmp_path):
            save(tmp_path, models[1], names[1])
        found.append(one_whole_bundle(tmp_path, models, names))
        save(tmp_path, models[1], names[1])
        assert one_whole_bundle(tmp_path, models, names) == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.json", "model.keras", "notes.txt"]
    assert found == sorted(found)  # the old one up to a change, the new one from there on
    assert len(found) > 15 / step
    assert set(found) == {0, 1}
    for disk in every_change(kind, step):
        folder = tmp_path / f"{disk.at}"
        with disk.below(folder):
            save(folder, models[0], names[0])
        if kind == "full" and disk.failed and folder.exists():
            assert one_whole_bundle(folder, models, names) == 0
        assert one_whole_bundle(save(folder, models[0], names[0]), models, names) == 0
        assert sorted(path.name for path in folder.iterdir()) == ["bundle.json", "model.keras"]


def test_a_disk_that_fills_up_within_a_file_leaves_the_old_bundle(saved):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    model, size = network(1), len(before["model.keras"])
    for most in (0, 1, 100, size // 2, size - 1):
        with (
            files_of_at_most(most),
            pytest.raises(StorageFault, match=r"can't be written \(File too large\)"),
        ):
            save(saved, model, ("a", "b"))
        assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    with files_of_at_most(10), pytest.raises(StorageFault, match=r"can't be written \(File too large\)"):
        save(saved / "new", model, ("a", "b"))
    assert not (saved / "new").exists()


@pytest.mark.parametrize("name", ["model.keras", "bundle.json"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(InvalidInput, match=f"{name}` is not there: give a folder"):
        load(saved)


@pytest.mark.parametrize("name", ["model.keras", "bundle.json"])
def test_a_damaged_file_is_noticed(saved, name):
    whole = (saved / name).read_bytes()
    (saved / name).write_bytes(whole[: len(whole) // 2])
    words = {"model.keras": "do not belong together, or one is damaged", "bundle.json": "json` is damaged"}
    with pytest.raises(InvalidInput, match=words[name]):
        load(saved)


def test_a_network_that_answers_otherwise_is_refused(saved):
    record = rewrite(saved, lambda record: record)
    record["reference_probabilities"][1][0] += 2e-4
    rewrite(saved, lambda _: record)
    with pytest.raises(InvalidInput, match=r"no longer answers as when it was saved .*0\.0002"):
        load(saved)
    record["reference_probabilities"][1][0] -= 1.5e-4
    rewrite(saved, lambda _: record)
    load(saved)


def test_a_model_that_holds_code_is_refused(tmp_path):
    inputs = keras.Input((6, 5, 1))
    x = keras.layers.Lambda(lambda x: x / 255, output_shape=(6, 5, 1))(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(x)))
    save(tmp_path, model, CLASSES)
    with pytest.raises(InvalidInput, match="cannot be loaded in Keras' safe mode"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"classes": ("a", "b", "c")}, "`classes` must name each output"),
        ({"split": {"train": object()}}, "must be made of JSON types"),
        ({"origin": {"maker": object()}}, "must be made of JSON types"),
        ({"window": (2, 1)}, "`low` below `high`"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path, settings, sentence):
    with pytest.raises((InvalidInput, TypeCheckError), match=sentence):
        save(tmp_path / "new", network(0), **{"classes": CLASSES, **settings})
    assert not (tmp_path / "new").exists()


WRONG = {
    "no split": {"split": ...},
    "no fit": {"fit": ...},
    "no versions": {"versions": ...},
    "no classes": {"classes": []},
    "three classes": {"classes": ["a", "b", "c"]},
    "classes null": {"classes": None},
    "a fit that is none": {"fit": "squeeze"},
    "a window that is none": {"window": "x"},
    "a window of one number": {"window": {"low": 3}},
    "a layout that is none": {"layout": "x"},
    "reference of another shape": {"reference_probabilities": [[1, 2]] * 3},
    "reference empty": {"reference_probabilities": []},
    "reference of words": {"reference_probabilities": [["a", "b"]] * 4},
    "reference of other classes": {"reference_probabilities": [[0.5, 0.25, 0.25]] * 4},
    "history a list": {"history": [1]},
    "history of numbers": {"history": {"x": 1}},
    "split a list": {"split": [1]},
    "origin words": {"origin": "x"},
    "versions of numbers": {"versions": {"keras": 3}},
    "another input": {"input": [5, 6, 1]},
    "a huge input": {"input": [10**12, 10**12, 1]},
    "an unknown entry": {"network": None},
}


def test_a_record_that_cannot_be_is_one_sentence(saved):
    record = rewrite(saved, lambda record: record)
    for edit in WRONG.values():
        changed = {k: v for k, v in {**record, **edit}.items() if v is not ...}
        rewrite(saved, lambda _, changed=changed: changed)
        with pytest.raises(InvalidInput) as told:
            load(saved)
        assert "\n" not in str(told.value)
    rewrite(saved, lambda _: record)
    assert load(saved).classes == CLASSES


def test_a_network_of_any_size_in_the_place_of_another_is_refused(saved):
    inputs = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x)).save(saved / "model.keras")
    rewrite(saved, lambda record: {**record, "sha256": sha256_of(saved / "model.keras", "save it again.")})
    with pytest.raises(InvalidInput, match=r"takes and gives .*, and its record says"):
        load(saved)


def test_a_changed_byte_of_the_record_is_noticed_wherever_it_is(saved):
    """The window, the order of the classes and all else decide the answers, and none may change unseen."""
    whole = (saved / "bundle.json").read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 60):
        changed = bytearray(whole)
        changed[at] = rng.integers(33, 127)
        (saved / "bundle.json").write_bytes(changed)
        try:
            record = bundle_record.read(saved)
        except XaimriError:
            continue
        assert json_file.text_of(record).encode() == whole


def test_two_writers_do_not_mix(saved, monkeypatch):
    """The second waits for the first; one that waits too long is told, and nothing is changed."""
    before = sorted((path.name, path.read_bytes()) for path in saved.iterdir())
    monkeypatch.setattr(bundle, "lock", partial(lock, wait=0))
    with lock(saved):
        for call in (lambda: save(saved, network(1), ("a", "b")), lambda: load(saved)):
            with pytest.raises(StorageFault, match=r"is writing into .*: wait, or give another folder"):
                call()
    assert sorted((path.name, path.read_bytes()) for path in saved.iterdir()) == before
    with lock(saved, shared=True):
        assert load(saved).classes == CLASSES
    with ThreadPoolExecutor(3) as pool:
        monkeypatch.setattr(bundle, "lock", lock)
        list(pool.map(lambda level: save(saved, network(level), (f"{level}", "x")), (1, 2, 3)))
    last = load(saved)
    np.testing.assert_allclose(answers(last.model), answers(network(int(last.classes[0]))), atol=1e-7)
    assert sorted(path.name for path in saved.iterdir()) == ["bundle.json", "model.keras"]
