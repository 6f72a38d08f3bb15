from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xaimri.data import Case, Dataset, Split, folds, split
from xaimri.errors import InvalidInput

PIXELS = np.zeros((2, 3), np.uint8)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(pairs, classes=("a", "b", "c"), no_split=None):
    """Make a data set from (label, subject) pairs."""
    cases = [Case(f"case {i}", label, subject, PIXELS) for i, (label, subject) in enumerate(pairs)]
    return Dataset(classes, tuple(cases), no_split)


def by_class(*counts, slices=3):
    """Make subjects of one class each, as many as said, with some slices."""
    people = [(label, f"{label}/{s}") for label, n in enumerate(counts) for s in range(n)]
    return made([pair for pair in people for _ in range(slices)], tuple("abcdef"[: len(counts)]))


def subjects(part, label=None):
    return {case.subject for case in part if label is None or case.label == label}


def sizes(parts, label):
    return tuple(len(subjects(part, label)) for _, part in parts.parts())


def check(parts, dataset):
    """Every case exactly once, no subject on two sides."""
    ids = [case.id for _, part in parts.parts() for case in part]
    assert Counter(ids) == Counter(case.id for case in dataset)
    groups = [subjects(part) - {None} for _, part in parts.parts()]
    assert sum(map(len, groups)) == len(set().union(*groups))


pairs_of_cases = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9).map("s{}".format)), min_size=1, max_size=60
)


@QUICK
@given(
    pairs_of_cases,
    st.integers(0, 5),
    st.sampled_from([(0.2, 0.2), (0.0, 0.3), (0.3, 0.0), (0.45, 0.5), (0.01, 0.01)]),
)
def test_no_subject_is_on_two_sides_whatever_the_structure(pairs, seed, shares):
    dataset = made(pairs)
    parts = split(dataset, *shares, seed=seed)
    check(parts, dataset)
    assert {case.label for case in parts.train} == {label for label, _ in pairs}
    for share, part in zip(shares, (parts.validation, parts.test), strict=True):
        assert share or not len(part)


@QUICK
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([None, "s1", "s2", "s3", "s4"]), st.integers(0, 5)),
        min_size=1,
    )
)
def test_groups_and_subjects_both_stay_together(rows):
    dataset = made([(label, subject) for label, subject, _ in rows])
    groups = [group for _, _, group in rows]
    parts = split(dataset, 0.3, 0.3, groups=groups)
    check(parts, dataset)
    home = {case.id: name for name, part in parts.parts() for case in part}
    for group in set(groups):
        assert len({home[case.id] for case, g in zip(dataset, groups, strict=True) if g == group}) == 1


@QUICK
@given(pairs_of_cases, st.integers(2, 4), st.integers(0, 3))
def test_folds_test_every_case_once(pairs, k, seed):
    dataset = made(pairs)
    try:
        all_folds = folds(dataset, k, seed=seed)
    except InvalidInput as error:
        assert "`k` must be" in str(error)  # noqa: PT017
        return
    tested = [case.id for fold in all_folds for case in fold.test]
    assert Counter(tested) == Counter(case.id for case in dataset)
    for fold in all_folds:
        check(fold, dataset)
        assert len(fold.train)
        assert len(fold.test)


def test_each_class_gives_its_share_of_subjects():
    parts = split(by_class(28, 2, 100, 70), 0.2, 0.2)
    assert [sizes(parts, label) for label in range(4)] == [(16, 6, 6), (1, 0, 1), (60, 20, 20), (42, 14, 14)]
    assert parts.notes == ("`b` has 2 subjects for 3 parts: 1 in train, none in validation, 1 in test.",)


def test_it_prints_as_a_line():
    parts = split(by_class(6, 4), 0.0, 0.2)
    assert repr(parts) == "<Split, cases (subjects): train 24 (8), validation 0 (?), test 6 (2)>"


@pytest.mark.parametrize(
    ("n", "shares", "expected"),
    [
        (1, (0.2, 0.2), (1, 0, 0)),
        (2, (0.2, 0.2), (1, 0, 1)),
        (2, (0.2, 0.0), (1, 1, 0)),
        (3, (0.2, 0.2), (1, 1, 1)),
        (3, (0.45, 0.5), (1, 1, 1)),
        (4, (0.05, 0.05), (2, 1, 1)),
        (10, (0.2, 0.3), (5, 2, 3)),
        (10, (0.0, 0.0), (10, 0, 0)),
    ],
)
def test_training_first_then_test(n, shares, expected):
    parts = split(by_class(n, 9), *shares)
    assert sizes(parts, 0) == expected
    short = sum(expected_n == 0 for expected_n, share in zip(expected, (1, *shares), strict=True) if share)
    assert len(parts.notes) == bool(short)


def test_a_class_seen_only_beside_rarer_ones_is_still_trained_on():
    beside = made([(2, "p"), (0, "p"), (2, "q"), (1, "q"), (0, "r"), (1, "s")])
    for seed in range(20):
        parts = split(beside, seed=seed)
        check(parts, beside)
        assert {case.label for case in parts.train} == {0, 1, 2}


def test_class_without_cases_is_named():
    parts = split(by_class(5, 0))
    assert parts.notes == (
        "`b` has no subjects for 3 parts: none in train, none in validation, none in test.",
    )


def test_folds_are_stratified():
    dataset = by_class(10, 25, 2)
    all_folds = folds(dataset, 5)
    assert all(sizes(fold, 0)[2] == 2 and sizes(fold, 1)[2] == 5 for fold in all_folds)
    assert all(sizes(fold, 0)[1] == 2 and sizes(fold, 1)[1] == 4 for fold in all_folds)
    assert all(fold.notes == ("`c` has 2 subjects for 5 folds.",) for fold in all_folds)


def test_the_only_subject_of_a_class_cannot_be_trained_on_while_tested():
    all_folds = folds(by_class(6, 1), 3)
    notes = [fold.notes[0] for fold in all_folds]
    assert sum("none is in this fold's training part" in note for note in notes) == 1


def test_a_class_beside_rarer_ones_is_trained_on_where_it_is_tested():
    """Of two classes in each subject only one is stratified; the other may fall into one fold."""
    beside = made([(1, "a"), (1, "b"), (0, "b"), (0, "c"), (2, "c"), (2, "d")])
    for seed in range(12):
        for fold in folds(beside, 2, seed=seed, validation=0):
            assert set(fold.test.labels.tolist()) <= set(fold.train.labels.tolist())
            assert len(fold.test)
            assert fold.notes == ()


@QUICK
@given(pairs_of_cases, st.integers(2, 4), st.integers(0, 3), st.sampled_from([0, 0.2]))
def test_a_tested_class_that_training_lacks_is_always_named_and_has_one_subject(pairs, k, seed, validation):
    dataset = made(pairs)
    try:
        all_folds = folds(dataset, k, seed=seed, validation=validation)
    except InvalidInput:
        return
    for fold in all_folds:
        for label in set(fold.test.labels.tolist()) - set(fold.train.labels.tolist()):
            named = f"`{dataset.classes[label]}` has 1 subject for {k} folds; none is in this fold's"
            assert f"{named} training part." in fold.notes


def test_same_seed_same_split_and_no_global_generator():
    dataset = by_class(12, 17)
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (split(dataset, seed=seed) for seed in (1, 1, 2))
    folds(dataset, 3)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert first.record() == again.record()
    assert first.record() != other.record()


def test_the_order_of_the_cases_does_not_matter():
    dataset = by_class(12, 17)
    shuffled = dataset.take(np.random.default_rng(0).permutation(len(dataset)).tolist())
    assert split(dataset).record() == split(shuffled).record()


def test_every_subject_can_be_tested():
    dataset = by_class(5, 6)
    tested = Counter(subject for seed in range(60) for subject in subjects(split(dataset, seed=seed).test))
    assert len(tested) == 11
    assert min(tested.values()) >= 3


def test_unknown_subjects_are_refused_with_the_remedies():
    dataset = made([(0, None), (1, None), (0, "x")] * 4)
    with pytest.raises(InvalidInput, match=r"8 of 12 cases have no subject.*`groups=`.*`independent=True`"):
        split(dataset)
    check(split(dataset, independent=True), dataset)
    assert (
        len({name for name, part in split(dataset, independent=True).parts() if "x" in subjects(part)}) == 1
    )


def test_a_group_that_is_missing_in_a_table_is_no_group():
    dataset = made([(0, None), (1, None)] * 4)
    with pytest.raises(InvalidInput, match="`groups` has None for some case"):
        split(dataset, groups=[*range(6), float("nan"), ""])


def test_what_must_not_be_split_is_refused_with_the_reason():
    dataset = made([(0, "x"), (1, "y")] * 3, no_split="the slices have siblings.")
    for options in ({}, {"independent": True}):
        for how in (split, folds):
            with pytest.raises(InvalidInput, match="the slices have siblings; pass `groups=`"):
                how(dataset, **options)
    check(split(dataset, groups=[1, 2] * 3), dataset)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"validation": -0.1}, "shares|at least 0"),
        ({"validation": 0.5, "test": 0.5}, "below 1 together"),
        ({"test": float("nan")}, "`test` must be a finite number, got nan"),
        ({"groups": [1, 2]}, "one entry per case"),
        ({"groups": [None] * 27}, "None for some case"),
        ({"seed": -1}, "`seed`"),
    ],
)
def test_bad_settings(options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        split(by_class(4, 5), **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"k": 1}, "`k`"), ({"k": 6}, "largest class, 5"), ({"validation": 1.0}, "share")],
)
def test_bad_folds(options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        folds(by_class(4, 5), **options)


def test_empty_data_set():
    with pytest.raises(InvalidInput, match="empty"):
        split(made([]))


def test_a_split_that_leaks_cannot_be_made():
    dataset = made([(0, "x"), (0, "x"), (1, "y")])
    with pytest.raises(InvalidInput, match="subject `x` is in both train and test"):
        Split(dataset[:1], dataset[2:], dataset[1:2])
    with pytest.raises(InvalidInput, match="case `case 0` is in both train and validation"):
        Split(dataset[:1], dataset[:1], dataset[2:])


def test_part_of_and_table():
    dataset = by_class(5, 6, slices=4)
    parts = split(dataset)
    for name, part in parts.parts():
        assert all(parts.part_of(case.id) == name for case in part)
    with pytest.raises(InvalidInput, match="no part of the split"):
        parts.part_of("nobody")
    rows = parts.describe().splitlines()
    assert rows[0].split() == ["train", "validation", "test"]
    assert rows[2].split() == ["a", "12", "3", "4", "1", "4", "1"]
    assert rows[4].split() == ["all", "28", "7", "8", "2", "8", "2"]


def test_record_by_subject_meets_the_same_subjects_again():
    dataset = by_class(7, 8, 2)
    parts = split(dataset)
    record = json.loads(json.dumps(parts.record()))
    again = Split.from_record(dataset, record)
    assert again.record() == parts.record()
    assert [[c.id for c in part] for _, part in again.parts()] == [
        [c.id for c in p] for _, p in parts.parts()
    ]
    fewer = Split.from_record(dataset[::2], record)
    for (_, part), (_, whole) in zip(fewer.parts(), parts.parts(), strict=True):
        assert subjects(part) <= subjects(whole)


def test_record_by_case_where_subjects_are_unknown():
    dataset = made([(i % 3, None) for i in range(20)])
    parts = split(dataset, independent=True)
    assert parts.record()["by"] == "case"
    assert Split.from_record(dataset, parts.record()).record() == parts.record()


def test_foreign_records():
    dataset = by_class(4, 5)
    record = split(dataset).record()
    with pytest.raises(InvalidInput, match="in both train and test"):
        Split.from_record(dataset, record | {"test": record["train"]})
    with pytest.raises(InvalidInput, match="see `record`"):
        Split.from_record(dataset, {"train": []})
