"""What a map holds in each region: closed forms."""

import csv
import json
import math

import numpy as np
import pytest

from xaimri import Atlas, InvalidInput
from xaimri.explanation import Explanation, Regions
from xaimri.images import Picture

LABELS = np.array([[0, 1, 1, 0], [0, 2, 2, 0], [0, 2, 2, 0], [5, 0, 0, 0]])
BRAIN = np.pad(np.ones((4, 2)), ((0, 0), (1, 1)))


def explanation(values, image=None, **more):
    values = np.asarray(values, np.float32)
    image = np.ones((*values.shape, 1), np.float32) if image is None else image
    return Explanation(
        values, image, 0, "logit", "logit", np.zeros(2), np.full(2, 0.5), ("ill", "well"),
        {"name": "lime", "title": "LIME", "settings": {}}, **more,
    )  # fmt: skip


VALUES = np.array([[9, 2, -1, 9], [9, 1, 1, 9], [9, 1, 1, 9], [9, 0, 4, 9.0]])


def test_counts_means_sums_and_shares_are_those_by_hand():
    """Background is as large as the brain here, and its relevance, 9 everywhere, counts in no share."""
    scan = np.where(BRAIN, 100.0, 0)[..., None]
    scan[1, 1:3] = 60
    table = explanation(VALUES, scan.astype(np.float32)).by_region(
        LABELS, {1: "top", 2: "middle", 5: "corner"}
    )
    top, middle, corner = table.rows
    assert (top.label, top.name, top.voxels, top.mean, top.sum) == (1, "top", 2, 0.5, 1.0)
    # of the brain's 8 pixels and its absolute relevance of 3 + 4 + 4 = 11
    assert top.share == pytest.approx(3 / 11)
    assert top.enrichment == pytest.approx((3 / 11) / (2 / 8))
    assert top.enrichment_signed == pytest.approx((1 / 11) / (2 / 8))
    assert middle.enrichment == middle.enrichment_signed == pytest.approx((4 / 11) / (4 / 8))
    assert (corner.voxels, corner.sum, math.isnan(corner.enrichment)) == (1, 9.0, True)  # off the brain
    assert (table.rest.name, table.rest.voxels, table.rest.sum) == ("(no region)", 2, 4.0)
    assert top.share + middle.share + table.rest.share == pytest.approx(1)
    assert math.isnan(top.mean_error)
    assert top.error_is == ""
    assert top.volume is None  # no millimetres are known


@pytest.mark.parametrize("scale", [1.0, -3.0, 1e-6])
def test_a_map_that_is_the_same_everywhere_is_at_chance_in_every_region(scale):
    table = explanation(np.full(LABELS.shape, scale)).by_region(LABELS)
    assert [row.enrichment for row in (*table.rows, table.rest)] == pytest.approx([1, 1, 1, 1])
    assert [row.enrichment_signed for row in table.rows] == pytest.approx(np.sign(scale) * np.ones(3))


def test_an_empty_map_has_no_shares_and_values_that_are_none_are_left_out_and_told():
    empty = explanation(np.zeros((4, 4))).by_region(LABELS)
    assert [(row.sum, math.isnan(row.enrichment)) for row in empty.rows] == [(0.0, True)] * 3
    values = VALUES.copy()
    values[0, 1], values[3, 0] = np.nan, np.inf
    table = explanation(values).by_region(LABELS)
    assert (table.rows[0].voxels, table.rows[0].mean, math.isnan(table.rows[2].mean)) == (2, -1.0, True)
    assert "2 voxels have no value" in table.notes[-1]


def test_errors_of_one_number_are_exact_and_of_several_a_bound():
    """Region 1 lies in one part of the method, region 2 in two of them."""
    parts = np.array([[0, 1, 1, 0], [2, 2, 3, 3], [2, 2, 3, 3], [-1, 4, 4, 4]])
    regions = Regions(parts, np.array([1, 2, 3, 4, np.nan]), np.array([0.1, 0.2, 0.3, 0.4, np.nan]))
    own = explanation(regions.paint(regions.values), errors=regions.paint(regions.errors), regions=regions)
    table = own.by_region(LABELS)
    one, two, corner = table.rows
    assert (one.error_is, one.mean_error, one.sum_error) == ("exact", pytest.approx(0.2), pytest.approx(0.4))
    assert (two.error_is, two.sum_error) == ("at most", pytest.approx(2 * 0.3 + 2 * 0.4))
    assert two.mean_error == pytest.approx(0.35)
    assert (corner.error_is, corner.sum_error) == ("exact", 0.0)  # a pixel that the method never hides
    assert any("Errors behind `<` are bounds" in note for note in table.notes)
    exact = own.by_region(parts + 1).rows
    assert [row.error_is for row in exact] == ["exact", "exact", "exact", "exact", ""]
    assert [row.mean_error for row in exact[:4]] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_the_bound_holds_whatever_goes_together():
    """Sums of numbers that err together, apart or against each other scatter by no more than is said."""
    generator = np.random.default_rng(0)
    errors = generator.random((4, 4))
    bound = explanation(np.ones((4, 4)), errors=errors.astype(np.float32)).by_region(LABELS).rows[1].sum_error
    for mix in (np.ones((1, 16)), np.eye(16), generator.standard_normal((3, 16))):
        drawn = generator.standard_normal((4000, len(mix))) @ (mix / np.linalg.norm(mix, axis=0))
        sums = (drawn.reshape(-1, 4, 4) * errors)[:, LABELS == 2].sum(axis=1)
        assert sums.std() < bound * 1.03
    zero = explanation(np.ones((4, 4)), errors=np.zeros((4, 4), np.float32)).by_region(LABELS).rows[1]
    assert (zero.error_is, zero.sum_error) == ("exact", 0.0)


def test_regions_that_are_lost_cut_or_off_the_scan_are_told():
    labels = np.zeros((12, 6, 6), int)
    labels[0:2], labels[3, :, 0], labels[7:11], labels[11] = 1, 2, 3, 4  # 2 is a thread, 4 lies off the scan
    atlas = Atlas.read(
        Picture(labels, affine=np.eye(4)), {1: "whole", 2: "thread", 3: "cut", 4: "off"}, same_space=True
    )
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = 1.0
    scan = explanation(np.ones((4, 3, 3)), affine=affine, spacing=(2.0, 2.0, 2.0))
    table = scan.by_region(atlas)
    assert [row.voxels for row in table.rows] == [9, 0, 9, 0]
    assert [row.volume for row in table.rows] == pytest.approx([72.0, 0.0, 72.0, 0.0])
    assert [row.inside for row in table.rows] == [1.0, 1.0, 0.25, 0.0]
    assert [row.name for row in table.rows if math.isnan(row.mean)] == ["thread", "off"]
    assert [note.split()[:2] for note in table.notes] == [["off", "lies"], ["thread", "falls"], ["cut", "is"]]


def test_an_atlas_that_lies_beside_the_brain_is_told():
    """A brain of 16 voxels a side in the middle; the atlas is as large, and lies on it, or further."""
    scan, labels = np.zeros((40, 24, 24, 1), np.float32), np.zeros((40, 24, 24), int)
    scan[8:24, 4:20, 4:20], labels[8:24, 4:20, 4:20] = 1, 3
    for shift, outside in [(0, ()), (2, ()), (8, range(50, 56))]:
        table = explanation(np.ones(scan.shape[:3]), scan).by_region(np.roll(labels, shift, axis=0))
        told = [note for note in table.notes if "outside of the object" in note]
        assert len(told) == bool(outside)
        assert all(int(note.split()[0]) in outside for note in told)


def test_a_table_is_found_printed_and_written(tmp_path):
    names = {1: "=top", 2: "middle", 5: "middle"}
    table = explanation(VALUES, errors=np.ones((4, 4), np.float32)).by_region(LABELS, names)
    assert table.of("=top") is table.of(1) is table.rows[0]
    for wrong, told in [("middle", "the labels 2, 5"), ("nose", "there is none"), (7, "there is none")]:
        with pytest.raises(InvalidInput, match=told):
            table.of(wrong)
    lines = str(table).splitlines()
    assert lines[0].split() == ["region", "voxels", "mm3", "mean", "sum", "enrichment", "signed"]
    assert (lines[1].split()[0], lines[4][:11]) == ("middle", "(no region)")
    assert "LIME of ill" in lines[5]
    rows = list(csv.DictReader(table.save(tmp_path / "regions.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["'=top", "middle", "middle", "(no region)"]
    assert (rows[0]["mean"], rows[0]["volume"]) == ("0.5", "")
    kept = json.loads(table.save(tmp_path / "regions.json").read_text())
    assert (kept["atlas"], kept["regions"][1]["sum"]) == (Atlas.read(LABELS).sha256, 4.0)
    assert "<script" not in explanation(VALUES).by_region(LABELS, {1: "<script>"})._repr_html_()
    assert "&lt;script&gt;" in explanation(VALUES).by_region(LABELS, {1: "<script>"})._repr_html_()
    with pytest.raises(InvalidInput, match=r"must end in .csv or .json"):
        table.save(tmp_path / "regions.xls")
    many = explanation(np.ones((10, 10))).by_region(np.arange(100).reshape(10, 10))
    assert "69 more regions" in str(many)
    assert "--out" in str(many)
    assert len(str(many).splitlines()) == 34


def test_a_picture_has_no_anatomy():
    labels = Atlas.read(Picture(np.ones((4, 4, 4), int), affine=np.eye(4)), same_space=True)
    with pytest.raises(InvalidInput, match="no affine, so an atlas can't be laid on it"):
        explanation(VALUES).by_region(labels)
    with pytest.raises(InvalidInput, match="labels of the image's own shape"):
        explanation(VALUES).by_region(np.ones((4, 5), int))
