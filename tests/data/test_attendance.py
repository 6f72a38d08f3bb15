"""A recorded split on data that lack some of it, or hold more: what is there is used, the rest is told."""

from dataclasses import replace

import numpy as np
import pytest

from xaimri.data import Case, Dataset, Split, split
from xaimri.data.attendance import absences_beside, trained_on
from xaimri.errors import InvalidInput


def of(*names, subject=lambda name: name):
    cases = [Case(f"case {name}", i % 2, subject(name), np.zeros((2, 3))) for i, name in enumerate(names)]
    return Dataset(("a", "b"), tuple(cases))


RECORD = {
    "by": "subject",
    "train": [f"T{i}" for i in range(9)],
    "validation": [],
    "test": ["S1", "S2", "S3"],
}


def test_missing_subjects_are_counted_and_named_part_by_part():
    found = Split.from_record(of("S2", "T8", "T7"), RECORD)
    assert [len(part) for _, part in found.parts()] == [2, 0, 1]
    assert found.notes == (
        "2 of 9 training subjects are there; missing: T0, T1, T2, T3, T4 and 2 more.",
        "1 of 3 held-out subjects are there; missing: S1, S3.",
    )


def test_missing_cases_are_counted_where_the_split_is_by_case():
    dataset = of(*"abcdefghij", subject=lambda name: None)
    record = split(dataset, seed=2, independent=True).record()
    whole = Split.from_record(dataset, record)
    assert whole.notes == tuple(record["notes"])
    lost = record["test"][0]
    kept = [i for i, case in enumerate(dataset) if case.id != lost]
    number = len(record["test"])
    note = f"{number - 1} of {number} held-out cases are there; missing: {lost}."
    assert Split.from_record(dataset.take(kept), record).notes[len(whole.notes) :] == (note,)


def test_cases_of_nobody_in_the_record_are_left_out_and_counted():
    found = Split.from_record(of("S1", "S2", "S3", "X", *RECORD["train"], "Y"), RECORD)
    assert [len(part) for _, part in found.parts()] == [9, 0, 3]
    assert found.notes == ("2 of 14 cases are in no part of the record and are left out: case X, case Y.",)


def test_only_a_part_that_is_asked_for_and_empty_is_refused():
    found = Split.from_record(of("T1"), RECORD)
    assert len(found.part("train")) == 1
    with pytest.raises(InvalidInput, match=r"the test part has no case .*0 of 3 held-out subjects are there"):
        found.part("test")
    with pytest.raises(InvalidInput, match="the validation part has no case in this data: take another"):
        found.part("validation")


def test_data_without_subjects_can_not_be_split_by_subject():
    with pytest.raises(InvalidInput, match="recorded by subject, and none of these cases has one"):
        Split.from_record(of("S1", subject=lambda name: None), RECORD)


def test_a_report_tells_of_the_parts_that_its_cases_are_from_and_of_no_other():
    assert absences_beside(of("S1", "S3"), RECORD) == ("2 of 3 held-out subjects are there; missing: S2.",)
    assert absences_beside(of("S1", "S2", "S3"), RECORD) == ()
    assert absences_beside(of("elsewhere"), RECORD) == ()


def test_who_was_trained_on_is_told_and_names_from_elsewhere_are_not():
    trained = RECORD["train"][0]
    (note,) = trained_on(of(trained, "S2"), RECORD)
    assert note.startswith(f"1 of 2 cases are named as what the network was trained on: {trained}.")
    assert trained_on(of("S2", "elsewhere"), RECORD) == ()
    here = replace(of(trained), origin={"maker": "phantom", "seed": 0})
    assert trained_on(here, RECORD, {"maker": "phantom", "seed": 1}) == ()
    assert len(trained_on(here, RECORD, {"maker": "phantom", "seed": 0})) == 1
    read = replace(of(trained), origin={"maker": "folder", "subject": "(?P<subject>.+)_", "classes": None})
    for origin in ({**read.origin, "subject": "(?P<subject>[^_]+)"}, {**read.origin, "classes": ("a",)}):
        assert len(trained_on(read, RECORD, origin)) == 1


def test_the_record_of_what_is_there_meets_it_again():
    fewer = of("S2", "T8", "T7")
    found = Split.from_record(fewer, RECORD)
    assert Split.from_record(fewer, found.record()).notes == found.notes
