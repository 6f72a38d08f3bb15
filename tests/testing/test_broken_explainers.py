"""Each promise of an explainer can be broken: somebody who breaks it, and what is said of them."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import matplotlib as mpl
import numpy as np
import pytest
from numpy.random import default_rng

from linear import SHAPES, model_and_images
from xaimri import GradCAM, LinearClassifier
from xaimri.arrays import Images
from xaimri.caveats import Caveat
from xaimri.classifier import Classifier, Differentiable
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution, Explainer
from xaimri.explanation import Explanation, load
from xaimri.objective import Objective
from xaimri.testing import PROMISES, check_explainer

COUNTER = count(1)


@dataclass(frozen=True)
class Brightness(Explainer[Classifier]):
    """Honest: the image itself, scaled."""

    factor: float = 1.0
    name: ClassVar[str] = "brightness"

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        return Attribution(images.sum(axis=-1) * np.float32(self.factor), model.logits(images))


@dataclass(frozen=True)
class Tampered(Explainer[Classifier]):
    """Brightness with something done to it."""

    fault: str
    name: ClassVar[str] = "tampered"

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        honest = Attribution(images.sum(axis=-1), model.logits(images))
        return replace(honest, **FAULTS[self.fault](honest, model, objective))


def noisy(honest: Attribution, noise: float) -> dict[str, Any]:
    return {"values": honest.values * np.float32(1 + noise)}


def heavier(model: Any) -> dict[str, Any]:
    model.weights.flags.writeable = True
    model.weights *= np.float32(1.01)
    return {}


def louder() -> dict[str, Any]:
    np.seterr(under="warn" if np.geterr()["under"] == "ignore" else "ignore")
    return {}


def restyled() -> dict[str, Any]:
    mpl.rcParams["font.size"] += 1
    return {}


def reseeded() -> dict[str, Any]:
    np.random.seed(0)  # noqa: NPY002
    return {}


def numbered(honest: Attribution) -> dict[str, Any]:
    order = np.arange(1, len(honest.values) + 1, dtype=np.float32)
    return {"values": honest.values * order.reshape(-1, *[1] * (honest.values.ndim - 1))}


def on_each(honest: Attribution, name: str, entry: object) -> dict[str, Any]:
    return {name: [entry] * len(honest.values)}


FAULTS: Mapping[str, Callable[[Attribution, Any, Objective], dict[str, Any]]] = {
    "numpy's generator": lambda h, m, o: noisy(h, np.random.random()),  # noqa: NPY002
    "Python's generator": lambda h, m, o: noisy(h, random.random()),
    "no seed": lambda h, m, o: noisy(h, np.random.default_rng().random()),
    "no seed, unused": lambda h, m, o: noisy(h, 0 * np.random.default_rng().random()),
    "no seed, imported before": lambda h, m, o: noisy(h, default_rng().random()),
    "counted values": lambda h, m, o: noisy(h, 1 / next(COUNTER)),
    "counted diagnostics": lambda h, m, o: on_each(h, "diagnostics", {"calls": next(COUNTER)}),
    "no package": lambda h, m, o: on_each(h, "caveats", [Caveat("odd", "It is odd.")]),
    "NaN": lambda h, m, o: {"values": h.values * np.float32(np.nan)},
    "twice if named": lambda h, m, o: noisy(h, 0.0 if o.targets is None else 1.0),
    "no other class": lambda h, m, o: noisy(h, 0.0 if o.targets is None else o.targets[0] + 1),
    "other logits": lambda h, m, o: {"logits": h.logits + 1},
    "shares of the batch": lambda h, m, o: {"values": h.values / h.values.max()},
    "the place in the batch": lambda h, m, o: numbered(h),
    "another model": lambda h, m, o: heavier(m),
    "a global seed": lambda h, m, o: reseeded(),
    "numpy's errors": lambda h, m, o: louder(),
    "matplotlib's style": lambda h, m, o: restyled(),
}


class Thawed(Brightness):
    name: ClassVar[str] = "thawed"

    def __init__(self) -> None:
        object.__setattr__(self, "factor", 1.0)

    __setattr__ = object.__setattr__


@dataclass(frozen=True)
class Unhashable(Brightness):
    weights: list[float] = field(default_factory=lambda: [1.0])
    name: ClassVar[str] = "unhashable"


@dataclass(frozen=True)
class Doubling(Brightness):
    name: ClassVar[str] = "doubling"

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", self.factor * 2)


@dataclass(frozen=True)
class Lossy(Brightness):
    name: ClassVar[str] = "lossy"

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Lossy, ()


@dataclass(frozen=True)
class Understated(Brightness):
    """Uses gradients and does not say so."""

    name: ClassVar[str] = "understated"

    def attribute(self, model: Classifier, images: Images, objective: Objective, /) -> Attribution:
        if not isinstance(model, Differentiable):
            return super().attribute(model, images, objective)
        found = model.gradient(images, objective)
        return Attribution(found.values.sum(axis=-1), found.logits)


@dataclass(frozen=True)
class Brighter(Brightness):
    """Its author forgot that it inherits a name."""


@dataclass(frozen=True)
class Named(Brightness):
    """Its author forgot that a name is no setting."""

    name: str = "named"  # type: ignore[misc]


@dataclass(frozen=True)
class Lime(Brightness):
    name: ClassVar[str] = "lime"


def load_in_feet(folder: Path) -> Explanation:
    return replace(load(folder), unit="feet")


BROKEN: list[tuple[str, Explainer[Any], dict[str, Any], str]] = [
    ("the_method_has_a_name", Brighter(), {}, r'Brighter has no `name` of its own.*"brighter"'),
    ("the_method_has_a_name", Named(), {}, "`name` is a setting: annotate it as"),
    ("the_method_has_a_name", Lime(), {}, "`name` 'lime' is that of LIME: give Lime another"),
    ("equal_settings_are_equal_explainers", Unhashable(), {}, "no hash"),
    (
        "random_numbers_have_a_seed",
        Tampered("numpy's generator"),
        {},
        "numpy's global generator.*a `seed`",
    ),
    ("random_numbers_have_a_seed", Tampered("Python's generator"), {}, "Python's `random`.*a `seed`"),
    (
        "random_numbers_have_a_seed",
        Tampered("no seed"),
        {},
        r"without a seed \(test_broken_explainers.py:\d+\).*take a `seed`",
    ),
    ("random_numbers_have_a_seed", Tampered("no seed, unused"), {}, "without a seed"),
    ("the_same_call_gives_the_same_bytes", Tampered("no seed, imported before"), {}, "seed every generator"),
    ("the_same_call_gives_the_same_bytes", Tampered("counted values"), {}, "gives different values"),
    ("the_same_call_gives_the_same_bytes", Tampered("counted diagnostics"), {}, "different diagnostics"),
    (
        "values_lie_on_the_image",
        Brightness(),
        {"xaimri.explainer.explanations_of": lambda *_: ()},
        "3 images gave 0 explanations",
    ),
    ("finite_or_a_caveat", Tampered("no package"), {}, "a caveat needs the package before its name"),
    (
        "finite_or_a_caveat",
        Tampered("NaN"),
        {"xaimri.attribution.common_caveats": lambda *_: ()},
        "no caveat says why",
    ),
    (
        "the_prediction_is_explained",
        Tampered("twice if named"),
        {},
        "another map than the default",
    ),
    (
        "the_prediction_is_explained",
        Brightness(),
        {"xaimri.explainer.resolve_targets": lambda targets, classes, n: (0,) * n},
        "the default target is not the predicted class",
    ),
    (
        "the_target_is_the_one_asked_for",
        Brightness(),
        {"xaimri.explainer.resolve_targets": lambda targets, classes, n: (None,) * n},
        "not the one that was asked for",
    ),
    ("another_class_can_stand_against_it", Tampered("no other class"), {}, "map of the class alone"),
    (
        "another_class_can_stand_against_it",
        Brightness(),
        {"xaimri.explainer.resolve_against": lambda *_: None},
        "not those that were asked for",
    ),
    ("scores_are_the_models", Tampered("other logits"), {}, "`logits` are not the model's"),
    ("a_batch_equals_one_by_one", Tampered("shares of the batch"), {}, "depends on the other images"),
    ("a_batch_equals_one_by_one", Tampered("the place in the batch"), {}, "depends on the other images"),
    (
        "the_images_stay_as_they_are",
        Brightness(),
        {"xaimri.sealed.frozen": lambda array: array},
        "changes when the caller's array does",
    ),
    ("the_model_stays_as_it_is", Tampered("another model"), {}, "changed the model"),
    ("global_state_stays_as_it_is", Tampered("a global seed"), {}, "numpy's generator"),
    ("global_state_stays_as_it_is", Tampered("numpy's errors"), {}, "error handling"),
    ("global_state_stays_as_it_is", Tampered("matplotlib's style"), {}, "rcParams"),
    ("nothing_can_be_changed", Thawed(), {}, "`name` of the Thawed can be set"),
    (
        "nothing_can_be_changed",
        Brightness(),
        {"xaimri.sealed.frozen": lambda array: array},
        "can be written",
    ),
    ("pickling_keeps_everything", Lossy(3.0), {}, "another after pickling"),
    (
        "storing_keeps_everything",
        Brightness(),
        {"xaimri.testing.records.load": load_in_feet},
        "`unit` is another",
    ),
    ("the_record_rebuilds_the_explainer", Doubling(), {}, "rebuilds another explainer"),
    (
        "an_unknown_class_is_refused",
        Brightness(),
        {"xaimri.explainer.resolve_targets": lambda targets, classes, n: (0,) * n},
        "must be refused with InvalidInput",
    ),
    ("a_missing_capability_is_named", Understated(), {}, "gives something else"),
    (
        "a_missing_capability_is_named",
        GradCAM(),
        {"xaimri.explainer._lack": lambda *_: "no."},
        "name need and model",
    ),
]
BY_NAME = {promise.__name__: promise for promise in PROMISES}


@pytest.fixture
def images() -> Images:
    return model_and_images()[1]


@pytest.fixture
def model() -> LinearClassifier:
    return model_and_images()[0]


@pytest.mark.parametrize(
    ("promise", "explainer", "changes", "sentence"),
    [pytest.param(*case, id=f"{case[0]}-{i}") for i, case in enumerate(BROKEN)],
)
def test_a_broken_promise_is_told(
    promise: str,
    explainer: Explainer[Any],
    changes: dict[str, Any],
    sentence: str,
    model: LinearClassifier,
    images: Images,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for place, value in changes.items():
        monkeypatch.setattr(place, value)
    with mpl.rc_context(), np.errstate(), pytest.raises(AssertionError, match=sentence) as told:
        BY_NAME[promise](explainer, model, images)
    assert "\n" not in str(told.value)


def test_every_promise_is_broken_by_somebody() -> None:
    assert {promise for promise, *_ in BROKEN} == set(BY_NAME)


def test_drawing_from_numpys_generator_breaks_no_promise_about_maps(
    model: LinearClassifier, images: Images
) -> None:
    broken = set()
    for promise in PROMISES:
        try:
            promise(Tampered("numpy's generator"), model, images)
        except AssertionError:
            broken.add(promise.__name__)
    assert broken == {"global_state_stays_as_it_is", "random_numbers_have_a_seed"}


@pytest.mark.parametrize("rank", SHAPES)
def test_an_honest_explainer_passes(rank: str) -> None:
    check_explainer(Brightness(2.0), *model_and_images(rank))


def test_one_call_tells_all_that_are_broken(model: LinearClassifier, images: Images) -> None:
    with pytest.raises(AssertionError) as told:
        check_explainer(Tampered("other logits"), model, images)
    assert str(told.value).count("scores_are_the_models: `logits` are not the model's.") == 1
    with pytest.raises(AssertionError) as told:
        check_explainer(Unhashable(), model, images)
    first, second, *_ = str(told.value).splitlines()
    assert "broken" in first
    assert "equal_settings_are_equal_explainers: the explainer has no hash" in second


def test_a_forgotten_name_is_told_where_the_class_is_made() -> None:
    with pytest.raises(InvalidInput, match=r"BrightParts has no name\b.*`name: ClassVar\[str\] = "):

        @dataclass(frozen=True)
        class BrightParts(Explainer[Classifier]):
            attribute = Brightness.attribute
            factor: float = 1.0


def test_a_name_that_was_inherited_is_all_that_is_told(model: LinearClassifier, images: Images) -> None:
    with pytest.raises(AssertionError) as told:
        check_explainer(Brighter(), model, images)
    _, line = str(told.value).splitlines()
    assert line.startswith("- the_method_has_a_name: Brighter has no `name` of its own: write")


def test_one_image_is_too_few(model: LinearClassifier, images: Images) -> None:
    with pytest.raises(AssertionError, match="give at least two images"):
        check_explainer(Brightness(), model, images[:1])


def test_every_promise_has_a_sentence_and_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(PROMISES)
    assert all((promise.__doc__ or "").strip().splitlines()[0].endswith(".") for promise in PROMISES)
