"""The contract as public checks: every promise of an explainer, and of a classifier.

>>> import numpy as np
>>> from xaimri import GradCAM, LinearClassifier
>>> from xaimri.testing import check_classifier, check_explainer
>>> model = LinearClassifier.random((6, 8, 2), classes=3, seed=0, patch=2)
>>> images = np.random.default_rng(0).random((3, 6, 8, 2), dtype=np.float32)
>>> check_classifier(model, images)
>>> check_explainer(GradCAM(relu=False), model, images)
"""

from xaimri.testing.classifiers import check_classifier
from xaimri.testing.explainers import check_explainer

__all__ = ["check_classifier", "check_explainer"]
