"""Which metric sees what: the share of cases in which it prefers a map to the map made wrong on purpose.

    python benchmarks/metric_mutants.py [--cases 60] [--cascade FILE]

A small network learns to tell phantoms with severe atrophy from those without. Held-out severe ones are
explained by expected gradients against healthy ones of the training part, which tells what the network goes
by and where it lies on what has changed; then every mutation of :class:`xaimri.judging.Mutant` spoils the
map. Printed is, for every metric and mutation, in what share of cases the metric prefers the true map (ties
count half), with a star where the mean difference's 95 % interval over subjects lies on the right side, and
an exclamation mark where it lies on the wrong one.
"""

from __future__ import annotations

import argparse
import inspect
from functools import partial
from pathlib import Path

import numpy as np
from controls import Brightness
from small_networks import accuracy, images_of, network, trained

import xaimri
from xaimri import metrics
from xaimri.classifier import Classifier
from xaimri.judging import METRICS, MUTATIONS, Metric, Mutant
from xaimri.judging.catalogue import as_metric

CHOSEN = 2
"""Which case the cascade shows: a slice with wide ventricles."""


def main() -> None:
    """Train, explain, judge, print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", type=int, default=60, help="at most")
    options.add_argument("--cascade", type=Path, help="where a cascade of destroyed layers is drawn")
    given = options.parse_args()
    model, known, held = network(0, stages=(0, 3))
    other = trained(known, 1)
    print(f"held-out accuracy {accuracy(model, held):.2f} and {accuracy(other, held):.2f}")
    classifier = xaimri.KerasClassifier(model, known.classes)
    healthy = images_of(known)[known.labels == 0]
    method = xaimri.ExpectedGradients(references=healthy, samples=100)
    severe = held.take(np.flatnonzero(held.labels == 1)[: given.cases].tolist())
    explainers = {"true": method, **{mutation: Mutant(method, mutation) for mutation in MUTATIONS}}
    measures = asked(healthy.mean(axis=0), xaimri.KerasClassifier(other, known.classes), control(known))
    found = xaimri.evaluate_explanations(explainers, classifier, severe, measures, target="label")
    print(f"{len(severe)} cases of {len({case.subject for case in severe})} subjects")
    for why, count in found.failures.items():
        print(f"{count} without a value: {why}")
    print(f"| metric | true map | {' | '.join(MUTATIONS)} |\n|---|---|{'---|' * len(MUTATIONS)}")
    for name in found.metrics:
        cells = [cell(found, name, mutation) for mutation in MUTATIONS]
        print(f"| {name} | {found.mean('true', name).estimate.value:.3g} | {' | '.join(cells)} |")
    if given.cascade:
        image = images_of(severe)[CHOSEN]
        methods = {"expected_gradients": method, "gradcam": xaimri.GradCAM(), "brightness": Brightness()}
        down = {
            name: metrics.randomisation(one, classifier, image, target=1, steps=None)
            for name, one in methods.items()
        }
        xaimri.render.save(xaimri.charts.cascade(down), given.cascade)


def asked(absent: np.ndarray, other: Classifier, shuffled: Classifier) -> list[Metric]:
    """Return every metric, with what is hidden made what the method compares with."""
    hiding = [name for name, one in METRICS.items() if "absent" in inspect.signature(one.function).parameters]
    return [
        *(as_metric(partial(METRICS[name].function, absent=absent) if name in hiding else name)
          for name in METRICS),
        as_metric(partial(metrics.repeatability, other=other)),
        as_metric(partial(metrics.label_randomisation, control=shuffled)),
    ]  # fmt: skip


def control(known) -> xaimri.KerasClassifier:
    """Train the same network on shuffled labels."""
    return xaimri.KerasClassifier(trained(known.with_shuffled_labels(0), 0), known.classes)


def cell(found: xaimri.judging.Judgement, metric: str, mutation: str) -> str:
    """Say in what share of cases the true map is preferred, and whether the mean difference is certain."""
    sign = 1 if found.metrics[metric].better == "higher" else -1
    apart = sign * (found.values("true", metric) - found.values(mutation, metric))
    apart = apart[np.isfinite(apart)]
    if not len(apart):
        return "-"
    share = np.mean((apart > 0) + 0.5 * (apart == 0))
    difference = found.difference("true", mutation, metric)
    right = sign * difference.estimate.value > 0
    mark = ("*" if right else "!") if difference.certain else ""
    return f"{100 * share:.0f} %{mark}"


if __name__ == "__main__":
    main()
