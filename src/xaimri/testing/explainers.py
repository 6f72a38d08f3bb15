"""Check that an explainer keeps every promise of the contract."""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from xaimri.arrays import Array, Images, Scores
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.explainer import Explainer
from xaimri.explanation import Explanation
from xaimri.objective import softmax
from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.records import equal, immutable, pickled, recorded, stored
from xaimri.testing.trial import Trial


class ScoresOnly:
    """The same classifier with nothing but its scores."""

    def __init__(self, model: Classifier) -> None:
        self._model = model

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self._model.classes

    def logits(self, images: Images, /) -> Scores:
        """Return the logits of every image, ``(batch, classes)``."""
        return self._model.logits(images)


def check_explainer(
    explainer: Explainer[Any], model: Classifier, images: Images, *, tolerance: float = 1e-5
) -> None:
    """Check every promise of the contract of an explainer.

    Values have the shape of the image; the default target is the prediction; a batch equals one by
    one; the same call gives the same bytes, whatever the global random state; inputs, model and
    globals are untouched; explanation and explainer are immutable and picklable; the record
    round-trips through JSON and rebuilds an equal explainer; values are finite, or a caveat says so;
    an unknown target is refused with the allowed ones; a missing capability is named with a way out.

    Parameters
    ----------
    explainer
        The method to check, with cheap settings.
    model
        A classifier with the capability that the method needs.
    images
        ``(batch, *space, channels)``: at least two different images, of any rank.
    tolerance
        For maps that should agree, in units of their largest value.

    Raises
    ------
    AssertionError
        If a promise is broken; the sentence says which.

    Examples
    --------
    >>> from xaimri import LIME, LinearClassifier
    >>> model = LinearClassifier.random((5, 6, 4, 1), classes=3, seed=0)
    >>> images = np.random.default_rng(0).random((2, 5, 6, 4, 1), dtype=np.float32)
    >>> check_explainer(LIME(samples=20, regions=4), model, images)
    """
    claim(len(images) > 1, "give at least two images, so that a batch can differ from one by one.")
    trial = Trial(explainer, model, np.array(images, dtype=np.float32), tolerance)
    for promise in PROMISES:
        promise(trial)


def _shape(trial: Trial) -> None:
    found = trial.run()
    claim(len(found) == len(trial.images), f"{len(trial.images)} images gave {len(found)} explanations.")
    for explanation, image in zip(found, trial.images, strict=True):
        wanted = image.shape[:-1]
        for name, array in _on_image(explanation).items():
            claim(array.shape == wanted, f"`{name}` must have the image's shape {wanted}, got {array.shape}.")
        claim(identical(explanation.image, image), "`image` is not the image that was given.")
        claim(explanation.classes == tuple(trial.model.classes), "`classes` are not the model's.")
        claim(explanation.unit, "`unit` must say what one unit of the values is.")


def _on_image(explanation: Explanation) -> dict[str, Array]:
    """Return the arrays that lie on the image."""
    arrays = {"values": explanation.values, "errors": explanation.errors}
    if explanation.regions is not None:
        arrays["regions.labels"] = explanation.regions.labels
    return {name: array for name, array in arrays.items() if array is not None}


def _finite(trial: Trial) -> None:
    for explanation in trial.run():
        claim(np.isfinite(explanation.logits).all(), "`logits` must be finite.")
        if not np.isfinite(explanation.values).all():
            claim(explanation.caveats, "some values are not finite, and no caveat says why.")
        for caveat in explanation.caveats:
            claim(
                caveat.name.isidentifier() and caveat.text.strip().endswith("."),
                f"a caveat needs a name such as `poor_fit` and a sentence, got {caveat!r}.",
            )


def _target(trial: Trial) -> None:
    logits = trial.model.logits(trial.images.copy())
    predicted = [int(i) for i in logits.argmax(axis=1)]
    found = trial.run()
    claim([e.target for e in found] == predicted, "the default target is not the predicted class.")
    names = [trial.model.classes[i] for i in predicted]
    for which, targets in (("index", predicted), ("name", names)):
        for one, other in zip(found, trial.run(targets=targets), strict=True):
            apart = gap(one.values, other.values)
            claim(
                apart <= trial.tolerance,
                f"the prediction, named by its {which}, gives another map than the default.",
            )
    others = [(i + 1) % len(trial.model.classes) for i in predicted]
    asked = [e.target for e in trial.run(targets=others)]
    claim(asked == others, "the target is not the one that was asked for.")
    for explanation, row in zip(found, logits, strict=True):
        claim(gap(explanation.logits, row) <= trial.tolerance, "`logits` are not the model's.")
        own = softmax(explanation.logits[None].astype(np.float64))[0]
        claim(
            np.abs(explanation.probabilities - own).max() < 1e-5, "`probabilities` are not softmax(logits)."
        )


def _batch(trial: Trial) -> None:
    together = trial.run()
    backwards = trial.run(trial.images[::-1])[::-1]
    for i, (one, turned) in enumerate(zip(together, backwards, strict=True)):
        (alone,) = trial.run(trial.images[i : i + 1])
        apart = max(gap(one.values, alone.values), gap(one.values, turned.values))
        claim(
            apart <= trial.tolerance,
            f"the map of image {i} depends on the other images of the batch ({apart:.1e} of its peak).",
        )


def _deterministic(trial: Trial) -> None:
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        runs = []
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            runs.append(trial.run())
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
    for one, other in zip(*runs, strict=True):
        claim(identical(one.values, other.values), "the same call twice gives different values.")
        claim(one.diagnostics == other.diagnostics, "the same call twice gives different diagnostics.")


def _untouched(trial: Trial) -> None:
    given = trial.images.copy()
    logits = trial.model.logits(trial.images.copy())
    found = _watched(trial, given)
    claim(identical(given, trial.images), "the images that were given have changed.")
    claim(gap(trial.model.logits(trial.images.copy()), logits) <= 1e-6, "explaining changed the model.")
    kept = [e.values.copy() for e in found]
    given += 1
    claim(
        all(
            identical(e.image, x) and identical(e.values, v)
            for e, x, v in zip(found, trial.images, kept, strict=True)
        ),
        "the explanation changes when the caller's array does.",
    )
    given -= 1
    given.flags.writeable = False
    trial.explainer.explain(trial.model, given)


def _watched(trial: Trial, given: Images) -> tuple[Explanation, ...]:
    """Explain from a global state that no seed gives, and see that it stays."""
    kept = np.random.get_state()  # noqa: NPY002
    np.random.random(11)  # noqa: NPY002
    before = _globals()
    try:
        found = trial.explainer.explain(trial.model, given)
        after = _globals()
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    for name, state in before.items():
        claim(state == after.get(name, state), f"explaining changed the global state of {name}.")
    return found


def _globals() -> dict[str, Any]:
    """Return a picture of what must not change."""
    state: dict[str, Any] = {
        "numpy's generator": pickle.dumps(np.random.get_state()),  # noqa: NPY002
        "numpy's error handling": np.geterr(),
    }
    if "beartype" not in sys.modules:  # whose checks draw from it themselves
        state["Python's generator"] = random.getstate()
    drawing = sys.modules.get("matplotlib")
    if drawing is not None:
        state["matplotlib's rcParams"] = {k: repr(v) for k, v in dict.items(drawing.rcParams)}
    return state


def _unknown_target(trial: Trial) -> None:
    names = trial.model.classes
    for target in ("no such class", len(names)):
        try:
            trial.run(targets=target)
        except InvalidInput as refusal:
            claim(
                all(name in str(refusal) for name in names),
                f"the refusal of the target {target!r} does not name the classes: {refusal}",
            )
        else:
            raise AssertionError(f"the unknown target {target!r} must be refused with InvalidInput.")


def _capability(trial: Trial) -> None:
    needs, poor = trial.explainer.needs, ScoresOnly(trial.model)
    if isinstance(poor, needs):
        found = trial.explainer.explain(poor, trial.images.copy())
        claim(
            all(gap(a.values, b.values) <= trial.tolerance for a, b in zip(found, trial.run(), strict=True)),
            f"the method names no need beyond a {needs.__name__}, and gives something else with one.",
        )
        return
    try:
        trial.explainer.explain(poor, trial.images.copy())
    except MissingCapability as refusal:
        told = str(refusal)
        claim(
            needs.__name__ in told and "ScoresOnly" in told, f"the refusal must name need and model: {told}"
        )
        claim(" use " in told, f"the refusal must name a way out: {told}")
    else:
        raise AssertionError(f"a model that is no {needs.__name__} must be refused with MissingCapability.")


PROMISES: tuple[Callable[[Trial], None], ...] = (
    equal,
    _shape,
    _target,
    _finite,
    _deterministic,
    _batch,
    _untouched,
    immutable,
    pickled,
    recorded,
    stored,
    _unknown_target,
    _capability,
)
