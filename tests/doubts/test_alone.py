"""Is a model a function of one image: what is random, what looks at the batch, and what is neither."""

import gc
import threading
from itertools import combinations

import numpy as np
import pytest

import xaimri
from xaimri import FunctionClassifier, LinearClassifier
from xaimri.caveats import Reason
from xaimri.classifier import Classifier
from xaimri.doubts import alone
from xaimri.doubts.alone import Identical, others, variation
from xaimri.objective import softmax
from xaimri.testing.runs import ScoresOnly

SHAPE = (8, 9, 1)
SCAN = np.random.default_rng(0).uniform(0.2, 1, SHAPE).astype(np.float32)
LINEAR = LinearClassifier.random(SHAPE, classes=3, seed=0)
DRAWS = np.random.default_rng(1)
BOTH = {Reason.NOT_DETERMINISTIC, Reason.DEPENDS_ON_BATCH}


def told(explanation):
    return {caveat.reason for caveat in explanation.caveats} & BOTH


class Counting:
    """A function of images that counts how often it was called."""

    def __init__(self, change=lambda images: images):
        self.change, self.sizes = change, []

    def __call__(self, images):
        self.sizes.append(len(images))
        return softmax(LINEAR.logits(self.change(images)))

    def asked(self, images):
        """The same, as a method."""
        return self(images)


RANDOM = {
    "noise on the image": lambda images: images + DRAWS.normal(0, 0.3, images.shape),
    "one factor for the whole batch": lambda images: images * DRAWS.uniform(0.5, 1),
    "pixels dropped": lambda images: images * (DRAWS.random(images.shape) < 0.5),
}
TOGETHER = {
    "divided by the batch's spread": lambda images: images / images.std(),
    "the batch's mean subtracted": lambda images: images - images.mean(),
    "each pixel's mean over the batch subtracted": lambda images: images - images.mean(axis=0),
    "the largest of the batch": lambda images: images / images.max(axis=0),
    "in another order": lambda images: images[::-1],
    "the first one added": lambda images: images + images[:1],
    "the last one added": lambda images: images + images[-1:],
}
ALONE = {
    "as it is": lambda images: images,
    "each image's own spread": lambda images: images / images.std(axis=(1, 2, 3), keepdims=True),
    "rounding by the place in the batch": lambda images: (
        images * (1 + 1e-7 * np.arange(len(images))).reshape(-1, 1, 1, 1)
    ),
}


@pytest.mark.parametrize("name", RANDOM)
def test_what_is_random_is_told_with_its_size(name):
    found = variation(FunctionClassifier(Counting(RANDOM[name])), SCAN)
    assert found.drawn
    assert found.probabilities.min() > 1e-3


@pytest.mark.parametrize("name", TOGETHER)
def test_what_looks_at_the_batch_is_told(name):
    found = variation(FunctionClassifier(Counting(TOGETHER[name])), SCAN)
    assert not found.drawn
    one, two = others(SCAN)
    pairs = (SCAN, one), (two, SCAN), (SCAN, two), (one, SCAN), (SCAN, SCAN), (SCAN, SCAN)
    rows = [softmax(LINEAR.logits(TOGETHER[name](np.stack(pair))))[n % 2] for n, pair in enumerate(pairs)]
    np.testing.assert_allclose(found.probabilities, np.ptp(rows, axis=0), atol=1e-6)


@pytest.mark.parametrize("name", ALONE)
def test_a_function_of_one_image_gets_no_caveat_and_three_calls(name):
    function = Counting(ALONE[name])
    assert variation(FunctionClassifier(function), SCAN) is None
    assert function.sizes == [2, 2, 2]


METHODS = [xaimri.Occlusion(window=4), xaimri.RISE(samples=20), xaimri.LIME(samples=20, regions=5)]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_map_says_it_in_lists_too(method):
    noisy, batch = Counting(RANDOM["pixels dropped"]), Counting(TOGETHER["in another order"])
    plain = Counting(ALONE["as it is"])
    images = [SCAN[..., 0], 1 - SCAN[..., 0], SCAN[..., 0] ** 2]
    for function, reasons in (
        (noisy, {Reason.NOT_DETERMINISTIC}),
        (batch, {Reason.DEPENDS_ON_BATCH}),
        (plain, set()),
    ):
        assert told(xaimri.explain(function, images[0], method)) == reasons
        found = xaimri.explain_all(function, images, method, target=1)
        assert [told(each) for each in found] == [reasons] * 3
        for each in found:
            for caveat in each.caveats:
                assert caveat.reason not in BOTH or "of class_1 differed by 0." in caveat.text


def test_it_is_asked_once_a_function_however_it_is_wrapped():
    function = Counting()
    for call in (function, function, function.asked, function.asked):
        function.sizes.clear()
        xaimri.explain(call, SCAN[..., 0], "occlusion", target=1)
    assert function.sizes.count(2) == 0  # the last of the two methods
    function.sizes.clear()
    xaimri.explain(function, SCAN[..., 0], "occlusion", preprocess=lambda images: images / 2)
    assert function.sizes[-3:] == [2, 2, 2]
    model = xaimri.open_model(Counting())
    for _ in range(2):
        model.classifier._function.sizes.clear()
        model.explain(SCAN[..., 0], "occlusion", target=1)
    assert 2 not in model.classifier._function.sizes


def test_nothing_is_kept_alive():
    function = Counting()
    xaimri.explain(function, SCAN[..., 0], "occlusion")
    before = len(alone._asked)
    del function
    gc.collect()
    assert len(alone._asked) < before
    kept = Identical(SCAN)
    assert kept == Identical(SCAN)
    assert kept != Identical(SCAN.copy())
    assert Identical(None) == Identical(None)


def test_threads_ask_once():
    function = Counting()
    classifier = FunctionClassifier(function, classes=("a", "b", "c"))
    threads = [threading.Thread(target=variation, args=(classifier, SCAN)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert function.sizes == [2, 2, 2]


class Slotted:
    """A classifier that can't be referred to weakly."""

    __slots__ = ()
    classes = LINEAR.classes

    def logits(self, images, /):
        return LINEAR.logits(images * DRAWS.uniform(0.5, 1))


class Noisy(LinearClassifier):
    def logits(self, images, /):
        return super().logits(images) + DRAWS.normal(size=(len(images), 1)) * np.float32([[0, 1]])


def test_classifiers_of_any_kind():
    assert isinstance(Slotted(), Classifier)
    assert variation(Slotted(), SCAN).drawn
    assert variation(ScoresOnly(LINEAR), SCAN) is None
    assert LINEAR.pure
    noisy = Noisy(np.zeros((2, *SHAPE)), patch=1)
    assert not noisy.pure
    for method in ("gradcam", "saliency", "eigencam"):
        found = xaimri.explain(noisy, SCAN, method)
        assert told(found) == {Reason.NOT_DETERMINISTIC}


def test_what_takes_no_two_images_is_left_in_peace():
    def one(images):
        assert len(images) == 1, "one image at a time"
        return softmax(LINEAR.logits(images))

    assert variation(FunctionClassifier(one), SCAN) is None


def test_a_certain_model_that_is_random_is_told_by_its_logits():
    class Certain:
        classes = ("a", "b")

        def logits(self, images, /):
            return np.stack([np.full(len(images), 30 + DRAWS.normal()), np.zeros(len(images))], axis=1)

    found = variation(Certain(), SCAN)
    assert found.probabilities.max() < 1e-9
    assert found.logits[0] > 0.1


@pytest.mark.parametrize("image", [SCAN, np.zeros(SHAPE, np.float32), np.full(SHAPE, 7, np.float32)])
def test_the_other_images_have_other_means_and_spreads_within_the_range(image):
    found = others(image)
    means, spreads = ([float(of(each)) for each in (image, *found)] for of in (np.mean, np.std))
    assert min(abs(a - b) for values in (means, spreads) for a, b in combinations(values, 2)) > 0.01
    assert all(other.dtype == np.float32 for other in found)
    if np.ptp(image):
        assert image.min() <= min(map(np.min, found)) <= max(map(np.max, found)) <= image.max()


def test_half_precision_rounds_rows_of_a_batch_otherwise():
    """A position in the batch may cost the last bit, and what stands beside does not."""

    def rounded(images):
        return softmax(LINEAR.logits(images) * (1 + 5e-3 * np.arange(len(images)))[:, None])

    assert variation(FunctionClassifier(rounded), SCAN) is None
