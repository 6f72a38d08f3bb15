"""Arrays within a page: what is exact stays exact, and what is rounded says by how much."""

import base64
import zlib

import numpy as np
import pytest

from xaimri.render.block import EXACT, Block


def values(block):
    codes = np.frombuffer(
        zlib.decompress(base64.b64decode(block.text)), np.dtype(block.kind).newbyteorder("<")
    )
    unknown = codes == -32768 if block.kind == "int16" else np.zeros(len(codes), bool)
    return np.where(unknown, np.nan, codes * block.step + block.offset)


@pytest.mark.parametrize(
    ("low", "high", "kind"), [
        (0, 255, "uint8"), (-1, 254, "uint8"), (0, 4095, "int16"), (-1024, 3071, "int16"),
        (-40_000, 25_000, "int16"), (0, 65_534, "int16"),
    ],
)  # fmt: skip
def test_whole_numbers_are_exact_of_any_size(low, high, kind):
    array = np.random.default_rng(0).integers(low, high + 1, EXACT + 1).astype(np.float32)
    array[:2] = low, high
    block = Block.of(array)
    assert (block.kind, block.rounding) == (kind, 0)
    np.testing.assert_array_equal(values(block), array)


def test_numbers_of_small_arrays_are_exact():
    array = np.random.default_rng(0).normal(size=(5, 6, 8)).astype(np.float32)
    array[0, 0, :2] = np.nan, np.inf
    block = Block.of(array)
    assert (block.kind, block.rounding) == ("float32", 0)
    np.testing.assert_array_equal(values(block), array.ravel())


@pytest.mark.parametrize("signed", [True, False])
def test_large_arrays_are_rounded_by_no_more_than_is_said(signed):
    array = np.random.default_rng(0).normal(3, 1, EXACT + 1).astype(np.float32)
    array[:3] = 0, np.nan, -np.inf
    block = Block.of(array, signed=signed)
    found, known = values(block), np.isfinite(array)
    assert np.abs(found - array)[known].max() <= block.rounding * 1.0001
    assert block.rounding < 2e-4
    assert np.isnan(found[~known]).all()
    assert found[0] == 0 or not signed


def test_labels_are_exact_and_nothing_is_nothing():
    labels = np.arange(-1, 80_000)
    np.testing.assert_array_equal(values(Block.of(labels)), labels)
    assert np.isnan(values(Block.of(np.full(EXACT + 1, np.nan)))).all()
    assert not values(Block.of(np.zeros((3, 2)))).any()
