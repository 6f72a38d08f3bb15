from __future__ import annotations

import pickle

import numpy as np
import pytest

import xaimri
from scans import of_world, value_at
from xaimri import LinearClassifier
from xaimri.data import Case, Dataset, stack_images
from xaimri.data.copies import find_copies
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images import Contrasts, Picture, Window, read_image, read_picture
from xaimri.images.acquisition import Acquisition
from xaimri.images.intake import Intake
from xaimri.images.scan import TakenScan
from xaimri.images.slices import Slices

nibabel = pytest.importorskip("nibabel")

SHAPE = (6, 7, 8)
AFFINE = np.array([[-2.0, 0, 0.3, 9], [0, 1.5, 0, -7], [0.3, 0, 3, 4], [0, 0, 0, 1]])


@pytest.fixture
def write(tmp_path):
    def written(name, factor=1.0, affine=AFFINE, shape=SHAPE, turn=None):
        image = nibabel.Nifti1Image(factor * of_world(affine, shape), affine)
        if turn is not None:
            image = image.as_reoriented(nibabel.orientations.axcodes2ornt(turn))
        nibabel.save(image, tmp_path / f"{name}.nii.gz")
        return tmp_path / f"{name}.nii.gz"

    return written


def test_contrasts_are_channels_where_the_first_lies_however_each_is_stored(write):
    one, two = write("t1"), write("flair", 5.0, turn="PSR")
    both = Contrasts({"T1w": one, "FLAIR": two})
    found = read_picture(both, 3)
    first = read_picture(one, 3)
    np.testing.assert_allclose(found.pixels[..., 0], first.pixels[..., 0])
    np.testing.assert_allclose(found.pixels[..., 1], 5 * first.pixels[..., 0], rtol=1e-6)
    np.testing.assert_array_equal(found.affine, first.affine)
    assert (found.scan, found.contrasts) == (first.scan, ("T1w", "FLAIR"))
    swapped = read_image(Contrasts({"FLAIR": two, "T1w": one}), 3)
    np.testing.assert_allclose(swapped, found.pixels[..., ::-1], rtol=1e-6)
    assert pickle.loads(pickle.dumps(both)).names == both.names


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"shape": (6, 7, 9)}, "sides of 6 x 7 x 9 voxels, and of 6 x 7 x 8"),
        ({"shape": (7, 6, 8)}, "voxels, and"),
        ({"affine": AFFINE + np.outer([1, 0, 0, 0], [0, 0, 0, 0.5])}, "corners are up to 0.5 mm apart"),
        ({"affine": AFFINE * np.reshape([1.02, 1, 1, 1], (4, 1))}, "mm apart"),
        ({"affine": AFFINE @ np.diag([-1, 1, 1, 1])}, "mm apart"),
    ],
)
def test_other_grids_are_refused(write, change, told):
    both = Contrasts({"T1w": write("t1"), "FLAIR": write("flair", 2.0, **change)})
    with pytest.raises(UnusableImage, match=f"FLAIR lies on another grid than T1w .*{told}.*resample"):
        read_image(both, 3)


def test_a_grid_that_differs_by_rounding_agrees(write):
    moved = AFFINE + 1e-4
    moved[3] = 0, 0, 0, 1
    assert read_image(Contrasts({"T1w": write("t1"), "FLAIR": write("b", 2.0, affine=moved)}), 3).shape == (
        *SHAPE,
        2,
    )


def test_what_is_no_contrast_is_refused(write):
    one, image = write("t1"), np.random.default_rng(0).uniform(1, 9, (4, 5))
    for sources in ({}, [one], {"": one}, {"T1w": None}, {"T1w": one, "FLAIR": one}, {"a": {"b": one}}):
        with pytest.raises(InvalidInput):
            Contrasts(sources)
    colour = np.dstack([image] * 3)
    for sources, told in (
        ({"a": image, "b": colour}, "b has 3 channels"),
        ({"a": image, "b": image.copy()}, "a and b are the same image"),
        ({"a": image, "b": image.T}, "5 x 4 voxels, and 4 x 5"),
        ({"a": image, "b": "gone.png"}, "the contrast b of a, b: there is no file"),
        (
            {"a": Picture(image, affine=np.eye(4)), "b": 2 * image},
            "knows where it lies, and the other doesn't",
        ),
        ({"a": Picture(image, (1, 1)), "b": Picture(2 * image, (1, 2))}, "a spacing of"),
    ):
        with pytest.raises(UnusableImage, match=told):
            read_image(Contrasts(sources))


def test_contrasts_are_no_colours(write):
    image = np.random.default_rng(0).uniform(1, 9, (4, 5))
    three = Contrasts({"a": image, "b": 2 * image, "c": 3 * image})
    for channels in (1, 4):
        with pytest.raises(
            UnusableImage, match=f"3 contrasts .a, b, c., and the model takes {channels} channel"
        ):
            read_image(three, 2, channels)
    four = Contrasts({**three.sources, "d": 4 * image})
    np.testing.assert_allclose(read_image(four)[..., 3], 4 * image, rtol=1e-6)  # no alpha
    assert read_image(Contrasts({"a": image}), 2, 3).shape == (4, 5, 3)


def test_percentiles_are_of_each_contrast():
    ramp = np.arange(20.0).reshape(4, 5)
    both = Contrasts({"a": ramp, "b": 900 - 10 * ramp})
    with pytest.raises(InvalidInput, match=r"xaimri.Window\(\(1, 1\), \(99, 99\), percentile=True\)"):
        Intake((4, 5, 2), window=Window(1, 99, percentile=True)).take(both)
    taken = Intake((4, 5, 2), window=Window((0, 0), (100, 100), percentile=True, top=1)).take(both)
    assert (taken.window.low, taken.window.high) == ((0.0, 710.0), (19.0, 900.0))
    np.testing.assert_allclose(taken.fitted[..., 0], ramp / 19, rtol=1e-6)
    np.testing.assert_allclose(taken.fitted[..., 1], 1 - ramp / 19, atol=1e-6)


def test_an_image_of_contrasts_is_explained_and_its_map_written_on_the_first(write, tmp_path):
    one, two = write("t1"), write("flair", 5.0, turn="PSR")
    weights = np.random.default_rng(0).normal(size=(2, *SHAPE, 2)).astype(np.float32)
    window = Window((1, 1), (99, 99), percentile=True, top=1)
    both = Contrasts({"T1w": one, "FLAIR": two})
    model = xaimri.open_model(LinearClassifier(weights), window=window)
    found = model.explain(both, "input_x_gradient", target=1)
    seen = window.apply(read_image(both, 3))
    np.testing.assert_allclose(found.values, (seen * weights[1]).sum(-1), rtol=1e-3, atol=1e-4)
    written = nibabel.load(found.to_nifti(tmp_path / "map.nii.gz"))
    np.testing.assert_allclose(written.affine, AFFINE, atol=1e-6)
    assert written.shape == SHAPE
    assert found.diagnostics["window"]["low"][1] == pytest.approx(5 * found.diagnostics["window"]["low"][0])
    found.save(tmp_path / "map.png")
    found.store(tmp_path / "kept")
    assert xaimri.load(tmp_path / "kept").diagnostics["window"] == found.diagnostics["window"]
    several = model.explain_all({"x": both}, "input_x_gradient")
    assert [each.values.shape for each in several] == [SHAPE]


def test_a_training_keeps_its_contrasts_and_others_are_refused():
    image = np.random.default_rng(0).uniform(1, 9, (4, 5))
    cases = tuple(Case(str(n), 0, None, Contrasts({"T1w": n * image, "FLAIR": image**n})) for n in (2, 3))
    stack = stack_images(Dataset(("a",), cases), (4, 5), 2)
    assert stack.images.shape == (2, 4, 5, 2)
    assert stack.acquisition == Acquisition((), (1.0, 1.0), (), ("T1w", "FLAIR"))
    intake = Intake((4, 5, 2), acquisition=stack.acquisition)
    assert intake.take(cases[0].source).caveats == ()
    assert intake.take(np.dstack([image, image])).caveats == ()
    with pytest.raises(
        UnusableImage, match="on the contrasts T1w, FLAIR, in this order, and the image has FLAIR, T1w"
    ):
        intake.take(Contrasts({"FLAIR": image, "T1w": 2 * image}))
    other = Case("4", 0, None, Contrasts({"FLAIR": image, "T1w": 2 * image}))
    with pytest.raises(InvalidInput, match="different contrasts"):
        stack_images(Dataset(("a",), (*cases, other)), (4, 5), 2)


def test_copies_of_contrasts_are_seen(write):
    cases = [
        Case(name, 0, name, Contrasts({"T1w": write(f"t1{name}", factor), "FLAIR": write(f"f{name}", 7.0)}))
        for name, factor in (("a", 1.0), ("b", 2.0), ("c", 1.0))
    ]
    assert find_copies(cases) == ((0, 2),)


def test_slices_of_contrasts_keep_their_channels_and_their_place(write):
    both = Contrasts(
        {name: write(name, factor) for name, factor in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0))}
    )
    for plane, view in (("axial", "radiological"), ("coronal", "neurological"), ("sagittal", "array")):
        scan = TakenScan.of(both, Slices(plane=plane, view=view), Intake())
        cut = scan.cut(scan.places[2])
        index = np.stack([*np.indices(cut.pixels.shape[:2]), *np.zeros((1, *cut.pixels.shape[:2]))])
        world = np.einsum("ij,j...->i...", cut.affine, np.stack([*index, np.ones(index.shape[1:])]))
        np.testing.assert_allclose(cut.pixels[..., 0], value_at(*world[:3]), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(scan.take(scan.places[2]).image, cut.pixels)
        assert cut.pixels.shape[-1] == 4
    pair = Window(1, 99, percentile=True)
    with pytest.raises(InvalidInput, match="percentiles of 4 contrasts together"):
        TakenScan.of(both, Slices(), Intake(window=pair)).take(0)


def test_slices_of_another_plane_or_view_than_the_trainings_are_told(write):
    image = write("t1", affine=np.diag([1.0, 1.0, 1.0, 1.0]))

    def cut(plane="axial", view="radiological"):
        return TakenScan.of(image, Slices(plane=plane, view=view), Intake(acquisition=known))

    known = None
    known = Acquisition.of([cut().cut(0)])
    assert known.orientations == ("PL",)  # as DICOM lays axial slices
    for given, told in (
        ({}, []),
        ({"view": "neurological"}, ["other_orientation"]),
        ({"view": "array"}, ["other_orientation"]),
        ({"plane": "coronal"}, ["other_orientation"]),
    ):
        assert [caveat.name for caveat in cut(**given).take(3).caveats] == told
