"""Batches for Keras' own `fit` are those of our training."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from frameworks import on_first_use
from trainable import QUIET, SHAPE, TRAIN, VALIDATION, same, weights
from xaimri.data import Split
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri import training
    from xaimri.training import batches, train
    from xaimri.training.augment import Augmentation
    from xaimri.training.pipeline import augmentation_seed, order_of_epoch, pipeline

pytestmark = pytest.mark.tensorflow

WEIGHTS = {"dark": 1.0, "grey": 2.0, "bright": 0.5}


def linear(loss="sparse_categorical_crossentropy"):
    tail = [keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((*SHAPE, 1)), keras.layers.Rescaling(1 / 255), *tail])
    model.layers[-1].kernel.assign(np.random.default_rng(0).normal(0, 0.1, (120, 3)))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss)
    return model


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_fit_ends_where_our_training_ends(loss):
    """Two epochs: the same images in the same order, changed in the same way, weighted as there."""
    theirs, ours = linear(loss), linear(loss)
    settings = {"batch": 8, "class_weights": WEIGHTS, "seed": 3}
    given = batches(TRAIN, theirs, **settings)
    held_out = batches(VALIDATION, theirs, training=False, batch=8)
    told = theirs.fit(given, validation_data=held_out, epochs=2, shuffle=False, verbose=0).history
    result = train(ours, (TRAIN, TRAIN.take([])), epochs=2, progress=False, **settings)
    for one, other in zip(weights(theirs), weights(ours), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_allclose(told["loss"], result.history["loss"], rtol=1e-4)
    images = np.stack([case.source for case in VALIDATION])[..., None].astype(np.float32)
    true = VALIDATION.labels if "sparse" in loss else np.eye(3)[VALIDATION.labels]
    assert told["val_loss"][-1] == pytest.approx(theirs.evaluate(images, true, verbose=0), rel=1e-5)
    assert given.epoch == 2


def test_an_epoch_is_drawn_from_the_seed_and_its_number():
    model, augment = linear(), Augmentation(rotation=90.0)
    given = batches(TRAIN, model, batch=8, augment=augment, seed=3)
    assert len(given) == 3
    seen = []
    for epoch in (1, 2):
        order, seed = order_of_epoch(3, epoch, len(TRAIN)), augmentation_seed(3, epoch)
        for index, (images, labels) in enumerate(pipeline(given.part, order, 8, augment, seed)):
            ours = given[index]
            np.testing.assert_allclose(ours[0], images, atol=1e-3)
            np.testing.assert_array_equal(ours[1], labels)
        seen.append(given[0])
        given.on_epoch_begin()
        given.on_epoch_end()
    assert not np.array_equal(seen[0][0], seen[1][0])
    given.epoch = 0
    assert same(seen[0], given[0])
    counts = np.bincount(TRAIN.labels)
    np.testing.assert_allclose(seen[0][2], (22 / (3 * counts))[seen[0][1]], rtol=1e-6)


def test_validation_is_as_it_is_stored_and_in_its_order():
    held_out = batches(VALIDATION, linear(), training=False, batch=4)
    images, labels = (np.concatenate([batch[i] for batch in held_out]) for i in (0, 1))
    np.testing.assert_array_equal(images[..., 0], np.stack([case.source for case in VALIDATION]))
    np.testing.assert_array_equal(labels, VALIDATION.labels)
    assert [len(batch) for batch in held_out] == [2, 2, 2]
    plain = batches(TRAIN, linear(), batch=22, augment=False, class_weights=None)[0]
    assert len(plain) == 2
    np.testing.assert_array_equal(
        plain[0][..., 0], np.stack([case.source for case in TRAIN])[order_of_epoch(0, 1, 22)]
    )


def test_images_are_read_through_window_and_layout():
    deep = tuple(replace(c, source=(16 * c.source.astype(np.uint16) + 100)[None]) for c in VALIDATION)
    reach = {"window": (100, 16 * 255 + 100), "layout": "channels_first"}
    ours = batches(replace(VALIDATION, cases=deep), linear(), training=False, **reach)[0][0]
    np.testing.assert_allclose(ours, batches(VALIDATION, linear(), training=False)[0][0], atol=1e-3)


def test_what_does_not_fit_is_said_and_augmented_batches_are_no_data():
    for given, settings, sentence in (
        (TRAIN.take([]), {}, "the part is empty"),
        (TRAIN, {"batch": 0}, "`batch` must be a whole number of at least 1"),
        (TRAIN, {"class_weights": {"dark": 1}}, "`class_weights` must be"),
        (replace(TRAIN, classes=(*TRAIN.classes, "more")), {}, "each of the 4 classes"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            batches(given, linear(), **settings)
    with pytest.raises(InvalidInput, match=r"by chance \(rotation, shift, zoom, flip, contrast\)"):
        train(linear(), (batches(TRAIN, linear()), VALIDATION), epochs=1, **QUIET)
    unread = TRAIN.take(range(9))
    cases = (*unread.cases, replace(unread.cases[0], id="odd", source=np.zeros((0, 4), np.uint8)))
    with pytest.warns(UserWarning, match="odd"):
        assert len(batches(replace(unread, cases=cases), linear()).part) == 9


def test_labels_follow_the_loss_that_is_compiled_by_now():
    """Batches of as many images as there are classes, so that integers would fit a mean square by chance."""
    model = linear()
    given = batches(TRAIN, model, batch=3, augment=False, class_weights=None)
    assert given[0][1].ndim == 1
    for loss, axes in (("mse", 2), ("sparse_categorical_crossentropy", 1), ("categorical_crossentropy", 2)):
        model.compile("sgd", loss)
        assert given[0][1].ndim == axes
    model.compile(keras.optimizers.SGD(0.0), "mse")
    told = model.fit(given, shuffle=False, verbose=0).history["loss"][0]
    images = np.stack([case.source for case in TRAIN])[..., None].astype(np.float32)
    expected = np.mean((np.eye(3)[TRAIN.labels] - np.asarray(model(images))) ** 2)
    assert told == pytest.approx(expected, rel=1e-5)


def test_what_is_no_part_is_told():
    for odd in ((TRAIN, VALIDATION), [1], None):
        with pytest.raises((InvalidInput, TypeCheckError), match="part"):
            batches(odd, linear())


def test_the_examples_of_the_guide_run(tmp_path, monkeypatch):
    """What it says of compiled networks, callbacks and batches, on a network and a split that are small."""
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "guide" / "training.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "compile" in block]
    assert len(blocks) == 2
    for block in blocks:
        given = {"keras": keras, "training": training, "model": linear()}
        given["parts"] = Split(TRAIN, VALIDATION, TRAIN.take([]))
        exec(block.replace("epochs=20", "epochs=1"), given)
    assert len((tmp_path / "log.csv").read_text().splitlines()) > 1
