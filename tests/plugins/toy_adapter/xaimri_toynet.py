"""The adapter: networks of toynet as classifiers of xaimri."""

import numpy as np

from xaimri.adapters.answers import Answers
from xaimri.caveats import Caveat
from xaimri.classifier import Gradient


class ToyClassifier:
    """A network of toynet; differentiable."""

    def __init__(self, network, classes=None, outputs="probabilities"):
        self._network = network
        self._answers = Answers("network", outputs)
        self._classes = self._answers.first_names(len(network.weights), classes)

    @property
    def classes(self):
        return self._classes

    @property
    def input_shape(self):
        return self._network.weights.shape[1:]

    def logits(self, images, /):
        return self._answers.logits(self._network.scores(images), "softmax")

    def gradient(self, images, objective, /):
        logits = self.logits(images)
        return Gradient(self._network.backward(objective.cotangents(logits)), logits)

    def doubts(self, images, probabilities, /):
        dark = Caveat.of_package(
            "xaimri_toynet", "dark", "The image is dark: give one that was exposed longer."
        )
        return [[dark] if np.max(image) < 0.1 else [] for image in images]
