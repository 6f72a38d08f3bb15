"""Subjects from pixels: on the phantom, on what is no slice, and on the real slices."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xaimri.data import Case, Dataset, alzheimer, phantom, split, subjects_from_pixels

SHARED = Path(os.environ.get("XAIMRI_SHARED", Path(__file__).parents[2].parent / "shared"))


def anonymous(dataset, seed=0):
    """Return the cases by number, in a random order, without subject and slice, and who they are of."""
    order = np.random.default_rng(seed).permutation(len(dataset)).tolist()
    cases = [replace(dataset[i], id=f"{n}", subject=None, slice=None) for n, i in enumerate(order)]
    return replace(dataset, cases=tuple(cases), notes=()), [dataset[i].subject for i in order]


def whole(found, true):
    """Count the people whose cases are of one subject, which has no others."""
    pairs = set(zip(found, true, strict=True))
    given = [one for one, _ in pairs]
    people = [person for _, person in pairs]
    return sum(one is not None and given.count(one) == 1 == people.count(person) for one, person in pairs)


@pytest.fixture(scope="module")
def made():
    return phantom.make(subjects=6, slices=20, size=(52, 44), seed=3)


def test_phantoms_come_back_whole_and_can_be_split(made):
    hidden, true = anonymous(made)
    found = subjects_from_pixels(hidden)
    assert whole(found.subjects, true) == 6
    assert [case.id for case in found] == [case.id for case in hidden]
    assert [case.label for case in found] == [case.label for case in hidden]
    assert "6 scans were chained, of 20 images each." in found.notes[0]
    parts = split(found, 0, 0.25)
    assert len({case.subject for case in parts.test}) + len({case.subject for case in parts.train}) == 6


def test_names_depend_on_the_pixels_alone(made):
    once, twice = (subjects_from_pixels(anonymous(made, seed)[0]) for seed in (1, 2))
    assert set(once.subjects) == set(twice.subjects)


def test_scans_that_may_be_parts_are_told_with_their_cases_and_the_way_to_keep_them(made, monkeypatch):
    from xaimri.data import chains, subjects

    def doubtful(small):
        scan = np.repeat(np.arange(6), 20)
        return chains.Chains(scan, scan >= 4, np.zeros(120, bool))

    monkeypatch.setattr(subjects, "chain", doubtful)
    hidden = replace(made, cases=tuple(replace(case, subject=None) for case in made))
    found = subjects_from_pixels(hidden)
    assert found.notes[2] == (
        "2 scans may be parts of others, so their 40 cases have no subject: `join_unsure=True` keeps them as "
        "scans of their own."
    )
    kept = subjects_from_pixels(hidden, join_unsure=True)
    assert None not in kept.subjects
    assert kept.notes[1] == "2 scans may be parts of others: look at them before a split is believed."


def test_people_who_were_chained_together_are_told(made, monkeypatch):
    from xaimri.data import chains, subjects

    def together(small):
        scan = np.repeat([0, 1, 2, 3, 4, 4], 20)
        return chains.Chains(scan, np.zeros(120, bool), np.zeros(120, bool))

    monkeypatch.setattr(subjects, "chain", together)
    found = subjects_from_pixels(replace(made, cases=tuple(replace(c, subject=None) for c in made)))
    assert len(set(found.subjects)) == 5
    (told,) = [note for note in found.notes if "far more images" in note]
    assert told.startswith("1 of 5 scans hold far more images than the others (40)")
    monkeypatch.undo()
    assert not any("far more images" in note for note in subjects_from_pixels(anonymous(made)[0]).notes)


def test_one_slice_of_each_person_has_no_subject():
    hidden, _ = anonymous(phantom.make(subjects=12, slices=1, size=(52, 44)))
    found = subjects_from_pixels(hidden)
    assert set(found.subjects) == {None}
    assert "0 scans" in found.notes[0]
    assert "12 of 12 cases have no subject" in found.notes[1]


def test_known_subjects_are_kept_and_given_on_and_two_are_told(made):
    cases = [replace(case, subject=None) for case in made]
    cases[3] = replace(cases[3], subject="ann")
    cases[25], cases[30] = replace(cases[25], subject="bob"), replace(cases[30], subject="cy")
    found = subjects_from_pixels(replace(made, cases=tuple(cases)))
    assert set(found.subjects[:20]) == {"ann"}
    assert set(found.subjects[20:40]) == {None, "bob", "cy"}
    assert any("1 scans hold images of several known subjects" in note for note in found.notes)


def test_volumes_and_images_of_other_sizes(made):
    cases = [replace(case, subject=None) for case in made[:40]]
    cases[5] = replace(cases[5], source=np.kron(cases[5].source, np.ones((3, 3), np.uint8)))
    volume = Case("volume", 0, None, np.zeros((9, 8, 7)))
    found = subjects_from_pixels(Dataset(made.classes, (*cases, volume)))
    assert len(set(found.subjects[:20])) == 1
    assert found.subjects[40] is None
    assert any("1 cases can't be read as a slice" in note for note in found.notes)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "data" / "alzheimer").is_dir(), reason="the real slices are not there")
def test_of_200_real_people_at_least_190_come_back_whole_and_nobody_is_mixed():
    true = alzheimer.load(SHARED / "data" / "alzheimer")
    hidden, people = anonymous(true)
    found = subjects_from_pixels(hidden)
    assert whole(found.subjects, people) >= 190
    owners = {}
    assert all(owners.setdefault(f, t) == t for f, t in zip(found.subjects, people, strict=True) if f)
    one = [next(i for i, p in enumerate(people) if p == person) for person in sorted(set(people))]
    assert set(subjects_from_pixels(hidden.take(one)).subjects) == {None}
