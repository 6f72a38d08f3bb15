"""The one call: whatever the user has goes in, a map on the user's own grid comes out."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import GradCAM, LinearClassifier
from xaimri.classifier import softmax
from xaimri.errors import InvalidInput, MissingCapability

MODEL = LinearClassifier.random((16, 20, 3), classes=3, seed=0, patch=4)
SCAN = np.random.default_rng(0).integers(0, 255, (30, 25), dtype=np.uint8)


def probabilities(images):
    return softmax(MODEL.logits(np.asarray(images, np.float32)))


def test_every_kind_of_source_gives_one_map(tmp_path):
    Image.fromarray(SCAN).save(tmp_path / "scan.png")
    np.save(tmp_path / "scan.npy", SCAN)
    expected = xaimri.explain(MODEL, SCAN)
    assert expected.values.shape == SCAN.shape
    sources = [
        tmp_path / "scan.png",
        str(tmp_path / "scan.npy"),
        Image.fromarray(SCAN),
        SCAN.astype(float),
        SCAN[..., None],
        np.repeat(SCAN[..., None], 3, axis=-1),
    ]
    for source in sources:
        np.testing.assert_array_equal(xaimri.explain(MODEL, source).values, expected.values)


def test_the_image_comes_back_as_it_was_given():
    found = xaimri.explain(MODEL, SCAN)
    np.testing.assert_array_equal(found.image[..., 0], SCAN)


def test_a_list_gives_a_list_and_a_batch_equals_one_by_one():
    images = [SCAN, SCAN[:20], np.rot90(SCAN).copy()]
    found = xaimri.explain(MODEL, images, relu=False)
    assert isinstance(found, list)
    assert [e.values.shape for e in found] == [i.shape for i in images]
    for one, image in zip(found, images, strict=True):
        alone = xaimri.explain(MODEL, image, relu=False)
        np.testing.assert_allclose(one.values, alone.values, atol=1e-5 * np.abs(alone.values).max())


def test_more_images_than_a_batch_holds(monkeypatch):
    images = [np.roll(SCAN, i) for i in range(7)]
    whole = xaimri.explain(MODEL, images, target=[0, 1, 2, 0, 1, 2, 0])
    monkeypatch.setattr("xaimri.explaining.CHUNK", 3)
    parts = xaimri.explain(MODEL, images, target=[0, 1, 2, 0, 1, 2, 0])
    assert [e.target for e in parts] == [0, 1, 2, 0, 1, 2, 0]
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a.values, b.values, atol=1e-5 * max(np.abs(a.values).max(), 1e-9))


def test_volumes():
    model = LinearClassifier.random((6, 8, 10, 1), classes=2, patch=2)
    volume = np.random.default_rng(0).random((5, 9, 12))
    for method in ("gradcam", xaimri.LIME(samples=30, regions=5)):
        assert xaimri.explain(model, volume, method).values.shape == (5, 9, 12)


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_a_bright_spot_is_found_where_it_is(fit):
    weights = np.ones((2, 32, 32, 1)) * np.array([0.0, 1.0]).reshape(2, 1, 1, 1)
    image = np.zeros((64, 48))
    image[40:46, 10:14] = 1
    found = xaimri.explain(LinearClassifier(weights), image, target=1, relu=False, fit=fit).values
    centre = [float((found * axis).sum() / found.sum()) for axis in np.indices(found.shape)]
    np.testing.assert_allclose(centre, [42.5, 11.5], atol=0.6)


def test_target_by_name_by_index_and_by_default():
    by_name = xaimri.explain(MODEL, SCAN, target="class_2")
    by_index = xaimri.explain(MODEL, SCAN, target=2)
    assert by_name.target == by_index.target == 2
    np.testing.assert_array_equal(by_name.values, by_index.values)
    found = xaimri.explain(MODEL, SCAN)
    assert found.target == found.predicted == int(found.logits.argmax())


def test_functions_are_models():
    for classes in (None, ("a", "b", "c")):
        found = xaimri.explain(probabilities_of_any, SCAN, "lime", classes=classes, samples=30, regions=4)
        assert found.classes == (classes or ("class_0", "class_1", "class_2"))
    given = xaimri.FunctionClassifier(probabilities, input_shape=(16, 20, 3))
    found = xaimri.explain(given, SCAN, "lime", samples=30, regions=4)
    assert found.classes == ("class_0", "class_1", "class_2")
    direct = xaimri.explain(MODEL, SCAN, "lime", samples=30, regions=4)
    np.testing.assert_allclose(found.values, direct.values, atol=1e-5)


def ones(images):
    return np.ones((len(images), 3))


def probabilities_of_any(images):
    p = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3)) / 255))
    return np.stack([1 - p, p / 2, p / 2], axis=1)


def test_the_callers_array_is_left_alone():
    def vandal(images):
        images *= 0
        return np.full((len(images), 2), 0.5)

    image = np.random.default_rng(0).random((9, 11, 1)).astype(np.float32)
    kept = image.copy()
    xaimri.explain(vandal, image, "lime", samples=20, regions=3)
    xaimri.explain(LinearClassifier(np.ones((2, 9, 11, 1))), image)
    np.testing.assert_array_equal(image, kept)


def test_compare_explains_one_class_by_several_methods():
    found = xaimri.compare(MODEL, SCAN, ["gradcam", xaimri.LIME(samples=20, regions=4)], target=1)
    assert [e.method["name"] for e in found] == ["gradcam", "lime"]
    assert {e.target for e in found} == {1}
    assert len(found[:1]) == 1


def test_the_record_of_the_method_rebuilds_it():
    from xaimri.explainers import from_record

    found = xaimri.explain(MODEL, SCAN, "lime", samples=30, regions=4, seed=5)
    assert from_record(found.method) == xaimri.LIME(samples=30, regions=4, seed=5)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: xaimri.explain(MODEL, SCAN, "gradcma"),
            InvalidInput,
            "'gradcma' is not known: use 'gradcam', .*'lime'",
        ),
        (
            lambda: xaimri.explain(MODEL, SCAN, samples=3),
            InvalidInput,
            "no setting 'samples': it has 'layer', 'relu'",
        ),
        (
            lambda: xaimri.explain(MODEL, SCAN, GradCAM(), relu=False),
            InvalidInput,
            "stand beside an explainer",
        ),
        (lambda: xaimri.explain(MODEL, SCAN, target="x"), InvalidInput, "'class_0', 'class_1', 'class_2'"),
        (lambda: xaimri.explain(MODEL, SCAN, target=3), InvalidInput, r"index in 0\.\.2"),
        (
            lambda: xaimri.explain(MODEL, [SCAN], target=[1, 2]),
            InvalidInput,
            "2 targets were given for 1 images",
        ),
        (lambda: xaimri.explain(MODEL, []), InvalidInput, "list of images is empty"),
        (lambda: xaimri.explain(MODEL, SCAN.astype(float) * np.nan), InvalidInput, "NaN|finite"),
        (lambda: xaimri.explain(MODEL, np.zeros((4, 5, 6, 3))), InvalidInput, "4|axes"),
        (lambda: xaimri.explain(MODEL, "gone.png"), InvalidInput, r"gone\.png"),
        (lambda: xaimri.explain(MODEL, SCAN, classes=("a", "b", "c")), InvalidInput, "stand beside a Linear"),
        (lambda: xaimri.explain(3, SCAN), InvalidInput, "a int is no model"),
        (
            lambda: xaimri.explain(probabilities_of_any, SCAN),
            MissingCapability,
            "GradCAM needs a Convolutional.*LIME",
        ),
        (lambda: xaimri.explain(lambda x: x, SCAN, "lime"), InvalidInput, "one finite row of class scores"),
        (
            lambda: xaimri.explain(lambda x: np.ones((len(x), 3)), SCAN, "lime"),
            InvalidInput,
            'pass outputs="logits"',
        ),
        (lambda: xaimri.compare(MODEL, SCAN, []), InvalidInput, "`methods` must be a list"),
    ],
)
def test_errors_are_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence) as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_importing_loads_no_framework():
    code = (
        "import sys, xaimri; dir(xaimri); from xaimri import explain, LinearClassifier, LIME;"
        "import numpy as np;"
        "explain(LinearClassifier(np.ones((2, 6, 8, 1))), np.ones((6, 8)));"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules), 'a framework was loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_public_name_is_there():
    for name in xaimri.__all__:
        if name not in ("KerasClassifier", "clear_cache"):
            assert getattr(xaimri, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = xaimri.nothing
