"""What a classifier said beside the truth: labels, subjects, class names, and means by subject."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import labels_of
from xaimri.errors import InvalidInput, shown
from xaimri.names import stated

LevelName = Literal["slice", "subject"]
"""Whether an image counts by itself, or a subject's images count together."""


def _listed(truth: object) -> Array:
    """Return labels as an array."""
    try:
        return np.asarray(truth)
    except ValueError:  # rows of different lengths
        raise InvalidInput(f"`truth` must be one label per image, got {shown(truth)}.") from None


def truth_of(
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None,
    classes: Sequence[str] | None,
    shape: tuple[int, ...],
    independent: bool,
) -> tuple[Int[Array, " cases"], list[Hashable], tuple[str, ...]]:
    """Return labels, subjects and class names of either kind of truth."""
    own: Sequence[Hashable | None]
    named: tuple[str, ...] | None = None
    if isinstance(truth, Dataset):
        labels, own, named = truth.labels, truth.subjects, truth.classes
    else:
        labels, named = labels_of(truth) if is_loader(truth) else (_listed(truth), None)
        own = [None] * labels.size
    default = tuple(f"class_{i}" for i in range(shape[-1] if shape else 0)) if named is None else named
    if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind not in "iu":
        raise InvalidInput(
            "the true labels must be integers, one per case, at least one: pass class indices."
        )
    given = own if subjects is None else [stated(subject) for subject in subjects]
    if len(given) != len(labels):
        raise InvalidInput(f"`subjects` needs one entry per case, {len(labels)}, got {len(given)}.")
    unknown = sum(subject is None for subject in given)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(labels)} cases have no subject, and the intervals are over subjects: pass "
            "`subjects=`, one per case, or `independent=True` if each such image is of its own person."
        )
    who = [f"case {i:09d}" if subject is None else f"subject {subject}" for i, subject in enumerate(given)]
    names = tuple(default if classes is None else classes)
    return _matched(labels.astype(np.int64), named, names), list(who), names


def _matched(
    labels: Int[Array, " cases"], named: tuple[str, ...] | None, names: tuple[str, ...]
) -> Int[Array, " cases"]:
    """Return labels that count in the order of the columns, where both sides have names in common."""
    if named is None or named == names or not set(named) & set(names):
        return labels
    held = sorted(set(labels.tolist()))
    unknown = [named[label] for label in held if named[label] not in names]
    if unknown:
        raise InvalidInput(
            f"the truth holds {unknown[0]!r}, and `classes` are {', '.join(map(repr, names))}: call each "
            "class by one name."
        )
    place = np.array([names.index(name) if name in names else -1 for name in named])
    matched: Array = place[labels]
    return matched


def probabilities_of(
    probabilities: Scores, labels: Array, names: tuple[str, ...]
) -> Float[Array, "cases classes"]:
    """Return probabilities as numbers, one row per case, once they are held to be such."""
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape != (len(labels), len(names)):
        raise InvalidInput(
            f"`probabilities` must be (cases, classes) = {(len(labels), len(names))}, got {p.shape}: pass "
            "one row per case and one column per class."
        )
    if not np.isfinite(p).all() or p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-2:
        raise InvalidInput(
            "`probabilities` must be at least 0 and sum to 1 in every row: apply softmax first."
        )
    if labels.min() < 0 or labels.max() >= len(names):
        raise InvalidInput(
            f"labels must be class indices from 0 to {len(names) - 1}, got {labels.min()} to {labels.max()}."
        )
    return p


def subject_means(p: Array, labels: Array, person: Array) -> tuple[Array, Array, Array]:
    """Return mean probability, true class and subject of every (subject, class)."""
    pairs, inverse = np.unique(np.stack([person, labels], axis=1), axis=0, return_inverse=True)
    sums = np.zeros((len(pairs), p.shape[1]))
    np.add.at(sums, inverse.ravel(), p)
    mean = _rounded(sums / np.bincount(inverse.ravel())[:, None])
    return mean, pairs[:, 1], pairs[:, 0]


def _rounded(values: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """Return values to 40 binary digits: means of equal numbers are equal, however many there are."""
    digits, power = np.frexp(values)
    rounded: Array = np.ldexp(np.round(digits * 2.0**40) / 2.0**40, power)
    return rounded


@dataclass(frozen=True, eq=False)
class Compared:
    """Probabilities beside the truth at one level, and whose they are.

    Attributes
    ----------
    p
        Probabilities.
    labels
        True classes.
    owner
        Whose case each is, as an index into ``people``.
    people
        What every subject is called.
    classes
        Names of the columns.
    strata
        The most frequent class of every subject, within which subjects are drawn.
    """

    p: Float[Array, "cases classes"]
    labels: Int[Array, " cases"]
    owner: Int[Array, " cases"]
    people: tuple[str, ...]
    classes: tuple[str, ...]
    strata: Int[Array, " people"]

    def subjects_of(self, chosen: Bool[Array, " cases"]) -> int:
        """Return how many subjects have one of some cases."""
        return len(np.unique(self.owner[chosen]))

    @property
    def single(self) -> bool:
        """Whether no subject has two cases."""
        return len(np.unique(self.owner)) == len(self.owner)

    def beside(self, other: Compared) -> Compared:
        """Return these cases and another classifier's, whose subjects count as further ones."""
        return Compared(
            np.concatenate([self.p, other.p]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.owner, other.owner + len(self.people)]),
            self.people + other.people,
            self.classes,
            np.concatenate([self.strata, other.strata]),
        )

    def totals(self, values: Float[Array, "cases figures"]) -> Float[Array, "people figures"]:
        """Return the sum of every column over each subject's cases."""
        sums = np.zeros((len(self.people), values.shape[1]))
        np.add.at(sums, self.owner, values)
        return sums

    def class_named(self, positive: str | int) -> int:
        """Return the column of a class that is given by its name or its number."""
        if isinstance(positive, str) and positive in self.classes:
            return self.classes.index(positive)
        if not isinstance(positive, str) and 0 <= positive < len(self.classes):
            return int(positive)
        names = ", ".join(map(repr, self.classes))
        raise InvalidInput(f"`positive` must be one of {names}, or its number, got {shown(positive)}.")


def compare(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None,
    classes: Sequence[str] | None,
    independent: bool,
    level: LevelName,
) -> Compared:
    """Put probabilities beside the truth; by subject, they are means over each subject's cases."""
    labels, who, names = truth_of(truth, subjects, classes, np.shape(probabilities), independent)
    p = probabilities_of(probabilities, labels, names)
    people, person = np.unique(np.array([str(one) for one in who]), return_inverse=True)
    counts = np.zeros((len(people), len(names)), dtype=np.int64)
    np.add.at(counts, (person, labels), 1)
    order = np.lexsort((*p.T, labels, person))  # sums are the same to the bit, however the cases come
    p, labels, person = p[order], labels[order], person[order]
    if level == "subject":
        p, labels, person = subject_means(p, labels, person)
    return Compared(p, labels, person, tuple(people.tolist()), names, counts.argmax(axis=1))
