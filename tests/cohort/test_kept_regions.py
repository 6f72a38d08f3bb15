"""Regions over a cohort that is kept: the table of its maps all at once, one of which is in memory."""

import numpy as np
import pytest

import xaimri
from xaimri import Atlas, InvalidInput, LinearClassifier
from xaimri.images import Picture

pytest.importorskip("pyarrow")

SPACE = (6, 8, 10)
AFFINE = np.diag([2.0, 2, 3, 1])
MODEL = LinearClassifier.random((*SPACE, 1), classes=2, seed=0, patch=2)
NAMES = {1: "one", 2: "two", 3: "three"}


def labels(shift=0):
    found = np.zeros(SPACE, int)
    found[:3, :4, :5], found[3:, :4, :5], found[:3, 4:, 5:] = 1, 2, 3
    return np.roll(found, shift, axis=0)


ATLAS = Picture(labels(), affine=AFFINE)


def scans(count=7, affine=AFFINE):
    return {f"s{n}": Picture(np.random.default_rng(n).random(SPACE) + 1, affine=affine) for n in range(count)}


def table(tmp_path, given):
    """Write scans as arrays, two of a person, and return their table."""
    rows = ["path,case,subject"]
    for n, (case, scan) in enumerate(given.items()):
        np.save(tmp_path / f"{case}.npy", np.asarray(scan.pixels).reshape(SPACE))
        rows.append(f"{case}.npy,{case},p{n // 2}")
    (tmp_path / "cases.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "cases.csv"


def same(found, truth):
    assert [row.name for row in found.rows] == [row.name for row in truth.rows]
    for one, other in zip(found.to_rows(), truth.to_rows(), strict=True):
        assert one.pop("name") == other.pop("name")
        for name in other:
            expected = other[name]
            assert one[name] == (None if expected is None else pytest.approx(expected, rel=1e-3)), name
    assert (found.question, found.unit, found.chance) == (truth.question, truth.unit, truth.chance)


@pytest.mark.parametrize("maps", ["whole", "cells"])
@pytest.mark.parametrize("amount", ["enrichment", "mean"])
def test_it_is_the_table_of_all_maps_at_once(tmp_path, maps, amount):
    given = scans()
    methods = {"hirescam": "hirescam", "lime": xaimri.LIME(samples=40, regions=5)}
    cohort = xaimri.explain_cohort(MODEL, given, methods, out=tmp_path, target="class_1", maps=maps)
    how = {"amount": amount, "resamples": 100, "independent": True}
    for name, method in methods.items():
        maps_ = xaimri.explain_all(MODEL, given, method, target="class_1")
        found = cohort.regions(ATLAS, NAMES, method=name, images=given, **how)
        expected = xaimri.by_region(maps_, ATLAS, NAMES, **how)
        same(found, expected)
        assert found.notes == expected.notes


def test_subjects_are_the_cohort_s_and_each_may_have_an_atlas_of_their_own(tmp_path):
    given = scans()
    cohort = xaimri.explain_cohort(MODEL, table(tmp_path, given), "saliency", out=tmp_path / "run", target=1)
    own = {case: labels(n % 2) for n, case in enumerate(given)}
    found = cohort.regions(own, NAMES, amount="mean", resamples=100)
    arrays = {case: np.asarray(scan.pixels).reshape(SPACE) for case, scan in given.items()}
    maps = xaimri.explain_all(MODEL, arrays, "saliency", target=1)
    atlases = [Atlas.read(one, NAMES) for one in own.values()]
    subjects = [f"p{n // 2}" for n in range(len(given))]
    same(found, xaimri.by_region(maps, atlases, subjects=subjects, amount="mean", resamples=100))
    assert len(found.values) == 4
    with pytest.raises(InvalidInput, match="`atlas` has no entry for 's6'"):
        cohort.regions({case: one for case, one in own.items() if case != "s6"})


def test_what_is_gone_or_failed_is_left_out_and_told(tmp_path):
    given = scans()
    path = table(tmp_path, given)
    (tmp_path / "s1.npy").write_bytes(b"no array")
    cohort = xaimri.explain_cohort(MODEL, path, "saliency", out=tmp_path / "run")
    (tmp_path / "s2.npy").unlink()
    np.save(tmp_path / "s3.npy", np.zeros(SPACE))
    found = cohort.regions(labels(), resamples=100)
    assert any(note.startswith("2 of 6 maps are left out:") for note in found.notes)
    assert "1 cases have no map, and are left out." in found.notes
    assert len(found.values) == 3
    for file in tmp_path.glob("*.npy"):
        file.unlink()
    with pytest.raises(InvalidInput, match="no map can be laid on its image"):
        cohort.regions(labels())


def test_what_can_t_be_compared_is_one_sentence(tmp_path):
    given = scans(3)
    cohort = xaimri.explain_cohort(MODEL, given, ["saliency", "lime"], samples=20, out=tmp_path / "a")
    how = {"images": given, "independent": True}
    with pytest.raises(InvalidInput, match="which of the methods"):
        cohort.regions(ATLAS, **how)
    with pytest.raises(InvalidInput, match="3 of 3 cases have no subject"):
        cohort.regions(ATLAS, method="lime", images=given)
    with pytest.raises(InvalidInput, match="3 images were in memory: give them by `images`"):
        cohort.regions(ATLAS, method="lime", independent=True)
    other = Picture(labels(), affine=np.diag([1.0, 1, 1, 1]))
    with pytest.raises(InvalidInput, match="the atlas can't be laid on `s0`: the atlas has another grid"):
        cohort.regions(other, method="lime", **how)
    mixed = {**scans(2), "s2": np.random.default_rng(5).random((9, 9, 9))}
    several = xaimri.explain_cohort(MODEL, mixed, "saliency", out=tmp_path / "b")
    with pytest.raises(InvalidInput, match="the atlas can't be laid on `s2`: it isn't known where"):
        several.regions(ATLAS, images=mixed, independent=True)
    none = xaimri.explain_cohort(MODEL, given, "saliency", out=tmp_path / "c", maps="none")
    with pytest.raises(InvalidInput, match="there are no maps here"):
        none.regions(ATLAS, **how)
