"""Cooperative games whose Shapley values are known in closed form: the truth for estimators and explainers.

Every game is frozen and has ``value(coalitions)``, ``(samples, players)`` of bool to ``(samples,)``, and
``shapley``, ``(players,)``. No game shares code with the library.
"""

from dataclasses import dataclass
from itertools import product
from math import comb, factorial

import numpy as np


@dataclass(frozen=True, eq=False)
class Linear:
    """Every player adds its own effect, whoever else is there."""

    effects: np.ndarray
    base: float = 0.0

    @property
    def shapley(self):
        return self.effects.astype(float)

    def value(self, coalitions):
        return self.base + coalitions @ self.effects


@dataclass(frozen=True, eq=False)
class And:
    """1 where all members are there: each has one share of it."""

    players: int
    members: tuple[int, ...]

    @property
    def shapley(self):
        return shared(self.players, self.members, 1.0)

    def value(self, coalitions):
        return coalitions[:, self.members].all(axis=1).astype(float)


@dataclass(frozen=True, eq=False)
class Or:
    """1 where any member is there: the dual of :class:`And`, with the same values."""

    players: int
    members: tuple[int, ...]

    @property
    def shapley(self):
        return shared(self.players, self.members, 1.0)

    def value(self, coalitions):
        return coalitions[:, self.members].any(axis=1).astype(float)


@dataclass(frozen=True, eq=False)
class Parity:
    """1 where an odd number of members is there; symmetric, so that they share what all of them make."""

    players: int
    members: tuple[int, ...]

    @property
    def shapley(self):
        return shared(self.players, self.members, len(self.members) % 2)

    def value(self, coalitions):
        return (coalitions[:, self.members].sum(axis=1) % 2).astype(float)


@dataclass(frozen=True, eq=False)
class Symmetric:
    """Depends on the number of members that are there: ``levels[s]`` for ``s`` of them; others are null."""

    players: int
    members: tuple[int, ...]
    levels: tuple[float, ...]

    @property
    def shapley(self):
        return shared(self.players, self.members, self.levels[-1] - self.levels[0])

    def value(self, coalitions):
        return np.array(self.levels, float)[coalitions[:, self.members].sum(axis=1)]


@dataclass(frozen=True, eq=False)
class Suppressor:
    """A source worth 1 unless its suppressor is there: ``source * (1 - strength * suppressor)``."""

    players: int
    source: int
    suppressor: int
    strength: float = 1.0

    @property
    def shapley(self):
        found = np.zeros(self.players)
        found[self.source], found[self.suppressor] = 1 - self.strength / 2, -self.strength / 2
        return found

    def value(self, coalitions):
        return coalitions[:, self.source] * (1 - self.strength * coalitions[:, self.suppressor])


@dataclass(frozen=True, eq=False)
class Saturated:
    """``min(1, step * members)``, the step ``1 / enough``: more than enough members add nothing."""

    players: int
    members: tuple[int, ...]
    enough: int

    @property
    def shapley(self):
        return shared(self.players, self.members, min(1.0, len(self.members) / self.enough))

    def value(self, coalitions):
        return np.minimum(1.0, coalitions[:, self.members].sum(axis=1) / self.enough)


@dataclass(frozen=True, eq=False)
class SaturatedSum:
    """``min(1, sum of whole-numbered weights / most)``: members of different worth, one ceiling.

    A player's value is its mean gain over the totals of those before it; how often a total comes with how
    many players is counted by dynamic programming.
    """

    weights: tuple[int, ...]
    most: int

    @property
    def shapley(self):
        return np.array([self._one(player) for player in range(len(self.weights))])

    def _one(self, player):
        others = [w for i, w in enumerate(self.weights) if i != player]
        ways = np.zeros((len(others) + 1, sum(others) + 1))  # coalitions by size and total
        ways[0, 0] = 1
        for weight in others:
            ways[1:, weight:] += ways[:-1, : ways.shape[1] - weight].copy()
        total, count = np.arange(ways.shape[1]), len(others)
        gain = np.minimum(1, (total + self.weights[player]) / self.most) - np.minimum(1, total / self.most)
        return sum(ways[s] @ gain / comb(count, s) for s in range(count + 1)) / (count + 1)

    def value(self, coalitions):
        return np.minimum(1.0, coalitions @ np.array(self.weights) / self.most)


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of leaves, each with players that must be there, players that must not, and a height.

    ``present`` and ``absent`` are ``(leaves, players)`` of bool, ``heights`` is ``(leaves,)``.
    """

    present: np.ndarray
    absent: np.ndarray
    heights: np.ndarray

    @classmethod
    def random(cls, players, trees=10, depth=3, seed=0):
        """Return full binary trees, each of which splits by players of its own; leaves are normal."""
        generator = np.random.default_rng(seed)
        depth = min(depth, players)
        chosen = [generator.choice(players, depth, replace=False) for _ in range(trees)]
        ways = np.array(list(product([False, True], repeat=depth)), bool).reshape(2**depth, depth)
        present = np.zeros((trees * len(ways), players), bool)
        absent = present.copy()
        for tree, splits in enumerate(chosen):
            rows = slice(tree * len(ways), (tree + 1) * len(ways))
            present[rows, splits], absent[rows, splits] = ways, ~ways
        return cls(present, absent, generator.normal(size=len(present)))

    @property
    def shapley(self):
        found = np.zeros(self.present.shape[1])
        for present, absent, height in zip(self.present, self.absent, self.heights, strict=True):
            p, q = int(present.sum()), int(absent.sum())
            if p:
                found[present] += height * factorial(p - 1) * factorial(q) / factorial(p + q)
            if q:
                found[absent] -= height * factorial(p) * factorial(q - 1) / factorial(p + q)
        return found

    def value(self, coalitions):
        shown = coalitions.astype(int)
        lacks = (1 - shown) @ self.present.T.astype(int)
        excess = shown @ self.absent.T.astype(int)
        return ((lacks == 0) & (excess == 0)) @ self.heights


@dataclass(frozen=True, eq=False)
class Sum:
    """Several games of the same players at once; Shapley values add up."""

    games: tuple

    @property
    def shapley(self):
        return np.sum([game.shapley for game in self.games], axis=0)

    def value(self, coalitions):
        return np.sum([game.value(coalitions) for game in self.games], axis=0)


def shared(players, members, worth):
    """Return values of a game that treats its members alike and knows no one else."""
    found = np.zeros(players)
    found[list(members)] = worth / len(members)
    return found


def shapley_by_enumeration(value, players):
    """Return the Shapley values of any game from all ``2 ** players`` coalitions, by the definition."""
    number = np.arange(2**players)
    masks = (number[:, None] >> np.arange(players) & 1).astype(bool)
    values, size = np.asarray(value(masks), float), masks.sum(axis=1)
    weight = np.array([factorial(s) * factorial(players - 1 - s) for s in range(players)], float)
    found = np.zeros(players)
    for player in range(players):
        before = number[~masks[:, player]]
        gain = values[before | 1 << player] - values[before]
        found[player] = weight[size[before]] @ gain / factorial(players)
    return found


def examples(players):
    """Return one game of every kind, by name, for at least four players."""
    generator = np.random.default_rng(players)
    odd = tuple(range(1, players, 2))
    return {
        "linear": Linear(generator.normal(size=players), base=2.0),
        "and": And(players, (0, players - 1, 2)),
        "or": Or(players, odd),
        "parity of an odd number": Parity(players, (0, 1, players - 1)),
        "parity of an even number": Parity(players, (0, 1, 2, 3)),
        "null": Symmetric(players, (1,), (0.5, 0.5)),
        "symmetric": Symmetric(players, odd, tuple(generator.normal(size=len(odd) + 1).tolist())),
        "suppressor": Suppressor(players, 2, 0),
        "half suppressor": Suppressor(players, 1, 3, strength=0.5),
        "saturated": Saturated(players, tuple(range(players - 1)), enough=2),
        "saturated sum": SaturatedSum(tuple(i % 4 for i in range(players)), most=5),
        "trees": Trees.random(players, trees=6, depth=3, seed=players),
        "sum": Sum((And(players, (0, 1)), Suppressor(players, 1, 2), Trees.random(players, seed=1))),
    }


class GameClassifier:
    """Says of an image what a game says of the regions that it shows.

    A region is shown where its first pixel is above one half, in the first channel. The logits of the
    two classes ``"rest"`` and ``"game"`` are 0 and the game's value.
    """

    classes = ("rest", "game")

    def __init__(self, game, labels):
        self.game, self.first = game, [np.flatnonzero(labels == r)[0] for r in range(labels.max() + 1)]

    def logits(self, images, /):
        level = images[..., 0].reshape(len(images), -1)
        value = self.game.value(level[:, self.first] > 0.5)
        return np.stack([0 * value, value], axis=1).astype(np.float32)


def as_model(game, labels):
    """Return a classifier of images whose regions play a game; ``absent=0.0`` hides a region of it."""
    return GameClassifier(game, labels)


def picture(labels, channels=1):
    """Return the image that shows every region: a batch of one, ``(1, *space, channels)``."""
    return np.repeat((labels >= 0)[None, ..., None], channels, axis=-1).astype(np.float32)
