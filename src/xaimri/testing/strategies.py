"""Hypothesis strategies for what explainers and classifiers work on: images, maps, regions, linear models.

They need the package hypothesis: ``pip install "xaimri[testing]"``.

>>> from hypothesis import given
>>> from xaimri.testing import strategies
>>> @given(strategies.models_with_images())
... def test_a_linear_model_scores_every_image(drawn):
...     model, images = drawn
...     assert model.logits(images).shape == (len(images), len(model.classes))
>>> test_a_linear_model_scores_every_image()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from xaimri.adapters.linear import LinearClassifier
from xaimri.arrays import Images, Labels, Map, Mask
from xaimri.errors import MissingExtra

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as arrays
except ImportError as missing:
    raise MissingExtra("hypothesis", "testing", "xaimri.testing.strategies") from missing

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
"""What hypothesis hands a composite strategy to draw from another with."""

__all__ = ["images", "label_images", "linear_classifiers", "maps", "masks", "models_with_images", "spaces"]


def spaces(rank: int | None = None, least: int = 2, most: int = 8) -> st.SearchStrategy[tuple[int, ...]]:
    """Return shapes of a plane or a volume; no two axes are of one length, so that none can be mistaken.

    Parameters
    ----------
    rank
        The number of axes; None draws 2 or 3.
    least, most
        Lengths of an axis in pixels.
    """
    ranks = st.sampled_from((2, 3)) if rank is None else st.just(rank)
    lengths = st.integers(least, most)
    return ranks.flatmap(lambda n: st.lists(lengths, min_size=n, max_size=n, unique=True)).map(tuple)


@st.composite
def images(draw: Draw, shape: tuple[int, ...] | None = None, *, least: int = 2, most: int = 4) -> Images:
    """Draw a batch of images (float32) between -8 and 8, no two of them alike.

    Parameters
    ----------
    shape
        ``(*space, channels)`` of one image; None draws it.
    least, most
        The number of images.
    """
    if shape is None:
        shape = (*draw(spaces()), draw(st.integers(1, 3)))
    count, seed = draw(st.integers(least, most)), draw(st.integers(0, 2**32 - 1))
    noise = np.random.default_rng(seed).normal(size=(count, *shape)).clip(-4, 4)
    level = draw(st.sampled_from((-3.0, 0.0, 1.0)))
    return np.asarray(level + draw(st.sampled_from((0.1, 1.0))) * noise, dtype=np.float32)


def maps(space: tuple[int, ...]) -> st.SearchStrategy[Map]:
    """Return attribution maps on this space: whole tenths of both signs, with ties and zeros."""
    return arrays.arrays(np.float64, space, elements=st.integers(-30, 30).map(lambda n: n / 10))


def masks(space: tuple[int, ...]) -> st.SearchStrategy[Mask]:
    """Return masks on this space with at least one pixel inside and one outside."""
    return arrays.arrays(bool, space).filter(lambda mask: bool(mask.any() and not mask.all()))


@st.composite
def label_images(draw: Draw, space: tuple[int, ...], *, most: int = 6, outside: bool = False) -> Labels:
    """Draw label images on this space: regions are numbered from 0, and none is empty.

    Parameters
    ----------
    space
        ``(*space)`` in pixels.
    most
        The largest number of regions.
    outside
        Whether some pixels may lie in no region, which is written as -1.
    """
    pixels = int(np.prod(space))
    regions = draw(st.integers(1, min(most, pixels)))
    rest = arrays.arrays(np.int64, pixels - regions, elements=st.integers(-1 if outside else 0, regions - 1))
    labels = np.concatenate([np.arange(regions), draw(rest)])
    order = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).permutation(pixels)
    return labels[order].reshape(space)


@st.composite
def linear_classifiers(
    draw: Draw, shape: tuple[int, ...] | None = None, *, most: int = 5
) -> LinearClassifier:
    """Draw linear classifiers, of which every explanation has a closed form.

    Parameters
    ----------
    shape
        ``(*space, channels)`` of the images that it takes; None draws it.
    most
        The largest number of classes; the smallest is 2.
    """
    if shape is None:
        shape = (*draw(spaces()), draw(st.integers(1, 3)))
    classes, seed = draw(st.integers(2, most)), draw(st.integers(0, 2**32 - 1))
    return LinearClassifier.random(shape, classes=classes, seed=seed)


@st.composite
def models_with_images(draw: Draw, shape: tuple[int, ...] | None = None) -> tuple[LinearClassifier, Images]:
    """Draw a linear classifier and a batch of images that it takes."""
    if shape is None:
        shape = (*draw(spaces()), draw(st.integers(1, 3)))
    return draw(linear_classifiers(shape)), draw(images(shape))
