"""Judgements with values and curves of one's choice, and what their drawings have in common."""

from __future__ import annotations

import numpy as np

from xaimri.failure import Failure
from xaimri.judging import METRICS, Judgement, Row
from xaimri.metrics import Curve

TITLES = {"lime": "LIME", "gradcam": "Grad-CAM"}

FRACTIONS = np.array([0.0, 0.5, 1.0])


def judgement(values, metrics=("deletion",), subjects=None, scores=None, **settings):
    """Return a judgement of ``values[explainer][metric]``, one per case, None where it failed."""
    named = {name: METRICS[name] for name in metrics} if not isinstance(metrics, dict) else metrics
    rows, curves = [], {}
    for explainer, found in values.items():
        for metric, numbers in zip(named, found, strict=True):
            for case, number in enumerate(numbers):
                subject = f"s{case}" if subjects is None else subjects[case]
                failure = Failure(f"c{case}", "explain", "the image is too bright")
                value, why = (np.nan, failure) if number is None else (number, None)
                rows.append(Row(explainer, metric, f"c{case}", subject, "ill", value, why))
                if scores is not None and number is not None:
                    curve = scores(explainer, case)
                    curves.setdefault((explainer, metric), []).append(curve)
    records = {name: {"name": name, "title": TITLES.get(name, name), "settings": {}} for name in values}
    kept = {key: tuple(all_) for key, all_ in curves.items()}
    return Judgement(tuple(rows), tuple(values), named, records, kept, **{"resamples": 400, **settings})


def curved(curves, metric="deletion", subjects=None, **settings):
    """Return a judgement whose values are the areas of ``curves[explainer]``, None where one failed."""
    values = {name: [[None if c is None else float(c) for c in own]] for name, own in curves.items()}
    metrics = metric if isinstance(metric, dict) else (metric,)
    return judgement(values, metrics, subjects, lambda name, case: curves[name][case], **settings)


def random_curves(seed=0, cases=8, shift=0.0):
    random = np.random.default_rng(seed)
    return [Curve(FRACTIONS, np.clip(random.random(3) * 0.5 + shift, 0, 1)) for _ in range(cases)]


def inside(figure):
    """Tell whether all that is drawn lies on the page."""
    figure.draw_without_rendering()
    page, box = figure.bbox_inches.extents, figure.get_tightbbox().extents
    return bool((box[:2] >= page[:2] - 0.01).all() and (box[2:] <= page[2:] + 0.01).all())
