"""Atlases: labels keep their place in the world, whatever their grid, or one sentence says why not."""

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import xaimri
from xaimri import Atlas, InvalidInput, MissingExtra, UnusableImage
from xaimri.grid import Grid
from xaimri.images import Picture

TEMPLATES = Path(os.environ.get("XAIMRI_MRICRON", "/usr/share/mricron/templates"))

SPHERES = {3: ((10.0, -5.0, 4.0), 9.0), 70_000: ((-12.0, 8.0, -6.0), 7.0)}
"""Centre and radius of each region, in mm."""


def label_at(affine, shape):
    """Return the label that the place of a voxel in the world decides."""
    index = np.stack([*np.indices(shape), np.ones(shape)])
    world = np.einsum("ij,j...->i...", affine, index)[:3]
    found = np.zeros(shape, int)
    for label, (centre, radius) in SPHERES.items():
        found[((world - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) < radius**2] = label
    return found


def turned(angle, spacing=(1.0, 1.0, 1.0), origin=(-30.0, -25.0, -20.0)):
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag(spacing)
    matrix[:3, 3] = origin
    return matrix


SHAPE = (60, 50, 40)
FINE = turned(0.0)


def made(affine=FINE, shape=SHAPE, **options):
    return Atlas.read(Picture(label_at(affine, shape), affine=affine), **options)


@pytest.mark.parametrize(
    ("angle", "spacing", "origin", "shape"),
    [
        (0.0, (2.0, 2.5, 3.0), (-29.0, -24.0, -19.0), (28, 19, 13)),
        (0.0, (-1.5, 2.0, 1.0), (29.0, -24.0, -19.0), (39, 24, 38)),
        (0.3, (2.0, 2.0, 2.0), (-20.0, -28.0, -19.0), (27, 24, 19)),
    ],
)
def test_each_voxel_takes_the_label_of_its_place_in_the_world(angle, spacing, origin, shape):
    """Only voxels within half a voxel of a border, which nearest neighbour moves, may differ."""
    affine = turned(angle, spacing, origin)
    found = made(same_space=True).on(shape, affine)
    truth = label_at(affine, shape)
    assert set(np.unique(found)) == {0, *SPHERES}
    assert (found != truth).mean() < 0.005
    for label, (centre, _) in SPHERES.items():
        places = np.argwhere(found == label)
        mean = (affine @ [*places.mean(axis=0), 1])[:3]
        np.testing.assert_allclose(mean, centre, atol=0.6)


def test_one_grid_needs_no_word_and_in_any_order_of_its_axes():
    atlas = made()
    assert (atlas.on(SHAPE, FINE) == atlas.labels).all()
    flip = np.array([[0, -1, 0, 49], [1, 0, 0, 0], [0, 0, -1, 39], [0, 0, 0, 1.0]]).T
    other = np.eye(4)
    other[:3, :3] = flip[:3, :3]
    corner = np.where(other[:3, :3].sum(axis=1) < 0, np.array(SHAPE) - 1, 0)
    other[:3, 3] = corner
    shape = tuple(int(n) for n in np.abs(other[:3, :3]).T @ SHAPE)
    affine = FINE @ other
    assert (atlas.on(shape, affine) == label_at(affine, shape)).all()


def test_a_header_s_rounding_is_no_other_grid_and_a_shift_of_a_quarter_voxel_is():
    near, far = FINE.copy(), FINE.copy()
    near[:3] += 1e-5
    far[0, 3] += 0.25
    assert (made().on(SHAPE, near) == made().labels).all()
    with pytest.raises(InvalidInput, match="another grid than the image of 60 x 50 x 40 pixels"):
        made().on(SHAPE, far)


def test_an_atlas_elsewhere_is_brought_by_the_affine_that_is_given():
    """Atlas space is the scan's, turned by 0.2 and shifted: the matrix takes it back."""
    way = turned(0.2, origin=(3.0, -2.0, 1.0))
    atlas = Atlas.read(Picture(label_at(FINE, SHAPE), affine=np.linalg.inv(way) @ FINE), affine_to_scan=way)
    assert (atlas.on(SHAPE, FINE) == label_at(FINE, SHAPE)).all()
    with pytest.raises(InvalidInput, match="takes different points to one"):
        made(affine_to_scan=np.diag([1, 1, 0, 1.0]))
    with pytest.raises(InvalidInput, match="can't move an array"):
        Atlas.read(np.ones((2, 2), int), affine_to_scan=np.eye(4))


def test_a_slice_of_a_scan_gets_the_slice_of_the_atlas():
    affine = FINE.copy()
    affine[:3, 3] += [0, 0, 23]
    found = made(same_space=True).on(SHAPE[:2], affine)
    assert (found == label_at(FINE, SHAPE)[:, :, 23]).all()


def test_labels_come_to_a_model_s_grid_in_one_step_and_not_where_it_is_padded():
    atlas = made()
    half = atlas.on(SHAPE, FINE, Grid.fitted(SHAPE, (30, 25, 20)))
    centre = FINE @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    truth = label_at(centre, (30, 25, 20))
    assert (half != truth).mean() < 0.01
    full = Atlas.read(Picture(np.full((8, 6, 6), 1), affine=np.eye(4)), same_space=True)
    padded = full.on((4, 6, 6), np.eye(4), Grid.fitted((4, 6, 6), (6, 6, 6), "pad"))
    assert (padded.max(axis=(1, 2)) == [0, 1, 1, 1, 1, 0]).all()


def test_what_share_lies_within_is_counted():
    half = turned(0.0, origin=(10.0, -25.0, -20.0))  # through the centre of the first sphere
    shares = made(same_space=True).shares_within((20, 50, 40), half)
    truth = (label_at(half, (20, 50, 40)) == 3).sum() / (label_at(FINE, SHAPE) == 3).sum()
    assert shares == pytest.approx([truth, 0.0])
    assert 0.5 < truth < 0.6


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (np.array([[0.0, 0.37], [1, 2]]), "holds 0.37, and labels are whole numbers"),
        (np.array([[0.0, np.nan]]), "NaN"),
        (np.array([[0, -1]]), "labels from -1 to 0"),
        (np.zeros((3, 3), int), "nothing but 0"),
        (np.array([["a", "b"]]), "must hold whole numbers"),
        (np.ones((2, 2, 2, 3), int), "must be an xaimri.Atlas, a NIfTI file or an array of 2 or 3 axes"),
        (Picture(np.ones((2, 2, 2, 3), int)), "holds 3 numbers a voxel"),
        ("missing.nii.gz", "is not there: check the path of the atlas"),
        (b"\x89PNG", "is no NIfTI file"),
        (7, "must be an xaimri.Atlas"),
    ],
)
def test_what_is_no_label_image_is_refused_in_a_sentence(source, told):
    with pytest.raises(InvalidInput, match=told):
        Atlas.read(source)


def test_an_atlas_that_can_t_lie_on_the_image_is_refused():
    flat = Atlas.read(np.array([[0, 1], [2, 2]]))
    assert flat.on((2, 2), np.eye(4)).tolist() == [[0, 1], [2, 2]]  # a slice is never turned
    for atlas, space, affine, told in [
        (flat, (3, 2), None, "array of 2 x 2 without an affine, and the image has 3 x 2"),
        (Atlas.read(np.ones((2, 2, 2), int)), (2, 2, 2), np.eye(4), "the scan has one"),
        (made(), SHAPE, None, "no affine"),
        (made(), SHAPE[:2], None, "no affine"),
        (made(same_space=True), (5, 5, 5), turned(0, origin=(500, 0, 0)), "no region of the atlas lies on"),
        (made(same_space=True), (5, 5, 5), np.diag([1, 0, 1, 1.0]), "different pixels to one place"),
    ]:
        with pytest.raises(InvalidInput, match=told):
            atlas.on(space, affine)
    with pytest.raises(UnusableImage):  # the image's own fault: others go on
        made().on(SHAPE, None)


def test_a_million_labels_are_read_and_counted():
    atlas = Atlas.read(np.arange(1_000_000).reshape(100, 100, 100) + 1)
    assert len(atlas.numbers) == 1_000_000
    assert (atlas.on((100, 100, 100)) == atlas.labels).all()


def test_an_atlas_is_equal_by_what_it_says_and_comes_back_from_its_record():
    atlas = made(names={3: "one", 70_000: "two"}, same_space=True)
    assert atlas == made(names={3: "one", 70_000: "two"}, same_space=True)
    assert atlas != made(names={3: "one", 70_000: "other"}, same_space=True)
    assert atlas != made(names={3: "one", 70_000: "two"})
    again = pickle.loads(pickle.dumps(atlas))
    assert (again, hash(again)) == (atlas, hash(atlas))
    assert Atlas.from_record(atlas.record(), atlas.arrays()) == atlas
    with pytest.raises(InvalidInput, match="no whole record of an atlas"):
        Atlas.from_record({"atlas": "x"}, {})


def saved(path, labels, affine=FINE, code=1, dtype=np.int32):
    nib = pytest.importorskip("nibabel")
    image = nib.Nifti1Image(labels.astype(dtype), affine)
    image.set_sform(affine, code)
    image.set_qform(affine, 0)
    nib.save(image, path)
    return path


def test_a_file_is_read_as_it_is_with_its_own_sha256(tmp_path):
    """Large labels too: 600,000,001 is no number in single precision; a mirrored file is turned."""
    labels = label_at(FINE, SHAPE)
    labels[labels == 3] = 600_000_001
    mirrored = FINE @ np.array([[-1, 0, 0, 59], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    path = saved(tmp_path / "atlas.nii.gz", labels[::-1], mirrored)
    atlas = Atlas.read(path)
    assert atlas.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (atlas.file, atlas.numbers.tolist()) == ("atlas.nii.gz", [70_000, 600_000_001])
    assert (atlas.on(SHAPE, FINE) == labels).all()
    assert (atlas.on(SHAPE, mirrored) == labels[::-1]).all()
    assert Atlas.read(path.read_bytes()).sha256 == atlas.sha256
    nib = pytest.importorskip("nibabel")
    assert (Atlas.read(nib.load(path)).labels == atlas.labels).all()


def test_a_file_that_is_no_label_image_is_refused(tmp_path):
    nib = pytest.importorskip("nibabel")
    labels = label_at(FINE, SHAPE)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 4), np.float32), FINE), tmp_path / "four.nii")
    whole = saved(tmp_path / "whole.nii", labels).read_bytes()
    (tmp_path / "cut.nii").write_bytes(whole[:-50])
    saved(tmp_path / "nowhere.nii", labels, code=0)
    saved(tmp_path / "soft.nii", labels / 2, dtype=np.float32)
    for name, told in [
        ("four.nii", "holds 4 volumes .* of a probabilistic atlas, give the label image of the likeliest"),
        ("cut.nii", "is damaged or cut short"),
        ("nowhere.nii", "has no affine"),
        ("soft.nii", "holds 1.5, and labels are whole numbers"),
    ]:
        with pytest.raises(InvalidInput, match=told) as fault:
            Atlas.read(tmp_path / name)
        assert not isinstance(fault.value, UnusableImage)


def test_without_nibabel_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = saved(tmp_path / "atlas.nii", label_at(FINE, SHAPE))
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(MissingExtra, match=r"xaimri\[neuro\]"):
        Atlas.read(path)


@pytest.mark.skipif(
    not TEMPLATES.is_dir(), reason="needs Debian's mricron-data, or its folder in $XAIMRI_MRICRON"
)
def test_aal_lies_on_the_template_that_it_was_drawn_on():
    atlas = Atlas.read(TEMPLATES / "aal.nii.gz", TEMPLATES / "aal.nii.txt")
    assert (len(atlas.numbers), atlas.names[37], atlas.notes) == (116, "Hippocampus_L", ())
    scan = xaimri.images.read_picture(TEMPLATES / "ch2bet.nii.gz", 3)
    labels = atlas.on(scan.pixels.shape[:3], scan.affine)
    brain = xaimri.images.foreground(scan.pixels)
    assert brain[labels > 0].mean() > 0.9
    for label in (37, 38):  # the left one lies on the left
        place = (scan.affine @ [*np.argwhere(labels == label).mean(axis=0), 1])[:3]
        assert place == pytest.approx([-26 if label == 37 else 28, -21, -10], abs=3)
    two = Atlas.read(TEMPLATES / "AICHAmc.nii.gz")
    with pytest.raises(InvalidInput, match="another grid"):
        two.on(scan.pixels.shape[:3], scan.affine)
    finer = Atlas.read(two, same_space=True).on(scan.pixels.shape[:3], scan.affine)
    volume = (finer > 0).sum() / ((two.labels > 0).sum() * 8)
    assert volume == pytest.approx(1, abs=0.01)
