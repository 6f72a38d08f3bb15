"""Operations in which branches meet that place the cells differently, and what each branch carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from xaimri.adapters.keras.tensors import Tensor


@dataclass(frozen=True, eq=False)
class Merger:
    """An operation in which branches meet that place the cells differently."""

    output: Tensor
    branches: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """What the operation is called in its graph."""
        return str(self.output.op.name)


Shares: TypeAlias = Mapping[str, Sequence[float]]
"""How much each branch of a merger carries, by the merger's name; they add up to 1. Without, all the same."""


@dataclass(frozen=True)
class Mergers:
    """What is known of the mergers of a graph, and those that are met while it is gone through."""

    shares: Shares = field(default_factory=dict)
    met: list[Merger] = field(default_factory=list)
