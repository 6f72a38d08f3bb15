"""Copies are found by bytes and by pixels, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from xaimri.data import Case, Dataset, folds, read_folder, split
from xaimri.data.copies import copies_between, find_copies
from xaimri.errors import InvalidInput


@pytest.fixture
def files(tmp_path):
    """Twelve noise images of as many people in two classes."""
    rng = np.random.default_rng(0)
    for i in range(12):
        file = tmp_path / "ab"[i % 2] / f"p{i}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (9, 7), np.uint8)).save(file)
    return tmp_path


def read(root):
    return read_folder(root, subject=lambda file: file.stem)


def pairs(dataset):
    return [tuple(dataset[i].id for i in found) for found in find_copies(dataset.cases)]


def as_bytes(source, target):
    target.write_bytes(source.read_bytes())


def uncompressed(source, target):
    Image.open(source).save(target, compress_level=0)


def in_colour(source, target):
    Image.open(source).convert("RGB").save(target)


def in_sixteen_bits(source, target):
    Image.fromarray(np.array(Image.open(source)).astype(np.uint16) * 257).save(target)


def one_pixel(source, target):
    pixels = np.array(Image.open(source))
    pixels[4, 3] ^= 1
    Image.fromarray(pixels).save(target)


def turned(source, target):
    Image.open(source).transpose(Image.Transpose.ROTATE_180).save(target)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (as_bytes, "q.png"),
        (uncompressed, "q.png"),
        (in_colour, "q.png"),
        (in_sixteen_bits, "q.png"),
        (uncompressed, "q.tif"),
        (uncompressed, "q.bmp"),
        (lambda s, t: np.save(t, np.array(Image.open(s))), "q.npy"),
    ],
)
def test_a_copy_is_found_whatever_the_file(files, make, name):
    make(files / "a/p0.png", files / "b" / name)
    assert pairs(read(files)) == [("a/p0.png", f"b/{name}")]


@pytest.mark.parametrize("make", [one_pixel, turned])
def test_what_differs_is_no_copy(files, make):
    make(files / "a/p0.png", files / "b/q.png")
    assert pairs(read(files)) == []
    assert not any("two parts" in note for note in split(read(files)).notes)


def test_copies_among_jpegs_alone_are_found_by_their_pixels(tmp_path):
    """Other metadata, another order of the same coefficients, grey as colour: other bytes, equal pixels."""
    random = np.random.default_rng(3)
    pictures = [Image.fromarray(random.integers(0, 256, (48, 40), dtype=np.uint8)) for _ in range(4)]
    for name in "ab":
        (tmp_path / name).mkdir()
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / "a" / f"{number}.jpg", quality=80)
    pictures[0].save(tmp_path / "b" / "said.jpg", quality=80, comment=b"scanned twice")
    pictures[1].save(tmp_path / "b" / "slow.jpg", quality=80, progressive=True)
    pictures[2].convert("RGB").save(tmp_path / "b" / "red.jpg", quality=80)
    pictures[3].save(tmp_path / "b" / "anew.jpg", quality=60)  # compressed otherwise: a near copy
    assert pairs(read(tmp_path)) == [
        ("a/0.jpg", "b/said.jpg"), ("a/1.jpg", "b/slow.jpg"), ("a/2.jpg", "b/red.jpg"),
    ]  # fmt: skip


def test_a_copy_of_a_jpeg_as_png_is_found_and_one_saved_anew_is_none(files):
    Image.open(files / "a/p0.png").resize((40, 40)).save(files / "a/j.jpg")
    Image.open(files / "a/j.jpg").save(files / "b/k.png")
    Image.open(files / "a/j.jpg").save(files / "b/l.jpg", quality=50)
    assert pairs(read(files)) == [("a/j.jpg", "b/k.png")]


def test_images_of_one_value_broken_and_missing_files_are_no_copies(files):
    for i, c in enumerate("aabb"):
        Image.fromarray(np.zeros((9, 7), np.uint8)).save(files / c / f"black{i}.png")
        (files / c / f"empty{i}.png").touch()
        np.save(files / c / f"cube{i}.npy", np.full((3, 4, 5, 6), i))
    assert pairs(read(files)) == []
    (files / "a/p0.png").rename(files / "a/p0.gone")
    cases = [*read(files), Case("x", 0, "x", files / "none.png"), Case("y", 0, "y", files)]
    assert find_copies(cases) == ()


def test_split_and_folds_refuse_copies_in_two_parts_or_tell(files):
    for i in range(0, 12, 2):  # every image of class a again, of somebody else
        as_bytes(files / f"a/p{i}.png", files / f"b/q{i}.png")
    dataset = read(files)
    for how in (split, folds):
        with pytest.raises(
            InvalidInput, match=r"in two parts: `a/p\d+.png` in \w+ is `b/q\d+.png` in \w+; keep"
        ):
            how(dataset)
    told = split(dataset, copies="tell").notes
    assert any(note.count("in two parts: `a/p") and note.endswith(".") for note in told)
    names = [case.id[3:] for case in dataset]  # as the sentence says: both under one name
    parts = split(dataset, groups=[name.removeprefix("p").removeprefix("q") for name in names])
    assert not any("two parts" in note for note in parts.notes)


def test_arrays_are_compared_by_their_values():
    noise = np.random.default_rng(1).integers(0, 255, (6, 5, 5)).astype(np.uint8)
    cases = [Case(f"c{i}", 0, f"s{i}", image) for i, image in enumerate(noise)]
    again = Case("again", 0, "t", noise[2].astype(np.float32))
    one, two = Dataset(("a",), tuple(cases)), Dataset(("a",), (again,))
    with pytest.raises(InvalidInput, match="1 image is in two parts: `c2` in train is `again` in validation"):
        copies_between((("train", one), ("validation", two)), "refuse")
    assert copies_between((("train", one), ("train", two)), "refuse") == ()


def test_a_copy_in_training_and_in_what_is_held_out_is_refused_by_a_split_of_strangers_too(files):
    as_bytes(files / "a/p0.png", files / "b/q.png")
    refused = 0
    for seed in range(6):
        told = split(read_folder(files), independent=True, seed=seed, copies="tell")
        apart = told.part_of("a/p0.png") != told.part_of("b/q.png")
        assert apart == any("in two parts" in note for note in told.notes)
        refused += apart
    assert 0 < refused < 6


def test_too_many_pixels_are_not_compared_and_bytes_are(files, monkeypatch):
    from xaimri.data import copies

    uncompressed(files / "a/p0.png", files / "b/q.png")
    as_bytes(files / "a/p2.png", files / "b/r.png")
    monkeypatch.setattr(copies, "MOST_PIXELS", 14 * 9 * 7 - 1)
    assert pairs(read(files)) == [("a/p2.png", "b/r.png")]
    monkeypatch.setattr(copies, "MOST_PIXELS", 14 * 9 * 7)
    assert pairs(read(files)) == [("a/p0.png", "b/q.png"), ("a/p2.png", "b/r.png")]
