"""Properties that tell the class by themselves: planted ones are found, and none where there is none."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from xaimri.audit.telltales import telltales
from xaimri.data import Case
from xaimri.data.looks import Looks

LABELS = np.repeat([0, 1], 60)
GROUPS = np.arange(120) // 3


def told(images, labels=LABELS, groups=GROUPS):
    cases = [
        Case(str(i), int(label), None, image)
        for i, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    return {each.name: each for each in telltales(cases, [Looks.of(cases)], labels, groups, 0)}


def noise(generator, shape=(20, 24), mean=100):
    return np.clip(generator.normal(mean, 20, shape), 0, 255).astype(np.uint8)


def test_nothing_is_told_where_nothing_tells_the_class():
    generator = np.random.default_rng(0)
    found = told([noise(generator) for _ in LABELS])
    assert set(found) == {"mean brightness", "brightness of the rim"}
    assert not any(each.found for each in found.values())
    assert found["mean brightness"].chance == pytest.approx(0.5, abs=0.05)


def test_the_size_that_belongs_to_a_class_is_found_and_how_far_it_goes():
    generator = np.random.default_rng(0)
    sizes = [(20, 24) if label == 0 or i % 3 == 0 else (22, 24) for i, label in enumerate(LABELS)]
    found = told([noise(generator, size) for size in sizes])["size"]
    assert found.accuracy == pytest.approx(1 / 2 + 1 / 3)  # all of one class, two in three of the other
    assert found.found
    assert found.p <= 0.01


def test_a_property_of_subjects_is_held_against_deals_over_subjects():
    """A person's images are equally bright: with labels dealt over images that would seem to tell a lot."""
    generator = np.random.default_rng(3)
    own = generator.uniform(50, 150, 40)
    found = told([noise(generator, mean=own[group]) for group in GROUPS])
    assert not found["mean brightness"].found


def test_files_tell_their_compression_and_their_bits(tmp_path):
    generator = np.random.default_rng(1)
    files = []
    for i, label in enumerate(LABELS):
        file = tmp_path / f"{i}.jpg"
        Image.fromarray(noise(generator)).save(file, quality=90 if label else 75)
        files.append(file)
    found = told(files)
    assert found["tables of the compression"].accuracy == 1.0
    assert found["tables of the compression"].found
    assert "size" not in found  # all have the same
    assert dataclasses.asdict(found["tables of the compression"])["chance"] == pytest.approx(0.5, abs=0.05)


def test_a_brighter_rim_is_found():
    generator = np.random.default_rng(2)
    images = [noise(generator) for _ in LABELS]
    for image, label in zip(images, LABELS, strict=True):
        image[:, 0] = image[:, 0] // 2 + 60 * label
    found = told(images)
    assert found["brightness of the rim"].found
    assert found["brightness of the rim"].accuracy > 0.9


def test_few_groups_and_one_class_tell_nothing():
    generator = np.random.default_rng(0)
    images = [noise(generator) for _ in LABELS]
    assert told(images, groups=GROUPS // 5) == {}
    assert told(images, labels=LABELS * 0) == {}
