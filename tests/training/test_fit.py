from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from deaths import Disk, every_change, files_of_at_most, killed
from frameworks import on_first_use
from trainable import DATA, QUIET, SHAPE, TRAIN, VALIDATION, cases, network, same, untimed, weights
from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput, StorageFault
from xaimri.images import Window

with on_first_use():
    import keras

    from xaimri.training import Augmentation, run, train
    from xaimri.training.checkpoint import Checkpoint
    from xaimri.training.loop import Loop
    from xaimri.training.part import Part
    from xaimri.training.recipe import Recipe

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def trained():
    model = network()
    return model, train(model, DATA, epochs=(2, 4), **QUIET)


def test_history_is_data(trained):
    _, result = trained
    assert result.history["epoch"] == [1, 2, 3, 4, 5, 6]
    assert result.history["phase"] == ["head"] * 2 + ["finetune"] * 4
    assert {len(column) for column in result.history.values()} == {6}
    assert json.loads(json.dumps(result.record()))["history"]["val_loss"] == result.history["val_loss"]


def test_it_learns():
    result = train(network(), DATA, epochs=25, learning_rate=1e-2, patience=25, **QUIET)
    assert max(result.history["val_balanced_accuracy"]) > 0.8
    assert result.history["loss"][-1] < 0.6 * result.history["loss"][0]


def test_the_kept_weights_are_those_of_the_best_epoch(trained):
    model, result = trained
    history = result.history
    ranks = list(zip(history["val_balanced_accuracy"], [-x for x in history["val_loss"]], strict=True))
    assert result.best_epoch == 1 + ranks.index(max(ranks))
    part = Part(*_read(VALIDATION))
    score = Loop(model, part, result.recipe).evaluate(part)
    assert score.balanced_accuracy == history["val_balanced_accuracy"][result.best_epoch - 1]
    assert score.loss == pytest.approx(history["val_loss"][result.best_epoch - 1], rel=1e-6)


def test_an_early_best_epoch_is_restored_and_patience_ends_the_phase():
    model = network()
    result = train(model, DATA, epochs=9, learning_rate=(1.0, 1.0), patience=2, **QUIET)
    assert result.stopped == "patience"
    assert len(result.history["epoch"]) == result.best_epoch + 2
    again = network()
    train(again, DATA, epochs=result.best_epoch, learning_rate=(1.0, 1.0), **QUIET)
    assert same(weights(model), weights(again))


def test_the_same_seed_is_the_same_run_and_another_is_not(trained):
    model, result = trained
    again, other = network(), network()
    assert untimed(train(again, DATA, epochs=(2, 4), **QUIET)) == untimed(result)
    assert same(weights(model), weights(again))
    assert untimed(train(other, DATA, epochs=(2, 4), seed=1, **QUIET)) != untimed(result)


def test_head_phase_leaves_the_backbone_bit_equal_and_the_flags_as_they_were():
    model = network()
    backbone = model.get_layer("backbone")
    backbone.get_layer("conv1").trainable = False
    before, head = weights(backbone), weights(model.layers[-1])
    train(model, DATA, epochs=(3, 0), **QUIET)
    assert same(before, weights(backbone))
    assert not same(head, weights(model.layers[-1]))
    assert [layer.trainable for layer in backbone.layers] == [False, True, True, True, True]


def test_only_what_is_unfrozen_learns_afterwards():
    model = network()
    backbone = model.get_layer("backbone")
    before = {layer.name: weights(layer) for layer in backbone.layers}
    train(model, DATA, epochs=(1, 2), unfreeze="conv2", **QUIET)
    changed = [
        name
        for name, values in before.items()
        if values and not same(values, weights(backbone.get_layer(name)))
    ]
    assert changed == ["conv2", "bn2"]
    assert [layer.name for layer in backbone.layers if layer.trainable and layer.weights] == ["conv2", "bn2"]


def test_resumed_equals_uninterrupted(trained, tmp_path, monkeypatch):
    model, result = trained
    for died in (1, 2, 4):
        folder = tmp_path / str(died)
        interrupted = network()
        with monkeypatch.context() as patch:
            _interrupt(patch, after=died)
            with pytest.raises(KeyboardInterrupt):
                train(interrupted, DATA, epochs=(2, 4), folder=folder, **QUIET)
        fresh = network(seed=5)
        resumed = train(fresh, DATA, epochs=(2, 4), folder=folder, **QUIET)
        assert resumed.resumed == died
        assert untimed(resumed) == untimed(result)
        assert resumed.best_epoch == result.best_epoch
        assert same(weights(fresh), weights(model))


def test_a_finished_training_is_taken_as_it_stands(tmp_path):
    one, two = network(), network(seed=5)
    first = train(one, DATA, epochs=2, folder=tmp_path, **QUIET)
    second = train(two, DATA, epochs=2, folder=tmp_path, **QUIET)
    assert dict(first.history) == dict(second.history)
    assert same(weights(one), weights(two))


def checkpoint(epoch):
    """Where a training stands after an epoch; the first and the third are the best until then."""
    best, rng = epoch - (epoch == 2), np.random.default_rng(epoch)
    kept = [np.full(3, best, np.float32)]
    return Checkpoint({"seed": 0}, [{"epoch": 1}] * epoch, [rng.random((4, 2))], [rng.random(2)], kept, best)


@pytest.mark.parametrize("kind", ["full", "dead", "killed"])
def test_a_checkpoint_is_old_or_new_whenever_the_writer_dies(tmp_path, kind):
    """At every change that is made to the disk, whether the best weights are new or not."""
    for epoch, files in ((1, 2), (2, 2), (3, 2)):
        found = []
        for disk in every_change(kind):
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            folder = tmp_path / "run"
            for before in range(1, epoch):
                checkpoint(before).save(folder)
            if kind == "killed":
                killed(disk, tmp_path, lambda folder=folder, epoch=epoch: checkpoint(epoch).save(folder))
            else:
                with disk.below(tmp_path):
                    checkpoint(epoch).save(folder)
            loaded = Checkpoint.load(folder)
            found.append(0 if loaded is None else len(loaded.rows))
            if loaded is not None:
                equal(loaded, checkpoint(found[-1]))
            checkpoint(epoch).save(folder)
            equal(Checkpoint.load(folder), checkpoint(epoch))
            assert len(list(folder.iterdir())) == files
        assert found == sorted(found)
        assert set(found) == {epoch - 1, epoch}
        assert len(found) > (5 if kind == "full" else 6)


def equal(one, two):
    assert (one.configuration, one.rows, one.best_epoch) == (two.configuration, two.rows, two.best_epoch)
    for name in ("variables", "optimizer", "best"):
        assert same(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize(
    ("kind", "at"),
    [("dead", 20), *(pytest.param(*one, marks=pytest.mark.slow) for one in (("full", 20), ("dead", 7)))],
)
def test_a_death_while_writing_leaves_the_checkpoint_before(trained, tmp_path, kind, at):
    """And the next call goes on from there, to the same result."""
    model, expected = trained
    disk = Disk(kind, at)
    with disk.below(tmp_path):
        train(network(), DATA, epochs=(2, 4), folder=tmp_path, **QUIET)
    assert disk.failed
    again = network(seed=5) if at > 13 else network()
    resumed = train(again, DATA, epochs=(2, 4), folder=tmp_path, **QUIET)
    assert resumed.resumed == (1 if at > 13 else 0)
    assert len(list(tmp_path.iterdir())) == 2
    assert untimed(resumed) == untimed(expected)
    assert same(weights(again), weights(model))


def test_a_disk_that_fills_up_within_a_checkpoint_is_one_sentence(tmp_path):
    checkpoint(1).save(tmp_path)
    for most in (0, 1, 200, 600):
        with (
            files_of_at_most(most),
            pytest.raises(StorageFault, match=r"can't be written \(File too large\)"),
        ):
            checkpoint(3).save(tmp_path)
        equal(Checkpoint.load(tmp_path), checkpoint(1))
        assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("written", [1, 2])
def test_weights_of_an_aborted_run_are_never_those_of_another(tmp_path, monkeypatch, written):
    uninterrupted = network()
    expected = train(uninterrupted, DATA, epochs=2, **QUIET)
    write, calls = np.savez, []

    def fill(stream, **arrays):
        calls.append(1)
        if len(calls) > written:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(stream, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr("xaimri.training.checkpoint.np.savez", fill)
        with pytest.raises(StorageFault, match="see that there is room"):
            train(network(seed=7), DATA, epochs=2, folder=tmp_path, **{**QUIET, "learning_rate": 0.5})
    if written == 2:  # the first epoch stands: another run there is told
        with pytest.raises(InvalidInput, match="another configuration"):
            train(network(), DATA, epochs=2, folder=tmp_path, **QUIET)
        (tmp_path / "training.npz").unlink()
    assert list(tmp_path.glob("best-0001-*.npz"))
    for model in (network(), network(seed=5)):
        result = train(model, DATA, epochs=2, folder=tmp_path, **QUIET)
        assert untimed(result) == untimed(expected)
        assert same(weights(model), weights(uninterrupted))
    assert len(list(tmp_path.glob("best-*.npz"))) == 1


def test_best_weights_of_another_run_are_told(tmp_path):
    train(network(), DATA, epochs=1, folder=tmp_path / "a", **QUIET)
    train(network(seed=7), DATA, epochs=1, folder=tmp_path / "b", **QUIET)
    (mine,), (other,) = ((tmp_path / name).glob("best-*.npz") for name in "ab")
    mine.write_bytes(other.read_bytes())
    with pytest.raises(InvalidInput, match="is damaged: delete the folder"):
        train(network(), DATA, epochs=1, folder=tmp_path / "a", **QUIET)


def test_another_configuration_is_refused(tmp_path):
    train(network(), DATA, epochs=1, folder=tmp_path, **QUIET)
    with pytest.raises(InvalidInput, match="another configuration: `recipe`"):
        train(network(), DATA, epochs=1, folder=tmp_path, seed=4, **QUIET)
    with pytest.raises(InvalidInput, match="another configuration: `training`"):
        train(network(), (cases(22, 3), VALIDATION), epochs=1, folder=tmp_path, **QUIET)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train(network(), DATA, epochs=1, folder=tmp_path, **QUIET)
    path = tmp_path / "training.npz"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(InvalidInput, match="is damaged: delete the folder"):
        train(network(), DATA, epochs=1, folder=tmp_path, **QUIET)


def test_without_validation_every_epoch_is_done_and_the_last_kept():
    model = network()
    result = train(model, (TRAIN, TRAIN.take([])), epochs=2, patience=1, **QUIET)
    assert result.history["val_loss"] == [None, None]
    assert (result.best_epoch, result.stopped) == (2, "epochs")


def test_augmentation_is_for_training_alone():
    """A change as large as this would ruin the scores of validation."""
    wild = Augmentation(rotation=180.0, shift=0.5, zoom=0.5, contrast=0.9)
    model = network()
    result = train(model, DATA, epochs=1, augment=wild, **QUIET)
    part = Part(*_read(VALIDATION))
    plain = Loop(model, part, replace(result.recipe, augment=None)).evaluate(part)
    assert result.history["val_loss"] == [pytest.approx(plain.loss, rel=1e-6)]
    other = train(network(), DATA, epochs=1, augment=False, **QUIET)
    assert other.history["loss"] != result.history["loss"]


def test_class_weights_scale_the_loss():
    weighted = {"dark": 3.0, "grey": 3.0, "bright": 3.0}
    one = train(network(), DATA, epochs=1, class_weights=None, learning_rate=1e-9, **QUIET)
    three = train(network(), DATA, epochs=1, class_weights=weighted, learning_rate=1e-9, **QUIET)
    assert three.history["loss"][0] == pytest.approx(3 * one.history["loss"][0], rel=1e-4)


def test_settled_statistics_are_those_of_the_training_images():
    model = network()
    part = Part(*_read(TRAIN))
    loop = Loop(model, part, Recipe(batch=8, class_weights=(1.0, 1.0, 1.0)))
    loop.settle()
    backbone = model.get_layer("backbone")
    maps = np.asarray(backbone.get_layer("conv1")(part.images / np.float32(255)))
    norm = backbone.get_layer("bn1")
    assert norm.momentum == 0.99
    np.testing.assert_allclose(norm.moving_mean, maps.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, maps.var(axis=(0, 1, 2)), rtol=1e-4)


def test_every_epoch_ends_with_settled_statistics():
    model = network()
    result = train(model, (TRAIN, TRAIN.take([])), epochs=1, **QUIET)
    norm = model.get_layer("backbone").get_layer("bn2")
    kept = np.array(norm.moving_variance)
    Loop(model, Part(*_read(TRAIN)), result.recipe).settle()
    np.testing.assert_allclose(norm.moving_variance, kept, rtol=1e-5)


def test_a_flag_is_kept_when_the_head_phase_is_interrupted(monkeypatch):
    model = network()
    _interrupt(monkeypatch, after=1)
    with pytest.raises(KeyboardInterrupt):
        train(model, DATA, epochs=(3, 1), **QUIET)
    assert all(layer.trainable for layer in model.get_layer("backbone").layers)


def test_a_line_per_epoch_when_asked(capfd):
    train(network(), DATA, epochs=2, batch=8)
    shown = capfd.readouterr().err
    assert shown.count("validation loss") == 2
    train(network(), DATA, epochs=1, **QUIET)
    assert "epoch" not in "".join(capfd.readouterr())


def test_images_are_read_through_window_and_layout():
    """Deep images with their channels first, seen through a window, are the images of 0 to 255 themselves."""

    def deep(data):
        made = [replace(c, source=(16 * c.source.astype(np.uint16) + 100)[None]) for c in data]
        return replace(data, cases=tuple(made))

    reach = {"window": (100, 16 * 255 + 100), "layout": "channels_first"}
    settings = {"epochs": 1, "augment": False, **QUIET}
    plain = train(network(), DATA, **settings)
    through = train(network(), tuple(map(deep, DATA)), **reach, **settings)
    assert through.history["loss"] == pytest.approx(plain.history["loss"], rel=1e-4)
    assert through.record()["recipe"]["window"] == Window(100, 16 * 255 + 100).record()
    assert json.loads(json.dumps(through.record()))["recipe"]["layout"] == "channels_first"


def _dense(units, activation, shape=(*SHAPE, 1)):
    inputs = keras.Input(shape)
    outputs = keras.layers.Dense(units, activation=activation)(keras.layers.GlobalAveragePooling2D()(inputs))
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize(
    ("model", "data", "settings", "sentence"),
    [
        (lambda: _dense(3, None), DATA, {}, "add a `keras.layers.Softmax` layer"),
        (lambda: _dense(2, "softmax"), DATA, {}, "each of the 3 classes"),
        (lambda: _dense(3, "softmax", (None, None, 1)), DATA, {}, "fixed"),
        (
            lambda: _dense(3, "softmax"),
            DATA,
            {"epochs": (2, 2)},
            r"holds no nested backbone.*epochs=\(0, 2\)",
        ),
        (lambda: _dense(3, "softmax"), DATA, {"unfreeze": 3}, "holds no nested backbone"),
        (lambda: _dense(3, "softmax"), (TRAIN.take([]), VALIDATION), {}, "training part is empty"),
        (lambda: _dense(3, "softmax"), (TRAIN, cases(3, 2, ("a", "b", "c"))), {}, "the same classes"),
        (lambda: _dense(3, "softmax"), DATA, {"window": (2, 1)}, "`low` below `high`"),
        (network, DATA, {"learning_rate": 1e30, "epochs": 3}, "no longer finite in epoch"),
    ],
)
def test_what_cannot_be_trained_is_refused(model, data, settings, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        train(model(), data, **{"epochs": 1, **QUIET, **settings})


GLOBALS = """
import random
import keras
import numpy as np
import tensorflow as tf
from xaimri.data import phantom
from xaimri.training import build_resnet50, load, save, train
import sys
data = phantom.make(subjects=4, slices=1, size=(32, 32))
def state():
    return random.getstate(), np.random.get_state()[1].tolist(), keras.config.dtype_policy().name
random.seed(1), np.random.seed(1), tf.random.set_seed(1)
before, drawn = state(), tf.random.uniform((3,)).numpy().tolist()
tf.random.set_seed(1)
assert state() == before
model = build_resnet50(data.classes, (32, 32), weights=None)
assert state() == before, "building"
tiny = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(4, "softmax")])
before = state()
train(tiny, (data[:3], data[3:]), epochs=1, progress=False)
assert state() == before, "training"
load(save(sys.argv[1], model, data.classes))
assert state() == before, "saving and loading"
assert tf.random.uniform((3,)).numpy().tolist() == drawn
"""


def test_no_global_generator_is_touched(tmp_path):
    """In a process of its own: the type checker under test draws from Python's generator itself."""
    done = subprocess.run(
        [sys.executable, "-c", GLOBALS, str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1500:]


def _read(dataset):
    pixels = np.stack([case.source for case in dataset])[..., None].astype(np.float32)
    return pixels, dataset.labels


def _interrupt(patch, after):
    """Have Ctrl-C come in the middle of the epoch after so many."""
    epoch = run.Loop.epoch

    def stop(self, number, tick=None):
        if number == after + 1:
            self._step(*next(iter(self._batches(self.training, np.arange(8)))))
            raise KeyboardInterrupt
        return epoch(self, number, tick)

    patch.setattr(run.Loop, "epoch", stop)


def test_an_image_in_two_parts_is_refused_before_training_or_told():
    from xaimri.data import Split

    leak = replace(TRAIN[4], id="other", subject="other")
    leaky = replace(VALIDATION, cases=(*VALIDATION, leak))
    parts = Split(TRAIN, VALIDATION, Dataset(TRAIN.classes, (leak,)))
    model = network()
    before = weights(model)
    for data, where in (((TRAIN, leaky), "validation"), (parts, "test")):
        with pytest.raises(
            InvalidInput, match=f"1 image is in two parts: `1/4` in train is `other` in {where}"
        ):
            train(model, data, epochs=1, progress=False)
    assert all(map(np.array_equal, before, weights(model)))
    told = train(model, (TRAIN, leaky), epochs=1, progress=False, copies="tell")
    assert told.notes == ("1 image is in two parts: `1/4` in train is `other` in validation.",)
    assert told.record()["notes"] == list(told.notes)
