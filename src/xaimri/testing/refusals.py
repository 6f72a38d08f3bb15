"""Promises about what can't be done: an unknown class, and a model that lacks what the method needs."""

from __future__ import annotations

from xaimri.errors import InvalidInput, MissingCapability
from xaimri.targets import Target
from xaimri.testing.claims import claim, gap
from xaimri.testing.runs import ExplainerOnImages, ScoresOnly, explainer_promise


@explainer_promise
def an_unknown_class_is_refused(given: ExplainerOnImages) -> None:
    """A class that the model has not is refused with InvalidInput that names those it has."""
    names = given.model.classes
    unknown: tuple[Target, ...] = ("no such class", len(names))
    for target in unknown:
        try:
            given.explanations(targets=target)
        except InvalidInput as refusal:
            claim(
                all(name in str(refusal) for name in names),
                f"the refusal of the target {target!r} does not name the classes: {refusal}",
            )
        else:
            raise AssertionError(f"the unknown target {target!r} must be refused with InvalidInput.")


@explainer_promise
def a_missing_capability_is_named(given: ExplainerOnImages) -> None:
    """A model that lacks what the method needs is refused with MissingCapability and a way out.

    A method that needs scores alone gives the same map on a model that has nothing else.
    """
    needs, poor = given.explainer.needs, ScoresOnly(given.model)
    if isinstance(poor, needs):
        pairs = zip(given.explanations(model=poor), given.explanations(), strict=True)
        claim(
            all(gap(a.values, b.values) <= given.tolerance for a, b in pairs),
            f"the method names no need beyond a {needs.__name__}, and gives something else with one.",
        )
        return
    try:
        given.explanations(model=poor)
    except MissingCapability as refusal:
        told = str(refusal)
        claim(
            needs.__name__ in told and "ScoresOnly" in told, f"the refusal must name need and model: {told}"
        )
        claim(" use " in told, f"the refusal must name a way out: {told}")
    else:
        raise AssertionError(f"a model that is no {needs.__name__} must be refused with MissingCapability.")
