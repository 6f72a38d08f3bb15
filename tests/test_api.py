"""The one call: whatever the user has goes in, a map on the user's own grid comes out."""

import subprocess
import sys

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from PIL import Image

import xaimri
from xaimri import GradCAM, LinearClassifier
from xaimri.errors import Cancelled, InvalidInput, MissingCapability, UnusableImage
from xaimri.objective import softmax

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


def test_many_images_of_any_shape_equal_one_by_one():
    images = [SCAN, SCAN[:20], np.rot90(SCAN).copy()]
    found = xaimri.explain_all(MODEL, images, relu=False)
    assert (found.names, dict(found.failures)) == (("0", "1", "2"), {})
    assert [e.values.shape for e in found] == [i.shape for i in images]
    for one, image in zip(found, images, strict=True):
        alone = xaimri.explain(MODEL, image, relu=False)
        np.testing.assert_allclose(one.values, alone.values, atol=1e-5 * np.abs(alone.values).max())


def test_more_images_than_a_batch_holds(monkeypatch):
    images = [np.roll(SCAN, i) for i in range(7)]
    whole = xaimri.explain_all(MODEL, images, target=[0, 1, 2, 0, 1, 2, 0])
    monkeypatch.setattr("xaimri.endings.CHUNK", 3)
    parts = xaimri.explain_all(MODEL, images, target=[0, 1, 2, 0, 1, 2, 0])
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


def test_the_bytes_of_a_file_are_an_image(tmp_path):
    Image.fromarray(SCAN).save(tmp_path / "scan.png")
    content = (tmp_path / "scan.png").read_bytes()
    np.testing.assert_array_equal(xaimri.explain(MODEL, content).values, xaimri.explain(MODEL, SCAN).values)


def test_channels_first_where_it_is_said():
    colour = np.random.default_rng(1).integers(0, 255, (30, 25, 3), dtype=np.uint8)
    first = np.moveaxis(colour, -1, 0)
    found = xaimri.explain(MODEL, first, layout="channels_first")
    np.testing.assert_array_equal(found.values, xaimri.explain(MODEL, colour).values)
    with pytest.raises(InvalidInput, match="channels_first"):
        xaimri.explain(MODEL, first)


def test_a_window_is_applied_recorded_and_left_out_of_the_image():
    deep = np.linspace(-1000, 3000, 16 * 20).reshape(16, 20).astype(np.int16)
    for window, low, high in ((0, 2000), 0, 2000), (xaimri.Window(25, 75, percentile=True), -3, 2001):
        found = xaimri.explain(MODEL, deep, "saliency", window=window)
        record = found.diagnostics["window"]
        if isinstance(window, tuple):
            assert (record["low"], record["high"]) == (low, high)
        else:
            assert record["low"] == pytest.approx(np.percentile(deep, 25), abs=1)
            assert record["high"] == pytest.approx(np.percentile(deep, 75), abs=1)
        clipped = np.clip((deep.astype(float) - record["low"]) / (record["high"] - record["low"]), 0, 1) * 255
        expected = xaimri.explain(MODEL, clipped, "saliency")
        np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-4)
        np.testing.assert_array_equal(found.image[..., 0], deep)
    assert "window" not in xaimri.explain(MODEL, deep).diagnostics
    (compared,) = xaimri.compare(MODEL, deep, ["gradcam"], window=(0, 2000))
    assert compared.diagnostics["window"]["high"] == 2000


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    for name in ("b.png", "a.png", "more/c.png"):
        Image.fromarray(np.roll(SCAN, len(name))).save(folder / name)
    return folder


def test_a_folder_gives_an_explanation_of_each_image(scans):
    found = xaimri.explain_all(MODEL, scans)
    assert found.names == ("a.png", "b.png", "more/c.png")
    assert not found.failures
    for name, explanation in found.items():
        np.testing.assert_allclose(explanation.values, xaimri.explain(MODEL, scans / name).values, rtol=1e-5)
    assert repr(found) == "<Explanations: 3 of 3 images>"


def test_a_folder_with_bad_files_gives_the_rest_and_lists_the_bad_ones(scans, monkeypatch):
    (scans / "text.png").write_text("no picture")
    whole = (scans / "a.png").read_bytes()
    (scans / "cut.png").write_bytes(whole[: len(whole) // 2])
    (scans / "empty.png").touch()
    np.save(scans / "nan.npy", np.full((8, 9), np.nan))
    (scans / "notes.txt").write_text("not an image by its name: passed over")
    for chunk in (32, 2):
        monkeypatch.setattr("xaimri.endings.CHUNK", chunk)
        found = xaimri.explain_all(MODEL, str(scans), "lime", samples=10, regions=3)
        assert found.names == ("a.png", "b.png", "more/c.png")
        assert set(found.failures) == {"text.png", "cut.png", "empty.png", "nan.npy"}
        assert {failure.stage for failure in found.failures.values()} == {"read"}
        assert all(failure.name == name for name, failure in found.failures.items())
        assert all("\n" not in failure.sentence for failure in found.failures.values())
        assert "failures: 'cut.png', 'empty.png', 'nan.npy', 'text.png'" in repr(found)


def test_an_image_that_the_model_refuses_is_listed_too(scans):
    def picky(images):
        if images.shape[1] < 20:
            raise UnusableImage("the image is too small: give a larger one.")
        return np.full((len(images), 2), 0.5)

    Image.fromarray(SCAN[:10, :10]).save(scans / "small.png")
    found = xaimri.explain_all(picky, scans, "lime", samples=10, regions=3)
    assert len(found) == 3
    small = xaimri.Failure("small.png", "explain", "the image is too small: give a larger one.")
    assert dict(found.failures) == {"small.png": small}


def test_what_is_no_images_fault_stops_at_once(scans):
    read = []

    def broken(images):
        read.append(len(images))
        raise InvalidInput("this function takes no images of grey.")

    with pytest.raises(InvalidInput, match="takes no images of grey"):
        xaimri.explain_all(broken, scans, "lime", samples=10, regions=3)
    assert len(read) == 1  # tried once, and not image by image


def test_a_folder_of_nothing_that_can_be_explained_gives_its_failures_alone(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidInput, match="holds no image"):
        xaimri.explain_all(MODEL, empty)
    scan = tmp_path / "scan"
    scan.mkdir()
    for number in range(5):  # more of it: the first are looked at
        (scan / f"IM{number}").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(InvalidInput, match=r'slices are not called `\.dcm`: pass slices="all"'):
        xaimri.explain_all(MODEL, scan)
    only = tmp_path / "only"
    only.mkdir()
    (only / "x.png").write_text("no picture")
    found = xaimri.explain_all(MODEL, only)
    assert (len(found), list(found.failures)) == (0, ["x.png"])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"target": [0, 1]}, "2 targets were given for 3 images"),
        ({"target": "no such"}, "'no such' is not one of the classes"),
        ({"target": []}, "the list of targets is empty"),
        ({"method": "lime", "samples": -3}, "`samples`"),
        ({"method": "limes"}, "'limes' is not known"),
        ({"layout": "last"}, "layout"),
        ({"fit": "crop"}, "fit"),
        ({"windw": (0, 3)}, "did you mean `window`"),
    ],
)
def test_arguments_are_checked_before_the_first_image_is_read(scans, monkeypatch, asked, sentence):
    read = []
    monkeypatch.setattr("xaimri.images.intake.Intake.take", lambda self, source: read.append(source))
    with pytest.raises((InvalidInput, TypeCheckError), match=sentence):
        xaimri.explain_all(MODEL, scans, **asked)
    assert not read


def test_explanations_of_a_folder_survive_pickling(scans):
    import pickle

    (scans / "text.png").write_text("no picture")
    found = xaimri.explain_all(MODEL, scans)
    again = pickle.loads(pickle.dumps(found))
    assert (again.names, again.failures) == (found.names, found.failures)
    np.testing.assert_array_equal(again[0].values, found[0].values)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: xaimri.explain(MODEL, SCAN, "gradcma"),
            InvalidInput,
            r"the method 'gradcma' is not known: did you mean 'gradcam'\?",
        ),
        (
            lambda: xaimri.explain(MODEL, SCAN, samples=3),
            InvalidInput,
            "no setting 'samples': it has 'layer', 'relu'",
        ),
        (
            lambda: xaimri.explain(MODEL, SCAN, GradCAM(), relu=False),
            InvalidInput,
            "stands beside an explainer",
        ),
        (lambda: xaimri.explain(MODEL, SCAN, target="x"), InvalidInput, "'class_0', 'class_1', 'class_2'"),
        (lambda: xaimri.explain(MODEL, SCAN, target=3), InvalidInput, r"index in 0\.\.2"),
        (
            lambda: xaimri.explain_all(MODEL, [SCAN], target=[1, 2]),
            InvalidInput,
            "2 targets were given for 1 images",
        ),
        (lambda: xaimri.explain_all(MODEL, []), InvalidInput, "list of images is empty"),
        (
            lambda: xaimri.explain(MODEL, [SCAN, SCAN]),
            InvalidInput,
            "a list can hold several: use `explain_all`",
        ),
        (lambda: xaimri.explain(MODEL, "."), InvalidInput, "a folder can hold several: use `explain_all`"),
        (
            lambda: xaimri.explain(MODEL, SCAN, target=[0]),  # type: ignore[arg-type]
            (InvalidInput, TypeCheckError),
            "is a list: use `explain_all`|target",
        ),
        (lambda: xaimri.explain(MODEL, SCAN.astype(float) * np.nan), InvalidInput, "NaN|finite"),
        (lambda: xaimri.explain(MODEL, np.zeros((4, 5, 6, 3))), InvalidInput, "use `explain_all`"),
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
        (
            lambda: xaimri.explain(MODEL, SCAN, "lime", seed=2**40),
            InvalidInput,
            r"`seed` must be below 2\*\*32",
        ),
    ],
)
def test_errors_are_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence) as refusal:
        call()
    assert isinstance(refusal.value, TypeCheckError) or "\n" not in str(refusal.value)


def test_importing_loads_no_framework():
    code = (
        "import sys, xaimri; dir(xaimri); from xaimri import explain, LinearClassifier, LIME;"
        "import numpy as np;"
        "explain(LinearClassifier(np.ones((2, 6, 8, 1))), np.ones((6, 8)));"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules), 'a framework was loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_every_public_name_is_there():
    for name in xaimri.__all__:
        if name not in ("KerasClassifier", "clear_cache"):
            assert getattr(xaimri, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = xaimri.nothing


def test_several_classes_of_one_image_come_from_the_same_predictions():
    calls = []

    def watching(batch):
        calls.append(len(batch))
        return softmax(model.logits(batch))

    model = LinearClassifier.random((8, 9, 1), classes=3, seed=0)
    image = np.random.default_rng(0).random((8, 9))
    settings = {"samples": 60, "regions": 5, "classes": ["a", "b", "c"]}
    both = xaimri.explain_all(watching, image, "lime", target=["a", "c"], **settings)
    assert both.names == ("0", "1")
    together = sum(calls)
    calls.clear()
    alone = xaimri.explain(watching, image, "lime", target="c", **settings)
    assert together == sum(calls) + 3 * 2  # is it a function of one image? once, three batches of two
    assert [e.target_class for e in both] == ["a", "c"]
    assert np.array_equal(both[1].regions.values, alone.regions.values)


@pytest.mark.parametrize(
    ("method", "settings"),
    [("lime", {"regions": 5}), ("shap", {"regions": 5}), ("rise", {"samples": 70}), ("occlusion", {})],
)
def test_a_long_explanation_can_be_watched_and_cancelled(method, settings):
    model = LinearClassifier.random((8, 9, 1), classes=3, seed=0)
    image, seen = np.random.default_rng(0).random((8, 9)), []
    xaimri.explain(model, image, method, progress=lambda *at: seen.append(at), **settings)
    assert all(done <= total for done, total in seen)
    assert seen[-1][0] == seen[-1][1] > 1
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    with pytest.raises(Cancelled, match="as `progress` returned False"):
        xaimri.explain(model, image, method, progress=lambda done, total: False, **settings)
    before = len(seen)
    xaimri.explain(model, image, method, **settings)
    assert len(seen) == before  # nothing reports to a watcher that is gone


def test_a_window_that_could_be_two_things_is_refused():
    model, scan = LinearClassifier.random((16, 16, 1)), np.random.default_rng(0).random((16, 16)) * 255
    with pytest.raises(InvalidInput, match=r"write xaimri.Occlusion\(window=\(4, 8\)\) for its own"):
        xaimri.explain(model, scan, "occlusion", window=(4, 8))
    own = xaimri.explain(model, scan, xaimri.Occlusion(window=(4, 8)))
    assert tuple(own.method["settings"]["window"]) == (4, 8)
    spread = xaimri.explain(model, scan, "occlusion", window=xaimri.Window(4, 8))
    assert spread.diagnostics["window"]["high"] == 8
    assert xaimri.explain(model, scan, "lime", samples=9, window=(4, 8)).diagnostics["window"]["low"] == 4


def test_an_empty_list_of_classes_is_refused():
    model, scan = LinearClassifier.random((16, 16, 1)), np.random.default_rng(0).random((16, 16))
    with pytest.raises(InvalidInput, match="the list of targets is empty"):
        xaimri.explain_all(model, scan, "saliency", target=[])
