"""The contract as public checks: every promise of an explainer, and of a classifier.

One call tries all, and says which are broken:

>>> import numpy as np
>>> from xaimri import GradCAM, LinearClassifier
>>> from xaimri.testing import check_classifier, check_explainer
>>> model = LinearClassifier.random((6, 8, 2), classes=3, seed=0, patch=2)
>>> images = np.random.default_rng(0).random((3, 6, 8, 2), dtype=np.float32)
>>> check_classifier(model, images)
>>> check_explainer(GradCAM(relu=False), model, images)

One test per promise, so that one failure hides no other::

    @pytest.mark.parametrize("promise", PROMISES)
    def test_my_method_keeps(promise):
        promise(MyMethod(), model, images)

`xaimri.testing.strategies` draws images, maps, regions and linear models for hypothesis.
"""

from xaimri.testing.classifiers import CLASSIFIER_PROMISES, check_classifier
from xaimri.testing.explainers import PROMISES, check_explainer
from xaimri.testing.places import cell_offsets
from xaimri.testing.runs import ClassifierPromise, ExplainerPromise

__all__ = [
    "CLASSIFIER_PROMISES",
    "PROMISES",
    "ClassifierPromise",
    "ExplainerPromise",
    "cell_offsets",
    "check_classifier",
    "check_explainer",
]
