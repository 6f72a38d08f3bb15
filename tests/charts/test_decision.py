"""The chart of a decision curve has its three lines and the band of the interval."""

import numpy as np

from xaimri.charts import decision_chart
from xaimri.evaluation import decision_curve


def test_lines_are_those_of_the_curve():
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 2
    p = np.clip(labels * 0.3 + rng.random(30) * 0.7, 0, 1)
    curve = decision_curve(np.stack([1 - p, p], axis=1), labels, "$ill", range(30), ("well", "$ill"))
    figure = decision_chart(curve)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_allclose(lines["this classifier"], [one.value for one in curve.model])
    np.testing.assert_allclose(lines["everybody"], curve.everybody)
    assert set(lines["nobody"]) == {0}
    assert axes.get_title(loc="left") == "acting on `$ill`, 50% of the images"
