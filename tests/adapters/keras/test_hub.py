"""Tasks of KerasHub: what `predict` says is what is explained."""

import pickle
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest

import tasks
import xaimri
from frameworks import on_first_use
from xaimri.errors import InvalidInput, MissingCapability, MissingExtra

with on_first_use():
    import keras
    import keras_hub

    from xaimri.adapters.keras import bundle, programs

pytestmark = [pytest.mark.tensorflow, tasks.MISSING]

FITS = {
    "cropped": {},
    "stretched": {"crop_to_aspect_ratio": False},
    "padded": {"crop_to_aspect_ratio": False, "pad_to_aspect_ratio": True},
}
SIZES = [(24, 20), (60, 50), (31, 90), (17, 15)]


@pytest.mark.parametrize("fit", FITS)
def test_images_of_every_size_are_explained_as_predict_says(fit):
    task = tasks.small(tasks.preprocessor(image_size=(24, 20), **FITS[fit]))
    opened = xaimri.open_model(task)
    assert str(opened) == f"<Model: 3 classes, images 24 x 20 x 3, {fit}>"
    images = [tasks.photograph(*size, seed=size[0]) for size in SIZES]
    found = opened.explain_all(images)
    for explanation, image in zip(found, images, strict=True):
        assert explanation.values.shape == image.shape[:2]
        assert np.abs(explanation.probabilities - tasks.said(task, image)).max() < 1e-6
        assert not {"assumed_geometry", "input_range"} & {caveat.name for caveat in explanation.caveats}
    said = [tasks.said(task, image) for image in images]
    assert np.ptp(said, axis=0).max() > 0.02, "the images tell nothing"
    np.testing.assert_allclose(opened.predict(images), said, atol=1e-6)


@pytest.mark.parametrize("fit", FITS)
def test_a_bright_spot_is_found_where_it_lies(fit):
    """The task counts brightness, and the spot lies within the part that a crop leaves."""
    task = tasks.bright(tasks.preprocessor(image_size=(24, 20), scale=1 / 255, offset=None, **FITS[fit]))
    rows, columns = np.mgrid[:48, :96]
    spot = np.exp(-((rows - 20.5) ** 2 + (columns - 52.5) ** 2) / (2 * 4.0**2))
    image = 255 * np.repeat(spot[..., None], 3, axis=-1).astype(np.float32)
    opened = xaimri.open_model(task)
    for method in ("gradcam", "hirescam", "input_x_gradient"):
        found = opened.explain(image, method, target=0).values
        where = [(found * place).sum() / found.sum() for place in (rows, columns)]
        assert np.abs(np.subtract(where, (20.5, 52.5))).max() < 0.3, (method, where)
        if fit == "cropped":
            assert not found[:, :24].any(), "a map lies where nothing was seen"


def test_regions_end_where_the_crop_ends():
    task = tasks.bright(tasks.preprocessor(image_size=(24, 20)))
    found = xaimri.explain(task, tasks.photograph(48, 96), "lime", samples=60)
    outside = np.ones((48, 96), bool)
    outside[:, 28:68] = False
    assert (found.regions.labels[outside][::7] >= 0).mean() < 0.2  # but for one step of the grid
    assert not found.values[:, :24].any()
    assert (found.regions.labels[:, 30:66] >= 0).all()


def test_scaling_is_part_of_the_gradient():
    """The logit is 3 times the mean of the scaled first channel, where that is positive."""
    task = tasks.bright(tasks.preprocessor(image_size=(24, 20)))
    image = np.full((24, 20, 3), 200.0, np.float32)
    image[0] = 0.0
    found = xaimri.explain(task, image, "saliency", target=0)
    slope = 3 * tasks.SCALE[0] / (24 * 20)
    np.testing.assert_allclose(found.values[1:], slope, rtol=1e-5)
    assert not found.values[0].any()


PREPROCESSORS = {
    "none": lambda: None,
    "does nothing": lambda: keras_hub.models.ImageClassifierPreprocessor(),
    "scales only": lambda: tasks.preprocessor(),
    "a layer": lambda: keras.layers.Rescaling(1 / 90),
    "a function": lambda: scaled,
    "resizes in its own way": lambda: keras.Sequential(
        [keras.layers.Resizing(24, 20), keras.layers.Rescaling(1 / 90)]
    ),
}


def scaled(images):
    return images / 90


@pytest.mark.parametrize("name", PREPROCESSORS)
def test_other_preprocessors_are_taken_as_they_are(name):
    task = tasks.small(PREPROCESSORS[name]())
    for size in [(24, 20), (30, 41)]:
        image = tasks.photograph(*size)
        image = image / 90 if name == "none" else image
        found = xaimri.explain(task, image)
        assert np.abs(found.probabilities - tasks.said(task, image)).max() < 1e-6
        assert found.values.shape == size


def test_a_function_of_arrays_prepares_outside_the_graph():
    task = tasks.small()
    task.preprocessor = lambda images: np.asarray(images) / 90
    image = tasks.photograph(24, 20)
    found = xaimri.explain(task, image)
    own = task(image[None] / 90)[0]
    assert np.abs(found.probabilities - own).max() < 1e-6
    with pytest.raises(MissingCapability, match="no gradient passes"):
        xaimri.explain(task, image, "saliency")


def test_a_task_without_an_activation_gives_logits():
    """As KerasHub builds them: `predict` gives logits, and the map is theirs."""
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)), activation=None)
    image = tasks.photograph(31, 40)
    found = xaimri.explain(task, image)
    np.testing.assert_allclose(found.logits, task.predict(image[None], verbose=0)[0], atol=1e-5)
    assert np.abs(found.probabilities - tasks.said(task, image)).max() < 1e-6


def test_grey_images_and_files(tmp_path):
    from PIL import Image

    task = tasks.small(tasks.preprocessor(image_size=(24, 20)))
    grey = np.random.default_rng(0).integers(0, 256, (40, 44)).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    own = tasks.said(task, np.repeat(grey[..., None], 3, axis=-1).astype(np.float32))
    for given in (grey, tmp_path / "grey.png"):
        assert np.abs(xaimri.explain(task, given).probabilities - own).max() < 1e-6


def test_a_task_inside_another_network_prepares_nothing():
    """There `predict` is that of the outer network, which calls the task."""
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)), shape=(24, 20, 3))
    image = keras.Input((24, 20, 3))
    outer = keras.Model(image, task(image))
    given = tasks.photograph(24, 20)
    found = xaimri.explain(outer, given)
    own = outer.predict(given[None], verbose=0)[0]
    assert np.abs(found.probabilities - own).max() < 1e-6
    assert np.abs(own - tasks.said(task, given)).max() > 0.01


def test_what_cannot_be_is_said():
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)))
    with pytest.raises(InvalidInput, match="leave `preprocess` out"):
        xaimri.open_model(task, preprocess=scaled)
    task.preprocessor = None
    xaimri.open_model(task, preprocess=scaled)
    with pytest.raises(InvalidInput, match=r"images of \(24, 20\), and its network takes \(20, 24\)"):
        xaimri.open_model(tasks.bright(tasks.preprocessor(image_size=(24, 20)), shape=(20, 24, 3)))
    with pytest.raises(MissingCapability, match="channels first"):
        xaimri.open_model(tasks.bright(tasks.preprocessor(data_format="channels_first")))


def test_a_bundle_takes_no_task_that_prepares_images(tmp_path):
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)), shape=(24, 20, 3))
    with pytest.raises(InvalidInput, match=r"keep it by task\.save_to_preset"):
        bundle.save(tmp_path, task, ["a", "b", "c"])
    task.preprocessor = None
    image = tasks.photograph(24, 20) / 100
    opened = xaimri.open_model(bundle.save(tmp_path, task, ["a", "b", "c"]))
    assert np.abs(opened.explain(image).probabilities - tasks.said(task, image)).max() < 1e-6


def test_scaling_that_the_network_does_once_more_is_told():
    image = keras.Input((24, 20, 3))
    inside = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(image))
    prepare = tasks.preprocessor(image_size=(24, 20), scale=1 / 255, offset=None)
    task = keras_hub.models.ImageClassifier(
        keras.Model(image, inside), num_classes=3, preprocessor=prepare, activation="softmax"
    )
    found = {caveat.name: caveat.text for caveat in xaimri.explain(task, tasks.photograph(30, 41)).caveats}
    assert "set task.preprocessor to None" in found["preprocessed_twice"]
    task.preprocessor = None
    found = xaimri.explain(task, tasks.photograph(24, 20)).caveats
    assert not {"preprocessed_twice", "input_range"} & {caveat.name for caveat in found}


def test_a_fit_that_is_given_stands_in_for_the_preprocessors():
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)))
    image = tasks.photograph(48, 96)
    opened = xaimri.open_model(task, fit="stretch")
    assert "stretched" in str(opened)
    own = tasks.said(task, replace(opened.intake).take(image).fitted)
    assert np.abs(opened.explain(image).probabilities - own).max() < 1e-6


def test_a_preprocessor_that_is_changed_is_read_anew_and_an_unchanged_one_is_traced_once():
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)))
    image = tasks.photograph(30, 41)
    before = xaimri.explain(task, image).probabilities
    count = len(programs._programs)
    xaimri.explain(task, tasks.photograph(50, 23))
    assert len(programs._programs) == count
    for change in ({"scale": [1 / 30, 1 / 50, 1 / 70]}, {"image_size": (20, 16)}, {"offset": None}):
        for name, value in change.items():
            setattr(task.preprocessor.image_converter, name, value)
        after = xaimri.explain(task, image).probabilities
        assert np.abs(after - tasks.said(task, image)).max() < 1e-6
        assert np.abs(after - before).max() > 1e-3
        before = after


def test_a_saved_task_a_preset_and_a_pickle_are_the_task(tmp_path, monkeypatch):
    task = tasks.resnet(tasks.preprocessor(image_size=tasks.SHAPE[:2]))
    image = tasks.photograph(30, 41)
    truth = xaimri.explain(task, image)
    task.save(tmp_path / "task.keras")
    task.save_to_preset(tmp_path / "preset")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras, of a `compile` that is KerasHub's own
        pickled = pickle.loads(pickle.dumps(xaimri.open_model(task)))
    for same in (tmp_path / "task.keras", tmp_path / "preset", pickled):
        found = xaimri.explain(same, image)
        np.testing.assert_allclose(found.values, truth.values, atol=1e-6)
        np.testing.assert_allclose(found.probabilities, truth.probabilities, atol=1e-6)
    (tmp_path / "preset" / "task.weights.h5").unlink()
    (tmp_path / "preset" / "config.json").write_text("{}")
    with pytest.raises(InvalidInput, match="can't be read as a keras_hub"):
        xaimri.open_model(tmp_path / "preset")
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(MissingExtra, match=r"xaimri\[keras-hub\]"):
        xaimri.open_model(tmp_path / "preset")
    for module in [name for name in sys.modules if name.startswith("keras_hub")]:
        monkeypatch.setitem(sys.modules, module, None)
    registered = keras.saving.get_custom_objects()
    for name in [name for name in registered if name.startswith("keras_hub>")]:
        monkeypatch.delitem(registered, name)
    with pytest.raises(MissingExtra, match=r"task\.keras` holds a task of KerasHub, which needs the package"):
        xaimri.open_model(tmp_path / "task.keras")


def test_openvino_runs_the_preparation_too():
    pytest.importorskip("openvino")
    task = tasks.small(tasks.preprocessor(image_size=(24, 20)))
    image = tasks.photograph(30, 41)
    engines = {
        engine: xaimri.explain(task, image, "lime", samples=64, engine=engine).values
        for engine in ("tensorflow", "openvino")
    }
    assert np.abs(engines["tensorflow"]).max() > 0
    np.testing.assert_allclose(engines["openvino"], engines["tensorflow"], atol=1e-4)
