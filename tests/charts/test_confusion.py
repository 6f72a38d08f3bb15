"""The confusion matrix of a classifier: every count, and shares where they can be estimated."""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pytest

from stripes import texts
from xaimri.charts import confusion_matrix
from xaimri.errors import InvalidInput
from xaimri.evaluation import evaluate


@pytest.fixture(scope="module")
def report():
    labels = np.repeat([0, 1, 2], [30, 10, 35])
    people = np.repeat(np.arange(15), 5).astype(str).tolist()
    predicted = np.where(np.arange(75) % 3 == 0, (labels + 1) % 3, labels)
    return evaluate(np.eye(3)[predicted], labels, people, ("mild", "moderate", "none"))


@pytest.mark.parametrize("level", ["slice", "subject"])
def test_matrix_shows_every_count_and_the_shares_of_estimable_classes(report, level):
    axes = confusion_matrix(report, level).axes[0]
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
    figure = confusion_matrix(report, level)
    figure.draw_without_rendering()
    page, drawn = figure.bbox_inches.extents, figure.get_tightbbox().extents
    assert (drawn[:2] >= page[:2]).all()
    assert (drawn[2:] <= page[2:]).all()


def test_matrix_of_nothing_estimable_is_drawn(tmp_path):
    few = evaluate(np.eye(2), [0, 1], ["a", "b"])
    confusion_matrix(few).savefig(tmp_path / "few.png")
    assert (tmp_path / "few.png").stat().st_size > 5000


def test_matrix_refuses_other_levels(report):
    import inspect

    with pytest.raises(InvalidInput, match="`level`"):
        inspect.unwrap(type(report).level)(report, "voxel")  # past the type checker of the tests


def test_nothing_global_is_touched(report, tmp_path):
    before = dict(mpl.rcParams)
    confusion_matrix(report).savefig(tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    plt = sys.modules.get("matplotlib.pyplot")
    assert plt is None or not plt.get_fignums()
