from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as sklearn

from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.evaluation.classification import evaluate
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS

NAMES = ("ill", "well", "odd")


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def simulated(rng, per_class=(9, 14, 6), slices=5, skill=1.0, own=1.0, noise=0.5):
    """Return probabilities, labels and subjects; slices of one subject share an offset."""
    labels = np.repeat(np.repeat(np.arange(len(per_class)), per_class), slices)
    people = np.repeat(np.arange(sum(per_class)), slices)
    n = len(per_class)
    offsets = rng.normal(0, own, (sum(per_class), n))[people]
    z = skill * np.eye(n)[labels] + offsets + rng.normal(0, noise, (len(labels), n))
    return softmax(z), labels, [f"s{p}" for p in people]


def by_subject(p, labels, people):
    keys = sorted(set(people))
    rows = [[i for i, who in enumerate(people) if who == key] for key in keys]
    return np.array([p[row].mean(axis=0) for row in rows]), np.array([labels[row[0]] for row in rows])


def agree(level, labels, predicted, classes):
    present = np.unique(labels)
    kinds = {"precision": 0, "recall": 1, "f1": 2}
    expected = sklearn.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=0
    )
    for name, row in kinds.items():
        for i, figures in enumerate(level.per_class):
            if figures.note is None:
                assert getattr(figures, name).value == pytest.approx(expected[row][i], abs=1e-12)
    for mean, average in ((level.macro, "macro"), (level.weighted, "weighted")):
        of = sklearn.precision_recall_fscore_support(
            labels, predicted, labels=present, average=average, zero_division=0
        )
        for name, row in kinds.items():
            assert getattr(mean, name).value == pytest.approx(of[row], abs=1e-12)
    assert level.accuracy.value == pytest.approx(sklearn.accuracy_score(labels, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of predicted classes that are not there
        balanced = sklearn.balanced_accuracy_score(labels, predicted)
    assert level.balanced_accuracy.value == pytest.approx(balanced)
    matrix = sklearn.confusion_matrix(labels, predicted, labels=range(classes))
    np.testing.assert_array_equal(level.confusion, matrix)


@pytest.mark.parametrize("per_class", [(9, 14, 6), (7, 2, 8), (5, 0, 6), (1, 1, 1)])
@pytest.mark.parametrize("skill", [0.0, 3.0])
def test_point_values_are_scikit_learns_on_both_levels(per_class, skill):
    p, labels, people = simulated(np.random.default_rng(4), per_class, skill=skill)
    report = evaluate(p, labels, people, NAMES)
    agree(report.slice, labels, p.argmax(axis=1), 3)
    pooled, true = by_subject(p, labels, people)
    agree(report.subject, true, pooled.argmax(axis=1), 3)


def test_by_hand():
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55], [0.9, 0.1]])
    report = evaluate(p, [0, 0, 0, 1, 1, 1], ["a", "a", "b", "c", "c", "c"])
    assert report.slice.confusion.tolist() == [[2, 1], [1, 2]]
    assert report.subject.confusion.tolist() == [[2, 0], [1, 0]]  # c: mean 0.55 for the first class
    assert report.slice.balanced_accuracy.value == pytest.approx(2 / 3)
    assert report.subject.accuracy.value == pytest.approx(2 / 3)
    assert [c.images for c in report.slice.per_class] == [3, 3]
    assert [c.subjects for c in report.subject.per_class] == [2, 1]


def test_a_data_set_gives_labels_subjects_and_names():
    p, labels, people = simulated(np.random.default_rng(1))
    cases = [
        Case(str(i), int(y), who, np.zeros((2, 3)))
        for i, (y, who) in enumerate(zip(labels, people, strict=True))
    ]
    dataset = Dataset(NAMES, tuple(cases))
    assert evaluate(p, dataset).to_dict() == evaluate(p, labels, people, NAMES).to_dict()


def test_too_few_subjects_give_no_number():
    p, labels, people = simulated(np.random.default_rng(0), (9, MINIMUM_SUBJECTS - 1, MINIMUM_SUBJECTS))
    report = evaluate(p, labels, people, NAMES)
    for level in (report.slice, report.subject):
        few, enough = level.per_class[1:]
        assert all(
            math.isnan(x) for e in (few.precision, few.recall, few.f1) for x in (e.value, e.low, e.high)
        )
        assert few.note == "not estimable: 4 subjects"
        assert enough.note is None
        kept = [level.per_class[i].recall.value for i in (0, 2)]
        assert level.macro_estimable.recall.value == pytest.approx(np.mean(kept))
    assert "not estimable: 4 subjects" in str(report)
    assert any("`well`" in note for note in report.notes)
    figures = report.to_dict()["slice"]["classes"]["well"]
    assert figures["recall"] == {"value": None, "low": None, "high": None}


def test_the_minimum_is_the_fewest_whose_perfect_score_tells_recall_from_one_half():
    from scipy.stats import binomtest

    def bound(n):
        return binomtest(n, n, alternative="greater").proportion_ci(0.95).low

    assert bound(MINIMUM_SUBJECTS) > 0.5 > bound(MINIMUM_SUBJECTS - 1)


def bare(estimate):
    return (estimate.value, math.isnan(estimate.low), math.isnan(estimate.high))


def test_where_all_are_right_or_wrong_the_interval_is_that_of_so_many_people():
    """12 of 12 subjects are right: Wilson's interval, whatever the number of slices, or its mirror."""
    labels, people = np.repeat([0, 1], 30), np.repeat(np.arange(12), 5).astype(str).tolist()
    z = 1.959964
    for p, right in ((np.eye(2)[labels], 1), (np.eye(2)[1 - labels], 0)):
        report = evaluate(p, labels, people)
        for level in (report.slice, report.subject):
            for figure, n in (
                (level.accuracy, 12),
                (level.balanced_accuracy, 12),
                (level.per_class[0].recall, 6),
                (level.per_class[0].auroc, 6),
            ):
                ends = (1 - z**2 / (n + z**2), 1) if right else (0, z**2 / (n + z**2))
                assert (figure.low, figure.high) == pytest.approx(ends)
                assert figure.value == right
            precision = level.per_class[0].average_precision
            assert precision.value == max(right, 0.5)  # half of all are of the class
            assert precision.low < precision.value <= precision.high


def test_fewer_subjects_than_the_minimum_have_no_interval_and_are_told():
    p, labels, people = simulated(np.random.default_rng(0), (2, 2), slices=9)
    report = evaluate(p, labels, people)
    assert all(math.isnan(f.low) for level in (report.slice, report.subject) for f in level.figures)
    assert "No intervals: they need at least 5 subjects, and there are 4." in report.notes
    assert "In brackets" not in str(report)
    one = evaluate(p[:9], labels[:9], people[:9])
    assert "No intervals: they need at least 5 subjects, and there is 1." in str(one)
    assert bare(one.slice.accuracy)[1:] == (True, True)
    assert one.slice.macro_estimable.note == "not estimable: no class has enough subjects"


def test_a_class_of_one_subject_each_has_no_interval():
    """Nobody can be left out of a class of one."""
    p, labels, people = simulated(np.random.default_rng(0), (1,) * 6)
    report = evaluate(p, labels, people)
    assert {bare(f)[1:] for level in (report.slice, report.subject) for f in level.figures} == {(True, True)}


def test_auroc_is_scikit_learns_one_against_rest_on_both_levels():
    p, labels, people = simulated(np.random.default_rng(4))
    p = np.floor(p * 8) / 8  # with ties
    p[:, 2] = 1 - p[:, 0] - p[:, 1]
    report = evaluate(p, labels, people, NAMES)
    pooled, true = by_subject(p, labels, people)
    for level, scores, y in ((report.slice, p, labels), (report.subject, pooled, true)):
        for i, figures in enumerate(level.per_class):
            assert figures.auroc.value == pytest.approx(
                sklearn.roc_auc_score(y == i, scores[:, i]), abs=1e-12
            )
            assert figures.auroc.low < figures.auroc.value < figures.auroc.high
        for mean, average in ((level.macro, "macro"), (level.weighted, "weighted")):
            of = np.average(
                [sklearn.roc_auc_score(y == i, scores[:, i]) for i in range(3)],
                weights=np.bincount(y) if average == "weighted" else None,
            )
            assert mean.auroc.value == pytest.approx(of, abs=1e-12)


def test_auroc_of_a_network_that_always_says_the_same_is_one_half_whatever_the_number_of_slices():
    labels, people = np.arange(60) % 2, [f"s{i % 2}{min(i // 7, 5)}" for i in range(60)]
    report = evaluate(np.tile([0.1, 0.9], (60, 1)), labels, people)
    for level in (report.slice, report.subject):
        assert {f.auroc.value for f in level.per_class} == {0.5}


@pytest.mark.parametrize(
    ("per_class", "notes"),
    [
        ((9, 0, 6), [None, "not estimable: 0 subjects", None]),  # a class is absent
        ((9, 0, 0), ["not estimable: 0 subjects of other classes", *["not estimable: 0 subjects"] * 2]),
        ((9, 3, 6), [None, "not estimable: 3 subjects", None]),
        ((9, 2, 1), ["not estimable: 3 subjects of other classes", *[None] * 2]),
    ],
)
def test_auroc_that_is_not_estimable_says_why(per_class, notes):
    p, labels, people = simulated(np.random.default_rng(0), per_class)
    report = evaluate(p, labels, people, NAMES)
    for level in (report.slice, report.subject):
        for figures, note in zip(level.per_class, notes, strict=True):
            assert math.isnan(figures.auroc.value) == (figures.auroc_note is not None)
            assert note is None or figures.auroc_note == note
    told = [figures.name for figures in report.slice.per_class if figures.note is None and figures.auroc_note]
    assert any(note.startswith("AUROC and average precision of") for note in report.notes) == bool(told)
    assert report.to_dict()["slice"]["classes"]["ill"]["auroc_note"] == notes[0]
    if per_class == (9, 0, 0):
        assert math.isnan(report.slice.macro.auroc.value)
        assert "AUROC and average precision of `ill` (not estimable: 0 subjects of other classes)." in str(
            report
        )


def test_a_subject_of_both_classes_moves_both_sides_of_an_auroc():
    labels = np.array([1, 1, 0, 0, 0, 0] * 5)
    people = [f"s{i // 6}" for i in range(30)] + [f"t{i}" for i in range(200)]
    labels = np.concatenate(
        [labels, np.zeros(200, int)]
    )  # class 1 in 5 of 205 subjects, of whom it is the rarer
    p = np.stack([0.9 - 0.5 * labels, 0.1 + 0.5 * labels], axis=1)
    p[0] = [0.95, 0.05]  # one slice of class 1 is ranked below all others
    figures = evaluate(p, labels, people).slice.per_class[1].auroc
    assert figures.value == pytest.approx(0.9)
    assert 0.1 < figures.low < 0.9 < figures.high < 1


def test_intervals_contain_the_value_shrink_with_subjects_and_not_with_slices():
    def width(per_class, slices):
        p, labels, people = simulated(np.random.default_rng(0), per_class, slices=slices, noise=0.01)
        accuracy = evaluate(p, labels, people).slice.accuracy
        assert accuracy.low <= accuracy.value <= accuracy.high
        return accuracy.high - accuracy.low

    few = width((10, 10, 10), 4)
    assert width((10, 10, 10), 40) == pytest.approx(few, rel=0.25)
    assert width((160, 160, 160), 4) == pytest.approx(few / 4, rel=0.3)


def test_one_slice_each_is_a_binomial():
    """With one slice per subject and one class, the interval is Wilson's of a coin thrown n times."""
    from scipy.stats import binomtest

    p = np.eye(2)[np.repeat([0, 1], [28, 12])]
    report = evaluate(p, np.zeros(40, int), [f"s{i}" for i in range(40)])
    wilson = binomtest(28, 40).proportion_ci(0.95, "wilson")
    for share in (report.slice.accuracy, report.slice.per_class[0].recall):
        # the variance that is left between subjects divides by n - 1
        assert (share.low, share.high) == pytest.approx((wilson.low, wilson.high), abs=4e-3)


def test_a_share_that_nobody_moves_is_as_sure_as_so_many_people():
    """One class is always right and the other never: how many are of each is fixed."""
    from scipy.stats import binomtest

    labels, people = np.repeat([0, 1], [12, 28]), [f"s{i // 2}" for i in range(40)]
    for level in ("slice", "subject"):
        accuracy = evaluate(np.eye(2)[[0] * 40], labels, people).level(level).accuracy
        wilson = binomtest(6, 20).proportion_ci(0.95, "wilson")
        assert (accuracy.low, accuracy.value, accuracy.high) == pytest.approx((wilson.low, 0.3, wilson.high))


@pytest.mark.slow
@pytest.mark.parametrize(("people", "skill"), [(4, 1.2), (10, 3.0)])
def test_intervals_cover_the_truth_over_subjects_and_not_over_images(people, skill):
    """Of 100 studies of 12 and 30 subjects; percentiles held 0.87, and 0.77 where few were wrong."""
    rng = np.random.default_rng(8)
    p, labels, who = simulated(rng, (2000, 2000, 2000), slices=8, skill=skill)
    n = len(labels)
    truth = {
        "accuracy": float((p.argmax(axis=1) == labels).mean()),
        "brier": float(((p - np.eye(3)[labels]) ** 2).sum(axis=1).mean()),
    }
    held = {"accuracy": 0, "brier": 0, "images": 0}
    for _ in range(100):
        p, labels, who = simulated(rng, (people, people, people), slices=8, skill=skill)
        report, n = evaluate(p, labels, who).slice, len(labels)
        found = report.accuracy
        held["accuracy"] += found.low <= truth["accuracy"] <= found.high
        held["brier"] += report.calibration.brier.low <= truth["brier"] <= report.calibration.brier.high
        half = 1.96 * math.sqrt(found.value * (1 - found.value) / n)
        held["images"] += abs(found.value - truth["accuracy"]) <= half
    assert held["accuracy"] >= 90
    assert held["brier"] >= 84
    assert held["images"] < 85


def test_same_intervals_whatever_the_order():
    p, labels, people = simulated(np.random.default_rng(2))
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    report = evaluate(p, labels, people)
    order = np.random.default_rng(0).permutation(len(labels))
    shuffled = evaluate(p[order], labels[order], [people[i] for i in order])
    assert json.dumps(report.to_dict()) == json.dumps(shuffled.to_dict())
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_wider_confidence_is_wider():
    p, labels, people = simulated(np.random.default_rng(2))
    inner = evaluate(p, labels, people, confidence=0.5).slice.accuracy
    outer = evaluate(p, labels, people, confidence=0.99).slice.accuracy
    assert outer.low < inner.low <= inner.value <= inner.high < outer.high


def test_a_subject_of_two_classes_is_pooled_per_class():
    p = np.array([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9], [0.7, 0.3]])
    report = evaluate(p, [0, 0, 1, 1], ["a", "a", "a", "b"])
    assert report.subject.confusion.tolist() == [[1, 0], [1, 1]]
    assert report.subjects == 2


def test_independent_images_count_one_by_one():
    p, labels, _ = simulated(np.random.default_rng(3), slices=1)
    report = evaluate(p, labels, independent=True)
    assert report.subjects == len(labels)
    slices, subjects = report.slice.to_dict(), report.subject.to_dict()
    errors = [figures.pop("calibration") for figures in (slices, subjects)]
    assert slices == subjects
    assert errors[0]["top"]["ece"] == pytest.approx(errors[1]["top"]["ece"])


def test_text_and_file(tmp_path):
    p, labels, people = simulated(np.random.default_rng(3), (9, 2, 7))
    report = evaluate(p, labels, people, NAMES)
    lines = str(report).splitlines()
    assert lines[0] == "By slice: 90 images of 18 subjects"
    row = next(line for line in lines if line.lstrip().startswith("ill"))
    recall = report.slice.per_class[0].recall
    assert f"{recall.value:.2f} [{recall.low:.2f}, {recall.high:.2f}]" in row
    assert row.split()[-2:] == ["45", "9"]
    file = report.save(tmp_path / "report.json")
    assert json.loads(file.read_text()) == report.to_dict()


GOOD = np.full((4, 2), 0.5)
WHO = ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((GOOD, [0, 1, 0], ["a", "b", "c"]), {}, "must be"),
        ((GOOD, [0, 1, 0, 2], WHO), {}, "from 0 to 1"),
        ((GOOD, [0, -1, 0, 1], WHO), {}, "from 0 to 1"),
        ((GOOD, [0.0, 1.0, 0.0, 1.0], WHO), {}, "integers"),
        ((GOOD, [0, 1, 0, 1]), {}, "4 of 4 cases have no subject"),
        ((GOOD, [0, 1, 0, 1], ["a"]), {}, "one entry per case"),
        ((GOOD * 3, [0, 1, 0, 1], WHO), {}, "softmax"),
        ((GOOD * np.nan, [0, 1, 0, 1], WHO), {}, "softmax"),
        ((GOOD, [0, 1, 0, 1], WHO, ("x", "y", "z")), {}, "one column per class"),
        ((GOOD, [0, 1, 0, 1], WHO), {"confidence": 95.0}, "`confidence`"),
        ((np.zeros((0, 2)), np.zeros(0, int), []), {}, "at least one"),
    ],
)
def test_bad_arguments(arguments, options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        evaluate(*arguments, **options)


def test_labels_are_matched_to_the_columns_by_name_where_truth_counts_in_another_order():
    cases = [Case(str(i), i % 3, f"s{i}", np.zeros((2, 3))) for i in range(12)]
    truth = Dataset(("apple", "mango", "zebra"), tuple(cases))
    columns = ("zebra", "apple", "other", "mango")
    p = np.eye(4)[[columns.index(truth.classes[case.label]) for case in truth]]
    report = evaluate(p, truth, classes=columns)
    assert report.slice.accuracy.value == 1
    assert report.slice.confusion.tolist() == np.diag([4, 4, 0, 4]).tolist()
    with pytest.raises(InvalidInput, match="the truth holds 'mango'"):
        evaluate(p, truth, classes=("zebra", "apple", "other", "pear"))
    renamed = evaluate(p[:, [1, 3, 0]], truth, classes=("A", "M", "Z"))  # no name in common: by position
    assert renamed.slice.accuracy.value == 1


@pytest.mark.parametrize("missing", [math.nan, np.float32("nan"), "", None])
def test_who_is_missing_in_a_table_is_not_one_person(missing):
    truth = np.arange(12) % 2
    subjects = [*range(6), *[missing] * 6]
    with pytest.raises(InvalidInput, match="6 of 12 cases have no subject"):
        evaluate(np.eye(2)[truth], truth, subjects)
    assert evaluate(np.eye(2)[truth], truth, subjects, independent=True).subjects == 12


def test_a_number_names_the_same_person_whatever_its_type():
    truth = np.arange(12) % 2
    subjects = [1, 1.0, np.int16(1), np.float64(1), *range(2, 10)]
    assert evaluate(np.eye(2)[truth], truth, subjects).subjects == 9


def test_precision_of_a_class_that_nothing_is_called_by_has_no_interval_and_is_told():
    labels = np.arange(24) % 2
    p = np.tile([0.9, 0.1], (24, 1))
    report = evaluate(p, labels, [f"s{n}" for n in range(24)], ["well", "ill"])
    for level in (report.slice, report.subject):
        well, ill = level.per_class
        assert (ill.precision.value, ill.precision.bare, ill.recall.bare) == (0.0, True, False)
        assert (well.precision.value, well.precision.bare) == (0.5, False)
    assert report.notes[0] == (
        "No image is called `ill`: precision is not known there, and stands as 0, also in means."
    )
    p[1] = [0.1, 0.9]
    assert not any("is called" in note for note in evaluate(p, labels, list(range(24))).notes)
