"""Masks: one region whatever number stands for it; what could mean several, or is lost, is told."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from xaimri.errors import InvalidInput, UnusableImage
from xaimri.grid import Grid
from xaimri.images.mask import mask_on_grid, read_mask

SPACE = (6, 9)
TRUE = np.zeros(SPACE, bool)
TRUE[2:5, 3:8] = True


def saved(folder, name, pixels, mode=None, **words):
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, pixels)
    else:
        Image.fromarray(pixels).convert(mode).save(path, **words)
    return path


@pytest.mark.parametrize(
    "same",
    [
        TRUE,
        TRUE.astype(np.uint8),
        TRUE * np.uint8(255),
        TRUE * 4,
        TRUE * 0.4,
        TRUE * np.float16(1),
        TRUE * np.uint64(2**63),
        TRUE.tolist(),
        (TRUE * 1.0).tolist(),
        TRUE[..., None],
        np.repeat(TRUE[..., None] * np.uint8(255), 3, axis=-1),
        TRUE[..., None] * np.array([200, 0, 30], np.uint8),
        np.asfortranarray(TRUE),
        np.ma.array(TRUE, mask=False),
    ],
    ids=lambda given: f"{type(given).__name__} {getattr(given, 'dtype', '')} {np.shape(given)}",
)
def test_one_region_is_one_mask_whatever_number_stands_for_it(same):
    assert np.array_equal(read_mask(same, SPACE), TRUE)


def test_files_are_read_by_their_content(tmp_path):
    white = TRUE * np.uint8(255)
    files = [
        saved(tmp_path, "grey.png", white),
        saved(tmp_path, "small.png", TRUE.astype(np.uint8)),
        saved(tmp_path, "bits.png", white, "1"),
        saved(tmp_path, "colour.png", white, "RGB"),
        saved(tmp_path, "alpha.png", white, "RGBA"),
        saved(tmp_path, "palette.png", white, "P"),
        saved(tmp_path, "label.tif", (TRUE * 4).astype(np.uint16)),
        saved(tmp_path, "true.npy", TRUE),
        saved(tmp_path, "share.npy", TRUE * 0.3),
    ]
    named = (tmp_path / "a.jpg", tmp_path / "unnamed")
    for path in named:
        path.write_bytes(files[0].read_bytes())
    for each in (*files, *named, str(files[0]), files[0].read_bytes(), Image.open(files[0])):
        assert np.array_equal(read_mask(each, SPACE), TRUE), each
    with files[0].open("rb") as stream:
        assert np.array_equal(read_mask(stream, SPACE), TRUE)
    first = saved(tmp_path, "first.npy", TRUE[None])
    assert np.array_equal(read_mask(first, SPACE, layout="channels_first"), TRUE)
    assert np.array_equal(read_mask(TRUE[None], SPACE, layout="channels_first"), TRUE)


GREY = np.linspace(0, 1, TRUE.size).reshape(SPACE)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (TRUE + TRUE[::-1] * 3, "several values beside 0, such as 1 and 3: .*`mask == 4`"),
        (GREY, "several values beside 0, such as 0.018.* and 0.037.*: give `mask > 0.5` of"),
        (np.where(TRUE, 255, 3).astype(np.uint8), "several values beside 0, such as 3 and 255"),
        (np.where(TRUE, 1, -1), "values below 0: give `mask > 0`"),
        (-1.0 * TRUE, "values below 0"),
        (np.where(TRUE, np.nan, 0), "NaN or infinite"),
        (np.where(TRUE, 1, np.inf), "NaN or infinite"),
        (np.full(SPACE, 255), "has no 0"),
        (TRUE.T, r"has the shape \(9, 6\), and its image \(6, 9\)"),
        (TRUE[:-1], r"has the shape \(5, 9\)"),
        (TRUE[None], r"has the shape \(1, 6, 9\), and its image"),
        (TRUE[..., None] * [1, 0, 0] + ~TRUE[..., None] * [0, 0, 1], "several colours"),
        (None, "must be an array of True and False, .* got a NoneType"),
        (True, "must be an array .* got a bool"),
        (np.array([["a"] * 9] * 6), "must be an array"),
        (TRUE.astype(complex), "must be an array .* got an array of complex128"),
        (TRUE.astype(object), "must be an array"),
        ([[True, False], [True]], "is no array"),
        ({"mask": TRUE}, "must be an array .* got a dict"),
        (np.ma.array(TRUE, mask=TRUE), "masked pixels"),
        ("tumour", "there is no file `tumour`"),
        (b"no image", "the file given as bytes is no image"),
    ],
    ids=str,
)
def test_what_could_mean_several_regions_is_one_sentence(given, sentence):
    with pytest.raises(InvalidInput, match=sentence) as caught:
        read_mask(given, SPACE)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_files_that_blur_or_hide_what_is_meant_are_refused(tmp_path):
    large = np.roll(np.kron(TRUE, np.ones((16, 16), bool)), (3, 5), (0, 1))
    lossy = saved(tmp_path, "lossy.jpg", large * np.uint8(255))
    with pytest.raises(InvalidInput, match=r"several values beside 0, .* `mask > 12"):
        read_mask(lossy, large.shape)
    clear = np.full((*SPACE, 4), 255, np.uint8)  # drawn white, and clear outside: the alpha alone tells
    clear[..., 3] = TRUE * 255
    with pytest.raises(InvalidInput, match="has no 0"):
        read_mask(saved(tmp_path, "clear.png", clear, "RGBA"), SPACE)
    cut = tmp_path / "cut.png"
    cut.write_bytes(saved(tmp_path, "whole.png", large * np.uint8(255)).read_bytes()[:60])
    for broken in (cut, tmp_path, tmp_path / "none.png", io.BytesIO(b"")):
        with pytest.raises(UnusableImage):
            read_mask(broken, SPACE)


def test_a_mask_keeps_place_and_area_on_the_grid():
    generator = np.random.default_rng(0)
    for space, cells in (((64, 48), (16, 16)), ((30, 20), (45, 50)), ((12, 20, 16), (6, 5, 8))):
        for fit in ("stretch", "pad"):
            grid = Grid.fitted(space, cells, fit)
            low = [int(generator.integers(0, n // 3)) for n in space]
            box = tuple(slice(a, a + n // 2 + 1) for a, n in zip(low, space, strict=True))
            mask = np.zeros(space, bool)
            mask[box] = True
            found = mask_on_grid(mask, grid)
            assert found.sum() * np.prod(grid.step) == pytest.approx(mask.sum(), rel=0.3)
            centre = np.argwhere(found).mean(axis=0) * grid.step + grid.start
            assert np.abs(centre - np.argwhere(mask).mean(axis=0)).max() <= max(grid.step)
    for mask in (TRUE, ~TRUE, np.eye(6, 9) > 0):
        assert np.array_equal(mask_on_grid(mask, Grid.resized(SPACE, SPACE)), mask)
        assert np.array_equal(
            mask_on_grid(mask, Grid.resized(SPACE, (12, 27))), np.kron(mask, np.ones((2, 3)))
        )


def test_a_cell_is_covered_by_the_share_of_its_pixels():
    mask = np.array([0, 1, 1, 0, 1, 0, 1], bool)
    found = Grid.resized((7,), (2,)).coverage(mask)  # a cell is three and a half pixels
    assert found == pytest.approx([float(Fraction(2) / Fraction(7, 2)), float(Fraction(2) / Fraction(7, 2))])
    assert Grid.fitted((2, 4), (4, 4), "pad").coverage(np.ones((2, 4), bool)).tolist() == [
        [0] * 4, [1] * 4, [1] * 4, [0] * 4,
    ]  # fmt: skip


def test_a_mask_that_the_grid_is_too_coarse_for_is_told_as_lost():
    grid = Grid.resized((64, 64), (8, 8))  # 64 pixels a cell
    small, straddling, thin, large = (np.zeros((64, 64), bool) for _ in range(4))
    small[20:25, 20:25] = True
    straddling[13:19, 13:19] = True  # nine of each of four cells
    thin[:, 31] = True
    large[20:27, 20:27] = True
    for mask, why in ((small, "less than half a pixel"), (straddling, "so thin"), (thin, "so thin")):
        with pytest.raises(InvalidInput, match=f"lost on the model's grid of 8 x 8, where it .*{why}"):
            mask_on_grid(mask, grid)
    assert np.argwhere(mask_on_grid(large, grid)).tolist() == [[2, 2]]
    with pytest.raises(InvalidInput, match="has no pixel"):
        mask_on_grid(np.zeros((64, 64), bool), grid)
    with pytest.raises(InvalidInput, match="lost"):  # what a crop leaves out
        mask_on_grid(small, Grid((64, 64), (8, 8), (40.0, 40.0), (1.0, 1.0)))
