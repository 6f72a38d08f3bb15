"""Small phantoms of which every one has a region that changed, and a linear model of their size."""

from dataclasses import replace

import numpy as np

from xaimri import LinearClassifier
from xaimri.data import phantom

SHAPE = (26, 22, 1)


def phantoms(subjects):
    """Two slices of each subject."""
    made = phantom.make(subjects=subjects, slices=2, size=SHAPE[:2], seed=3)
    middle = np.zeros(SHAPE[:2], bool)
    middle[12:15, 9:13] = True  # at this size a slightly changed brain has no changed pixel
    return replace(made, cases=tuple(replace(case, mask=case.mask | middle) for case in made))


def model_of(seed=0, classes=phantom.STAGES, shape=SHAPE):
    """A linear model that is not certain of anything."""
    linear = LinearClassifier.random(shape, classes=len(classes), seed=seed)
    return LinearClassifier(linear.weights / 50, linear.bias, classes=classes)
