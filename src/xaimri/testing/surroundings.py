"""Promises about everything around a call: images, model and global state stay as they are."""

from __future__ import annotations

import pickle
import random
import sys
from typing import Any

import numpy as np

from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.runs import ExplainerOnImages, explainer_promise


@explainer_promise
def the_images_stay_as_they_are(given: ExplainerOnImages) -> None:
    """The caller's array is neither changed nor kept, and may be read-only."""
    own = given.images.copy()
    found = given.explainer.explain(given.model, own)
    claim(identical(own, given.images), "the images that were given have changed.")
    kept = [e.values.copy() for e in found]
    own += 1
    claim(
        all(
            identical(e.image, x) and identical(e.values, v)
            for e, x, v in zip(found, given.images, kept, strict=True)
        ),
        "the explanation changes when the caller's array does.",
    )
    own -= 1
    own.flags.writeable = False
    given.explainer.explain(given.model, own)


@explainer_promise
def the_model_stays_as_it_is(given: ExplainerOnImages) -> None:
    """The model gives the same scores after explaining as before."""
    before = given.model.logits(given.images.copy())
    given.explanations()
    after = given.model.logits(given.images.copy())
    claim(gap(after, before) <= 1e-6, "explaining changed the model.")


@explainer_promise
def global_state_stays_as_it_is(given: ExplainerOnImages) -> None:
    """Global generators, numpy's error handling and matplotlib's rcParams are left alone."""
    kept = np.random.get_state()  # noqa: NPY002
    np.random.random(11)  # noqa: NPY002  # a state that no seed gives
    before = _globals()
    try:
        given.explainer.explain(given.model, given.images.copy())
        after = _globals()
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    for name, state in before.items():
        claim(state == after.get(name, state), f"explaining changed the global state of {name}.")


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
