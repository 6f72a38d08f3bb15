from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri.data import phantom
from xaimri.data.phantom import scanner
from xaimri.data.phantom.head import CENTRE, Head, Subject
from xaimri.data.phantom.shapes import Waves, blend, covered, ellipsoid, filled, tube
from xaimri.data.phantom.tissue import CORTEX, FLUID, TISSUES, hippocampi, tissue, ventricles
from xaimri.errors import InvalidInput

SMALL = (52, 44)


@pytest.fixture(scope="module")
def cohort():
    """400 subjects, one slice each."""
    return phantom.make(subjects=400, slices=1, size=(40, 34), seed=0)


@pytest.fixture(scope="module")
def heads():
    """Four heads on a 4 mm lattice of the brain."""
    axes = [c + np.arange(-w, w + 1, 4.0) for c, w in zip(CENTRE, (64, 80, 56), strict=True)]
    points = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    return [Head.at(Subject.draw(np.random.default_rng(i)), points) for i in range(4)]


def same(a, b):
    """Whether two cases are equal to the byte."""
    return a.id == b.id and a.label == b.label and (a.source == b.source).all() and (a.mask == b.mask).all()


def test_same_seed_same_bytes_and_another_seed_another_brain():
    one, two, other = (phantom.make(3, 2, SMALL, seed) for seed in (5, 5, 6))
    assert all(same(a, b) for a, b in zip(one, two, strict=True))
    assert not any((a.source == b.source).all() for a, b in zip(one, other, strict=True))


def test_a_subject_does_not_depend_on_how_many_there_are():
    few, many = phantom.make(2, 2, SMALL), phantom.make(7, 2, SMALL)
    assert all(same(a, b) for a, b in zip(few, many[:4], strict=True))


CHANGED = ("ventricles", "hippocampi", "sulci")


def losing(seed, change):
    """A subject of whom one structure changes, and its head on a 4 mm lattice."""
    axes = [c + np.arange(-w, w + 1, 4.0) for c, w in zip(CENTRE, (64, 80, 56), strict=True)]
    points = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    return Head.at(scanner.only(Subject.draw(np.random.default_rng(seed)), change), points)


@pytest.mark.parametrize("change", CHANGED)
def test_a_change_in_one_structure_leaves_the_others_as_they_are_without_atrophy(change):
    head, whole = losing(3, change), losing(3, "all")
    before, after, both = tissue(head, 0, 2.0), tissue(head, 3, 2.0), tissue(whole, 3, 2.0)
    assert np.array_equal(before, tissue(whole, 0, 2.0)), "the same healthy anatomy, whatever would change"
    moved = np.abs(after - before).sum(axis=1) / 2
    assert moved.max() > 0.3
    assert not np.array_equal(after, both)
    grown = [np.array_equal(ventricles(head, 3), ventricles(head, stage)) for stage in range(3)]
    shrunk = [np.array_equal(hippocampi(head, 3), hippocampi(head, stage)) for stage in range(3)]
    assert grown == [change != "ventricles"] * 3
    assert shrunk == [change != "hippocampi"] * 3
    near = {
        "ventricles": ventricles(whole, 3) < 16,  # with what they push aside: caudate and thalamus
        "hippocampi": hippocampi(whole, 0) < 3,
        "sulci": (ventricles(whole, 0) > -2) & (hippocampi(whole, 0) > -2),
    }[change]
    assert near.mean() < (1 if change == "sulci" else 0.4)
    assert moved[~near].max() < 0.3


@pytest.mark.parametrize("change", CHANGED)
def test_the_image_of_every_other_stage_differs_where_the_mask_says(change):
    one, two = (
        phantom.make(8, 2, SMALL, 1, change=change, stages=stages) for stages in ((0, 3), (0, 1, 2, 3))
    )
    assert one.classes == ("no atrophy", "severe atrophy")
    assert one.labels.tolist() == [0, 0, 1, 1] * 4
    assert all(same(a, b) for a, b in zip(one[:2], two[:2], strict=True)), "a subject at stage 0 is the same"
    severe = phantom.make(8, 2, SMALL, 1, change=change, stages=(3,))
    assert all((a.mask == b.mask).all() for a, b in zip(one, severe, strict=True)), (
        "what would change at stage 3"
    )
    whole = phantom.make(8, 2, SMALL, 1, stages=(3,))
    assert sum(case.mask.sum() for case in severe) < sum(case.mask.sum() for case in whole)
    assert all((a.source > 0).tolist() == (b.source > 0).tolist() for a, b in zip(severe, whole, strict=True))


def test_without_a_change_named_all_structures_change():
    assert all(
        same(a, b)
        for a, b in zip(phantom.make(4, 1, SMALL), phantom.make(4, 1, SMALL, change="all"), strict=True)
    )
    digest = hashlib.sha256(
        b"".join(c.source.tobytes() + c.mask.tobytes() for c in phantom.make(4, 1, (26, 22)))
    )
    assert digest.hexdigest()[:16] == "5453ef558b2f843f", "the default phantoms are those of before"


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    phantom.make(1, 1, SMALL)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.slow
def test_stages_are_balanced_and_cases_named():
    data = phantom.make(8, 3, SMALL)
    assert data.classes == phantom.STAGES
    assert np.bincount(data.labels).tolist() == [6, 6, 6, 6]
    assert data[4].id == "S001/slice 1"
    assert (data[4].subject, data[4].slice, data[4].label) == ("S001", 1, 1)
    assert len({case.source.tobytes() for case in data}) == len(data)


@given(
    height=st.integers(16, 70),
    width=st.integers(16, 70),
    depth=st.none() | st.integers(16, 24),
    seed=st.integers(0, 2**128 - 1),
)
@settings(max_examples=12, deadline=None)
def test_any_size_gives_a_brain_within_its_frame(height, width, depth, seed):
    size = (height, width) if depth is None else (depth, height, width)
    case = phantom.make(1, 1, size, seed)[0]
    assert case.source.shape == case.mask.shape == size
    assert case.source.dtype == np.uint8
    brain = case.source > 0
    assert brain.any()
    assert not brain.all()
    assert case.mask.any()
    assert brain[case.mask].all()


@pytest.mark.slow
@pytest.mark.parametrize("index", range(4))
def test_the_mask_is_where_the_same_subject_without_atrophy_has_other_tissue(index):
    size, seed = (104, 88), 2
    case = phantom.make(4, 1, size, seed)[index]
    rows, columns = np.indices(size)
    edge = 2.0
    points = np.stack(
        [edge * (columns - 43.5), -16 - edge * (rows - 51.5), np.full(size, 12.0)], axis=-1
    ).reshape(-1, 3)
    head = Head.at(Subject.draw(np.random.default_rng([seed, index])), points)
    now, before = (tissue(head, stage, edge) for stage in ((index, 0) if index else (3, 0)))
    moved = (np.abs(now - before).sum(axis=1) / 2).reshape(size)
    brain = case.source > 0
    assert (case.mask == ((moved > 0.3) & brain)).mean() > 0.9999
    gained = (now[:, FLUID] - before[:, FLUID]).reshape(size)[case.mask]
    assert (gained > 0.05).mean() > 0.7, "atrophy turns tissue into fluid"


@pytest.mark.slow
def test_what_changed_grows_with_the_stage():
    data = phantom.make(24, 2, SMALL)
    areas = np.array([case.mask.sum() for case in data])
    mild, moderate, severe = (areas[data.labels == stage].mean() for stage in (1, 2, 3))
    assert mild < moderate < severe


@pytest.mark.slow
def test_atrophy_is_monotone_in_every_subject(heads):
    for head in heads:
        ventricular = [filled(ventricles(head, stage), 4.0).sum() for stage in range(4)]
        hippocampal = [filled(hippocampi(head, stage), 4.0).sum() for stage in range(4)]
        fluid = [tissue(head, stage, 4.0)[:, FLUID].sum() for stage in range(4)]
        assert np.all(np.diff(ventricular) > 0)
        assert np.all(np.diff(hippocampal) < 0)
        assert np.all(np.diff(fluid) > 0)
        assert 1.4 < ventricular[3] / ventricular[0] < 4
        assert 0.25 < hippocampal[3] / hippocampal[0] < 0.8


@pytest.mark.slow
def test_sulci_widen_away_from_the_ventricles(heads):
    for head in heads:
        shell = (head.surface.outer > 4) & (head.surface.outer < 20) & (ventricles(head, 3) > 6)
        before, after = (tissue(head, stage, 4.0)[shell] for stage in (0, 3))
        assert after[:, FLUID].mean() > 1.2 * before[:, FLUID].mean()
        assert before[:, CORTEX].mean() > 0.25


@pytest.mark.slow
def test_tissues_fill_every_voxel(heads):
    for stage in (0, 1.5, 3):
        fractions = tissue(heads[0], stage, 2.0)
        assert fractions.shape[1] == len(TISSUES)
        assert fractions.min() >= 0
        np.testing.assert_allclose(fractions.sum(axis=1), 1, atol=1e-12)


@pytest.mark.slow
def test_a_volume_and_a_slice_cut_the_same_head():
    volume = phantom.make(4, 1, (49, 56, 48), seed=4)
    cut = phantom.make(4, 1, (56, 48), seed=4)
    for deep, flat in zip(volume, cut, strict=True):
        middle = deep.source[24]
        assert ((middle > 0) == (flat.source > 0)).mean() > 0.999
        assert (deep.mask[24] == flat.mask).mean() > 0.999
        assert np.corrcoef(middle.ravel(), flat.source.ravel())[0, 1] > 0.9
    assert volume[0].slice is None


@pytest.mark.slow
def test_front_is_up_left_is_left_and_the_ventricles_are_dark():
    image = np.mean([case.source for case in phantom.make(20, 1, (104, 88), seed=1)], axis=0)
    assert np.corrcoef(image.ravel(), image[:, ::-1].ravel())[0, 1] > 0.97
    widths = (image > 40).sum(axis=1)
    rows = np.flatnonzero(widths)
    middle = (rows[0] + rows[-1]) // 2
    assert widths[rows[0] : middle].sum() < widths[middle : rows[-1] + 1].sum(), "an egg, blunt behind"
    assert image[52:60, 39:49].min() < 0.75 * image[image > 0].mean()


def nearest_mean_recall(values, labels):
    """Return who is staged right by one number: five folds, each class at its mean."""
    right = np.zeros(len(values), dtype=bool)
    fold = np.arange(len(values)) // 4 % 5
    for k in range(5):
        train = fold != k
        centres = np.array([values[train & (labels == c)].mean() for c in range(4)])
        right[~train] = np.abs(values[~train, None] - centres).argmin(axis=1) == labels[~train]
    return right


@pytest.mark.slow
@pytest.mark.parametrize("feature", ["mean of the image", "mean of the brain", "area of the brain"])
def test_no_total_stages_better_than_chance(cohort, feature):
    images = [case.source.astype(float) for case in cohort]
    values = {
        "mean of the image": [image.mean() for image in images],
        "mean of the brain": [image[image > 0].mean() for image in images],
        "area of the brain": [(image > 0).sum() for image in images],
    }[feature]
    score = nearest_mean_recall(np.array(values), cohort.labels).mean()
    assert score < 0.25 + 1.96 * np.sqrt(0.25 * 0.75 / len(cohort)), "within the 95 % interval of guessing"


@pytest.mark.slow
def test_the_dark_middle_does_stage(cohort):
    dark = np.array([(case.source[14:28, 11:23] < 80).mean() for case in cohort])
    assert nearest_mean_recall(dark, cohort.labels).mean() > 0.45


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"subjects": 0}, "subjects"),
        ({"slices": 0}, "slices"),
        ({"seed": -1}, "seed"),
        ({"size": (64,)}, "size"),
        ({"size": (8, 64)}, "size"),
        ({"size": (32, 32, 32, 32), "slices": 1}, "size"),
        ({"size": (32, 36, 40), "slices": 2}, "slices=1"),
        ({"stages": ()}, "rising numbers of 0 to 3"),
        ({"stages": (0, 4)}, "rising numbers of 0 to 3"),
        ({"stages": (2, 1)}, "rising numbers of 0 to 3"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(arguments, word):
    with pytest.raises(InvalidInput, match=word) as error:
        phantom.make(**arguments)
    assert str(error.value).endswith(".")


def test_waves_have_unit_variance_and_the_slope_of_their_value():
    waves = Waves.draw(np.random.default_rng(0), 20.0, fields=3, waves=200)
    points = np.random.default_rng(1).uniform(-200, 200, (4000, 3))
    np.testing.assert_allclose(waves(points).std(axis=0), 1, atol=0.1)
    value, slope = waves.slope(points[:7])
    np.testing.assert_allclose(value, waves(points[:7])[:, 0], atol=1e-4)
    for axis, step in enumerate(0.05 * np.eye(3)):
        rise = (waves(points[:7] + step) - waves(points[:7] - step))[:, 0] / 0.1
        np.testing.assert_allclose(slope[:, axis], rise, atol=2e-3)


def test_shapes_of_known_distance():
    points = np.array([[9.0, 0, 0], [0, 2, 0], [0, 0, 5]])
    np.testing.assert_allclose(ellipsoid(points, (0, 0, 0), (5, 5, 5)), [4, -3, 0], atol=1e-6)
    rod = tube(points, np.array([[-4.0, 0, 0], [4.0, 0, 0]]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(rod, [4, 1, 4], atol=1e-9)


def test_a_blend_rounds_only_where_the_shapes_meet():
    a, b = np.array([0.0, 1, 2, 5]), np.array([6.0, 1, 4, 1])
    np.testing.assert_allclose(blend(a, b, 2.0), [0, 0.5, 2, 1], atol=1e-12)


@given(st.floats(0, 5), st.floats(0.1, 3), st.floats(0.2, 4))
def test_the_share_of_a_voxel_in_a_sheet_is_the_overlap_of_two_intervals(distance, half_width, voxel):
    share = covered(np.array([distance]), half_width, voxel)[0]
    line = distance + voxel * ((np.arange(4000) + 0.5) / 4000 - 0.5)
    assert share == pytest.approx((np.abs(line) <= half_width).mean(), abs=1e-3)
