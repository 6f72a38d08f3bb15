"""Atrophy in a template: in a made one whose answer is known, and in the measured one with nilearn."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from xaimri.data import phantom, remake
from xaimri.data.phantom.template import CORNER, SHAPE, Template, template
from xaimri.errors import InvalidInput, MissingExtra
from xaimri.images import read_picture

module = import_module("xaimri.data.phantom.anatomy")
MM = 6
"""Edge of the voxels of what is made here, mm."""


@pytest.fixture(scope="module")
def ball():
    """Put in a template of grey around white matter around fluid, and nothing that moves but the fluid."""
    axes = [c + np.arange(n) for c, n in zip(CORNER, SHAPE, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    middle = np.sqrt(x**2 + (y + 16.0) ** 2 + (z - 8.0) ** 2)
    brain, fluid = (middle < 60).astype(np.float32), (middle < 20).astype(np.float32)
    grey = ((middle >= 45) & (middle < 60)).astype(np.float32)
    t1 = 1 - 0.8 * fluid - 0.45 * grey
    maps = np.stack([t1, grey, brain - fluid - grey, brain], axis=-1) * brain[..., None]
    coarse = [axis[::2] for axis in axes]
    offset = np.stack(np.meshgrid(*coarse, indexing="ij"), axis=-1) - module.MIDDLE
    away = np.linalg.norm(offset, axis=-1, keepdims=True)
    towards = (-offset / np.maximum(away, 4) * np.clip((46 - away) / 16, 0, 1)).astype(np.float32)
    still = np.zeros_like(towards)
    made = Template(maps, {"ventricles": towards, "hippocampi": still, "sulci": still}, 0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "template", lambda: made)
        yield made


def test_a_flow_of_one_velocity_is_a_shift_of_so_many_mm():
    right = np.zeros((*(n // 2 for n in SHAPE), 3), np.float32)
    right[..., 0] = 1
    made = Template(np.zeros((*SHAPE, 4), np.float32), {"sulci": right}, 0.2)
    points = np.random.default_rng(0).uniform(-40, 40, (50, 3))
    moved = made.flow(points, {"sulci": 2.5})
    np.testing.assert_allclose(moved - points, [[2.5, 0, 0]] * 50, atol=1e-6)
    np.testing.assert_array_equal(made.flow(points, {"sulci": 0.0}), points)


def test_the_ball_grows_by_what_its_surface_moves(ball):
    """Fluid of a radius of 20 mm becomes one of 20 + a mm."""
    points = module.MIDDLE + np.stack([np.linspace(5, 50, 451), np.zeros(451), np.zeros(451)], axis=1)
    for stage in (0, 1, 3):
        moved = ball.at(ball.flow(points, {"ventricles": 2.0 * stage}))
        edge = points[np.argmax(moved[:, 2] > 0.5), 0]
        assert edge == pytest.approx(20 + 2.0 * stage, abs=0.6)


@pytest.fixture(scope="module")
def small(ball):
    """Four subjects of that template, one at each stage; and one person at every stage."""
    stages = [phantom.anatomy(1, MM, seed=2, stages=(stage,))[0] for stage in range(4)]
    return phantom.anatomy(4, MM, seed=2), stages


def test_what_stays_and_what_changes_from_stage_to_stage(small):
    data, stages = small
    assert data.labels.tolist() == [0, 1, 2, 3]
    brains = [case.source > 0 for case in stages]
    assert all(np.array_equal(brains[0], brain) for brain in brains), "the outline tells no stage"
    assert np.ptp([case.source[case.source > 0].mean() for case in stages]) < 1, "nor does the mean"
    dark = [((case.source < 90) & brains[0]).sum() for case in stages]
    assert dark == sorted(dark)
    assert dark[3] > 1.2 * dark[0]
    sizes = [case.mask.sum() for case in stages]
    assert sizes[1] < sizes[2] < sizes[3]
    assert np.array_equal(stages[0].mask, stages[3].mask), "at stage 0 it is where stage 3 would change it"
    assert not (stages[3].mask & ~brains[0]).any()
    for case in stages[1:]:  # what changed went from white to dark
        was, now = stages[0].source[case.mask].astype(float), case.source[case.mask].astype(float)
        assert (was - now).mean() > 15


def test_same_seed_same_bytes_whatever_the_number(small):
    data, stages = small
    again = phantom.anatomy(2, MM, seed=2)
    assert np.array_equal(data[1].source, again[1].source)
    assert np.array_equal(data[0].source, stages[0].source)
    assert not np.array_equal(data[0].source, phantom.anatomy(1, MM, seed=3)[0].source)
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(remake(again.origin), again, strict=True))


def test_one_change_alone_leaves_the_others(small):
    (case,) = phantom.anatomy(1, MM, seed=2, stages=(3,), change="sulci")
    assert not case.mask.any(), "sulci don't move in this template"
    assert "ventricles" in module.SEVERE


@pytest.mark.skipif(not find_spec("nibabel"), reason="needs nibabel")
def test_files_lie_where_the_voxels_do(small, tmp_path):
    import nibabel

    data, _ = small
    kept = phantom.anatomy(2, MM, seed=2, folder=tmp_path)
    for case, array in zip(kept, data, strict=False):
        image = nibabel.load(case.source)
        assert np.array_equal(np.asarray(image.dataobj), array.source)
        assert np.array_equal(np.asarray(nibabel.load(case.mask).dataobj) > 0, array.mask)
        middle = image.affine @ [*(np.array(image.shape) - 1) / 2, 1]
        np.testing.assert_allclose(middle[:3], module.MIDDLE, atol=1e-6)
        assert image.header.get_zooms() == (MM,) * 3
        assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    picture = read_picture(kept[1].source, 3)
    assert picture.spacing == (MM,) * 3
    phantom.anatomy(2, MM, seed=2, folder=tmp_path)
    foreign = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    nibabel.save(foreign, tmp_path / "S001_T1w.nii.gz")
    with pytest.raises(InvalidInput, match="no phantom of xaimri"):
        phantom.anatomy(2, MM, seed=2, folder=tmp_path)


def test_without_nilearn_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nilearn", None)
    with pytest.raises(MissingExtra, match=r'pip install "xaimri\[anatomy\]"'):
        template.__wrapped__()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"subjects": 0}, "subjects"), ({"spacing": 0.1}, "spacing"), ({"stages": (2, 1)}, "stages")],
)
def test_what_cannot_be_made_is_refused(arguments, name):
    with pytest.raises(InvalidInput, match=f"`{name}`"):
        phantom.anatomy(**arguments)


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("nilearn"), reason="needs nilearn")
def test_the_measured_template_loses_what_is_said_and_folds_nowhere():
    brain = template()
    axes = [c + 2.0 * np.arange(n // 2) for c, n in zip(CORNER, SHAPE, strict=True)]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    shape, points = lattice.shape, lattice.reshape(-1, 3)
    inside = brain.at(points)[:, 3] > 0.5
    fluid = []
    for stage in range(4):
        moved = brain.flow(points, {name: stage / 3 * most for name, most in module.SEVERE.items()})
        maps = brain.at(moved)
        fluid.append((1 - maps[inside, 1:3].sum(axis=1)).sum() * 8 / 1000)
        slopes = [np.gradient(moved.reshape(shape), 2.0, axis=a) for a in range(3)]
        assert np.linalg.det(np.stack(slopes, axis=-1)).min() > 0
    assert fluid == sorted(fluid)
    assert 150 < fluid[0] < 250
    assert fluid[3] > 1.5 * fluid[0]
