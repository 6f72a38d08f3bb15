"""Pictures within a report: their codes are the values, to what the packing costs."""

import base64
import dataclasses

import cv2
import numpy as np
import pytest

from stripes import explained, pixelwise
from xaimri.explanation import Explanation
from xaimri.render.fade import certain
from xaimri.render.planes import cut
from xaimri.reporting.layers import Planes, Size, image_layer, map_layer, thumbnail

FINE = Size(400, 100)


def unpacked(text):
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_GRAYSCALE)


def plane_of(picture, fact, top=0):
    rows = slice(top + fact["top"], top + fact["top"] + fact["height"])
    return picture[rows, : fact["width"]].astype(float)


def smooth(shape, affine=None, errors=True) -> Explanation:
    grid = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    values = (grid[0] + 0.5 * grid[1]).astype(np.float32)
    image = (100 + 50 * grid[1] - 20 * grid[0]).astype(np.float32)[..., None]
    return dataclasses.replace(
        pixelwise(), values=values, image=image, affine=affine,
        spacing=None if affine is None else (1.0, 1.0, 2.0),
        errors=np.where(values > 0.4, 0.01, 10).astype(np.float32) if errors else None, regions=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "affine"),
    [((70, 51), None), ((30, 41, 23), None), ((30, 41, 23), np.diag([1.0, 1.0, 2.0, 1.0]))],
)
def test_codes_are_the_values_of_every_plane(shape, affine):
    found = smooth(shape, affine)
    planes = Planes.of(found, FINE)
    assert len(planes.facts) == (1 if len(shape) == 2 else 3)
    image, layer = unpacked(image_layer(found, planes, FINE)), map_layer(found, planes, FINE)
    codes = unpacked(layer["picture"])
    last = planes.facts[-1]
    below = last["top"] + -(-last["height"] // 16) * 16
    low, high = found.image.min(), found.image.max()
    assert (layer["limit"], layer["signed"], layer["sure"], layer["empty"]) == (1.5, True, True, False)
    for plane, fact in zip(planes.chosen, planes.facts, strict=True):
        grey = (cut(found.image, plane, found)[..., 0] - low) / (high - low)
        np.testing.assert_allclose(plane_of(image, fact) / 255, grey, atol=0.03)
        values = cut(found.values, plane, found)
        np.testing.assert_allclose((2 * plane_of(codes, fact) / 255 - 1) * 1.5, values, atol=0.08)
        sure = cut(certain(found), plane, found)
        agree = (plane_of(codes, fact, below) >= 128) == sure
        assert agree.mean() > 0.97
    if affine is not None:
        assert [fact["ends"] for fact in planes.facts] == [("A", "P"), ("R", "L"), ("R", "L")]
        assert [fact["tall"] for fact in planes.facts] == [2.0, 2.0, 1.0]
        assert planes.facts[2]["name"].startswith("axial")


def test_what_is_large_becomes_small_and_nothing_is_made_larger():
    found = smooth((300, 200), errors=False)
    planes = Planes.of(found, Size(150, 90))
    (fact,) = planes.facts
    assert (fact["height"], fact["width"]) == (150, 100)
    layer = map_layer(found, planes, Size(150, 90))
    assert not layer["sure"]
    codes = plane_of(unpacked(layer["picture"]), fact)
    middle = found.values.reshape(150, 2, 100, 2).mean(axis=(1, 3))
    np.testing.assert_allclose((2 * codes / 255 - 1) * layer["limit"], middle, atol=0.1)
    small = Planes.of(smooth((20, 30)), Size(150, 90))
    assert (small.facts[0]["height"], small.facts[0]["width"]) == (20, 30)


def test_positive_and_empty_and_odd_values():
    found = smooth((32, 32), errors=False)
    positive = dataclasses.replace(found, values=np.abs(found.values))
    planes = Planes.of(positive, FINE)
    layer = map_layer(positive, planes, FINE)
    assert not layer["signed"]
    codes = plane_of(unpacked(layer["picture"]), planes.facts[0])
    np.testing.assert_allclose(codes / 255 * layer["limit"], positive.values, atol=0.06)
    nothing = dataclasses.replace(found, values=np.zeros((32, 32), np.float32))
    assert map_layer(nothing, planes, FINE)["empty"]
    odd = found.values.copy()
    odd[3, 4], odd[5, 6] = np.nan, np.inf
    assert map_layer(dataclasses.replace(found, values=odd), planes, FINE)["limit"] < 1.6
    flat = dataclasses.replace(found, image=np.full((32, 32, 1), 7.0, np.float32))
    assert not unpacked(image_layer(flat, planes, FINE)).any()


def test_regions_and_colours_are_drawn_too():
    found = explained("2d")
    planes = Planes.of(found, FINE)
    layer = map_layer(found, planes, FINE)
    assert layer["sure"] == (found.regions.errors is not None)
    colour = np.zeros((64, 64, 3), np.float32)
    colour[:, 32:, 1] = 200
    small = unpacked(thumbnail(colour, 32, 100))
    assert small.shape == (32, 32)
    assert small[:, :14].max() < 20 < 230 < small[:, 18:].min()
    assert unpacked(thumbnail(np.ones((9, 40, 30, 1), np.float32), 96, 90)).shape[1] >= 30
