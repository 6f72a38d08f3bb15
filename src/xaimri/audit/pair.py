"""An image of the test, and the image of training that gives it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["subject", "bytes", "pixels", "near", "neighbour"]
"""Why two images should not be on both sides: one person, equal files, equal pixels, an altered copy, or two
slices of one scan."""

KINDS: tuple[Kind, ...] = ("bytes", "pixels", "near", "neighbour", "subject")
"""All kinds, the plainest leak first."""

MEANING: dict[Kind, str] = {
    "bytes": "files of equal bytes",
    "pixels": "images of equal pixels",
    "near": "altered copies",
    "neighbour": "slices of one scan",
    "subject": "images of one subject",
}
"""What a kind is called in a sentence."""


@dataclass(frozen=True)
class Pair:
    """An image of the test and one of training that gives its answer away.

    Attributes
    ----------
    train, test
        Ids of the cases.
    kind
        ``"bytes"``, ``"pixels"``, ``"near"`` (an altered copy), ``"neighbour"`` (two slices of one scan), or
        ``"subject"``.
    similarity
        How alike they are once the one is laid on the other, at most 1; NaN where that was not asked, or
        could not be told.
    certain
        False for a pair in the uncertain band: a human eye should decide.
    """

    train: str
    test: str
    kind: Kind
    similarity: float
    certain: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for NaN."""
        known = self.similarity == self.similarity
        return {
            "train": self.train, "test": self.test, "kind": self.kind,
            "similarity": round(self.similarity, 4) if known else None, "certain": self.certain,
        }  # fmt: skip
