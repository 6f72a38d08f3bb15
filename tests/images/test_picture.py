"""A picture brings its spacing and affine along, whatever is done with its pixels."""

import numpy as np
import pytest
from PIL import Image

from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images import Picture, Window, read_image, read_picture
from xaimri.images.intake import Intake

SLICE = np.arange(30, dtype=np.int16).reshape(5, 6)
AFFINE = np.array([[0.0, -0.5, 0, 7], [1.0, 0, 0, -3], [0, 0, 2, 4], [0, 0, 0, 1]])


def test_spacing_and_affine_survive_window_channels_and_fit():
    picture = Picture(SLICE, spacing=(1.0, 0.5), affine=AFFINE)
    for fit in ("stretch", "pad"):
        taken = Intake((4, 7, 3), fit, Window(5, 25)).take(picture)
        plain = Intake((4, 7, 3), fit, Window(5, 25)).take(SLICE)
        assert taken.spacing == (1.0, 0.5)
        np.testing.assert_array_equal(taken.affine, AFFINE)
        np.testing.assert_array_equal(taken.fitted, plain.fitted)
        np.testing.assert_array_equal(taken.image, plain.image)
        assert (plain.spacing, plain.affine) == (None, None)


def test_what_is_read_is_float32_with_channels_last():
    read = read_picture(
        Picture(np.moveaxis(np.stack([SLICE] * 3, -1), -1, 0), (2, 3)), layout="channels_first"
    )
    assert (read.pixels.shape, read.pixels.dtype, read.spacing) == ((5, 6, 3), np.float32, (2.0, 3.0))
    np.testing.assert_array_equal(read_image(Picture(SLICE)), read_image(SLICE))
    volume = read_picture(Picture(np.zeros((4, 5, 6)), spacing=np.float32([2, 1, 1])), rank=3)
    assert (volume.pixels.shape, volume.spacing) == ((4, 5, 6, 1), (2.0, 1.0, 1.0))


def test_files_are_pictures_too(tmp_path):
    Image.fromarray(SLICE.astype(np.uint8)).save(tmp_path / "a.png")
    read = read_picture(tmp_path / "a.png")
    assert (read.pixels.shape, read.spacing, read.affine) == ((5, 6, 1), None, None)


def test_where_the_model_takes_any_size_the_spacing_tells_the_rank():
    image = np.zeros((4, 5, 3))
    assert Intake().take(Picture(image, spacing=(1, 1, 1))).fitted.shape == (4, 5, 3, 1)
    assert Intake().take(Picture(image, spacing=(1, 1))).fitted.shape == (4, 5, 3)
    assert Intake().take(Picture(image)).fitted.shape == (4, 5, 3)


def test_it_can_not_be_changed():
    affine = AFFINE.copy()
    picture = Picture(SLICE, affine=affine)
    affine[0] = 0
    np.testing.assert_array_equal(picture.affine, AFFINE)
    with pytest.raises(ValueError, match="read-only"):
        picture.affine[0, 0] = 1
    with pytest.raises(AttributeError):
        picture.spacing = (1.0, 1.0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"spacing": ()}, "`spacing` must be one length in mm"),
        ({"spacing": (1.0, 1.0, 1.0)}, "`spacing` must be"),
        ({"spacing": (1.0, 0.0)}, "above 0"),
        ({"spacing": (1.0, float("nan"))}, "`spacing` must be"),
        ({"affine": np.eye(3)}, r"got an array of float64 of shape \(3, 3\)"),
        ({"affine": np.full((4, 4), np.inf)}, "`affine` must be a finite"),
        ({"affine": AFFINE.T}, "the last row 0 0 0 1"),
    ],
)
def test_wrong_lengths_are_refused_in_one_sentence(given, sentence):
    with pytest.raises(InvalidInput, match=sentence) as told:
        Picture(SLICE, **given)
    assert not isinstance(told.value, UnusableImage)


def test_a_spacing_of_another_rank_than_the_models_is_the_images_fault():
    with pytest.raises(UnusableImage, match="a spacing along 1 axes, and the model takes 2-D images"):
        read_picture(Picture(np.zeros((5, 3)), spacing=(1.0,)))
