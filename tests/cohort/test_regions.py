"""Regions over many people: means, intervals and p by hand."""

import csv
import json

import numpy as np
import pytest

import xaimri
from xaimri import Atlas, InvalidInput
from xaimri.evaluation import sign_flip_test
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations

LABELS = np.kron([[1, 2], [3, 0]], np.ones((4, 4), int))
NAMES = {1: "one", 2: "two", 3: "three"}


def explanation(values, **more):
    values = np.asarray(values, np.float32)
    made = {
        "image": np.ones((*values.shape, 1), np.float32), "target": 0, "of": "logit", "unit": "logit",
        "logits": np.zeros(2), "probabilities": np.full(2, 0.5), "classes": ("ill", "well"),
        "method": {"name": "lime", "title": "LIME", "settings": {}},
    }  # fmt: skip
    return Explanation(values, **{**made, **more})


def study(subjects, effect=0.0, seed=0):
    """Return maps of people, each quarter with one signed value; the first is stronger by ``effect``."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(subjects):
        quarters = generator.standard_normal((2, 2))
        quarters[0, 0] += effect
        found.append(explanation(np.kron(quarters, np.ones((4, 4)))))
    return found


def test_means_are_over_subjects_each_of_whom_counts_once():
    maps = study(4)
    cohort = xaimri.by_region(maps, LABELS, NAMES, subjects=["a", "b", "a", "c"], amount="mean")
    own = np.array([[row.mean for row in each.by_region(LABELS).rows] for each in maps])
    people = np.stack([(own[0] + own[2]) / 2, own[1], own[3]])
    np.testing.assert_allclose(cohort.values, people, rtol=1e-6)
    np.testing.assert_allclose([row.mean for row in cohort.rows], people.mean(axis=0), rtol=1e-6)
    t, p = sign_flip_test(people)
    np.testing.assert_allclose([row.t for row in cohort.rows], t, rtol=1e-6)
    assert [row.p for row in cohort.rows] == pytest.approx(p.tolist())
    assert [(row.name, row.subjects) for row in cohort.rows] == [("one", 3), ("two", 3), ("three", 3)]
    assert np.isnan([row.low for row in cohort.rows]).all()
    assert any("No intervals: they need at least 5 subjects" in note for note in cohort.notes)
    assert any("Of 3 subjects no p can be below 0.25" in note for note in cohort.notes)


def test_a_region_that_all_of_them_use_is_found_and_no_other():
    """Its enrichment is above 1, and those of the others below, as shares add up."""
    maps = study(12, effect=6.0)
    cohort = xaimri.by_region(maps, LABELS, NAMES, independent=True)
    one = cohort.of("one")
    assert one.p < 0.01
    assert 1 < one.low < one.mean < one.high < 4
    assert cohort.chance == 1
    signed = xaimri.by_region(maps, LABELS, independent=True, amount="enrichment_signed")
    assert signed.of(1).p < 0.01
    assert min(signed.of(2).p, signed.of(3).p) > 0.05


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    inside = 0
    for seed in range(60):
        row = xaimri.by_region(
            study(20, 1.0, seed),
            LABELS,
            independent=True,
            amount="mean",
            confidence=0.9,
            resamples=400,
            flips=10,
        ).rows[0]
        inside += row.low < 1 < row.high
    assert 46 <= inside <= 60


def test_maps_that_are_never_negative_have_no_test_against_0():
    maps = [explanation(np.abs(one.values)) for one in study(8)]
    cohort = xaimri.by_region(maps, LABELS, independent=True, amount="sum")
    assert np.isnan([row.p for row in cohort.rows]).all()
    assert any(note.startswith("No p: these maps have no negative value") for note in cohort.notes)
    rich = xaimri.by_region(maps, LABELS, independent=True)
    assert np.isfinite([row.p for row in rich.rows]).all()


def test_each_may_have_an_atlas_of_their_own_and_lack_a_region():
    maps = study(6)
    without = np.where(LABELS == 3, 0, LABELS)
    atlases = [Atlas.read(LABELS, NAMES)] * 3 + [Atlas.read(without, {1: "one", 2: "two"})] * 3
    cohort = xaimri.by_region(maps, atlases, independent=True, amount="mean")
    assert [row.subjects for row in cohort.rows] == [6, 6, 3]
    assert cohort.of("three").mean == pytest.approx(np.mean([one.values[4, 0] for one in maps[:3]]), rel=1e-5)
    assert np.isnan(cohort.of("three").low)
    with pytest.raises(InvalidInput, match="3 atlases can't be those of 6"):
        xaimri.by_region(maps, atlases[:3], independent=True)


def test_subjects_are_told_by_name_of_the_image_too():
    found = Explanations({f"{n}.nii": one for n, one in enumerate(study(3))})
    whose = {"0.nii": "a", "1.nii": "b", "2.nii": "a"}
    named = xaimri.by_region(found, LABELS, subjects=whose, amount="mean")
    listed = xaimri.by_region(list(found), LABELS, subjects=["a", "b", "a"], amount="mean")
    np.testing.assert_array_equal(named.values, listed.values)


def test_what_can_t_be_compared_is_refused():
    maps = study(3)
    other = explanation(maps[0].values, method={"name": "shap", "settings": {}})
    for given, more, told in [
        ([], {"independent": True}, "`explanations` must be a list"),
        (maps[0], {"independent": True}, "`explanations` must be a list"),
        (
            [*maps, other],
            {"independent": True},
            "of one method and one score, got lime of the logit and shap",
        ),
        (maps, {}, "whose scans they are isn't known"),
        (maps, {"subjects": ["a"]}, "one for each of 3"),
        (maps, {"subjects": ["a", None, "b"]}, "one for each of 3"),
        (maps, {"subjects": "abc"}, "must be a list with one for each"),
        (maps, {"independent": True, "amount": "median"}, "`amount` must be"),
        (Explanations({"x": maps[0]}), {"subjects": {"y": "a"}}, "no entry for 'x'"),
    ]:
        with pytest.raises(InvalidInput, match=told):
            xaimri.by_region(given, LABELS, **more)


def test_a_cohort_is_printed_and_written(tmp_path):
    maps = [*study(5), explanation(study(1, seed=9)[0].values, target=1)]
    cohort = xaimri.by_region(maps, LABELS, NAMES, independent=True, amount="mean")
    lines = str(cohort).splitlines()
    assert lines[0].split() == ["region", "subjects", "mean", "interval", "t", "p"]
    assert "each scan by its own class" in lines[4]
    assert any("different classes" in line for line in lines)
    rows = list(csv.DictReader(cohort.save(tmp_path / "cohort.csv").read_text().splitlines()))
    assert [float(row["mean"]) for row in rows] == [row.mean for row in cohort.rows]
    assert json.loads(cohort.save(tmp_path / "cohort.json").read_text())["subjects"] == 6
    assert "<table" in cohort._repr_html_()
    with pytest.raises(InvalidInput, match="0 regions are called"):
        cohort.of("nose")
