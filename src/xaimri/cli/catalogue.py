"""The commands that list what there is: methods and metrics."""

from __future__ import annotations

import typer

from xaimri.table import align


def methods() -> None:
    """List the methods: what each needs of a network, and what one image costs."""
    from xaimri.explainers import EXPLAINERS

    rows = [[name, each.title, each.family, each.cost] for name, each in EXPLAINERS.items()]
    typer.echo("\n".join(align(["name", "method", "family", "cost of an image"], rows)))


def metrics() -> None:
    """List the metrics: which values are better, what a map that knows nothing gets, what each needs."""
    from xaimri.judging.catalogue import METRICS

    rows = [
        [name, each.better, each.chance, "a mask of each image" if "region" in each.needs else ""]
        for name, each in METRICS.items()
    ]
    typer.echo("\n".join(align(["name", "better", "by chance", "needs"], rows)))
