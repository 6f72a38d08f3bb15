"""A Keras user's callbacks in a training of ours: told what `fit` tells, in its order."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from frameworks import on_first_use
from trainable import DATA, QUIET, SHAPE, TRAIN, network, same, untimed, weights
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training import train
    from xaimri.training.callbacks import check_callbacks

pytestmark = pytest.mark.tensorflow

HOOKS = [
    f"on_{what}_{when}"
    for what in ("train", "epoch", "train_batch", "test", "test_batch")
    for when in ("begin", "end")
]


def recorder():
    """Note every call: its name, its number, and the logs' names."""

    class Recorder(keras.callbacks.Callback):
        calls: list

    def hook(name):
        def call(self, *given, logs=None):
            numbers = [one for one in given if isinstance(one, int)]
            logs = logs if logs is not None else next((one for one in given if isinstance(one, dict)), None)
            self.calls.append((name, *numbers, sorted(logs or ())))

        return call

    for name in HOOKS:
        setattr(Recorder, name, hook(name))
    made = Recorder()
    made.calls = []
    return made


def plain(seed=0):
    """A network that is traced in no time, with all that is drawn by chance in training."""
    layers = keras.layers
    tail = [layers.Flatten(), layers.Dropout(0.2), layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((*SHAPE, 1)), layers.Rescaling(1 / 255), *tail])
    model.layers[-1].kernel.assign(np.random.default_rng(seed).normal(0, 0.1, (120, 3)))
    return model


def interrupt(after, epoch, logs):
    if epoch == after:
        raise KeyboardInterrupt


def test_hooks_come_as_in_fit_with_its_logs():
    theirs, ours = recorder(), recorder()
    model = plain()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = np.random.default_rng(0).random((22, 12, 10, 1)), np.arange(22) % 3
    held_out = (images[:9], labels[:9])
    model.fit(images, labels, batch_size=8, epochs=2, validation_data=held_out, callbacks=[theirs], verbose=0)
    train(plain(), DATA, epochs=2, callbacks=[ours], **QUIET)
    assert [call[:-1] for call in ours.calls] == [call[:-1] for call in theirs.calls]
    assert all(set(a[-1]) >= set(b[-1]) for a, b in zip(ours.calls, theirs.calls, strict=True))
    assert ours.calls[-1][-1] == sorted(
        f"{part}{name}" for part in ("", "val_") for name in ("loss", "accuracy", "balanced_accuracy")
    )
    assert {name: ours.params[name] for name in ("epochs", "steps")} == {"epochs": 2, "steps": 3}


def test_logs_are_the_history_and_the_network_is_as_it_was():
    seen, batches = [], []
    model = network()
    watching = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, dict(logs))),
        on_train_batch_end=lambda batch, logs: batches.append(dict(logs)),
    )
    result = train(model, DATA, epochs=(1, 2), callbacks=[watching], **QUIET)
    assert [epoch for epoch, _ in seen] == [0, 1, 2]
    for epoch, logs in seen:
        assert logs == {name: result.history[name][epoch] for name in logs}
    assert batches[-1]["loss"] == pytest.approx(result.history["loss"][-1], rel=1e-5)
    assert batches[-1]["accuracy"] == result.history["accuracy"][-1]
    alone = network()
    assert untimed(train(alone, DATA, epochs=(1, 2), **QUIET)) == untimed(result)
    assert same(weights(alone), weights(model))
    assert not model.compiled
    assert getattr(model, "optimizer", None) is None


def test_stop_training_ends_both_phases_also_within_an_epoch():
    batches = []

    def stop(batch, logs):
        batches.append(batch)
        model.stop_training = len(batches) == 5

    model = network()
    watching = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    result = train(model, DATA, epochs=(4, 4), callbacks=[watching], **QUIET)
    assert batches == [0, 1, 2, 0, 1]
    assert (result.stopped, result.history["phase"]) == ("callback", ["head", "head"])


@pytest.mark.parametrize("restores", [True, False])
def test_early_stopping_decides_when_and_what_is_left(restores):
    """By the lowest loss in training, in which the first epoch is the best: learning rate 1 ruins it."""
    kept, settings = [], {"epochs": 30, "learning_rate": 1.0, **QUIET}
    model = plain()
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=restores)
    each = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: kept.append(weights(model)))
    result = train(model, DATA, callbacks=[stopping, each], **settings)
    best = 1 + int(np.argmin(result.history["val_loss"]))
    assert len(kept) == best + 9  # our own patience of 8 would have ended it before
    assert result.stopped == "callback"
    if restores:
        assert result.best_epoch == best
    assert same(weights(model), kept[result.best_epoch - 1])


def test_an_accuracy_is_monitored_for_its_highest():
    stopping = keras.callbacks.EarlyStopping("val_balanced_accuracy", patience=2)
    result = train(plain(), DATA, epochs=8, callbacks=[stopping], **QUIET)
    assert stopping.best == max(result.history["val_balanced_accuracy"])


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_rate_that_a_callback_sets_stays(schedule):
    rates = []
    model = plain()
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=100, verbose=0)
    watching = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(float(model.optimizer.learning_rate))
    )
    train(
        model, DATA, epochs=4, learning_rate=1e-2, schedule=schedule, callbacks=[plateau, watching], **QUIET
    )
    second = 1e-2 if schedule == "constant" else 1e-2 * (1 + np.cos(np.pi / 4)) / 2
    np.testing.assert_allclose(rates[::3], [1e-2, second, second / 10, second / 100], rtol=1e-5)
    rates.clear()
    by_epoch = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 / (epoch + 1))
    train(model, DATA, epochs=3, schedule=schedule, callbacks=[by_epoch, watching], **QUIET)
    np.testing.assert_allclose(rates[::3], [1e-3, 1e-3 / 2, 1e-3 / 3], rtol=1e-5)


def test_resumed_goes_on_at_its_epoch_with_what_callbacks_knew(tmp_path):
    """As an uninterrupted one, bit for bit: rates, what is stopped, and what is restored."""

    def watched(file):
        return [
            keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=100),
            keras.callbacks.EarlyStopping("loss", patience=4, min_delta=100, restore_best_weights=True),
            keras.callbacks.ModelCheckpoint(tmp_path / f"{file}.keras", "loss", save_best_only=True),
            keras.callbacks.CSVLogger(tmp_path / f"{file}.csv", append=True),
        ]

    settings = {"epochs": 9, "learning_rate": 1e-2, **QUIET}
    whole = plain()
    expected = train(whole, DATA, callbacks=watched("whole"), **settings)
    assert (expected.stopped, len(expected.history["epoch"]), expected.best_epoch) == ("callback", 5, 1)
    for died in (2, 4):
        folder = tmp_path / str(died)
        stopping = keras.callbacks.LambdaCallback(on_epoch_begin=partial(interrupt, died))
        first = watched(died)
        with pytest.raises(KeyboardInterrupt):
            train(plain(), DATA, callbacks=[*first, stopping], folder=folder, **settings)
        first[-1].csv_file.close()
        begun = recorder()
        model = plain(seed=5)
        result = train(model, DATA, callbacks=[*watched(died), begun], folder=folder, **settings)
        assert begun.calls[1][:2] == ("on_epoch_begin", died)
        assert untimed(result) == untimed(expected)
        assert (result.stopped, result.best_epoch) == ("callback", 1)
        assert same(weights(model), weights(whole))
        assert (tmp_path / f"{died}.csv").read_text() == (tmp_path / "whole.csv").read_text()
        again = plain(seed=5)
        assert train(again, DATA, callbacks=watched(died), folder=folder, **settings).stopped == "callback"
        assert same(weights(again), weights(whole))
    assert len(keras.models.load_model(tmp_path / "whole.keras").weights) == len(whole.weights)
    anew = [keras.callbacks.CSVLogger(tmp_path / "2.csv"), *watched("2")[:2]]
    with pytest.raises(InvalidInput, match=r"goes on after epoch 5.*append=True"):
        train(plain(), DATA, callbacks=anew, folder=tmp_path / "2", **settings)


def test_what_would_be_passed_over_is_said(tmp_path):
    for given, sentence in (
        ([keras.callbacks.BackupAndRestore(tmp_path)], "leave that callback out, and give folder="),
        ([print], r"must be a list of keras\.callbacks\.Callback"),
        (print, r"must be a list of keras\.callbacks\.Callback"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            check_callbacks(given)
    assert check_callbacks(None) == []
    model = plain()
    zero = keras.callbacks.LambdaCallback(
        on_train_end=lambda logs: model.set_weights([0 * w for w in model.get_weights()])
    )
    with pytest.warns(UserWarning, match="A callback set the weights when the training ended"):
        result = train(model, DATA, epochs=1, callbacks=[zero], **QUIET)
    assert len(result.notes) == 1
    assert not any(map(np.any, weights(model)))


def test_pictures_and_events_of_each_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    from xaimri.callbacks import ExplainEachEpoch

    watching = ExplainEachEpoch([TRAIN[0].source], "gradcam", tmp_path / "seen", every=2, target=1)
    board = keras.callbacks.TensorBoard(tmp_path / "board", update_freq="batch")
    train(network(), DATA, epochs=(1, 2), callbacks=[watching, board], **QUIET)
    assert list(watching.found) == [2, 3]
    assert (tmp_path / "seen" / "epoch_0003.png").is_file()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "board" / "validation"), size_guidance={"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("epoch_balanced_accuracy")] == [0, 1, 2]
