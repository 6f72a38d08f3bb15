"""Each intervention takes away what it says, exactly, in a plane and in a volume."""

import numpy as np
import pytest
from scipy.ndimage import binary_opening

from xaimri import InvalidInput
from xaimri.audit.interventions import INTERVENTIONS, chosen, is_changed
from xaimri.audit.scene import Common, Scene

BACKGROUND, MARK = 10.0, 90.0


def scene_of(shape=(24, 30), seed=0, mark=MARK, level=BACKGROUND, brighter=0.0, axis=None):
    """A textured block on a uniform background, and a mark in a corner."""
    image = np.full((*shape, 1), level, np.float32)
    inner = tuple(slice(n // 4, n - n // 4) for n in shape)
    generator = np.random.default_rng(seed)
    image[inner] = generator.uniform(100, 200, image[inner].shape) + brighter
    image[tuple(slice(0, 3) for _ in shape)] = mark
    return Scene(image, axis)


def block_of(shape):
    """The block with its corners rounded, as the foreground rounds them."""
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 4, n - n // 4) for n in shape)] = True
    return binary_opening(mask)


def changed(name, scene, other=None, common=None):
    common = Common.of([[scene]]) if common is None else common
    return INTERVENTIONS[name].change(scene, common, other)


@pytest.mark.parametrize("shape", [(24, 30), (24, 30, 28)], ids=["slice", "volume"])
def test_a_mark_in_a_corner_is_no_object(shape):
    scene = scene_of(shape)
    np.testing.assert_array_equal(scene.inside, block_of(shape))
    assert scene.width == 1
    assert scene.around[(0,) * len(shape)]
    assert not (scene.around & scene.rim).any()
    assert not (scene.around & scene.inside).any()
    assert (scene.rim & scene.inside).any()
    assert (scene.rim & ~scene.inside).any()


@pytest.mark.parametrize("shape", [(24, 30), (24, 30, 28)], ids=["slice", "volume"])
def test_what_is_taken_away_is_gone_and_the_rest_stays(shape):
    scene, inside = scene_of(shape), block_of(shape)
    erased = changed("erased", scene)
    assert (erased[inside] == BACKGROUND).all()
    np.testing.assert_array_equal(erased[scene.around], scene.image[scene.around])
    rimless = changed("rim", scene)
    assert (rimless[scene.rim] == BACKGROUND).all()
    np.testing.assert_array_equal(rimless[~scene.rim], scene.image[~scene.rim])
    outline = changed("outline", scene)
    assert np.unique(outline).tolist() == pytest.approx([BACKGROUND, scene.pixels.mean()], rel=2e-3)
    np.testing.assert_array_equal(outline[..., 0] > BACKGROUND, inside)
    assert set(np.unique(changed("binarised", scene))) - {BACKGROUND} == set(
        Common.of([[scene]]).greys[[32, 96], 0]
    )
    contours = changed("contours", scene)
    assert len(np.unique(contours)) == 2
    assert (contours == contours.max()).any()
    other = scene_of(shape, seed=1, mark=0.0)
    swapped = changed("background", scene, other)
    np.testing.assert_array_equal(swapped[scene.around], other.image[scene.around])
    np.testing.assert_array_equal(swapped[~scene.around], scene.image[~scene.around])


def test_a_half_is_the_mirror_image_of_the_other_about_the_middle_of_the_object():
    for axis in (0, 1):
        scene = scene_of(axis=axis)
        image = np.moveaxis(changed("mirrored", scene)[..., 0], axis, 0)
        np.testing.assert_array_equal(image, image[::-1])
        half = len(image) // 2
        np.testing.assert_array_equal(image[:half], np.moveaxis(scene.image[..., 0], axis, 0)[:half])
    image = scene_of().image
    moved = Scene(np.roll(image, 5, axis=1), 1)  # the middle moves with it, what has no twin is background
    found = changed("mirrored", moved)[..., 0]
    np.testing.assert_array_equal(found[:, 10:], found[:, 10:][:, ::-1])


def test_matched_objects_have_one_distribution_and_equal_pixels_stay_equal():
    dark, bright = scene_of(seed=1), scene_of(seed=2, brighter=40.0, level=20.0)
    common = Common.of([[dark], [bright]])
    found = [changed("intensity", one, common=common) for one in (dark, bright)]
    for one, image in zip((dark, bright), found, strict=True):
        matched = Scene(image)
        np.testing.assert_allclose(np.sort(matched.greys, axis=0), common.greys, atol=1.5)
        assert float(np.median(image[one.around])) == pytest.approx(15.0)
        order = np.argsort(one.pixels[:, 0])
        assert (np.diff(image[one.inside][order, 0]) >= 0).all()
    flat = Scene(np.where(block_of((24, 30))[..., None], 50.0, 0.0).astype(np.float32))
    assert len(np.unique(changed("intensity", flat, common=common)[flat.inside])) == 1


def test_blur_takes_fine_structure_and_keeps_the_sum():
    scene = scene_of(mark=BACKGROUND)
    found = changed("blurred", scene)
    assert found.std() < scene.image.std()
    assert found.mean() == pytest.approx(scene.image.mean(), rel=1e-3)


def test_where_there_is_no_object_or_nothing_to_swap_that_is_told():
    noise = Scene(np.random.default_rng(0).random((24, 30, 3)).astype(np.float32))
    made = {name for name in INTERVENTIONS if changed(name, noise, other=noise) is not None}
    assert made == {"contours", "binarised", "blurred", "intensity", "mirrored"}
    plain = scene_of(mark=BACKGROUND)
    assert not is_changed(plain, changed("background", plain, scene_of(seed=1, mark=BACKGROUND)))
    assert changed("background", plain) is None
    blank = Scene(np.zeros((24, 30, 1), np.float32))
    assert blank.inside is None
    assert not any(is_changed(blank, changed(name, blank)) for name in ("contours", "binarised", "mirrored"))


def test_unknown_names_are_refused_with_those_that_there_are():
    for wrong in (["blur"], [], ["rim", "rim"]):
        with pytest.raises(InvalidInput, match=r"different names of contours, outline.*mirrored"):
            chosen(wrong)
    assert [each.name for each in chosen("rim")] == ["rim"]
