"""Effects of interventions, and of what is held fixed, over people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool

from xaimri.arrays import Array, Scores
from xaimri.audit.covariates import Target
from xaimri.audit.effect import Effect
from xaimri.audit.held import agrees, held_fixed
from xaimri.audit.interventions import Intervention
from xaimri.audit.people import People, Predictions, above_chance, drops
from xaimri.audit.probe import Probe
from xaimri.audit.probes import corrected, probe
from xaimri.audit.readings import CHANGED, IMPOSSIBLE, UNCHANGED, Readings
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.student import tail_of

DRAWS = 20
"""So many resamples lie in the tail of a bound."""

MOST = 2**24
"""People of all resamples together that are held, if those of a tail are more."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Answers by person to images as they are and as changed, and how people are drawn."""

    people: People
    weights: Array
    found: Readings
    more: dict[str, Array] = field(default_factory=dict)

    def predictions(self, logits: Scores, used: Bool[Array, " cases"]) -> Predictions:
        """Return what is predicted of each person by some of the cases."""
        return self.people.predictions(logits, used)

    def estimate(self, one: Predictions) -> Estimate:
        """Return balanced accuracy with its interval."""
        if not one.able:
            return Estimate.none()
        jackknife = self.people.jackknife
        return jackknife.estimate(one.balanced(jackknife.weights), one.makers)

    def order(self, one: Predictions) -> Estimate:
        """Return the mean AUROC with its interval; without one where all odds are equal."""
        if not one.able:
            return Estimate.none()
        if (one.odds == one.odds[0]).all():
            return Estimate.alone(one.order)
        jackknife = self.people.jackknife
        return jackknife.estimate(one.ordered(jackknife.weights), one.makers, shape="logit")

    def disorder(self, before: Predictions, after: Predictions, rows: int) -> tuple[Estimate, float]:
        """Return by how much the mean AUROC falls, and a lower bound that holds for so many rows at once.

        The bound's tail is that of Student's t for so many people, and is read off at least `DRAWS` resamples
        in it: a tail of a few thousandths can't be read off some hundred of them.
        """
        if not before.able or not after.able:
            return Estimate.none(), math.nan
        jackknife = self.people.jackknife
        fall = jackknife.around(before.ordered(jackknife.weights) - after.ordered(jackknife.weights))
        tail = tail_of((1 - self.people.bootstrap.confidence) / 2 / rows, _count(before))
        many = self.drawn(min(math.ceil(DRAWS / tail), MOST // self.people.count))
        least = before.ordered(many) - after.ordered(many)
        return fall, math.nan if np.isnan(least).all() else float(np.nanquantile(least, tail))

    def drawn(self, count: int) -> Array:
        """Return at least so many resamples of people."""
        if count > len(self.more.get("drawn", self.weights)):
            self.more["drawn"] = self.people.weights(count)
        return self.more.get("drawn", self.weights)

    def drop(self, before: Predictions, after: Predictions) -> Estimate:
        """Return by how much balanced accuracy falls, in pairs."""
        if not before.able:
            return Estimate.none()
        return self.people.fall(before, after)


def effects_of(asked: Asked, wanted: Sequence[Intervention]) -> tuple[Effect, ...]:
    """Return the effect of every intervention, over the images that it changes."""
    pairs = [_pair(asked, each) for each in wanted]
    seed = asked.people.bootstrap.seed
    kept = [n for n, each in enumerate(wanted) if each.anatomy]
    gone = [n for n, each in enumerate(wanted) if not each.anatomy]
    p = dict(zip(kept, drops([pairs[n] for n in kept], seed), strict=True))
    p |= dict(zip(gone, above_chance([pairs[n][1] for n in gone], seed, "AUROC"), strict=True))
    tests = bool(kept) + bool(gone)
    p = {place: min(1.0, tests * value) if value == value else value for place, value in p.items()}
    return tuple(
        _effect(asked, each, *pair, p[place], tests * max(len(kept), 1))
        for place, (each, pair) in enumerate(zip(wanted, pairs, strict=True))
    )


def _pair(asked: Asked, each: Intervention) -> tuple[Predictions, Predictions]:
    found, used = asked.found, asked.found.outcomes[each.name] == CHANGED
    return asked.predictions(found.plain, used), asked.predictions(found.changed[each.name], used)


def _effect(
    asked: Asked, each: Intervention, before: Predictions, after: Predictions, p: float, rows: int
) -> Effect:
    outcomes = asked.found.outcomes[each.name]
    changed, unchanged, impossible = (int((outcomes == n).sum()) for n in (CHANGED, UNCHANGED, IMPOSSIBLE))
    return Effect(
        each.name, each.title, each.left, each.anatomy, changed, unchanged, impossible, _count(before),
        asked.estimate(before), asked.estimate(after), asked.drop(before, after), chance_of(before), p,
        max(_elsewhere(after) - _elsewhere(before), 0),
        asked.order(after), *asked.disorder(before, after, rows),
    )  # fmt: skip


def probes_of(asked: Asked, targets: Sequence[Target]) -> tuple[Probe, ...]:
    """Return how well every target is read off the features, and what the decision loses without it."""
    found, people = asked.found, asked.people
    if found.features is None:
        return ()
    bootstrap = people.bootstrap
    made = [probe(found.features, people.labels, people.owner, each, bootstrap) for each in targets]
    made = [replace(one, p=p) for one, p in zip(made, corrected(made), strict=True)]
    if found.readout is None or not agrees(found.features, found.readout, found.plain):
        return tuple(made)
    able = [n for n, one in enumerate(made) if not one.note]
    pairs = [_fixed(asked, targets[n]) for n in able]
    for n, pair, p in zip(able, pairs, drops(pairs, bootstrap.seed), strict=True):
        moved = float((pair[0].predicted != pair[1].predicted).mean())
        made[n] = replace(made[n], drop=asked.drop(*pair), moved=moved, p_drop=p)
    return tuple(made)


def _fixed(asked: Asked, target: Target) -> tuple[Predictions, Predictions]:
    """Return what is predicted of those of whom a target is known, as it is and with the target held."""
    found, people = asked.found, asked.people
    assert found.features is not None
    assert found.readout is not None
    said = np.full(found.plain.shape, np.nan)
    said[target.known] = held_fixed(
        found.features, found.readout, people.labels, people.owner, target, people.bootstrap.seed
    )
    return asked.predictions(found.plain, target.known), asked.predictions(said, target.known)


def chance_of(one: Predictions) -> float:
    """Return balanced accuracy by chance; NaN where there is none."""
    return 1 / len(one.estimable) if one.able else float("nan")


def _elsewhere(one: Predictions) -> int:
    """Return how many are called by a class with too few subjects."""
    return int((~np.isin(one.predicted, one.estimable)).sum()) if one.able else 0


def _count(one: Predictions) -> int:
    return len(set(one.owner.tolist()))
