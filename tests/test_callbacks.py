"""What a network looks at while it is trained; and its training goes as it goes without being watched."""

import csv

import numpy as np
import pytest

import xaimri
from xaimri.errors import InvalidInput, MissingExtra

pytestmark = pytest.mark.tensorflow

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((32, 16, 14, 1)).astype(np.float32)
LABELS = RANDOM.integers(0, 2, 32)


def network():
    """A small network with all that is drawn by chance in training: start, order, dropout."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 14, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def watch(*given, **options):
    from xaimri.callbacks import ExplainEachEpoch

    return ExplainEachEpoch(*given, **options)


def fit(model, *callbacks, epochs=4):
    return model.fit(IMAGES, LABELS, epochs=epochs, verbose=0, callbacks=list(callbacks)).history


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network trained under watch, every third epoch; and one that was trained alone."""
    pytest.importorskip("tensorboard")
    root = tmp_path_factory.mktemp("watched")
    alone, watched = network(), network()
    watching = watch(
        list(IMAGES[:2]), "gradcam", root / "kept", tensorboard=root / "board", every=3, target=1,
        classes=["no", "yes"],
    )  # fmt: skip
    return root, alone, fit(alone), watched, fit(watched, watching), watching


def test_the_training_goes_as_it_goes_alone(trained):
    _, alone, history, watched, again, _ = trained
    assert history == again
    for one, other in zip(alone.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_third_epoch_and_the_last_are_explained_as_the_network_stood(trained):
    _, _, _, watched, _, watching = trained
    assert list(watching.found) == [3, 4]
    now = xaimri.explain(watched, IMAGES[0], target=1)
    np.testing.assert_allclose(watching.found[4][0].values, now.values, atol=1e-6)
    assert np.abs(watching.found[3][0].values - now.values).max() > 1e-6
    assert watching.found[3][0].target_class == "yes"
    third = network()
    fit(third, epochs=3)
    then = xaimri.explain(third, IMAGES[1], target=1)
    np.testing.assert_allclose(watching.found[3][1].probabilities, then.probabilities, atol=1e-5)


def test_figures_table_and_events_are_kept(trained):
    root, *_, watching = trained
    assert sorted(file.name for file in (root / "kept").iterdir()) == [
        "epoch_0003.png", "epoch_0004.png", "epochs.csv",
    ]  # fmt: skip
    with (root / "kept" / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["name"]) for row in rows] == [("3", "0"), ("3", "1"), ("4", "0"), ("4", "1")]
    told = float(rows[-1]["probability"])
    assert told == pytest.approx(float(watching.found[4][1].probabilities[1]))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(root / "board"), size_guidance={"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("explanations")] == [3, 4]


def test_what_can_not_be_explained_is_told_before_the_first_epoch(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    model = network()
    before = [weights.copy() for weights in model.get_weights()]
    for given, options, said in (
        ([bad], {}, "none of the images can be explained: .*bad.png"),
        ([IMAGES[0]], {"target": 5}, "target"),
        ([IMAGES[0]], {"smaples": 5}, "smaples"),
        ([IMAGES[0]], {"classes": ["a"]}, "classes"),
    ):
        with pytest.raises(InvalidInput, match=said):
            fit(model, watch(given, "gradcam", tmp_path / "kept", **options))
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not (tmp_path / "kept").exists()


def test_arguments_are_told_at_once(monkeypatch):
    with pytest.raises(InvalidInput, match="`every` must be a whole number of at least 1"):
        watch(IMAGES, every=0)
    monkeypatch.setattr("xaimri.callbacks.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"xaimri\[tensorboard\]"):
        watch(IMAGES, tensorboard="events")


def test_what_fails_later_is_told_and_the_training_goes_on(tmp_path):
    """Weights that become NaN, and a folder that is in the way of a figure."""
    model = network()
    model.optimizer.learning_rate.assign(float("nan"))
    with pytest.warns(UserWarning, match="nothing is explained: the network's outputs are NaN") as told:
        history = fit(model, watch([IMAGES[0]], every=1), epochs=2)
    assert [str(each.message)[:13] for each in told] == ["After epoch 1", "After epoch 2"]
    assert len(history["loss"]) == 2
    (tmp_path / "kept" / "epoch_0002.png").mkdir(parents=True)
    watching = watch([IMAGES[0]], "saliency", tmp_path / "kept")
    with pytest.warns(UserWarning, match="After epoch 2 nothing is explained: "):
        history = fit(network(), watching, epochs=3)
    assert len(history["loss"]) == 3
    assert (tmp_path / "kept" / "epoch_0003.png").is_file()


def test_where_nothing_can_be_written_is_told_before_the_first_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("x")
    for place in ("folder", "tensorboard"):
        with pytest.raises(InvalidInput, match="file"):
            fit(network(), watch([IMAGES[0]], **{place: tmp_path / "file"}))


def test_images_that_can_be_gone_through_once_are_kept():
    watching = watch((image for image in IMAGES[:2]), every=1)
    fit(network(), watching, epochs=2)
    assert [len(found) for found in watching.found.values()] == [2, 2]


def test_it_can_be_used_for_a_second_training():
    watching = watch([IMAGES[0]], every=5)
    for _ in range(2):
        fit(network(), watching, epochs=2)
        assert list(watching.found) == [2]


def test_a_training_that_goes_on_keeps_the_rows_of_the_epochs_before(tmp_path):
    """Whatever was written of the epoch that is done again; a training from the start begins anew."""

    def epochs():
        with (tmp_path / "epochs.csv").open() as file:
            return [row["epoch"] for row in csv.DictReader(file)]

    model = network()
    fit(model, watch([IMAGES[0]], "saliency", tmp_path), epochs=3)
    before = (tmp_path / "epochs.csv").read_text().splitlines()
    watching = watch([IMAGES[0]], "saliency", tmp_path)
    model.fit(IMAGES, LABELS, epochs=4, initial_epoch=2, verbose=0, callbacks=[watching])
    assert epochs() == ["1", "2", "3", "4"]
    assert (tmp_path / "epochs.csv").read_text().splitlines()[:3] == before[:3]
    fit(model, watch([IMAGES[0]], "saliency", tmp_path), epochs=1)
    assert epochs() == ["1"]
