from __future__ import annotations

import json
import os

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from frameworks import on_first_use
from xaimri.errors import InvalidInput
from xaimri.images import Window

with on_first_use():
    import keras

    from xaimri.adapters.keras import bundle
    from xaimri.training import load, save

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
    return np.asarray(model(bundle.reference_images((6, 5, 1))))


@pytest.fixture
def saved(tmp_path):
    save(tmp_path, network(0), CLASSES, fit="pad", split={"seed": 3}, history=HISTORY)
    return tmp_path


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


def test_a_bundle_of_before_there_were_window_layout_and_origin_still_loads(saved):
    record = json.loads((saved / "bundle.json").read_text())
    for name in ("window", "layout", "origin"):
        del record[name]
    (saved / "bundle.json").write_text(json.dumps(record))
    loaded = load(saved)
    assert (loaded.fit, loaded.window, loaded.layout, loaded.origin) == ("pad", None, None, None)


def test_the_model_alone_is_a_keras_file(saved):
    np.testing.assert_allclose(
        answers(keras.models.load_model(saved / "model.keras")), answers(network(0)), atol=1e-7
    )


def test_a_second_save_replaces_the_first(saved):
    save(saved, network(1), ("a", "b"))
    assert load(saved).classes == ("a", "b")
    np.testing.assert_allclose(answers(load(saved).model), answers(network(1)), atol=1e-7)


RENAMES = ("rename of the next record", "rename of the model", "rename of the record", "removal")


@pytest.mark.parametrize("step", ["write the model", "write the record", *RENAMES])
def test_a_death_while_saving_leaves_one_whole_bundle(saved, monkeypatch, step):
    """Nothing is cleaned up either, as where the process is killed."""

    class Death(BaseException):
        pass

    renamed = []
    replace = type(saved).replace

    def die(path, target=None):
        if target is None or len(renamed) == RENAMES.index(step):
            raise Death
        renamed.append(path)
        return replace(path, target)

    def half(path, *args, **kwargs):
        with open(path, "wb") as stream:  # noqa: PTH123
            stream.write(b"half")
        raise Death

    model = network(1)
    with monkeypatch.context() as patch:
        patch.setattr("xaimri.archive._discard", lambda partial: None)
        if step == "write the model":
            patch.setattr(type(model), "save", lambda self, path, *a, **k: half(path))
        elif step == "write the record":
            patch.setattr(type(saved), "write_text", half)
        else:
            patch.setattr(type(saved), "unlink" if step == "removal" else "replace", die)
        with pytest.raises(Death):
            save(saved, model, ("a", "b"))
    new = step in RENAMES[2:]
    loaded = load(saved)
    assert loaded.classes == (("a", "b") if new else CLASSES)
    np.testing.assert_allclose(answers(loaded.model), answers(network(int(new))), atol=1e-7)
    save(saved, model, ("c", "d"))
    assert load(saved).classes == ("c", "d")
    assert sorted(os.listdir(saved)) == ["bundle.json", "model.keras"]  # noqa: PTH208


@pytest.mark.parametrize("name", ["model.keras", "bundle.json"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(InvalidInput, match=f"holds no `{name}`"):
        load(saved)


@pytest.mark.parametrize("name", ["model.keras", "bundle.json"])
def test_a_damaged_file_is_noticed(saved, name):
    whole = (saved / name).read_bytes()
    (saved / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="do not belong together, or one is damaged"):
        load(saved)


def test_a_network_that_answers_otherwise_is_refused(saved):
    record = json.loads((saved / "bundle.json").read_text())
    record["reference_probabilities"][1][0] += 2e-4
    (saved / "bundle.json").write_text(json.dumps(record))
    with pytest.raises(InvalidInput, match=r"no longer answers as when it was saved .*0\.0002"):
        load(saved)
    record["reference_probabilities"][1][0] -= 1.5e-4
    (saved / "bundle.json").write_text(json.dumps(record))
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
