"""Loaders of Keras and tf.data: their images, their labels, their order and the names of their classes.

The classes of the folder count as apple, mango, zebra; those of the network as zebra, apple, mango. Every
image is bright in the columns of its class, which the network's weights, set by hand, add up; its first pixel
is its number.
"""

import numpy as np
import pytest
from PIL import Image

from frameworks import on_first_use
from xaimri import evaluate_explanations, experiment, explain_all, open_model
from xaimri.data import load_images, read_loader, split
from xaimri.errors import InvalidInput
from xaimri.evaluation import evaluate

with on_first_use():
    import keras
    import tensorflow as tf
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

FOLDER = ("apple", "mango", "zebra")
NETWORK = ("zebra", "apple", "mango")
SIDE = (6, 9)
EACH = 4


def pixels(number):
    image = np.full(SIDE, 20, np.uint8)
    label = number // EACH
    image[:, 3 * label : 3 * label + 3] = 120
    image[0, 0] = number
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("fruit")
    for number in range(3 * EACH):
        file = root / FOLDER[number // EACH] / f"p{number}-{number % 2}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels(number)).save(file)
    return root


@pytest.fixture(scope="module")
def network():
    model = keras.Sequential(
        [keras.Input((*SIDE, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    kernel = np.zeros((*SIDE, 3))
    for output, name in enumerate(NETWORK):
        column = 3 * FOLDER.index(name)
        kernel[:, column : column + 3, output] = 0.01
    model.set_weights([kernel.reshape(-1, 3), np.zeros(3)])
    return open_model(model, classes=NETWORK, engine="tensorflow")


def directory(root, **settings):
    return keras.utils.image_dataset_from_directory(
        root, **{"image_size": SIDE, "color_mode": "grayscale", "batch_size": 5, "verbose": False, **settings}
    )


def flow(root, generator=None, **settings):
    generator = ImageDataGenerator() if generator is None else generator
    return generator.flow_from_directory(
        root, **{"target_size": SIDE, "color_mode": "grayscale", "batch_size": 5, **settings}
    )


LOADERS = {
    "int": lambda root: directory(root, shuffle=False),
    "categorical": lambda root: directory(root, shuffle=True, seed=3, label_mode="categorical"),
    "unbatched": lambda root: directory(root, shuffle=True, seed=3, batch_size=None),
    "unbatched categorical": lambda root: directory(
        root, shuffle=False, batch_size=None, label_mode="categorical"
    ),
    "iterator": lambda root: flow(root, shuffle=True),
    "sparse iterator": lambda root: flow(root, shuffle=False, class_mode="sparse"),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", LOADERS)
def test_images_labels_names_and_files_belong_together(folder, network, tmp_path, kind):
    dataset = read_loader(LOADERS[kind](folder))
    assert dataset.classes == FOLDER
    numbers = [int(case.source[0, 0, 0]) for case in dataset]
    assert sorted(numbers) == list(range(3 * EACH))
    for number, case in zip(numbers, dataset, strict=True):
        assert np.array_equal(case.source[..., 0], pixels(number))
        assert case.label == number // EACH
        file = f"{FOLDER[case.label]}/p{number}-{number % 2}.png"
        assert case.id == (file if "/" in case.id else str(numbers.index(number)))
    named = all("/" in case.id for case in dataset)
    assert named == (kind in ("int", "unbatched categorical", "iterator", "sparse iterator"))
    report = experiment.evaluate(network, LOADERS[kind](folder), tmp_path, independent=True)
    assert report.slice.accuracy.value == 1
    assert report.classes == NETWORK
    assert report.slice.confusion.tolist() == (np.eye(3, dtype=int) * EACH).tolist()


@pytest.mark.tensorflow
def test_each_image_is_explained_as_the_loader_gives_it_and_called_by_its_file(folder, network):
    loader = flow(folder, ImageDataGenerator(rescale=1 / 4), shuffle=True)
    next(loader)  # an iterator of Keras goes on for ever, and may have begun
    made = explain_all(network, loader, "input_x_gradient")
    assert len(made) == 3 * EACH
    for name, one in made.items():
        number = int(name.split("/p")[1].split("-")[0])
        assert np.allclose(one.image[..., 0], pixels(number) / 4)
        expected = np.zeros(SIDE)
        column = 3 * (number // EACH)
        expected[:, column : column + 3] = 0.01 * pixels(number)[:, column : column + 3] / 4
        assert one.classes[one.target] == FOLDER[number // EACH]
        assert np.allclose(one.values, expected, atol=1e-6)
    plain = explain_all(network, directory(folder, shuffle=False), "saliency")
    assert plain.names[0] == "apple/p0-0.png"
    shuffled = explain_all(network, directory(folder, shuffle=True, seed=1), "saliency")
    assert shuffled.names == tuple(map(str, range(3 * EACH)))  # its `file_paths` are in another order
    assert len(explain_all(network, directory(folder, labels=None, shuffle=False), "saliency")) == 3 * EACH
    assert len(explain_all(network, flow(folder, class_mode=None), "saliency")) == 3 * EACH


@pytest.mark.tensorflow
def test_as_truth_labels_are_matched_to_the_columns_by_name_and_a_shuffled_loader_is_refused(folder, network):
    steady = directory(folder, shuffle=False)
    p = network.predict(steady)
    assert (p.argmax(axis=1) == [NETWORK.index(FOLDER[n // EACH]) for n in range(3 * EACH)]).all()
    for truth in (steady, flow(folder, shuffle=False), read_loader(steady)):
        report = evaluate(p, truth, classes=network.classes, independent=True)
        assert report.slice.accuracy.value == 1
    with pytest.raises(InvalidInput, match="the truth holds 'apple'"):
        evaluate(p, steady, classes=("zebra", "pear", "mango"), independent=True)
    for shuffled in (directory(folder, shuffle=True, seed=1), flow(folder, shuffle=True)):
        with pytest.raises(InvalidInput, match="the loader shuffles, so labels"):
            evaluate(p, shuffled, independent=True)
        with pytest.raises(InvalidInput, match="the loader shuffles, so predictions"):
            network.predict(shuffled)


@pytest.mark.tensorflow
def test_a_judgement_takes_the_label_by_name(folder, network):
    loader = directory(folder, shuffle=True, seed=1)
    found = evaluate_explanations(
        ["saliency"], network, loader, ["deletion"], target="label", independent=True, resamples=50
    )
    assert len(found.rows) == 3 * EACH
    assert {row.target for row in found.rows} == set(FOLDER)
    with pytest.raises(InvalidInput, match="12 of 12 cases have no subject"):
        evaluate_explanations(["saliency"], network, loader, ["deletion"])


@pytest.mark.tensorflow
def test_what_has_no_end_no_labels_or_no_names_is_told(folder, network, tmp_path):
    plain = directory(folder, shuffle=False)
    for ask in (read_loader, lambda loader: explain_all(network, loader, "saliency"), network.predict):
        with pytest.raises(InvalidInput, match=r"has no end, as after `.repeat\(\)`"):
            ask(plain.repeat())
    with pytest.raises(InvalidInput, match="gives no labels"):
        read_loader(flow(folder, class_mode=None))
    nameless = plain.map(lambda images, labels: (images, labels))
    with pytest.raises(InvalidInput, match="the data holds 'class_0': name the data's classes"):
        experiment.evaluate(network, nameless, tmp_path, independent=True)
    assert read_loader(nameless, classes=FOLDER).classes == FOLDER
    with pytest.raises(InvalidInput, match="counts its labels in the order 'apple', 'mango', 'zebra'"):
        read_loader(plain, classes=NETWORK)
    with pytest.raises(InvalidInput, match="there are 2 names of classes"):
        read_loader(nameless, classes=FOLDER[:2])
    smooth = directory(folder, label_mode="categorical").map(
        lambda images, labels: (images, labels * 0.9 + 0.03)
    )
    with pytest.raises(InvalidInput, match="label smoothing"):
        read_loader(smooth)
    several = directory(folder, label_mode="categorical").map(lambda images, labels: (images, 1 - labels))
    with pytest.raises(InvalidInput, match="of no class, or of several"):
        read_loader(several)


@pytest.mark.tensorflow
def test_two_classes_binary_and_any_sequence_and_arrays(folder):
    binary = flow(folder, classes=["zebra", "apple"], class_mode="binary", shuffle=True)
    dataset = read_loader(binary)
    assert dataset.classes == ("zebra", "apple")
    assert all(case.id.startswith(dataset.classes[case.label]) for case in dataset)
    one_column = directory(folder, labels=[0] * EACH + [1] * 2 * EACH, label_mode="binary", shuffle=False)
    assert read_loader(one_column).labels.tolist() == [0] * EACH + [1] * 2 * EACH
    images = np.stack([pixels(n) for n in range(12)])[..., None]
    arrays = ImageDataGenerator().flow(images, np.arange(12) // EACH, batch_size=5, shuffle=True)
    assert all(case.label == case.source[0, 0, 0] // EACH for case in read_loader(arrays))
    grey = tf.data.Dataset.from_tensor_slices((images[..., 0], np.arange(12) // EACH))
    for loader in (grey, grey.batch(5), grey.batch(4, drop_remainder=True)):
        found = read_loader(loader)
        assert found.labels.tolist() == [n // EACH for n in range(12)]
        assert found[7].source.squeeze().shape == SIDE
    assert [len(read_loader(grey.batch(n))) for n in (1, 12)] == [12, 12]


@pytest.mark.tensorflow
def test_subjects_come_from_the_names_of_files_and_parts_can_be_split(folder):
    rule = r"(?P<subject>p[0-9]+)-(?P<slice>[0-9])"
    dataset = read_loader(flow(folder), subject=rule)
    assert all(case.subject == f"p{int(case.source[0, 0, 0])}" for case in dataset)
    assert len(split(dataset).train) == 6
    assert load_images(dataset, SIDE).shape == (12, *SIDE, 1)
    with pytest.raises(InvalidInput, match="does not tell the files of its images"):
        read_loader(directory(folder, shuffle=True, seed=1), subject=rule)


@pytest.mark.tensorflow
def test_chance_is_told_and_numpys_generator_left_alone(folder, network, tmp_path):
    generator = ImageDataGenerator(horizontal_flip=True, width_shift_range=0.1)
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    dataset = read_loader(flow(folder, generator, seed=7))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    (note,) = dataset.notes
    assert "by chance (width_shift_range, horizontal_flip)" in note
    report = experiment.evaluate(network, flow(folder, generator), tmp_path, independent=True)
    assert report.remarks == dataset.notes
    found = evaluate_explanations(
        ["saliency"], network, flow(folder, generator), ["deletion"], independent=True
    )
    assert found.notes == dataset.notes
    assert dataset.notes[0] in str(found)


@pytest.mark.tensorflow
def test_training_takes_loaders_and_refuses_those_that_change_by_chance(folder):
    from xaimri.training import train

    model = keras.Sequential(
        [keras.Input((*SIDE, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    parts = (
        directory(folder, subset=part, validation_split=0.25, seed=2) for part in ("training", "validation")
    )
    result = train(model, tuple(parts), epochs=1, augment=False, progress=False)
    assert result.classes == FOLDER
    whole = directory(folder)
    with pytest.raises(InvalidInput, match="12 images are in two parts"):
        train(model, (whole, flow(folder)), epochs=1, progress=False)
    chance = flow(folder, ImageDataGenerator(rotation_range=4))
    with pytest.raises(InvalidInput, match=r"by chance \(rotation_range\).*augment by `augment=`"):
        train(model, (chance, whole), epochs=1, progress=False)
