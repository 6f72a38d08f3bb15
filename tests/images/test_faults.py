"""What is an image's own fault is collected where many are explained; a wrong argument stops the call."""

import io

import numpy as np
import pytest
from PIL import Image

from xaimri.data import Case, Dataset, load_images
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images import Picture, Window, as_window, read_image, with_channels
from xaimri.images.channels import check_layout
from xaimri.images.intake import Intake

GREY = np.arange(30, dtype=np.uint8).reshape(5, 6)


def encoded(kind, *frames):
    stream = io.BytesIO()
    first, *others = map(Image.fromarray, frames)
    first.save(stream, kind, **({"save_all": True, "append_images": others} if others else {}))
    return stream.getvalue()


def closed():
    stream = io.BytesIO(b"")
    stream.close()
    return stream


OWN = {
    "missing": lambda: read_image("nowhere.png"),
    "a folder": lambda: read_image("/"),
    "no name": lambda: read_image("a\0b"),
    "empty file": lambda: read_image(b""),
    "no image": lambda: read_image(b"some text"),
    "truncated": lambda: read_image(encoded("PNG", GREY)[:50]),
    "text stream": lambda: read_image(io.StringIO("pixels")),
    "closed stream": lambda: read_image(closed()),
    "several frames": lambda: read_image(encoded("TIFF", GREY, GREY)),
    "one frame": lambda: read_image(encoded("TIFF", GREY), rank=3),
    "too large": lambda: read_image(npy_header((10_000, 10_001))),
    "no numbers": lambda: read_image(np.array([["a", "b"]])),
    "no array": lambda: read_image(object()),
    "ragged": lambda: read_image([[1, 2], [3]]),
    "masked": lambda: read_image(np.ma.masked_equal([[1, 2]], 2)),
    "no pixel": lambda: read_image(np.zeros((0, 6))),
    "NaN": lambda: read_image(np.full((5, 6), np.nan)),
    "too bright": lambda: read_image(np.full((5, 6), 1e300)),
    "another rank": lambda: read_image(np.zeros(6)),
    "channels first": lambda: read_image(np.zeros((3, 5, 6))),
    "channels": lambda: read_image(np.zeros((5, 6, 3)), channels=2),
    "channels that can't be given": lambda: with_channels(np.zeros((5, 6, 3), np.float32), 2),
    "spacing": lambda: read_image(Picture(np.zeros((5, 3)), spacing=(1.0,))),
    "percentiles": lambda: Intake((5, 6, 1), window=Window(1, 99, percentile=True)).take(np.ones((5, 6))),
    "percentiles of nothing": lambda: Window(1, 99, percentile=True).resolved(np.zeros((0, 3))),
    "a case": lambda: load_images(Dataset(("a",), (Case("x", 0, None, np.zeros(3)),)), (5, 6)),
}

ARGUMENT = {
    "rank": lambda: read_image(GREY, rank=4),
    "layout": lambda: check_layout("first"),
    "order": lambda: Window(2, 1),
    "percentile": lambda: Window(0, 101, percentile=True),
    "top": lambda: Window(0, 1, top=0),
    "window": lambda: as_window("wide"),
    "spacing": lambda: Picture(GREY, spacing=(1.0, 1.0, 1.0)),
    "affine": lambda: Picture(GREY, affine=np.eye(3)),
    "shape": lambda: Intake((5, 6)),
}


def npy_header(shape):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize("fault", OWN)
def test_an_images_own_fault(fault):
    with pytest.raises(UnusableImage) as told:
        OWN[fault]()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("fault", ARGUMENT)
def test_a_wrong_argument(fault):
    with pytest.raises(InvalidInput) as told:
        ARGUMENT[fault]()
    assert type(told.value) is InvalidInput


def test_a_broken_case_is_named_and_a_wrong_argument_is_not_blamed_on_it():
    dataset = Dataset(("a",), (Case("first", 0, None, GREY), Case("second", 0, None, GREY * np.nan)))
    with pytest.raises(UnusableImage, match="case `second` cannot be read: the image has 30 values"):
        load_images(dataset, (5, 6))
    with pytest.raises(InvalidInput, match="`low` below `high`") as told:
        load_images(dataset, (5, 6), window=(9, 3))
    assert "case" not in str(told.value)


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_a_data_set_is_read_byte_for_byte_as_single_images_are(tmp_path, fit):
    deep = np.random.default_rng(0).integers(0, 4000, (9, 7)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    sources = (tmp_path / "deep.png", deep[None], np.stack([deep] * 3))
    dataset = Dataset(("a",), tuple(Case(f"{i}", 0, None, source) for i, source in enumerate(sources)))
    window = Window(2, 98, percentile=True)
    loaded = load_images(dataset, (6, 8), 3, fit, window, "channels_first")
    intake = Intake((6, 8, 3), fit, window, "channels_first")
    for row, source in zip(loaded, sources, strict=True):
        assert row.tobytes() == intake.take(source).fitted.tobytes()
