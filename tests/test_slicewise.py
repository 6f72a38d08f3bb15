"""A volume explained slice by slice: equal to the slices by themselves, and one subject's answer."""

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest

import xaimri
from linear import SHAPES
from scans import of_world, placed, series_of
from xaimri import Atlas, LinearClassifier, Slices
from xaimri.caveats import Reason
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images import Picture
from xaimri.images.acquisition import Acquisition
from xaimri.images.slices import as_slices
from xaimri.objective import softmax

SPACE = (7, 9, 11)
METHODS = {
    "gradcam": {},
    "saliency": {},
    "lime": {"samples": 60},
    "shap": {"samples": 60},
    "occlusion": {},
    "rise": {"samples": 40},
}


def network(classes=3, seed=0):
    return LinearClassifier.random((*SHAPES["2d"][:2], 1), classes=classes, seed=seed, patch=2)


def volume(seed=0, space=SPACE):
    return np.random.default_rng(seed).normal(3, 1, space).astype(np.float32)


def laid(pixels, place):
    """An axial slice as radiologists look at it, by hand: right on the left, front upwards."""
    return pixels[:, :, place].T[::-1, ::-1]


def names(explanation):
    return [caveat.name for caveat in explanation.caveats]


@pytest.mark.parametrize("method", METHODS)
def test_a_map_by_slices_is_that_of_the_slices_stacked(method):
    pixels, model, settings = volume(), network(), METHODS[method]
    found = xaimri.explain(
        model, Picture(pixels, affine=np.eye(4)), method, target=1, slices="2:9:3", **settings
    )
    assert found.values.shape == SPACE
    for place in range(SPACE[2]):
        one = xaimri.explain(model, laid(pixels, place), method, target=1, **settings)
        expected = one.values if place in (2, 5, 8) else 0 * one.values
        np.testing.assert_allclose(laid(found.values, place), expected, atol=1e-5)
        if one.errors is not None and place in (2, 5, 8):
            np.testing.assert_allclose(laid(found.errors, place), one.errors, atol=1e-5)


def test_regions_keep_their_values_and_lie_in_their_slices():
    pixels, model = volume(), network()
    found = xaimri.explain(
        model, Picture(pixels, affine=np.eye(4)), "lime", target=0, slices=[4, 6], samples=60
    )
    regions = found.regions
    np.testing.assert_allclose(regions.paint(regions.values), found.values, atol=1e-6)
    assert (np.delete(regions.labels, [4, 6], axis=2) == -1).all()
    assert not set(np.unique(regions.labels[..., 4])) & set(np.unique(regions.labels[..., 6]))


@pytest.mark.parametrize("rule", ["mean", "median", "product", "own"])
def test_the_subjects_logits_are_the_logarithm_of_the_combined_probabilities(rule):
    rules = {
        "mean": lambda rows: rows.mean(axis=0),
        "median": lambda rows: np.median(rows, axis=0) / np.median(rows, axis=0).sum(),
        "product": lambda rows: rows.prod(axis=0) / rows.prod(axis=0).sum(),
        "own": lambda rows: rows[0],
    }
    pixels, model = volume(), network()
    combine = rules["own"] if rule == "own" else rule
    opened = xaimri.open_model(model, slices=Slices("all", combine=combine))
    plain = xaimri.open_model(model)
    rows = plain.predict([laid(pixels, place) for place in range(SPACE[2])]).astype(float)
    expected = rules[rule](rows)
    picture = Picture(pixels, affine=np.eye(4))
    found = opened.explain(picture, "saliency")
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(softmax(found.logits[None])[0], expected, atol=1e-6)
    np.testing.assert_allclose(found.logits, np.log(np.maximum(expected, 1e-7)), atol=1e-5)
    assert found.target == expected.argmax()
    np.testing.assert_allclose(opened.predict([picture, picture]), [expected, expected], atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_class_is_that_of_the_subject_in_every_slice(seed):
    pixels, model = volume(seed, (7, 9, 75)), network(4, seed)
    by_array = xaimri.open_model(model, slices=Slices("all", plane="axial"))
    picture = Picture(pixels, affine=np.eye(4))
    found = by_array.explain(picture, "gradcam")
    assert found.target == by_array.predict(picture)[0].argmax()
    again = by_array.explain(picture, "gradcam", target=found.target)
    np.testing.assert_allclose(found.values, again.values, atol=1e-6)
    assert found.caveats == again.caveats


def test_a_class_activation_map_costs_one_pass_a_slice_and_few_more():
    class Counted(LinearClassifier):  # whose maps ask for the logits once more
        opened = predicted = 0

        def feature_maps(self, images, *args, **options):
            Counted.opened += len(images)
            return super().feature_maps(images, *args, **options)

        def logits(self, images, /):
            Counted.predicted += len(images)
            return super().logits(images)

    model = Counted.random((6, 8, 1), classes=3, seed=0, patch=2)
    picture = Picture(volume(0, (7, 9, 75)), affine=np.eye(4))
    opened = xaimri.open_model(model, slices="all")
    opened.explain(picture, "gradcam", target=1)  # what is asked once a model is asked here
    Counted.opened = Counted.predicted = 0
    found = opened.explain(picture, "gradcam", target=1)
    assert (Counted.opened, Counted.predicted) == (75, 75)
    Counted.opened = Counted.predicted = 0
    opened.explain(picture, "gradcam")
    rows = np.array(found.diagnostics["slices"]["probabilities"])
    first = rows[::3].argmax(axis=1)
    again = int((first != rows.mean(axis=0).argmax()).sum())
    assert (Counted.opened, Counted.predicted) == (75 + again, 75 + again)


@pytest.mark.parametrize("method", ["gradcam", "input_x_gradient", "occlusion"])
def test_even_slices_of_one_value_are_asked_about_once_and_have_the_same_map(method):
    class Counted(LinearClassifier):
        asked = 0

        def logits(self, images, /):
            Counted.asked += len(images)
            return super().logits(images)

        def feature_maps(self, images, objective, /, layer=None):
            Counted.asked += len(images)
            return super().feature_maps(images, objective, layer=layer)

    model = Counted.random((6, 8, 1), classes=3, seed=0, patch=2)
    pixels = volume(0, (7, 9, 70))
    pixels[..., ::7], pixels[..., 1::14] = 0, 5
    even = len(range(0, 70, 7)) + len(range(1, 70, 14))
    opened = xaimri.open_model(model, slices="all")
    opened.explain(Picture(pixels, affine=np.eye(4)), method, target=1)  # what is asked once a model
    counts = {}
    for places in ("all", [n for n in range(70) if n in (0, 1) or (n % 7 and n % 14 != 1)]):
        opened = xaimri.open_model(model, slices=places)
        Counted.asked = 0
        found = opened.explain(Picture(pixels, affine=np.eye(4)), method, target=1)
        counts[str(places)] = Counted.asked
        assert len(found.diagnostics["slices"]["probabilities"]) == (70 if places == "all" else 70 - even + 2)
        for place in (0, 1, 2):
            one = xaimri.explain(model, laid(pixels, place), method, target=1)
            np.testing.assert_allclose(laid(found.values, place), one.values, atol=1e-5)
    assert len(set(counts.values())) == 1
    whole = xaimri.explain(model, Picture(pixels, affine=np.eye(4)), method, target=1, slices="all")
    for place in range(0, 70, 7):
        np.testing.assert_array_equal(whole.values[..., place], whole.values[..., 0])
    for place in range(1, 70, 14):
        np.testing.assert_array_equal(whole.values[..., place], whole.values[..., 1])


def test_the_slices_that_decided_are_those_without_which_the_probability_falls_most():
    pixels, model = volume(3), network(2, 5)
    found = xaimri.explain(model, Picture(pixels, affine=np.eye(4)), "saliency", slices="all")
    told = found.diagnostics["slices"]
    own = np.array(told["probabilities"])[:, found.target]
    mean = own.mean()
    expected = [mean - np.delete(own, n).mean() for n in range(len(own))]
    np.testing.assert_allclose(told["influences"], expected, atol=1e-5)
    assert told["strongest"] == tuple(np.argsort(-own, kind="stable")[:5].tolist())
    order = np.argsort(-own, kind="stable")
    needed = next((k for k in range(1, len(own)) if own[order[k:]].mean() < 0.5), None)
    assert told["needed"] == needed
    assert told["places"] == tuple(range(SPACE[2]))
    assert (told["plane"], told["view"], told["axis"]) == ("axial", "radiological", 2)


ORIENTATIONS = [
    (axes, flips)
    for axes in itertools.permutations(range(3))
    for flips in itertools.product((1, -1), repeat=3)
]


@pytest.mark.parametrize(("axes", "flips"), ORIENTATIONS[::5])
def test_slices_are_laid_by_the_affine_however_the_array_is_stored(axes, flips):
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[world, axis] = flip
    seen = []

    def score(images):
        seen.extend(images[..., 0])
        return np.full((len(images), 2), 0.5)

    wanted = of_world(affine, (4, 5, 6))
    model = xaimri.open_model(score, slices=Slices("all", plane="coronal"))
    found = model.explain(Picture(wanted, affine=affine), "occlusion", window=2)
    assert found.diagnostics["slices"]["axis"] == axes.index(1)
    own = model.intake.slices
    axis = axes.index(1)
    turn = own.turn(axis, affine)
    index = np.stack([*np.indices((4, 5, 6)), np.ones((4, 5, 6))])
    x, _, z = np.einsum("ij,j...->i...", affine, index)[:3]
    right, up = (turn.lay(np.take(each, 0, axis=axis)) for each in (x, z))
    assert (np.diff(right, axis=1) < 0).all()  # the patient's right stands left
    assert (np.diff(up, axis=0) < 0).all()  # the top stands above
    mirrored = replace(own, view="neurological").turn(axis, affine)
    np.testing.assert_array_equal(mirrored.lay(np.take(x, 0, axis=axis)), right[:, ::-1])
    assert any(np.array_equal(one, turn.lay(np.take(wanted, 0, axis=axis))) for one in seen)


def test_an_array_without_affine_is_cut_along_its_first_axis_as_it_is():
    pixels, model = volume(space=(5, 9, 11)), network()
    found = xaimri.explain(model, pixels, "saliency", target=0, slices=range(1, 4))
    for place in range(5):
        one = xaimri.explain(model, pixels[place], "saliency", target=0).values
        np.testing.assert_allclose(found.values[place], one if place in (1, 2, 3) else 0 * one, atol=1e-6)
    assert found.diagnostics["slices"]["plane"] == "axis 0"
    assert found.diagnostics["slices"]["view"] == "array"


def test_inside_the_brain_are_the_slices_that_hold_much_of_it():
    pixels = np.zeros((20, 22, 12), np.float32)
    for place, side in ((2, 3), (3, 6), (4, 14), (5, 16), (6, 14), (7, 9), (8, 4)):
        pixels[3 : 3 + side, 3 : 3 + side, place] = np.random.default_rng(place).uniform(5, 9, (side, side))
    found = xaimri.explain(network(), Picture(pixels, affine=np.eye(4)), "saliency", slices="brain")
    assert found.diagnostics["slices"]["places"] == (4, 5, 6, 7)
    assert "slices_left_out" not in names(found)
    spiked = pixels.copy()
    spiked[15, 15, 9] = 1e4  # a metal clip outshines the brain, and hides none of it
    again = xaimri.explain(network(), Picture(spiked, affine=np.eye(4)), "saliency", slices="brain")
    assert again.diagnostics["slices"]["places"] == (4, 5, 6, 7)
    every = xaimri.explain(
        network(), Picture(pixels, affine=np.eye(4)), "saliency", slices=Slices("brain", every=2)
    )
    assert every.diagnostics["slices"]["places"] == (4, 6)
    assert "slices_left_out" in names(every)
    with pytest.raises(UnusableImage, match="can't be told from the background"):
        xaimri.explain(network(), Picture(volume(), affine=np.eye(4)), slices="brain")


def test_what_was_left_out_what_is_not_square_and_what_disagrees_is_told():
    pixels, model = volume(), network()
    thick = Picture(pixels, affine=np.diag([1.0, 1.0, 4.0, 1.0]))
    axial = xaimri.explain(model, thick, "saliency", slices="::2")
    assert names(axial).count("slices_left_out") == 1
    assert next(c.text for c in axial.caveats if c.name == "slices_left_out").startswith("5 of 11 slices")
    assert "unequal_pixels" not in names(axial)
    coronal = xaimri.explain(model, thick, "saliency", slices=Slices("all", plane="coronal"))
    assert "unequal_pixels" in names(coronal)
    assert "slices_left_out" not in names(coronal)
    rows = np.array([[0.5, 0.1, 0.4], [0.1, 0.5, 0.4], [0.5, 0.1, 0.4], [0.1, 0.5, 0.4]])

    def split(images):
        return np.stack([rows[int(image.mean())] for image in images])

    flat = np.broadcast_to(np.arange(4.0)[:, None, None], (4, 6, 7)) + np.zeros((4, 6, 7))
    found = xaimri.open_model(split, slices="all").explain(flat, "occlusion", window=3)
    assert found.target == 2
    assert "slices_disagree" in names(found)


def test_what_a_few_slices_have_is_told_with_their_number():
    pixels = volume(space=(30, 6, 8))
    pixels[3] = 2.0
    found = xaimri.explain(network(), pixels, "lime", slices="all", samples=30, target=0)
    assert Reason.CONSTANT_IMAGE.value not in names(found)
    texts = {caveat.name: caveat.text for caveat in found.caveats}
    assert all("slices" in text for name, text in texts.items() if name == "poor_fit")


@pytest.mark.parametrize(
    ("slices", "sentence"),
    [
        ("brains", '"all", "brain", a range'),
        ("1:2:0", '"all", "brain", a range'),
        ([], "at least one slice"),
        ([1, 1], "none twice"),
        ([-1], '"all", "brain", a range'),
    ],
)
def test_slices_that_are_none_are_refused(slices, sentence):
    with pytest.raises(InvalidInput, match=sentence.replace("(", r"\(")):
        xaimri.open_model(network(), slices=slices)


def test_what_is_no_volume_or_has_not_these_slices_is_refused():
    model = network()
    with pytest.raises(UnusableImage, match="one picture"):
        xaimri.explain(model, np.ones((6, 8)), slices="all")
    with pytest.raises(UnusableImage, match="one picture"):
        xaimri.explain(model, np.ones((6, 8, 3)), slices="all")
    with pytest.raises(UnusableImage, match="11 slices, 0 to 10, and `slices` names 11"):
        xaimri.explain(model, Picture(volume(), affine=np.eye(4)), slices=[3, 11])
    with pytest.raises(UnusableImage, match="none of the volume's 11 slices"):
        xaimri.explain(model, Picture(volume(), affine=np.eye(4)), slices="20:30")
    with pytest.raises(UnusableImage, match="no affine"):
        xaimri.explain(model, volume(), slices=Slices("all", plane="axial"))
    with pytest.raises(InvalidInput, match="takes volumes"):
        xaimri.open_model(LinearClassifier.random((4, 5, 6, 1), classes=2), slices="all")
    with pytest.raises(InvalidInput, match="3 probabilities that sum to 1"):
        xaimri.explain(model, volume(), slices=Slices("all", combine=lambda rows: rows.sum(axis=0)))
    with pytest.raises(InvalidInput, match="slices"):
        xaimri.evaluate_explanations(["saliency"], model, [], slices="all")


def test_volumes_by_slices_go_through_every_door(tmp_path):
    pixels, model = volume(), network()
    picture = Picture(pixels, affine=np.eye(4))
    opened = xaimri.open_model(model, slices="::3")
    assert "slices: ::3" in repr(opened)
    many = opened.explain_all([picture, np.ones((6, 8)), pixels], "saliency")
    assert len(many) == 2
    assert "one picture" in str(many.failures["1"])
    two = opened.explain_all(picture, "saliency", target=[0, 1])
    assert [one.target for one in two] == [0, 1]
    both = opened.compare(picture, ["saliency", "gradcam"])
    assert len({one.target for one in both}) == 1
    kept = many[0].store(tmp_path / "kept")
    back = xaimri.load(kept)
    assert back.diagnostics["slices"]["places"] == (0, 3, 6, 9)
    np.testing.assert_array_equal(back.values, many[0].values)
    predicted = int(opened.predict(picture)[0].argmax())
    other = (predicted + 1) % 3
    held = opened.explain(picture, "gradcam", against=other)
    assert (held.target, held.against) == (predicted, other)
    with pytest.raises(UnusableImage, match="predicted class is"):
        opened.explain(picture, "gradcam", against=predicted)


def test_percentiles_are_of_each_slice_as_they_were_of_the_slices_in_training():
    pixels, model = volume(), network()
    window = xaimri.Window(5, 95, percentile=True)
    found = xaimri.explain(model, pixels, "saliency", target=0, slices=[2], window=window)
    one = xaimri.explain(model, pixels[2], "saliency", target=0, window=window)
    np.testing.assert_allclose(found.values[2], one.values, atol=1e-6)
    pixels[4] = 1.0
    with pytest.raises(UnusableImage, match=r"slice 4 of the volume .*brain"):
        xaimri.explain(model, pixels, "saliency", slices="all", window=window)


def weighted(rows):
    """Only the third slice counts, of as many as the volume has."""
    return np.eye(75)[2] @ rows


@pytest.mark.parametrize("rule", [weighted, lambda rows: rows[2]])
@pytest.mark.parametrize("method", ["gradcam", "saliency"])
def test_a_rule_of_ones_own_is_given_the_slices_in_their_order(rule, method):
    pixels, model = volume(4, (75, 6, 8)), network()
    opened = xaimri.open_model(model, slices=Slices("all", combine=rule))
    expected = xaimri.open_model(model).predict(pixels[2])[0]
    np.testing.assert_allclose(opened.predict(pixels)[0], expected, atol=1e-6)
    found = opened.explain(pixels, method)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.target == found.predicted == expected.argmax()


def test_a_scan_knows_its_axes_and_a_colour_picture_is_no_volume(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    pixels, model = volume(space=(6, 8, 3)), network()
    scan = nibabel.Nifti1Image(pixels, np.eye(4))
    stored = tmp_path / "picture.npy"
    np.save(stored, pixels)
    for thin in (scan, Picture(pixels, spacing=(1.0, 1.0, 1.0)), pixels[..., None]):
        assert xaimri.explain(model, thin, "saliency", slices="all").values.shape == (6, 8, 3)
    for flat in (pixels, stored, stored.read_bytes(), pixels.tolist()):
        with pytest.raises(UnusableImage, match="one picture"):
            xaimri.explain(model, flat, "saliency", slices="all")
    np.save(stored, pixels[..., None])
    assert xaimri.explain(model, stored, "saliency", slices="all").values.shape == (6, 8, 3)


def test_channels_that_stand_first_are_channels():
    pixels, model = volume(space=(5, 6, 8)), network()
    first = xaimri.open_model(model, slices="all", layout="channels_first")
    expected = xaimri.explain(model, pixels, "saliency", slices="all").values
    np.testing.assert_array_equal(first.explain(pixels[None], "saliency").values, expected)
    with pytest.raises(UnusableImage, match="one picture"):
        first.explain(pixels[:3], "saliency")


def test_what_is_odd_of_the_volume_is_told_once():
    pixels = np.pad(volume(space=(8, 9, 11)) * 100, ((0, 0), (0, 0), (5, 5)))
    pixels += np.random.default_rng(1).normal(0, 1, pixels.shape)  # no slice is constant
    picture = Picture(pixels, affine=np.eye(4)).on({"burned_in": True, "identity_removed": False})
    fits = names(xaimri.explain(network(), picture, "saliency", slices="all", window=(0, 600)))
    assert (fits.count("outside_window"), fits.count("burned_in"), fits.count("identity_kept")) == (0, 1, 1)
    missed = names(xaimri.explain(network(), picture, "saliency", slices="all", window=(0, 10)))
    assert missed.count("outside_window") == 1
    bare = Picture(np.pad(volume() * 100, ((0, 0), (0, 0), (9, 9))), affine=np.eye(4))
    told = xaimri.explain(network(), bare, "saliency", slices="all", window=(0, 10)).caveats
    assert [c.text[:4] for c in told if c.name == "outside_window"] == ["100 "]  # of the volume
    black = names(xaimri.explain(network(), bare, "lime", slices="all", samples=30))  # untested, so NaN
    assert black.count("not_finite") == 1
    assert len(set(missed)) == len(missed)


def test_a_saturated_probability_is_told_where_it_is_that_of_most_slices():
    pixels = volume(space=(5, 6, 8))
    sure = LinearClassifier(np.stack([np.eye(6, 8), -np.eye(6, 8)])[..., None] * 10)
    told = xaimri.explain(sure, pixels, "lime", slices="all", samples=30)
    assert "saturated" in names(told)
    pixels[:4] = pixels[:4] * 1e-3
    some = xaimri.explain(sure, pixels, "lime", slices="all", samples=30, target=0)
    assert "saturated" not in names(some)


def test_one_number_is_no_choice_of_slices_and_the_sentence_helps():
    for number, words in ((4, "every 4th"), (1, r"write \[1\] for that slice\.")):
        with pytest.raises(InvalidInput, match=words):
            as_slices(number)
    for wrong in (True, -1):
        with pytest.raises(InvalidInput, match="a list of whole numbers"):
            as_slices(wrong)
    with pytest.raises(
        InvalidInput, match=r"'coronal' is a plane: write Slices\(\"all\", plane=\"coronal\"\)\."
    ):
        as_slices("coronal")


def test_a_scan_that_does_not_say_how_it_lies_is_told_beside_a_training_that_knew(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    scan = nibabel.Nifti1Image(volume(), None)
    scan.header["sform_code"] = scan.header["qform_code"] = 0
    nibabel.save(scan, tmp_path / "scan.nii")
    opened = xaimri.open_model(network(), slices="all")
    trained = Acquisition(((1.0, 1.0), (1.0, 1.0)), (1.0, 1.0), ("PL",))  # as slices are laid: back and left
    known = replace(opened, intake=replace(opened.intake, acquisition=trained))
    assert names(known.explain(tmp_path / "scan.nii", "saliency")).count("other_orientation") == 1
    assert "other_orientation" not in names(known.explain(Picture(volume(), affine=np.eye(4)), "saliency"))


def test_the_record_of_slices_by_an_atlas_makes_the_same_map_again(tmp_path):
    pixels, model = volume(space=(4, 6, 8)), network()
    labels = np.zeros((4, 6, 8), int)
    labels[:2, :, :3], labels[1:, :, 5:] = 4, 9  # other regions in each slice
    atlas = Atlas.read(Picture(labels, affine=np.eye(4)))
    picture = Picture(pixels, affine=np.eye(4))
    opened = xaimri.open_model(model, slices=Slices("all", plane="sagittal"))
    first = opened.explain(picture, "lime", regions=atlas, samples=40, target=0)
    first.store(tmp_path / "kept")
    kept = xaimri.load(tmp_path / "kept")
    again = opened.explain(picture, xaimri.explainers.from_record(kept.method, kept.method_arrays), target=0)
    np.testing.assert_array_equal(again.values, first.values)
    assert len(np.unique(first.values[1])) == 3  # both regions, and the rest


def test_a_list_of_dicom_slices_is_a_volume_and_ragged_lists_are_told():
    pytest.importorskip("pydicom")
    values, origins = placed((4, 6, 8))
    opened = xaimri.open_model(network(), slices="all")
    assert opened.explain(series_of(values, origins)[::-1], "saliency").values.shape == (8, 6, 4)
    assert opened.explain(series_of(values, origins)[:1], "saliency").values.shape == (8, 6, 1)
    with pytest.raises(UnusableImage, match="ragged"):
        opened.explain([[[1, 2], [3]], [[1, 2], [3, 4]]], "saliency")


class Batched(LinearClassifier):
    """Keeps how many images each call has."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.mapped, self.asked = [], []

    def feature_maps(self, images, *args, **options):
        self.mapped.append(len(images))
        return super().feature_maps(images, *args, **options)

    def logits(self, images, /):
        self.asked.append(len(images))
        return super().logits(images)


@pytest.mark.parametrize("count", [5, 33, 65, 151, 160])
def test_slices_come_in_few_batches_that_need_little_padding(count):
    model = Batched.random((6, 8, 1), classes=3, seed=0, patch=2)
    picture = Picture(volume(0, (7, 9, count)), affine=np.eye(4))
    xaimri.explain(model, picture, "gradcam", target=1, slices="all")
    assert sum(model.mapped) == count
    assert len(model.mapped) == -(-count // 32)
    assert sum(-(-size // 4) * 4 for size in model.mapped) < count + 4


def test_an_even_slice_explained_again_is_not_held_against_other_images():
    bias = np.array([0.0, 0.0, 0.5], np.float32)
    model = Batched.random((6, 8, 1), classes=3, seed=0, patch=2)
    model = Batched(model.weights, bias, patch=2)
    pixels = volume(0, (7, 9, 75))
    pixels[:, :, :6] = 0
    picture = Picture(pixels, affine=np.eye(4))
    opened = xaimri.open_model(model, slices="all")
    rows = np.array(opened.explain(picture, "gradcam", target=0).diagnostics["slices"]["probabilities"])
    predicted = rows.argmax(axis=1)
    assert predicted[0] != rows.mean(axis=0).argmax()  # the black ones are explained again
    model.mapped.clear(), model.asked.clear()
    opened.explain(picture, "gradcam")
    assert sum(model.asked) == sum(model.mapped)  # those of the maps themselves, and no others


@pytest.mark.parametrize("target", [None, 1])
def test_where_threads_may_share_a_model_two_batches_are_at_work_at_once(target):
    both = threading.Barrier(2)

    class Shared(LinearClassifier):
        shareable, calls = True, itertools.count()

        def feature_maps(self, images, *args, **options):
            if next(Shared.calls) in (1, 2):
                both.wait(60)  # passes only where two are at work
            return super().feature_maps(images, *args, **options)

    picture = Picture(volume(0, (7, 9, 96)), affine=np.eye(4))
    shared = Shared.random((6, 8, 1), classes=3, seed=0, patch=2)
    alone = LinearClassifier(shared.weights, shared.bias, patch=2)
    found, expected = (
        xaimri.explain(model, picture, "gradcam", target=target, slices="all") for model in (shared, alone)
    )
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.logits, expected.logits)
    assert found.caveats == expected.caveats
    assert found.diagnostics == expected.diagnostics
