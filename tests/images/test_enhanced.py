"""Enhanced DICOM files: frames by their places and scales, and one sentence where they are no volume."""

import numpy as np
import pytest

import xaimri
from scans import TILT, content, enhanced_of, of_world, placed
from xaimri import UnusableImage
from xaimri.images import read_image, read_picture, read_series

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("nibabel")

SHAPE = (5, 6, 7)
SHUFFLED = [3, 0, 4, 1, 2]


@pytest.mark.parametrize(
    ("along", "down", "count"),
    [((1, 0, 0), (0, 1, 0), 5), ((0, 1, 0), (0, 0, -1), 5), (TILT, (0, 1, 0), 5), (TILT, (0, 1, 0), 3)],
    ids=["axial", "sagittal", "oblique", "three"],
)
def test_each_voxel_keeps_its_place_and_its_own_scale(along, down, count, tmp_path):
    values, origins = placed((count, *SHAPE[1:]), along, down)
    made = enhanced_of(values, origins, along, down, order=[at for at in SHUFFLED if at < count])
    file = tmp_path / "e.dcm"
    file.write_bytes(content(made))
    for source in (file, made, content(made), tmp_path):
        found = read_picture(source, 3)
        expected = of_world(found.affine, found.pixels.shape[:3])
        np.testing.assert_allclose(found.pixels[..., 0], expected, atol=0.016)
        assert (np.abs(found.affine[:3, :3]).argmax(axis=0) == [0, 1, 2]).all()
        assert (np.diag(found.affine[:3, :3]) > 0).all()
        assert sorted(found.spacing) == pytest.approx([0.5, 0.75, 2.0])


def test_places_are_those_that_another_reader_finds(tmp_path):
    highdicom = pytest.importorskip("highdicom")
    values, origins = placed(SHAPE, TILT)
    made = enhanced_of(values, origins, TILT, order=SHUFFLED)
    made.FrameOfReferenceUID = "1.2.9"
    other = highdicom.Image.from_dataset(made).get_volume(apply_real_world_transform=False)
    found = read_picture(made, 3)
    own = np.diag([-1.0, -1, 1, 1]) @ other.affine
    corners = {
        tuple(np.round(affine @ [*(np.array(at) * (np.array(shape) - 1)), 1], 4))
        for affine, shape in ((own, other.spatial_shape), (found.affine, found.pixels.shape[:3]))
        for at in np.ndindex(2, 2, 2)
    }
    assert len(corners) == 8


def test_a_single_frame_is_a_slice():
    values, origins = placed((1, 6, 7))
    found = read_picture(enhanced_of(values, origins))
    assert found.spacing == (0.5, 0.75)
    assert found.pixels.shape == (6, 7, 1)
    np.testing.assert_allclose(found.affine @ [2, 3, 0, 1], [12 - 2.25, -8 - 1.0, 40, 1])


def test_what_is_no_volume_is_listed():
    values, origins = placed((4, 6, 7))
    twice = np.concatenate([values[:2]] * 2), np.concatenate([origins[:2]] * 2)
    holes = enhanced_of(values[[0, 1, 3]], origins[[0, 1, 3]])
    bare = enhanced_of(values, origins)
    del bare.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    short = enhanced_of(values, origins)
    short.NumberOfFrames = 5
    for made, said in (
        (enhanced_of(*twice, StackID=["a", "a", "b", "b"]), "holds 4 frames of 2 stacks: give one volume"),
        (
            enhanced_of(*twice, TemporalPositionIndex=[1, 1, 2, 2]),
            "holds 4 frames of 2 times: give one volume",
        ),
        (enhanced_of(*twice), "holds two slices in one place, frame 1 and frame 3|frame 3 and frame 1"),
        (holes, "has 3 slices .* mm apart, but .* mm between frame"),
        (bare, r"holds 1 frames that don't say where they lie \(the first is 3\)"),
        (short, "says that it holds 5 frames, and tells of 4"),
    ):
        with pytest.raises(UnusableImage, match=said) as refusal:
            read_picture(made, 3)
        assert "ecret" not in str(refusal.value)
    with pytest.raises(UnusableImage, match="holds 4 frames, and the model takes slices: give slices="):
        read_picture(enhanced_of(values, origins))


def test_floats_are_read_and_an_unknown_function_gets_the_volume():
    values, origins = placed(SHAPE)
    made = enhanced_of(values, origins)
    for each in made.PerFrameFunctionalGroupsSequence:
        each.PixelValueTransformationSequence[0].RescaleSlope = 1
    made.FloatPixelData = (values + 50).astype("<f4").tobytes()
    made.BitsAllocated = 32
    for name in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(made, name)
    plain = read_picture(made, 3)
    np.testing.assert_allclose(
        plain.pixels[..., 0], of_world(plain.affine, plain.pixels.shape[:3]), atol=1e-4
    )
    seen = []

    def score(images):
        seen.append(images.shape)
        return np.tile([0.3, 0.7], (len(images), 1))

    found = xaimri.explain(score, made, "occlusion", regions=2)
    assert found.values.shape == (7, 6, 5)
    assert seen[0][1:] == (7, 6, 5, 1)
    assert read_image(made, 3).shape == read_series([made]).pixels.shape
