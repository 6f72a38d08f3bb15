from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pytest

from xaimri.charts import training as card
from xaimri.errors import InvalidInput
from xaimri.evaluation import evaluate


@pytest.fixture(scope="module")
def report():
    labels = np.repeat([0, 1, 2], [30, 10, 35])
    people = np.repeat(np.arange(15), 5).astype(str).tolist()
    predicted = np.where(np.arange(75) % 3 == 0, (labels + 1) % 3, labels)
    return evaluate(np.eye(3)[predicted], labels, people, ("mild", "moderate", "none"), resamples=50)


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("level", ["slice", "subject"])
def test_matrix_shows_every_count_and_the_shares_of_estimable_classes(report, level):
    axes = card.confusion_matrix(report, level).axes[0]
    counts = report.level(level).confusion
    written = texts(axes)
    for row in (0, 2):
        for n in counts[row]:
            assert f"{n}" in written
            assert f"{n / counts[row].sum():.0%}" in written
    assert len(written) == 2 * 6 + 3  # a class of 2 subjects shows its three counts alone
    assert np.isnan(np.ma.filled(axes.images[0].get_array()[1], np.nan)).all()
    assert "not estimable: 2 subjects" in axes.get_yticklabels()[1].get_text()
    assert f"{report.level(level).accuracy}" in axes.get_title(loc="left")


@pytest.mark.parametrize("level", ["slice", "subject"])
def test_nothing_leaves_the_page(report, level):
    figure = card.confusion_matrix(report, level)
    figure.draw_without_rendering()
    page, drawn = figure.bbox_inches.extents, figure.get_tightbbox().extents
    assert (drawn[:2] >= page[:2]).all()
    assert (drawn[2:] <= page[2:]).all()


def test_matrix_of_nothing_estimable_is_drawn(tmp_path):
    few = evaluate(np.eye(2), [0, 1], ["a", "b"], resamples=5)
    card.confusion_matrix(few).savefig(tmp_path / "few.png")
    assert (tmp_path / "few.png").stat().st_size > 5000


def test_matrix_refuses_other_levels(report):
    import inspect

    with pytest.raises(InvalidInput, match="`level`"):
        inspect.unwrap(type(report).level)(report, "voxel")  # past the type checker of the tests


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
    figure = card.curves(HISTORY)
    loss, accuracy = figure.axes
    for axes, key in ((loss, "loss"), (accuracy, "balanced_accuracy")):
        np.testing.assert_array_equal(
            lines(axes)["training"].get_xydata().T, [HISTORY["epoch"], HISTORY[key]]
        )
        np.testing.assert_array_equal(lines(axes)["validation"].get_ydata(), HISTORY[f"val_{key}"])
        assert texts(axes) == ["head", "fine-tuning"]
        assert [patch.get_x() for patch in axes.patches] == [2.5]


def test_the_best_epoch_is_the_first_of_the_highest_validation():
    for axes in card.curves(HISTORY).axes:
        best = next(line for label, line in lines(axes).items() if label.startswith("best epoch: 3,"))
        assert set(best.get_xdata()) == {3}


def test_curves_without_validation_phases_or_epochs():
    figure = card.curves({"loss": [1.0], "balanced_accuracy": [0.5]})
    assert list(lines(figure.axes[0])) == ["training"]
    figure.draw_without_rendering()


def test_gaps_are_left_open():
    gaps = HISTORY | {"val_loss": [None] * 4 + [1.0], "val_balanced_accuracy": [None, 0.3, None, np.nan, 0.2]}
    loss, accuracy = card.curves(gaps).axes
    assert np.isnan(lines(loss)["validation"].get_ydata()).tolist() == [True] * 4 + [False]
    assert any(label.startswith("best epoch: 2,") for label in lines(accuracy))
    card.curves(
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
        card.curves(history)


def test_nothing_global_is_touched(report, tmp_path):
    before = dict(mpl.rcParams)
    card.confusion_matrix(report).savefig(tmp_path / "a.png")
    card.curves(HISTORY).savefig(tmp_path / "b.pdf")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()
