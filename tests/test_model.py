"""The one door: whatever the user has becomes a model, said once, and its calls are those of the README."""

import pickle

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import xaimri
from xaimri import InvalidInput, LinearClassifier, Model, XaimriError, open_model
from xaimri.data import Case, Dataset
from xaimri.model import OPTIONS

NET = LinearClassifier.random((16, 20, 1), classes=3, seed=0, patch=4)
SCAN = np.random.default_rng(0).integers(0, 255, (30, 25), dtype=np.uint8)


def halves(images):
    return np.full((len(images), 2), 0.5)


def test_it_says_what_it_is(tmp_path):
    assert repr(open_model(NET)) == "<Model: 3 classes, images 16 x 20 x 1, stretched>"
    told = repr(open_model(NET, fit="pad", window=(0, 4000), layout="channels_first"))
    assert told == "<Model: 3 classes, images 16 x 20 x 1, padded, window 0 to 4000, channels first>"
    assert repr(open_model(halves)) == "<Model: classes told by its first answer, images of any size>"


def test_a_model_that_is_open_comes_back_as_it_is_and_takes_no_options():
    model = open_model(NET, fit="pad")
    assert open_model(model) is model
    for name, value in {"fit": "pad", "classes": ["a", "b", "c"], "window": (0, 1), "engine": "auto"}.items():
        with pytest.raises(InvalidInput, match=f"`{name}` can't stand beside a Model, which is open already"):
            xaimri.explain(model, SCAN, **{name: value})
        with pytest.raises(InvalidInput, match=f"`{name}` belongs to the model, which is open already"):
            model.explain(SCAN, **{name: value})


def test_it_is_frozen():
    with pytest.raises(AttributeError):
        open_model(NET).classifier = None


def test_it_pickles_where_its_classifier_does():
    model = Model(
        NET, open_model(NET, window=(0, 9)).intake, split={"by": "case", "test": ["a"]}, history={"loss": [1]}
    )
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model)
    assert (again.split, again.history) == (model.split, model.history)
    np.testing.assert_array_equal(again.explain(SCAN).values, model.explain(SCAN).values)
    with pytest.raises(TypeError):
        again.split["by"] = "subject"


@pytest.mark.parametrize(
    "source", [SCAN, SCAN.tolist(), Case("a", 0, None, SCAN)], ids=["array", "list", "case"]
)
def test_its_calls_are_those_of_the_readme(source):
    model = open_model(NET, fit="pad")
    np.testing.assert_array_equal(
        model.explain(source, "saliency").values, xaimri.explain(NET, SCAN, "saliency", fit="pad").values
    )
    lime = {"samples": 30, "regions": 4}
    one, other = (
        found[1].values
        for found in (
            model.compare(source, ["gradcam", "lime"], target=1, **lime),
            xaimri.compare(NET, SCAN, ["gradcam", xaimri.LIME(**lime)], target=1, fit="pad"),
        )
    )
    np.testing.assert_array_equal(one, other)


def test_everything_that_holds_images_is_taken(tmp_path):
    images = [SCAN, SCAN[:20]]
    np.save(tmp_path / "a.npy", SCAN)
    np.save(tmp_path / "b.npy", SCAN[:20])
    cases = tuple(Case(name, 0, None, image) for name, image in zip("xy", images, strict=True))
    given = {
        ("0", "1"): [images, iter(images), (image for image in images)],
        ("a.npy", "b.npy"): [tmp_path, str(tmp_path)],
        ("x", "y"): [Dataset(("no", "yes"), cases), list(cases), dict(zip("xy", images, strict=True))],
    }
    model = open_model(NET)
    expected = [model.explain(image).values for image in images]
    for names, sources in given.items():
        for source in sources:
            found = model.explain_all(source)
            assert found.names == names
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one.values, other)


def test_an_array_with_a_batch_axis_holds_several_images():
    batch = np.random.default_rng(0).random((4, 16, 20, 1))
    found = xaimri.explain_all(NET, batch, "saliency")
    assert found.names == ("0", "1", "2", "3")
    assert xaimri.explain_all(NET, batch[0], "saliency").names == ("0",)


def test_names_are_unique():
    twice = [Case("a", 0, None, SCAN), Case("a", 1, None, SCAN[:9])]
    assert xaimri.explain_all(NET, twice, "saliency").names == ("a", "a (2)")


def test_n_images_and_n_targets_are_paired():
    images = [np.roll(SCAN, n) for n in range(3)]
    for source in (images, iter(images)):
        assert [e.target for e in xaimri.explain_all(NET, source, target=[2, 0, 1])] == [2, 0, 1]
    for given in ([0, 1], [0, 1, 2, 0]):
        with pytest.raises(InvalidInput, match="targets"):
            xaimri.explain_all(NET, iter(images), target=given)


def test_predictions_are_the_probabilities_of_what_is_explained(tmp_path):
    model = open_model(NET, fit="pad", window=(0, 300))
    np.save(tmp_path / "a.npy", SCAN)
    expected = model.explain(SCAN).probabilities
    for source in (SCAN, tmp_path / "a.npy", [SCAN], [str(tmp_path / "a.npy")], tmp_path):
        np.testing.assert_allclose(model.predict(source), expected[None], rtol=1e-6)
    with pytest.raises(xaimri.UnusableImage, match=r"gone\.png"):
        model.predict([SCAN, "gone.png"])


def test_more_images_than_are_predicted_at_once(monkeypatch):
    images = np.random.default_rng(0).random((7, 16, 20, 1))
    whole = open_model(NET).predict(images)
    monkeypatch.setattr("xaimri.endings.PREDICTED", 3)
    np.testing.assert_allclose(open_model(NET).predict(images), whole, rtol=1e-6)


def test_judging_is_the_same_by_either_call():
    from xaimri.data import phantom

    cases = phantom.make(subjects=6, slices=1, size=(26, 22))
    net = LinearClassifier.random((26, 22, 1), classes=4, seed=0)
    one = open_model(net).judge(cases, ["saliency"], ["relevance_mass"])
    other = xaimri.evaluate_explanations(["saliency"], net, cases, ["relevance_mass"])
    assert one.to_dict() == other.to_dict()


def test_the_options_of_a_model_stand_in_one_signature():
    assert set(OPTIONS) == {
        "classes", "preprocess", "outputs", "unit", "output", "inputs", "engine", "fit", "window", "layout",
        "slices",
    }  # fmt: skip
    import inspect

    for call in (xaimri.explain, xaimri.explain_all, xaimri.compare, xaimri.evaluate_explanations):
        assert set(inspect.signature(call).parameters) & set(OPTIONS) <= {"inputs"}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: xaimri.explain(halves, SCAN, "lime", sample=20), "'sample': did you mean 'samples'"),
        (lambda: xaimri.explain(halves, SCAN, "lime", clases=["a", "b"]), "did you mean `classes`"),
        (lambda: xaimri.explain(halves, SCAN, xaimri.LIME(), samples=20), r"LIME\(samples=\.\.\.\)"),
        (lambda: xaimri.compare(halves, SCAN, ["lime"], relu=True), "'lime' has no setting 'relu'"),
        (lambda: open_model(halves, outputs="logit"), "outputs"),  # type: ignore[arg-type]
        (lambda: open_model(halves, window=3), "window"),  # type: ignore[arg-type]
        (lambda: open_model(7), "a int is no model"),
    ],
)
def test_a_misspelt_or_misplaced_option_is_told_with_the_right_name(call, sentence):
    with pytest.raises((InvalidInput, TypeCheckError), match=sentence):
        call()


def test_settings_go_to_the_methods_that_have_them():
    found = xaimri.compare(NET, SCAN, ["gradcam", "lime", "occlusion"], relu=False, samples=20, regions=4)
    settings = [explanation.method["settings"] for explanation in found]
    assert (settings[0]["relu"], settings[1]["samples"], settings[2]["regions"]) == (False, 20, 4)


def test_a_picture_keeps_its_spacing_and_its_place_in_the_world(tmp_path):
    from xaimri.images import Picture

    affine = np.diag([0.5, 2.0, 1.0, 1.0])
    picture = Picture(SCAN[..., None], spacing=(0.5, 2.0), affine=affine)
    for fit in ("stretch", "pad"):
        found = xaimri.explain(NET, picture, "saliency", fit=fit, window=(0, 200))
        assert found.spacing == (0.5, 2.0)
        np.testing.assert_array_equal(found.affine, affine)
        plain = xaimri.explain(NET, SCAN, "saliency", fit=fit, window=(0, 200))
        np.testing.assert_array_equal(found.values, plain.values)
        assert plain.spacing is None
        kept = xaimri.load(found.store(tmp_path / fit))
        assert kept.spacing == found.spacing


def test_an_explainer_names_the_classifier_of_a_model():
    with pytest.raises(
        (xaimri.MissingCapability, TypeCheckError), match=r"Model|use xaimri\.open_model\(model\)\.classifier"
    ):
        xaimri.LIME().explain(open_model(NET), SCAN[None, ..., None])


def test_methods_may_come_from_an_iterator():
    from xaimri.data import phantom

    cases = phantom.make(subjects=6, slices=1, size=(26, 22))
    net, measures = LinearClassifier.random((26, 22, 1), classes=4, seed=0), ["relevance_mass"]
    expected = xaimri.evaluate_explanations(["saliency"], net, cases, measures).to_dict()
    assert xaimri.evaluate_explanations(iter(["saliency"]), net, cases, measures).to_dict() == expected
    assert open_model(net).judge(cases, iter(["saliency"]), measures).to_dict() == expected
    assert len(xaimri.compare(net, cases[0], iter(["saliency", "gradcam"]))) == 2


def test_a_path_that_leads_to_no_network_is_one_sentence(tmp_path):
    """Before a framework is loaded, and without waiting."""
    (tmp_path / "link.keras").symlink_to(tmp_path / "nowhere")
    (tmp_path / "zero.keras").symlink_to("/dev/null")
    for name in ("n" * 5000, "a\0b", "gone.keras", "link.keras", "zero.keras"):
        with pytest.raises(XaimriError) as told:
            open_model(str(tmp_path / name))
        assert "\n" not in str(told.value)
        assert len(str(told.value)) < 500
