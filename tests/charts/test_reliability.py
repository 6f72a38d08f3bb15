"""The reliability diagram shows every bin where it is, and says what is not estimable."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from xaimri.charts import reliability_diagram
from xaimri.errors import InvalidInput
from xaimri.evaluation import calibration


def test_a_panel_has_the_bins_of_its_class():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 60)
    found = calibration(p, [0, 1] * 29 + [2, 2], [*range(58), 58, 58], ("a", "b", "$c"), bins=4)
    figure = reliability_diagram(found)
    figure.draw_without_rendering()
    panels = figure.axes
    for axes, one in zip(panels, (found.top, *found.per_class), strict=False):
        (line,) = [line for line in axes.lines if line.get_label() == "bins"]
        np.testing.assert_allclose(line.get_xdata(), [b.predicted for b in one.bins])
        np.testing.assert_allclose(line.get_ydata(), [b.observed.value for b in one.bins])
    assert f"ECE {found.top.ece}" in panels[0].get_title(loc="left")
    assert panels[3].get_title(loc="left") == "$c\nnot estimable: 1 subject"
    assert [axes.axison for axes in panels] == [True] * 4 + [False] * 2
    page, drawn = figure.bbox_inches.extents, figure.get_tightbbox().extents
    assert (drawn[:2] >= page[:2]).all()
    assert (drawn[2:] <= page[2:]).all()
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize("level", ["slice", "subject"])
def test_every_word_of_a_single_row_lies_on_the_page(level):
    p = np.random.default_rng(0).dirichlet(np.ones(2), 40)
    figure = reliability_diagram(calibration(p, np.arange(40) % 2, range(40), ("a", "b"), level=level))
    figure.draw_without_rendering()
    page, drawn = figure.bbox_inches.extents, figure.get_tightbbox().extents
    assert (drawn[:2] >= page[:2]).all()
    assert (drawn[2:] <= page[2:]).all()


def test_a_single_subject_is_drawn_without_an_interval():
    found = calibration(np.array([[0.2, 0.8], [0.6, 0.4]]), [1, 0], ["a", "a"])
    assert "chance" not in reliability_diagram(found).axes[0].get_title(loc="left")


def test_it_takes_what_calibration_gives():
    with pytest.raises(InvalidInput):
        reliability_diagram(np.zeros(3))
