"""Mean maps of classes: by subject, against the mean and the error of all maps held at once."""

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.images import Picture

pytest.importorskip("pyarrow")

CLASSES = ("class_0", "class_1")
MODEL = LinearClassifier.random((6, 8, 1), classes=2, seed=0)


def image(n):
    return np.random.default_rng(n).random((6, 8)).astype(np.float32)


def kept(tmp_path, subjects, labels, **how):
    cases = [Case(f"c{n}", labels[n], person, image(n)) for n, person in enumerate(subjects)]
    data = Dataset(CLASSES, tuple(cases))
    return xaimri.explain_cohort(MODEL, data, ["input_x_gradient", "saliency"], out=tmp_path / "run", **how)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_subject_counts_once_and_errors_are_over_subjects(tmp_path, precision):
    subjects = ["p", "q", "p", "r", "q", "p", "s"] * 6  # apart, so that subjects lie in several files
    labels = [0 if person in "pqr" else 1 for person in subjects]
    cohort = kept(tmp_path, subjects, labels, precision=precision, target="class_1")
    first, second = cohort.class_means("input_x_gradient")
    maps = {f"c{n}": xaimri.explain(MODEL, image(n), "input_x_gradient", target="class_1").values
            for n in range(42)}  # fmt: skip
    own = [np.mean([maps[f"c{n}"] for n, each in enumerate(subjects) if each == p], axis=0) for p in "pqr"]
    atol = 1e-6 if precision == "float32" else 2e-3
    np.testing.assert_allclose(first.mean, np.mean(own, axis=0), atol=atol)
    np.testing.assert_allclose(first.error, np.std(own, axis=0, ddof=1) / np.sqrt(3), atol=atol)
    assert (first.name, first.subjects, first.cases) == ("class_0", 3, 36)
    assert (second.name, second.subjects, second.cases) == ("class_1", 1, 6)
    assert np.isnan(second.error).all()
    assert first.targets == {"class_1": 36}
    assert repr(first) == "<ClassMean: class_0, 3 subjects, 36 cases, 6 x 8>"
    (whole,) = cohort.class_means("saliency", by="target")
    assert (whole.subjects, whole.cases) == (4, 42)
    predicted = cohort.class_means("saliency", by="predicted")
    assert sum(each.cases for each in predicted) == 42


def test_maps_of_several_grids_have_no_mean(tmp_path):
    network = LinearClassifier.random((4, 5, 6, 1), classes=2, seed=0)
    scans = np.random.default_rng(0).random((3, 4, 5, 6))
    moved = np.eye(4)
    moved[0, 3] = 0.2
    for name, last in (("a", Picture(scans[2], affine=moved)), ("b", scans[2])):
        given = {
            "x": Picture(scans[0], affine=np.eye(4)),
            "y": Picture(scans[1], affine=np.eye(4)),
            "z": last,
        }
        cohort = xaimri.explain_cohort(network, given, "saliency", out=tmp_path / name)
        with pytest.raises(InvalidInput, match="the maps of `x` and `z` lie on different grids"):
            cohort.class_means(by="target", independent=True)
    sizes = {"x": image(0), "y": np.ones((12, 16)) * image(1)[0, 0]}
    cohort = xaimri.explain_cohort(MODEL, sizes, "saliency", out=tmp_path / "c")
    with pytest.raises(InvalidInput, match="the maps of `x` and `y` lie on different grids"):
        cohort.class_means(by="target", independent=True)


def test_what_is_not_known_is_told(tmp_path):
    cohort = xaimri.explain_cohort(MODEL, {"a": image(0), "b": image(1)}, "saliency", out=tmp_path / "a")
    with pytest.raises(InvalidInput, match='2 cases have no label: give `by="predicted"`'):
        cohort.class_means()
    with pytest.raises(InvalidInput, match="2 cases have no subject, and the errors are over subjects"):
        cohort.class_means(by="target")
    assert sum(each.subjects for each in cohort.class_means(by="target", independent=True)) == 2
    none = xaimri.explain_cohort(MODEL, {"a": image(0)}, "saliency", out=tmp_path / "b", maps="none")
    with pytest.raises(InvalidInput, match="there are no maps here"):
        none.class_means(by="target", independent=True)


def test_what_a_run_writes_meanwhile_is_not_among_them(tmp_path):
    people = [f"s{n}" for n in range(70)]
    made = kept(tmp_path, people, [n % 2 for n in range(70)])
    parts = sorted((tmp_path / "run" / "rows").iterdir())
    late = parts[-1].rename(tmp_path / "late.parquet")
    still = made.still()
    assert (len(still), still.done) == (128, 64)
    late.rename(parts[-1])
    assert (len(still), still.done, len(made)) == (128, 64, 140)
    assert sum(each.cases for each in still.class_means("saliency", independent=True)) == 64
    assert sum(each.cases for each in made.class_means("saliency", independent=True)) == 70
    assert len(list(still.filter(method="saliency").rows())) == 64
