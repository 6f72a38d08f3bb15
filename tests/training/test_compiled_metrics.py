"""A compiled metric says what its name says, or one sentence says why it can't."""

from __future__ import annotations

import numpy as np
import pytest

from frameworks import on_first_use
from trainable import DATA, QUIET, SHAPE, TRAIN, VALIDATION
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri.training import batches, train
    from xaimri.training.compiled_metrics import check_labels, check_names

pytestmark = pytest.mark.tensorflow

SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"


def compiled(loss, *metrics, weighted=None):
    layers = keras.layers
    tail = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((*SHAPE, 1)), *tail])
    model.layers[-1].kernel.assign(np.random.default_rng(0).normal(0, 0.1, (120, 3)))
    model.compile("sgd", loss, metrics=list(metrics) or None, weighted_metrics=weighted)
    return model


def test_metrics_of_the_other_form_of_labels_are_refused():
    metrics = keras.metrics
    for loss, form, refused in (
        (
            SPARSE,
            "takes one number for each class, and the compiled loss integer labels",
            [metrics.CategoricalAccuracy(), "mse", "AUC", metrics.Recall(), metrics.F1Score()],
        ),
        (
            ONE_HOT,
            "takes integer labels, and the compiled loss one number for each class",
            [metrics.SparseCategoricalAccuracy(), "sparse_top_k_categorical_accuracy"],
        ),
    ):
        for metric in refused:
            for model in (compiled(loss, metric), compiled(loss, weighted=[metric])):
                with pytest.raises(InvalidInput, match=form) as told:
                    train(model, DATA, epochs=1, **QUIET)
                assert "\n" not in str(told.value)
                with pytest.raises(InvalidInput, match=form):
                    model.fit(batches(TRAIN, model), verbose=0)


def own(true, predicted):
    return keras.ops.mean(predicted, axis=-1)


def test_what_fits_is_taken():
    metrics = keras.metrics
    alike = metrics.SparseCategoricalAccuracy(name="accuracy")
    wrapped = metrics.MeanMetricWrapper(own, name="own")
    integers = metrics.OneHotMeanIoU(3, sparse_y_pred=False)
    for loss, fitting in (
        (SPARSE, ["accuracy", "acc", "ce", alike, own, wrapped, metrics.Mean("mean")]),
        (SPARSE, [metrics.MeanIoU(3, sparse_y_pred=False), {"dense": "accuracy"}, None]),
        (ONE_HOT, ["accuracy", "mse", metrics.AUC(), integers, metrics.CategoricalAccuracy("accuracy")]),
    ):
        for metric in fitting:
            check_labels(compiled(loss, metric), loss == ONE_HOT)
            check_names(compiled(loss, metric))
    check_labels(compiled(SPARSE), False)


def test_names_of_ours_and_a_missing_loss_are_told():
    for name in ("accuracy", "balanced_accuracy", "loss"):
        best = keras.metrics.SparseTopKCategoricalAccuracy(3, name=name)
        with pytest.raises(InvalidInput, match=f"`{name}` has the name of one that `train` tells"):
            train(compiled(SPARSE, best), DATA, epochs=1, **QUIET)
    with pytest.raises(InvalidInput, match="compiled without a loss"):
        train(compiled(None), DATA, epochs=1, **QUIET)
    for data in (TRAIN, (TRAIN,), (TRAIN, VALIDATION, VALIDATION)):
        with pytest.raises(InvalidInput, match=r"`data` must be a split.* or \(training, validation\)"):
            train(compiled(SPARSE), data, epochs=1, **QUIET)


def test_a_metric_that_fits_says_what_is_true():
    model = compiled(SPARSE, keras.metrics.SparseTopKCategoricalAccuracy(2, name="top"))
    result = train(model, DATA, epochs=1, **QUIET)
    images = np.stack([case.source for case in VALIDATION])[..., None].astype(np.float32)
    order = np.argsort(-np.asarray(model(images)), axis=1)[:, :2]
    expected = (order == VALIDATION.labels[:, None]).any(axis=1).mean()
    assert result.history["val_top"] == [pytest.approx(expected)]
