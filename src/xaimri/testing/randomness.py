"""Promises about chance: random numbers come from a seed, and the same call gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from xaimri.explanation import Explanation
from xaimri.testing.claims import claim, identical
from xaimri.testing.generators import unseeded_calls
from xaimri.testing.runs import ExplainerOnImages, explainer_promise

_REMEDY = "take a `seed` as a setting, and draw from `np.random.default_rng(self.seed)`."


@explainer_promise
def random_numbers_have_a_seed(given: ExplainerOnImages) -> None:
    """Nothing is drawn from Python's or numpy's global generator, nor from one that has no seed."""
    one = given.explanations()  # a first call may import, which is no drawing
    with unseeded_calls() as places:
        again = given.explanations()
        others = {
            "Python's `random`": given.explanations(seeds=(1, 0)),
            "numpy's global generator": given.explanations(seeds=(0, 1)),
        }
    where = " and ".join(sorted(set(places)))
    claim(not places, f"`np.random.default_rng()` is called without a seed ({where}): {_REMEDY}")
    if not _alike(one, again):
        return  # not a global generator's doing: the next promise says so
    for name, other in others.items():
        claim(_alike(one, other), f"the map depends on {name}, which is global: {_REMEDY}")


def _alike(one: Sequence[Explanation], other: Sequence[Explanation]) -> bool:
    return all(identical(a.values, b.values) for a, b in zip(one, other, strict=True))


@explainer_promise
def the_same_call_gives_the_same_bytes(given: ExplainerOnImages) -> None:
    """Two equal calls give the same values and the same diagnostics, to the last bit."""
    one, other = (given.explanations() for _ in range(2))
    claim(
        _alike(one, other),
        "the same call twice gives different values: seed every generator, keep nothing between calls.",
    )
    for first, second in zip(one, other, strict=True):
        claim(first.diagnostics == second.diagnostics, "the same call twice gives different diagnostics.")
