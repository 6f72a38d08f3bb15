"""An ending for every image: read when it is drawn, and nothing but its own fault collected."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import xaimri
from xaimri import InvalidInput, LinearClassifier, MissingCapability, open_model

NET = LinearClassifier.random((8, 10, 1), classes=3, seed=0)
IMAGES = np.random.default_rng(0).random((4, 8, 10))
MODEL = open_model(NET)


def halves(images):
    return np.full((len(images), 2), 0.5)


def refilled():
    """Yield the same array again and again, as a reader that saves memory does."""
    kept = np.empty((8, 10))
    for image in IMAGES:
        kept[:] = image
        yield kept


def brightness(images):
    second = images.reshape(len(images), -1).mean(axis=1)
    return np.stack([1 - second, second], axis=1)


@pytest.mark.parametrize("shape", [(1, 6, 7, 1), (3, 6, 7, 1), (4, 6, 7), (3, 6, 7)], ids=str)
def test_a_batch_for_a_function_of_any_images_is_not_one_volume(shape):
    array = np.random.default_rng(1).random(shape).astype(np.float32)
    array[0] /= 3
    with pytest.raises(InvalidInput, match="several images or one volume") as caught:
        xaimri.explain(brightness, array, "occlusion")
    assert "`list(array)` to `explain_all`" in str(caught.value)
    assert "`xaimri.images.Picture(array)`" in str(caught.value)
    several = xaimri.explain_all(brightness, list(array), "occlusion")
    assert [each.values.shape for each in several] == [(6, 7)] * len(array)
    wanted = array.reshape(len(array), -1).mean(axis=1)
    np.testing.assert_allclose([each.probabilities[1] for each in several], wanted, rtol=1e-5)
    volume = xaimri.explain(brightness, xaimri.images.Picture(array), "occlusion")
    assert volume.values.shape == shape[:3]
    assert volume.probabilities[1] == pytest.approx(array.mean(), rel=1e-5)


def test_one_plane_for_a_function_of_any_images_is_taken():
    for shape, layout in (((6, 7), None), ((6, 7, 3), None), ((3, 6, 7), "channels_first")):
        assert xaimri.explain(brightness, np.ones(shape), "occlusion", layout=layout).values.shape == (6, 7)


def test_a_generator_may_use_its_array_again():
    expected = [MODEL.explain(image, "saliency").logits for image in IMAGES]
    found = MODEL.explain_all(refilled(), "saliency")
    np.testing.assert_array_equal([each.logits for each in found], expected)
    np.testing.assert_array_equal(MODEL.predict(refilled()), MODEL.predict(list(IMAGES)))


def test_a_generator_may_close_its_file(tmp_path):
    for number, image in enumerate(IMAGES):
        np.save(tmp_path / f"{number}.npy", image)

    def opened():
        for file in sorted(tmp_path.iterdir()):
            with file.open("rb") as stream:
                yield stream

    found = MODEL.explain_all(opened(), "saliency")
    assert (len(found), dict(found.failures)) == (4, {})


def test_one_image_of_several_classes_is_read_once(monkeypatch):
    from xaimri.images.intake import Intake

    read, take = [], Intake.take
    monkeypatch.setattr(Intake, "take", lambda self, source: read.append(1) or take(self, source))
    assert len(MODEL.explain_all(IMAGES[0], "saliency", target=[0, 1, 2])) == 3
    assert len(read) == 1


def test_a_lacking_capability_is_told_before_an_image_is_read(tmp_path):
    for call in (
        lambda: xaimri.explain_all(halves, ["gone.png"]),
        lambda: xaimri.explain(halves, "gone.png"),
        lambda: xaimri.compare(halves, "gone.png", ["lime", "gradcam"]),
    ):
        with pytest.raises(MissingCapability, match="GradCAM needs"):
            call()


@pytest.mark.parametrize("images", [None, 3, np.array(3.0), True])
def test_what_is_no_image_is_a_wrong_argument(images):
    with pytest.raises(InvalidInput, match="is no image: give a path"):
        MODEL.explain_all(images)


@pytest.mark.parametrize("shape", [(5, 8, 10, 3), (5, 8, 10)])
def test_an_array_that_could_be_a_volume_is_asked_about_where_the_model_does_not_say(shape):
    for call in (lambda a: open_model(halves).predict(a), lambda a: xaimri.explain_all(halves, a, "lime")):
        with pytest.raises(InvalidInput, match=r"several images or one volume.*give `list\(array\)`"):
            call(np.zeros(shape))
    assert open_model(halves).predict(list(np.zeros(shape))).shape == (5, 2)


def test_an_array_of_paths_holds_several(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES[0])
    paths = np.array([str(tmp_path / "a.npy")] * 2)
    for given in (paths, list(paths)):
        assert len(MODEL.explain_all(given, "saliency")) == 2


@pytest.mark.parametrize("method", [["lime", "gradcam"], ["lime"], None, xaimri.LIME])
def test_one_method_is_one(method):
    with pytest.raises((InvalidInput, TypeCheckError), match="method"):
        xaimri.explain(NET, IMAGES[0], method)


def test_names_that_are_no_text_can_be_written(tmp_path):
    import os

    bad = os.fsdecode(b"scan-\xff.npy")
    np.save(tmp_path / "x.npy", IMAGES[0])
    (tmp_path / "x.npy").rename(tmp_path / bad)
    found = MODEL.explain_all(tmp_path, "saliency")
    assert found.names == ("scan-\\udcff.npy",)
    found.to_csv(tmp_path / "table.csv")
    found._repr_html_()


def test_an_explanation_is_found_by_its_name():
    found = MODEL.explain_all({"a": IMAGES[0], "b": "gone.png"}, "saliency")
    assert found.of("a") is found[0]
    with pytest.raises(InvalidInput, match=r"no explanation of 'b': there is no file `gone\.png`"):
        found.of("b")


def test_a_metric_refuses_a_window_that_it_cannot_look_through():
    model = open_model(NET, window=(0, 4000))
    with pytest.raises(InvalidInput, match="through a window"):
        xaimri.metrics.deletion(model.explain(IMAGES[0], "saliency"), model)


def test_networks_that_images_reach_in_other_ways_are_not_compared():
    from xaimri.data import phantom

    cases = phantom.make(subjects=6, slices=1, size=(26, 22))
    net = LinearClassifier.random((26, 22, 1), classes=4)
    other = open_model(net, window=(0, 9))
    with pytest.raises(InvalidInput, match="in another way than the model"):
        xaimri.trustworthiness(["saliency"], net, cases, retrained=net, other=other)
    with pytest.raises(InvalidInput, match="can't stand beside a Model"):
        xaimri.trustworthiness(["saliency"], other, cases, retrained=other, other=other, fit="pad")
