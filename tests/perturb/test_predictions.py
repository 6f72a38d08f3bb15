"""Each coalition is predicted once, whoever asks; progress is told, and can stop a run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xaimri
from xaimri import LIME, RISE, SHAP, LinearClassifier, Occlusion
from xaimri.errors import Cancelled, InvalidInput, XaimriError
from xaimri.perturb import progress
from xaimri.perturb.absent import hidden
from xaimri.perturb.predictions import Predictions, predict_each
from xaimri.perturb.progress import advance, expect, watched
from xaimri.perturb.responses import responses

SHAPE = (5, 7, 2)
LABELS = np.arange(35).reshape(5, 7) // 9 - 1  # 9 pixels in no region, three regions
IMAGE = np.random.default_rng(0).random(SHAPE, dtype=np.float32)


class Counting(LinearClassifier):
    """Keeps every image that it is asked about."""

    def logits(self, images, /):
        self.__dict__.setdefault("seen", []).append(images.copy())
        return super().logits(images)

    @property
    def distinct(self):
        return len(np.unique(np.concatenate(self.seen).reshape(-1, np.prod(SHAPE)), axis=0))

    @property
    def predicted(self):
        return sum(map(len, self.seen))


def counting(seed=1):
    return Counting(LinearClassifier.random(SHAPE, classes=3, seed=seed).weights, [0.1, 0.2, 0.3])


def asked(model, labels=LABELS, image=IMAGE, expected=10):
    return Predictions(model, image, hidden(image, labels, 0.0), labels, expected)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=20), min_size=1, max_size=4))
def test_answers_come_in_the_order_asked_and_each_coalition_is_predicted_once(questions):
    """Numbers stand for coalitions of three regions, repeated within a question and between them."""
    model = counting()
    answers = asked(model)
    known = set()
    for question in questions:
        coalitions = (np.array(question)[:, None] >> np.arange(3) & 1).astype(bool)
        found = answers(coalitions)
        plain = LinearClassifier(model.weights, model.bias)
        expected = responses(plain, IMAGE, answers.hidden, LABELS, coalitions)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert found.dtype == np.float64
        known |= set(question)
        assert answers.calls == len(known)
        assert model.predicted == model.distinct == len(known)


@pytest.mark.parametrize("regions", [1, 7, 8, 9, 17])
def test_coalitions_that_differ_in_one_region_are_not_mixed_up(regions):
    labels = np.minimum(np.arange(35).reshape(5, 7), regions - 1)
    answers = asked(counting(), labels)
    every = np.concatenate([np.eye(regions, dtype=bool), ~np.eye(regions, dtype=bool)])
    found = answers(every)
    assert answers.calls == len(np.unique(every, axis=0))
    np.testing.assert_array_equal(found[::-1], answers(every[::-1]))
    for row, logits in zip(every, found, strict=True):
        np.testing.assert_array_equal(answers(row[None])[0], logits)


def test_what_is_handed_out_can_be_changed_without_harm():
    answers = asked(counting())
    everything = np.array([[True, True, True], [False, True, False]])
    first = answers(everything)
    kept = first.copy()
    first[:] = 99
    np.testing.assert_array_equal(answers(everything), kept)


def test_a_region_is_tested_where_hiding_changes_a_pixel_of_any_channel():
    image = IMAGE.copy()
    image[LABELS == 0] = 0
    image[LABELS == 1] = 0
    image[1, 6, 1] = 0.5 if LABELS[1, 6] == 0 else image[1, 6, 1]
    inside = np.argwhere(LABELS == 1)[3]
    image[(*inside, 1)] = 0.5
    found = asked(counting(), image=image).tested
    assert found.dtype == bool
    assert found[1]
    assert found[2]
    assert found[0] == bool((image[LABELS == 0] != 0).any())
    gap = np.where(LABELS == 1, -1, LABELS)  # a number without pixels tests nothing
    assert np.array_equal(asked(counting(), gap).tested, [True, False, True])


def test_equal_images_share_their_answers_and_others_do_not():
    other = IMAGE + 1
    made = []

    def ask(image):
        made.append(image)
        return asked(counting(), image=image)

    a, b, c, d = predict_each(np.stack([IMAGE, other, IMAGE, other]), ask)
    assert a is c
    assert b is d
    assert a is not b
    assert len(made) == 2


METHODS = {
    "lime": LIME(samples=40, regions=LABELS, absent=0.0),
    "lime, seven regions": LIME(samples=30, regions=np.arange(35).reshape(5, 7) // 5, absent=0.0),
    "shap": SHAP(regions=LABELS, absent=0.0),
    "shap, sampled": SHAP(samples=30, regions=np.arange(35).reshape(5, 7) // 5, absent=0.0, exact=0),
    "occlusion": Occlusion(regions=LABELS, absent=0.0),
}
UNEVEN = LIME(samples=67, regions=np.arange(35).reshape(5, 7), absent=0.0)  # a prime number of images


@pytest.mark.slow
@pytest.mark.parametrize("explainer", METHODS.values(), ids=METHODS)
def test_a_second_class_of_the_same_image_costs_nothing(explainer):
    one, two = counting(), counting()
    for model in (one, two):  # is it a function of one image? once a model, and of no account here
        xaimri.RISE(samples=2).explain(model, IMAGE[None])
        model.seen.clear()
    (alone,) = explainer.explain(one, IMAGE[None], [1])
    pair = explainer.explain(two, np.stack([IMAGE, IMAGE]), [0, 1])
    assert two.predicted == one.predicted == one.distinct
    assert one.predicted == alone.diagnostics["model_calls"]
    np.testing.assert_array_equal(pair[1].values, alone.values)
    assert np.abs(pair[0].regions.values - pair[1].regions.values).max() > 1e-3
    (first,) = explainer.explain(one, IMAGE[None], [0])
    np.testing.assert_array_equal(pair[0].values, first.values)


def test_so_a_list_of_classes_costs_one_run_through_explain():
    model = counting()
    found = xaimri.explain_all(model, IMAGE, METHODS["lime"], target=[0, 1, 2])
    assert [e.target for e in found] == [0, 1, 2]
    alone = 3 * 2  # is it a function of one image? once a model, three batches of two
    assert model.predicted == found[0].diagnostics["model_calls"] + alone


# Progress.


def told():
    """A watcher, and what it was told."""
    calls = []

    def watch(done, total):
        calls.append((done, total))

    return watch, calls


@pytest.mark.parametrize(
    "explainer",
    [*METHODS.values(), UNEVEN, Occlusion(window=2), RISE(samples=70, cells=2)],
    ids=[*METHODS, "lime, uneven batches", "windows", "rise"],
)
def test_progress_counts_up_to_all_perturbed_images(explainer):
    watch, calls = told()
    model = counting()
    found = xaimri.explain(model, IMAGE, explainer, target=1, progress=watch)
    done, total = np.array(calls).T
    assert (np.diff(done) > 0).all()
    assert (np.diff(total) >= 0).all()
    assert (done <= total).all()
    assert done[-1] == total[-1]
    own = 1 if isinstance(explainer, RISE) else 0  # the image itself is no perturbed one
    assert done[-1] == found.diagnostics["model_calls"] - own


def test_progress_adds_up_over_images():
    watch, calls = told()
    found = xaimri.explain_all(
        counting(), [IMAGE, IMAGE + 1], LIME(samples=80, regions=12), target=1, progress=watch
    )
    assert calls[-1][0] == calls[-1][1] == sum(e.diagnostics["model_calls"] for e in found)


def test_watching_changes_nothing():
    explainer = METHODS["lime, seven regions"]
    plain = xaimri.explain(counting(), IMAGE, explainer, target=1)
    watch, calls = told()
    seen = xaimri.explain(counting(), IMAGE, explainer, target=1, progress=watch)
    assert calls
    assert plain.values.tobytes() == seen.values.tobytes()


@pytest.mark.parametrize("answer", [False, np.bool_(False)], ids=["False", "numpy's False"])
@pytest.mark.parametrize(
    "explainer", [LIME(samples=200, regions=12), RISE(samples=200, cells=2)], ids=["lime", "rise"]
)
def test_a_watcher_that_returns_false_cancels_after_that_batch(explainer, answer):
    model, calls = counting(), []

    def watch(done, total):
        calls.append((done, total))
        return answer if len(calls) == 2 else True

    with pytest.raises(
        Cancelled, match=r"cancelled after .* of .* images, as `progress` returned False"
    ) as error:
        xaimri.explain(model, IMAGE, explainer, target=1, progress=watch)
    assert isinstance(error.value, XaimriError)
    assert len(calls) == 2
    assert str(calls[-1][0]) in str(error.value)
    assert model.predicted <= 66 < 200
    assert progress._state.get() is None


@pytest.mark.parametrize("answer", [None, True, 0, "", "no"])
def test_anything_else_than_false_goes_on(answer):
    watched = xaimri.explain(counting(), IMAGE, METHODS["lime"], target=1, progress=lambda *at: answer)
    alone = xaimri.explain(counting(), IMAGE, METHODS["lime"], target=1)
    assert np.array_equal(watched.values, alone.values)


def test_the_watchers_own_exception_passes_through():
    def watch(done, total):
        raise KeyError("the notebook was closed")

    with pytest.raises(KeyError, match="notebook was closed"):
        xaimri.explain(counting(), IMAGE, METHODS["lime"], target=1, progress=watch)
    assert progress._state.get() is None


def test_nothing_is_left_behind_and_an_inner_watcher_hands_back_to_the_outer():
    outer, told_outer = told()
    inner, told_inner = told()
    with watched(outer):
        expect(5)
        advance(2)
        with watched(inner):
            expect(7)
            advance(7)
        with watched(False):  # says nothing of its own, and leaves the outer in place
            advance(3)
    assert told_outer == [(2, 5), (5, 5)]
    assert told_inner == [(7, 7)]
    expect(9)
    advance(9)
    assert len(told_outer) == 2
    assert progress._state.get() is None


def test_true_shows_a_bar_that_ends_full(capsys):
    xaimri.explain(counting(), IMAGE, RISE(samples=70, cells=2), target=1, progress=True)  # three batches
    shown = capsys.readouterr().err
    assert "70/70" in shown
    assert "100%" in shown
    assert "image" in shown
    xaimri.explain(counting(), IMAGE, METHODS["lime"], target=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("wrong", [1, "yes", None])
def test_what_is_no_watcher_is_one_sentence(wrong):
    with pytest.raises((InvalidInput, TypeError), match="progress"):
        xaimri.explain(counting(), IMAGE, METHODS["lime"], target=1, progress=wrong)
    assert progress._state.get() is None


def test_scores_that_are_not_finite_are_one_sentence():
    class Broken(LinearClassifier):
        def logits(self, images, /):
            return np.where(images[:, :1, 0, 0] == 0, np.float32(np.nan), super().logits(images))

    model = Broken(np.ones((2, *SHAPE)))
    with pytest.raises(InvalidInput, match="scores are not finite for some perturbed images: check"):
        LIME(samples=20, regions=np.zeros((5, 7), int), absent=0.0).explain(model, IMAGE[None] + 1)


SEVEN = np.arange(35).reshape(5, 7) // 5  # regions, for which more images are asked than a batch holds
EVERY = [LIME(samples=90, regions=SEVEN), SHAP(samples=90, exact=0, regions=SEVEN), RISE(samples=90)]
EVERY += [Occlusion(window=1, absent=0.0), Occlusion(regions=np.arange(35).reshape(5, 7), absent=0.0)]


@pytest.mark.slow
@pytest.mark.parametrize("method", EVERY, ids=lambda m: m.name)
def test_classes_of_one_image_share_their_predictions(method):
    one, several = counting(), counting()
    method.explain(one, IMAGE[None], 0)
    found = method.explain(several, np.stack([IMAGE] * 3), [0, 1, 2])
    assert several.predicted == one.predicted
    alone = [method.explain(counting(), IMAGE[None], target)[0].values for target in range(3)]
    assert np.array_equal([e.values for e in found], alone)


class Careless(LinearClassifier):
    """Gives its answers in one array again and again, and writes over what it is given."""

    answers = np.zeros((64, 3), np.float32)

    def logits(self, images, /):
        self.answers[: len(images)] = super().logits(images)
        images[...] = -7
        return self.answers[: len(images)]


@pytest.mark.slow
@pytest.mark.parametrize("method", EVERY, ids=lambda m: m.name)
def test_a_careless_model_is_explained_as_any_other(method):
    model, image = counting(), IMAGE.copy()
    (expected,) = method.explain(model, IMAGE[None], 1)
    (found,) = method.explain(Careless(model.weights, model.bias), image[None], 1)
    assert np.array_equal(found.values, expected.values)
    assert np.array_equal(found.logits, expected.logits)
    assert np.array_equal(image, IMAGE)
