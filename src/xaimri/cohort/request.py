"""What is asked of a run, in words that can be kept: which model, cases, methods, and for which class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, TypeAlias, cast

import numpy as np

from xaimri.capacity import capacity
from xaimri.cohort.cases import Listed, digest
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.schema import KeptMaps, Precision
from xaimri.cohort.work import LABEL, PREDICTED
from xaimri.errors import InvalidInput, XaimriError, shown
from xaimri.failure import Failure
from xaimri.images.scan import TakenScan
from xaimri.model import Model
from xaimri.names import first_names
from xaimri.objective import Of
from xaimri.sources import Named, attempt
from xaimri.targets import resolve_targets

Probed: TypeAlias = tuple[str, tuple[float, ...], int, tuple[str, ...]]
"""A case, the model's logits of it, its pixels, and the classes: by these the model is known again.

The classes of a function are told by its first answer, maybe in another process."""

TOGETHER = 32
"""Cases of one file of rows, at most: what a stop costs is no more than these."""


def manifest_of(
    model: Model,
    probe: Probed | None,
    explainers: Mapping[str, Any],
    listed: Sequence[Listed],
    asked: tuple[str | int | None, Of | None, str | int | None, KeptMaps, Precision],
) -> Manifest:
    """Say what is asked of which model and cases."""
    target, of, against, maps, precision = asked
    classes = probe[3] if probe is not None else model.classes
    intake = model.intake
    return Manifest(
        cases=digest(listed),
        count=len(listed),
        together=_together(probe),
        methods={name: explainer.record() for name, explainer in explainers.items()},
        target=_target(target, listed, classes),
        of=of,
        against=None if against is None else _class_name(against, classes, "against"),
        maps=maps,
        precision=precision,
        classes=classes,
        intake=tuple(intake.describe()),
        channels=intake.shape[-1] if intake.shape else None,
        axes=3 if intake.volumes else 2,
        layout=intake.layout,
        probe=None if probe is None else (probe[0], probe[1]),
        xaimri=version("xaimri"),
        model=None if model.path is None else str(model.path.absolute()),
    )


def _target(target: str | int | None, listed: Sequence[Listed], classes: Sequence[str]) -> str:
    """Return what is explained, in words."""
    target = PREDICTED if target is None else target
    if target in (PREDICTED, LABEL) and target in classes:
        raise InvalidInput(
            f"`target={target!r}` has a meaning of its own here, and a class is called so: give the class "
            "by its index."
        )
    if target == LABEL:
        for one in listed:
            if one.about.label is None:
                raise InvalidInput(
                    f'target="label" needs a label of every case, and `{one.about.case}` has none.'
                )
            if one.about.label not in classes:  # the very word, as where it is explained
                raise InvalidInput(
                    f'target="label" needs labels that are classes, and `{one.about.case}` has '
                    f"{shown(one.about.label, 30)}: the model's are {first_names(list(classes))}."
                )
    if target in (PREDICTED, LABEL):
        return str(target)
    return _class_name(target, classes)


def _class_name(given: str | int, classes: Sequence[str], name: str = "target") -> str:
    """Return the name of a class that is given by name or index."""
    (index,) = resolve_targets(given, tuple(classes), 1, name)
    return classes[cast(int, index)]


def _together(probe: Probed | None) -> int:
    """Return how many cases make a file: fewer of volumes, whose maps are held until it is written."""
    return TOGETHER if probe is None else max(1, capacity([probe[2], 1], TOGETHER))


def probed(model: Model, one: Listed) -> Probed | None:
    """Return a case's name, the model's logits of it, its pixels and classes; None where it has none."""
    taken = attempt(Named(one.about.case, one.image), model.intake)
    if isinstance(taken, Failure):
        return None
    seen = taken.take(taken.places[0]) if isinstance(taken, TakenScan) else taken
    try:
        found = model.classifier.logits(seen.fitted[None])[0]
    except (XaimriError, MemoryError):
        return None  # whoever explains it says why
    told = tuple(float(np.float32(each)) for each in found)
    return one.about.case, told, int(np.prod(taken.image.shape[:-1])), model.classes


def first_probed(
    ask: Callable[[Listed], Probed | None], listed: Sequence[Listed], known: str | None
) -> Probed | None:
    """Return what the model says of the first case that has an answer; of the known one alone, if any is."""
    asked = (one for one in listed if known in (None, one.about.case))
    return next((found for one in asked if (found := ask(one)) is not None), None)
