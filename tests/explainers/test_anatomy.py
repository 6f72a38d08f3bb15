"""Regions of an atlas as those that a method hides: closed forms on a linear model."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

import xaimri
from xaimri import LIME, SHAP, Atlas, InvalidInput, LinearClassifier, Occlusion, UnusableImage
from xaimri.classifier import Classifier
from xaimri.explainer import Explainer
from xaimri.explainers import from_record
from xaimri.grid import Grid
from xaimri.images import Picture, foreground
from xaimri.metrics import deletion

SHAPE = (8, 7, 6)
AFFINE = np.array([[2.0, 0, 0, -8], [0, 2, 0, -7], [0, 0, 2, -6], [0, 0, 0, 1]])
NAMES = {3: "front", 11: "back"}


def labels():
    """Two regions inside a brain, the rest of which is in none."""
    found = np.zeros(SHAPE, int)
    found[2:4, 2:5, 2:4], found[5:6, 2:5, 1:5] = 3, 11
    return found


def brain():
    """A brain that is bright and uneven, on a black ground."""
    scan = np.zeros(SHAPE, np.float32)
    scan[1:7, 1:6, 1:5] = np.random.default_rng(0).random((6, 5, 4)) + 1
    return scan


ATLAS = Atlas.read(Picture(labels(), affine=AFFINE), NAMES)
SCAN = Picture(brain(), affine=AFFINE)
MODEL = LinearClassifier.random((*SHAPE, 1), classes=2, seed=0)
REGIONS = np.where((labels() == 0) & ~foreground(brain()[..., None]), -1, labels())


def worth(region):
    """Return what a region adds to the logit of class 0, where hiding is 0."""
    return float((MODEL.weights[0, ..., 0] * brain())[region == REGIONS].sum())


@pytest.mark.parametrize("method", ["lime", "shap", "occlusion"])
def test_each_region_of_the_atlas_and_the_rest_of_the_brain_get_what_they_add(method):
    found = xaimri.explain(MODEL, SCAN, method, target=0, of="logit", regions=ATLAS, absent=0.0)
    np.testing.assert_array_equal(found.regions.labels, REGIONS)
    truth = {region: worth(region) for region in (0, 3, 11)}
    for region, value in truth.items():
        near = pytest.approx(value, rel=0.03, abs=2e-3)  # LIME's ridge shrinks a little
        assert found.regions.values[region] == near
        assert found.values[region == REGIONS] == near
    assert np.isnan(found.regions.values[[1, 2, 4, 10]]).all()
    assert (found.values[REGIONS == -1] == 0).all()
    assert found.diagnostics["regions"] == 3
    assert found.diagnostics["atlas"] == {
        "sha256": ATLAS.sha256, "file": None, "regions": 2, "lost": (), "names": {"3": "front", "11": "back"}
    }  # fmt: skip
    assert "untested_regions" not in {caveat.name for caveat in found.caveats}


def test_the_table_of_the_same_atlas_has_exact_errors_and_the_method_s_own_numbers():
    found = xaimri.explain(MODEL, SCAN, LIME(regions=ATLAS, samples=64), target=0)
    table = found.by_region(ATLAS)
    for row in (*table.rows, table.rest):
        assert row.mean == pytest.approx(found.regions.values[row.label], rel=1e-5)
        assert row.mean_error == pytest.approx(found.regions.errors[row.label], rel=1e-5)
        assert row.error_is == "exact"
        assert row.volume == 8 * row.voxels == 8 * (row.label == REGIONS).sum()
    assert [row.name for row in table.rows] == ["front", "back"]


def test_a_file_is_brought_to_scans_of_another_grid_and_model_size(tmp_path):
    """The model sees half as many voxels, a scan is stored mirrored, and the map keeps the atlas' borders."""
    nib = pytest.importorskip("nibabel")
    nib.save(nib.Nifti1Image(labels().astype(np.uint8), AFFINE), tmp_path / "atlas.nii.gz")
    mirrored = AFFINE @ np.array([[-1, 0, 0, 7], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    nib.save(nib.Nifti1Image(brain()[::-1], mirrored), tmp_path / "scan.nii.gz")
    path = str(tmp_path / "atlas.nii.gz")
    whole = xaimri.explain(MODEL, tmp_path / "scan.nii.gz", "shap", regions=path, absent=0.0, target=0)
    assert whole.regions.values[3] == pytest.approx(worth(3), abs=1e-3)
    assert whole.diagnostics["atlas"]["file"] == "atlas.nii.gz"
    assert whole.diagnostics["atlas"]["sha256"] == Atlas.read(path).sha256
    half = LinearClassifier.random((4, 4, 3, 1), classes=2, seed=0)
    seen = []

    class Watched:
        classes, input_shape = half.classes, (4, 4, 3, 1)

        def logits(self, images, /):
            seen.append(np.array(images))
            return half.logits(images)

    found = xaimri.explain(
        Watched(), tmp_path / "scan.nii.gz", Occlusion(regions=path, absent=-5.0), target=0
    )
    np.testing.assert_array_equal(found.regions.labels, REGIONS)
    assert set(np.unique(found.values[REGIONS == 3])) == {np.float32(found.regions.values[3])}
    parts = Atlas.read(path).on(SHAPE, AFFINE, Grid.fitted(SHAPE, (4, 4, 3)))
    for region in (3, 11):
        assert any(((image[..., 0] == -5) == (parts == region)).all() for image in np.concatenate(seen))


def test_many_scans_get_regions_of_their_own_and_a_picture_is_a_failure_of_its_own():
    """The second scan lies two voxels further: the atlas lies two voxels earlier on it."""
    moved = AFFINE.copy()
    moved[0, 3] += 4
    atlas = replace(ATLAS, same_space=True)
    scans = {"one": SCAN, "two": Picture(brain(), affine=moved), "three": brain(), "four": SCAN}
    found = xaimri.explain_all(MODEL, scans, "shap", regions=atlas, absent=0.0, target=0)
    assert found.names == ("one", "two", "four")
    assert "no affine, so an atlas can't be laid on it" in found.failures["three"].sentence
    assert (found[1].regions.labels[:-2] == 3).sum() == (labels() == 3)[2:].sum()
    np.testing.assert_array_equal(found[1].regions.labels == 11, np.roll(labels() == 11, -2, axis=0))
    np.testing.assert_array_equal(found[0].values, found[2].values)
    one = xaimri.explain_all(MODEL, SCAN, "shap", regions=atlas, absent=0.0, target=[0, 1])
    assert one[0].regions.values[3] == pytest.approx(worth(3), abs=1e-3)
    assert len(one) == 2
    with pytest.raises(InvalidInput, match="another grid"):  # nothing says that they are in one space
        xaimri.explain_all(MODEL, scans, "shap", regions=ATLAS)


def test_a_region_that_the_model_s_grid_loses_is_told_and_has_no_value():
    thin = np.zeros(SHAPE, int)  # the model's three cells along the first axis lie nearest to 1, 4 and 6
    thin[4, 1:6, 1:5], thin[6, 1:6, 1:5], thin[2, 1:6, 1:5] = 3, 11, 70
    atlas = Atlas.read(Picture(thin, affine=AFFINE), {3: "front", 11: "back", 70: "sheet"})
    coarse = LinearClassifier.random((3, *SHAPE[1:], 1), classes=2, seed=0)
    found = xaimri.explain(coarse, SCAN, "occlusion", regions=atlas, target=0)
    lost = found.diagnostics["atlas"]["lost"]
    assert lost == (70,)
    (caveat,) = (c for c in found.caveats if c.name == "untested_regions")
    assert caveat.text.startswith(
        "1 of 3 regions of the atlas have no pixel on the model's grid, such as sheet:"
    )
    assert np.isnan(found.regions.values[70])
    assert np.isnan(found.by_region(atlas).of("sheet").mean)


def test_the_record_rebuilds_the_method_and_the_one_before_it_met_a_scan():
    found = xaimri.explain(MODEL, SCAN, SHAP(regions=ATLAS, absent=0.0), target=0)
    again = from_record(found.method, found.method_arrays)
    (same,) = again.explain(MODEL, SCAN.pixels[None, ..., None], 0)
    np.testing.assert_allclose(same.values, found.values, atol=1e-6)
    asked = LIME(regions=ATLAS)
    assert from_record(asked.record(), asked.arrays()) == asked
    assert asked.record()["settings"]["regions"]["atlas"] == ATLAS.sha256
    assert hash(asked) == hash(LIME(regions=ATLAS))


@dataclass(frozen=True)
class Wrapper(Explainer[Classifier]):
    """A method that holds another one."""

    inner: Any = LIME()
    name: ClassVar[str] = "wrapper"

    def attribute(self, model, images, objective, /):
        return self.inner.attribute(model, images, objective)


def test_a_method_that_another_one_holds_gets_its_regions_too():
    found = xaimri.explain(MODEL, SCAN, Wrapper(SHAP(regions=ATLAS, absent=0.0)), target=0)
    assert found.regions.values[11] == pytest.approx(worth(11), abs=1e-3)


def test_metrics_that_explain_by_themselves_get_the_regions_of_each_scan(tmp_path):
    nib = pytest.importorskip("nibabel")
    nib.save(nib.Nifti1Image(brain(), AFFINE), tmp_path / "scan.nii")
    cases = [xaimri.data.Case("a", 0, "p", tmp_path / "scan.nii")]
    judged = xaimri.evaluate_explanations(
        {"shap": SHAP(regions=ATLAS, absent=0.0)}, MODEL, cases, [deletion, "max_sensitivity"]
    )
    assert [row.failure for row in judged.rows] == [None, None]


def test_what_is_no_atlas_is_refused_before_any_image_is_read():
    with pytest.raises(InvalidInput, match="is not there: check the path of the atlas"):
        xaimri.explain(MODEL, "no image", "lime", regions="missing.nii.gz")
    with pytest.raises(InvalidInput, match=r"brought to each scan by xaimri.explain"):
        LIME(regions=ATLAS).explain(MODEL, SCAN.pixels[None, ..., None])
    with pytest.raises(UnusableImage, match="no affine"):
        xaimri.explain(MODEL, brain(), "lime", regions=ATLAS)
    flat = LinearClassifier.random((4, 5, 1), classes=2)
    own = np.array([[0, 1, 1, 2, 2]] * 4)
    found = xaimri.explain(flat, np.random.default_rng(0).random((4, 5)), "shap", regions=Atlas.read(own))
    assert found.diagnostics["regions"] == 3  # a picture without anatomy takes labels of its own shape


def test_a_network_of_slices_hides_the_regions_cut_into_its_slices():
    """Weights of 1 on class 0: a region adds, slice by slice, the sum of what it shows there."""
    weights = np.stack([np.ones((7, 8, 1)), np.zeros((7, 8, 1))])  # axial slices lie with front up
    found = xaimri.explain(
        LinearClassifier(weights), SCAN, "shap", slices="all", regions=ATLAS, absent=0.0, target=0, of="logit"
    )
    for place in range(1, 5):  # the other slices are black
        for region in (0, 3, 11):
            here = np.zeros(SHAPE, bool)
            here[:, :, place] = (labels() == region)[:, :, place]
            if region == 0:
                here[:, :, place] &= foreground(SCAN.pixels[:, :, place, None])
            if (brain()[here] > 0).any():
                assert found.values[here] == pytest.approx(float(brain()[here].sum()), abs=1e-3)
    assert (found.diagnostics["atlas"]["lost"], found.diagnostics["atlas"]["regions"]) == ((), 2)
    front = found.by_region(ATLAS).of("front")
    assert front.sum == pytest.approx(
        sum(6 * brain()[:, :, z][labels()[:, :, z] == 3].sum() for z in (2, 3)), rel=1e-4
    )
