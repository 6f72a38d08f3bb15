"""Do the 95 % intervals of an evaluation hold the truth? Simulated studies of few people and many slices.

Simulated studies of 10, 30 and 100 subjects, half of them of each class, with 8 slices each that share
what is peculiar to their subject; by a network that is right for 78 % of the slices, and by one for 97 %.
The truth of each figure is that of 20,000 subjects; of a calibration error, in the bins of the study.
Beside ours stand the intervals between percentiles of the bootstrap over subjects within classes.
Then those of means over subjects, as of a judgement, of regions and of a share of relevance (the bootstrap
with tails of Student's t), and of a fall of balanced accuracy in pairs, as of an audit (the jackknife).

    python benchmarks/interval_coverage.py            # 500 studies of each kind: some minutes
    python benchmarks/interval_coverage.py --studies 100
    python benchmarks/interval_coverage.py --only means --studies 2000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from xaimri.audit.people import People
from xaimri.evaluation import Bootstrap, Estimate, evaluate, operating_point
from xaimri.evaluation.auroc import auroc
from xaimri.evaluation.average_precision import average_precision
from xaimri.evaluation.calibration_error import equal_bins
from xaimri.evaluation.classification import _figures

SUBJECTS = (10, 30, 100)
SLICES = 8
SKILLS = (1.2, 3.0)
THRESHOLD = 0.4
PEOPLE = 20_000
"""Who stands for everybody."""


@dataclass(frozen=True)
class Study:
    """What a network said of some people: probabilities, classes and whose the slices are."""

    p: np.ndarray
    labels: np.ndarray
    owner: np.ndarray

    @property
    def subjects(self) -> int:
        return len(np.unique(self.owner))


def study(generator: np.random.Generator, subjects: int, skill: float) -> Study:
    """Simulate one."""
    labels = np.repeat(np.arange(subjects) % 2, SLICES)
    owner = np.repeat(np.arange(subjects), SLICES)
    own = generator.normal(0, 1, (subjects, 2))[owner]
    scores = skill * np.eye(2)[labels] + own + generator.normal(0, 0.5, (len(labels), 2))
    return Study(softmax(scores, axis=1), labels, owner)


def counted(one: Study, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return every figure but those of calibration, for many weightings of the subjects."""
    confusions = np.zeros((one.subjects, 2, 2))
    np.add.at(confusions, (one.owner, one.labels, one.p.argmax(axis=1)), 1)
    figures = _figures((weights @ confusions.reshape(-1, 4)).reshape(-1, 2, 2))
    cells = np.zeros((one.subjects, 2, 2))
    np.add.at(cells, (one.owner, one.labels, (one.p[:, 1] >= THRESHOLD).astype(int)), 1)
    cells = (weights @ cells.reshape(-1, 4)).reshape(-1, 2, 2)
    squares = np.bincount(one.owner, ((one.p - np.eye(2)[one.labels]) ** 2).sum(axis=1))
    ranked = (one.p[:, 1], one.labels == 1, weights.astype(float), one.owner)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "accuracy": figures["accuracy"],
            "balanced accuracy": figures["recall"].mean(axis=-1),
            "macro F1": figures["f1"].mean(axis=-1),
            "AUROC": auroc(*ranked),
            "average precision": average_precision(*ranked),
            "Brier": weights @ squares / SLICES / weights.sum(axis=1),
            "sensitivity": cells[:, 1, 1] / cells[:, 1].sum(axis=1),
            "specificity": cells[:, 0, 0] / cells[:, 0].sum(axis=1),
            "positive predictive": cells[:, 1, 1] / cells[:, :, 1].sum(axis=1),
            "negative predictive": cells[:, 0, 0] / cells[:, :, 0].sum(axis=1),
        }


def errors(one: Study, everybody: Study) -> dict[str, float]:
    """Return the calibration errors of everybody in the bins of a study."""
    scores, right = one.p.max(axis=1), everybody.p.argmax(axis=1) == everybody.labels
    place, said = equal_bins(scores, one.owner, 10), everybody.p.max(axis=1)
    edges = [scores[place == number].max() for number in range(place.max())]
    of = np.searchsorted(edges, said)
    moved = np.bincount(of, right - said, place.max() + 1) / len(said)
    share = np.bincount(of, minlength=place.max() + 1) / len(said)
    squares = moved**2 / np.maximum(share, 1e-12)
    return {"ECE": float(np.abs(moved).sum()), "RMS": float(np.sqrt(squares.sum()))}


def intervals(one: Study) -> Iterator[tuple[str, Estimate]]:
    """Yield the figures of a study with the intervals that `evaluate` gives."""
    people = one.owner.tolist()
    report = evaluate(one.p, one.labels, people).slice
    yield "accuracy", report.accuracy
    yield "balanced accuracy", report.balanced_accuracy
    yield "macro F1", report.macro.f1
    yield "AUROC", report.per_class[1].auroc
    yield "average precision", report.per_class[1].average_precision
    yield "Brier", report.calibration.brier
    yield "ECE", report.calibration.top.ece
    yield "RMS", report.calibration.top.rms
    point = operating_point(one.p, one.labels, 1, THRESHOLD, people)
    yield "sensitivity", point.sensitivity
    yield "specificity", point.specificity
    yield "positive predictive", point.positive_predictive_value
    yield "negative predictive", point.negative_predictive_value


def holds(low: float, high: float, truth: float) -> float:
    """Tell whether an interval holds the truth; NaN where there is none."""
    return float(low - 1e-9 <= truth <= high + 1e-9) if np.isfinite(low) else np.nan


def coverage(subjects: int, skill: float, studies: int) -> dict[str, tuple[float, float, float]]:
    """Return of every figure the truth, and how often ours and percentiles hold it."""
    generator = np.random.default_rng([subjects, int(10 * skill)])
    everybody = study(generator, PEOPLE, skill)
    truth = {name: float(of[0]) for name, of in counted(everybody, np.ones((1, PEOPLE))).items()}
    ours, theirs = dict[str, list[float]](), dict[str, list[float]]()
    told = dict[str, list[float]]()
    for number in range(studies):
        one = study(generator, subjects, skill)
        known = truth | errors(one, everybody)
        for name, found in intervals(one):
            ours.setdefault(name, []).append(holds(found.low, found.high, known[name]))
            told.setdefault(name, []).append(known[name])
        bootstrap = Bootstrap(resamples=400, seed=number)
        for name, drawn in counted(one, bootstrap.weights(np.arange(subjects) % 2)).items():
            low, high = np.nanquantile(drawn, [0.025, 0.975])
            theirs.setdefault(name, []).append(holds(low, high, known[name]))
    mean = {name: float(np.mean(values)) for name, values in told.items()}
    share = {name: 100 * float(np.nanmean(values)) for name, values in ours.items()}
    other = {name: 100 * float(np.nanmean(values)) for name, values in theirs.items()}
    return {name: (mean[name], share[name], other.get(name, np.nan)) for name in mean}


MEANS: dict[str, tuple[float, Callable[[np.random.Generator, int], np.ndarray]]] = {
    "normal": (0.0, lambda generator, people: generator.normal(size=people)),
    "share of 8 slices": (
        0.5,
        lambda generator, people: generator.binomial(8, generator.beta(2, 2, people)) / 8,
    ),
    "gamma, shape 4": (4.0, lambda generator, people: generator.gamma(4, size=people)),
    "exponential": (1.0, lambda generator, people: generator.exponential(size=people)),
}
"""What each subject has, and its mean: even, of few values, and more and more askew."""

LOSSES = (0.3, 0.1)
"""Shares of those who are told right, 0.8, who are not where something is taken away."""

GAINED = 0.1
"""Share of the others who are told right then."""


def held_means(people: int, studies: int) -> Iterator[tuple[str, float, float]]:
    """Yield how often intervals of a mean over subjects hold it, ours and between percentiles."""
    generator, bootstrap = np.random.default_rng(people), Bootstrap()
    weights = bootstrap.weights(np.zeros(people, np.int64))
    for name, (mean, draw) in MEANS.items():
        values = np.stack([draw(generator, people) for _ in range(studies)], axis=1)
        drawn = weights @ values / people
        both = bootstrap.ends(drawn, people), np.quantile(drawn, [0.025, 0.975], axis=0)
        yield name, *(100 * float(((low <= mean) & (mean <= high)).mean()) for low, high in both)


def held_falls(people: int, studies: int) -> Iterator[tuple[str, float, float]]:
    """Yield how often intervals of a fall in pairs hold it; one without a fall has none."""
    generator, classes = np.random.default_rng(people), np.arange(people) % 2
    owner, every = np.arange(people), np.ones(people, bool)
    told = People(classes, owner, 2, Bootstrap())
    drawn = told.weights()
    for lost in LOSSES:
        ours, theirs, fall = list[float](), list[float](), 0.8 * lost - 0.2 * GAINED
        for _ in range(studies):
            before = generator.random(people) < 0.8
            after = np.where(before, generator.random(people) >= lost, generator.random(people) < GAINED)
            pair = [
                told.predictions(np.eye(2, dtype=np.float32)[np.where(right, classes, 1 - classes)], every)
                for right in (before, after)
            ]
            found = told.fall(*pair)
            ours.append(holds(found.low, found.high, fall))
            low, high = np.quantile(pair[0].balanced(drawn) - pair[1].balanced(drawn), [0.025, 0.975])
            theirs.append(holds(low if high > low else np.nan, high, fall))
        yield f"fall of {fall:.2f}", 100 * float(np.nanmean(ours)), 100 * float(np.nanmean(theirs))


def tell_means(studies: int) -> None:
    """Print the table of means and of falls."""
    columns = [[*held_means(n, studies), *held_falls(n, studies // 4)] for n in SUBJECTS]
    print(
        f"\nA mean over subjects, held in percent of {studies} studies, and a fall of balanced accuracy, of "
        "a fourth as many: ours (percentiles)"
    )
    print(f"{'':>20}" + "".join(f"{n:>9} subjects" for n in SUBJECTS))
    for row in zip(*columns, strict=True):
        print(f"{row[0][0]:>20}" + "".join(f"{f'{ours:.1f} ({theirs:.1f})':>18}" for _, ours, theirs in row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--only", choices=("evaluation", "means"))
    given = parser.parse_args()
    if given.only != "evaluation":
        tell_means(given.studies)
    for skill in SKILLS if given.only != "means" else ():
        tables = [coverage(subjects, skill, given.studies) for subjects in SUBJECTS]
        print(f"\nHeld by 95 % intervals, in percent of {given.studies} studies: ours (percentiles)")
        print(f"{'':>20}{'truth':>7}" + "".join(f"{n:>9} subjects" for n in SUBJECTS))
        for name, (truth, *_) in tables[-1].items():
            cells = [
                f"{ours:.1f}" + ("" if np.isnan(theirs) else f" ({theirs:.1f})")
                for _, ours, theirs in (table[name] for table in tables)
            ]
            print(f"{name:>20}{truth:7.3f}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
