"""Curves of a training show its history: epochs, phases, the best, and gaps."""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pytest

from stripes import texts
from xaimri.charts import training_curves
from xaimri.errors import InvalidInput

HISTORY = {
    "epoch": [1, 2, 3, 4, 5],
    "phase": ["head", "head", "fine-tuning", "fine-tuning", "fine-tuning"],
    "loss": [1.2, 1.0, 0.8, 0.6, 0.5],
    "balanced_accuracy": [0.3, 0.4, 0.5, 0.6, 0.7],
    "accuracy": [0.3, 0.4, 0.5, 0.6, 0.7],
    "val_loss": [1.3, 1.1, 1.0, 1.1, 1.2],
    "val_balanced_accuracy": [0.25, 0.3, 0.45, 0.4, 0.45],
    "val_accuracy": [0.25, 0.3, 0.45, 0.4, 0.45],
}


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def test_curves_show_the_history():
    figure = training_curves(HISTORY)
    loss, accuracy = figure.axes
    for axes, key in ((loss, "loss"), (accuracy, "balanced_accuracy")):
        np.testing.assert_array_equal(
            lines(axes)["training"].get_xydata().T, [HISTORY["epoch"], HISTORY[key]]
        )
        np.testing.assert_array_equal(lines(axes)["validation"].get_ydata(), HISTORY[f"val_{key}"])
        assert texts(axes) == ["head", "fine-tuning"]
        assert [patch.get_x() for patch in axes.patches] == [2.5]


def test_the_best_epoch_is_the_first_of_the_highest_validation():
    for axes in training_curves(HISTORY).axes:
        best = next(line for label, line in lines(axes).items() if label.startswith("best epoch: 3,"))
        assert set(best.get_xdata()) == {3}


def test_curves_without_validation_phases_or_epochs():
    figure = training_curves({"loss": [1.0], "balanced_accuracy": [0.5]})
    assert list(lines(figure.axes[0])) == ["training"]
    figure.draw_without_rendering()


def test_gaps_are_left_open():
    gaps = HISTORY | {"val_loss": [None] * 4 + [1.0], "val_balanced_accuracy": [None, 0.3, None, np.nan, 0.2]}
    loss, accuracy = training_curves(gaps).axes
    assert np.isnan(lines(loss)["validation"].get_ydata()).tolist() == [True] * 4 + [False]
    assert any(label.startswith("best epoch: 2,") for label in lines(accuracy))
    training_curves(
        HISTORY | {"val_loss": [None] * 5, "val_balanced_accuracy": [None] * 5}
    ).draw_without_rendering()


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ({}, "needs `loss`"),
        ({"loss": []}, "needs `loss`"),
        ({"loss": [1.0]}, "needs `balanced_accuracy`"),
        ({"loss": [1.0], "balanced_accuracy": [0.1, 0.2]}, "one length"),
        ({"loss": [1.0], "balanced_accuracy": [0.1], "phase": ["a", "b"]}, "one length"),
    ],
)
def test_bad_histories(history, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        training_curves(history)


def test_nothing_global_is_touched(tmp_path):
    before = dict(mpl.rcParams)
    training_curves(HISTORY).savefig(tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()
