"""Maps in words: the strongest regions by name, with their errors, and how much could be chance."""

import dataclasses

import numpy as np
import pytest

from stripes import explained, pixelwise, without_errors
from xaimri import Atlas
from xaimri.explanation import Regions
from xaimri.images import Picture
from xaimri.reporting.words import certainty, evidence_of, signed, strongest

NAMES = {"atlas": {"names": {"1": "Amygdala_R", "2": "Hippocampus_L", "4": "Thalamus <b>"}}}


def test_the_strongest_region_is_said_with_its_error():
    found = dataclasses.replace(explained(), diagnostics=NAMES)
    assert strongest(found, None) == [
        "The strongest evidence for yes: Thalamus <b>, +3 ± 2 (can't be told from 0). Then Hippocampus_L, "
        "+1.0 ± 0.5; the rest of the brain, in no region of the atlas, +0.5 ± 0.5 (can't be told from 0).",
        "The strongest evidence against yes: Amygdala_R, −2.0 ± 0.5. Then region 3 (middle of the picture), "
        "−0.2 ± 0.1.",
    ]
    against = dataclasses.replace(found, against=1)
    assert strongest(against, None)[0].startswith("The strongest evidence for yes against no: ")


def test_a_region_without_a_name_is_told_by_its_place():
    labels = np.full((30, 60), -1)
    labels[:8, :10], labels[22:, 50:], labels[12:18, 26:34] = 0, 1, 2
    regions = Regions(labels, np.array([3.0, -2.0, 1.0]))
    found = dataclasses.replace(
        explained(),
        values=regions.paint(regions.values),
        regions=regions,
        image=np.ones((30, 60, 1)),
        errors=None,
    )
    assert [each.region for each in evidence_of(found, None)] == [
        "region 0 (top left of the picture)", "region 1 (bottom right of the picture)",
        "region 2 (middle of the picture)",
    ]  # fmt: skip
    assert str(evidence_of(found, None)[0]).endswith(", +3.0")


@pytest.mark.parametrize(
    ("axes", "flips", "said"),
    [((0, 1, 2), (1, 1, 1), "right back top"), ((0, 1, 2), (-1, 1, 1), "left back top"),
     ((2, 0, 1), (1, 1, 1), "left front top")],
)  # fmt: skip
def test_of_a_scan_the_sides_are_the_bodys_own(axes, flips, said):
    shape = (30, 40, 50)
    labels = np.full(shape, -1)
    labels[24:, :8, 40:] = 0
    affine = np.zeros((4, 4))
    for axis, (world, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[world, axis] = flip
    affine[3, 3] = 1
    regions = Regions(labels, np.array([1.0]))
    found = dataclasses.replace(
        explained(), values=regions.paint(regions.values), regions=regions, errors=None, affine=affine,
        image=np.ones((*shape, 1)), spacing=(1.0, 1.0, 1.0),
    )  # fmt: skip
    assert evidence_of(found, None)[0].region == f"region 0 ({said} of the scan)"
    unknown = dataclasses.replace(found, affine=None, spacing=None)
    assert evidence_of(unknown, None)[0].region == "region 0"


def test_an_atlas_tells_the_sums_of_maps_without_regions():
    found = without_errors(pixelwise())
    values = np.full((24, 35), 0.01, np.float32)
    values[:, :10], values[:, 10:20] = 0.5, -0.25
    found = dataclasses.replace(found, values=values, image=np.ones((24, 35, 1), np.float32))
    labels = np.ones((24, 35), int)
    labels[:, :10], labels[:, 10:20] = 2, 3
    atlas = Atlas.read(labels, {1: "rest", 2: "Hippocampus_L", 3: "Amygdala_R"})
    first, second = strongest(found, atlas)
    assert first.startswith(
        "The strongest evidence for yes: Hippocampus_L, +120 in sum, 65 % of the map, 2.3 times"
    )
    assert second.startswith("The strongest evidence against yes: Amygdala_R, −60 in sum, 33 % of the map")
    assert strongest(found, None) == []
    (refused,) = strongest(found, Atlas.read(np.ones((3, 4), int)))
    assert refused.startswith("By the atlas nothing can be said: ")
    wrong = Atlas.read(Picture(np.ones((4, 4, 4), int), affine=np.eye(4)))
    assert strongest(found, wrong)[0].startswith("By the atlas nothing can be said: ")


def test_how_much_could_be_chance_is_said():
    found = pixelwise()
    values = np.full((24, 35), 1.0, np.float32)
    errors = np.full((24, 35), 0.1, np.float32)
    errors[:12] = 0.6
    assert certainty(dataclasses.replace(found, values=values, errors=errors)).startswith(
        "50 % of this map's strength"
    )
    errors[:] = 0.1
    assert certainty(dataclasses.replace(found, values=values, errors=errors)).startswith("All of this map's")
    assert "tells no errors" in certainty(without_errors(found))
    assert "Every value of this map is 0" in certainty(dataclasses.replace(found, values=0 * values))


def test_digits_are_those_that_are_known():
    assert signed(0.1234, 0.0213) == "+0.12 ± 0.02"
    assert signed(-1234.5, 25.0) == "−1234 ± 25"
    assert signed(1.5) == "+1.5"
    assert signed(2e-9, 3e-10) == "+2e-09 ± 3e-10"
    assert signed(0.0, 0.0) == "+0 ± 0"
