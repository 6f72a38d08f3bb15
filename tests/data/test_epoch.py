"""What loaders offer is told from what they give, without a framework."""

import numpy as np
import pytest

from xaimri import LinearClassifier, explain, explain_all, open_model
from xaimri.data.epoch import chances, epoch, is_loader
from xaimri.errors import InvalidInput


class Batches:
    """As a keras.utils.PyDataset gives its batches."""

    def __init__(self, *batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, number):
        return self.batches[number]

    def on_epoch_end(self):
        raise AssertionError("one epoch ends nothing")


IMAGES = np.arange(5 * 8 * 9.0).reshape(5, 8, 9, 1)


def test_arrays_lists_and_mappings_are_no_loaders():
    assert is_loader(Batches())
    assert not any(map(is_loader, (IMAGES, [IMAGES], {"a": IMAGES}, "folder", iter([]), np.float32(1), None)))


@pytest.mark.parametrize(
    "batches",
    [
        [(IMAGES[:3], np.arange(3)), (IMAGES[3:], np.arange(2))],
        [(IMAGES[:3], np.arange(3), np.ones(3)), (IMAGES[3:], np.arange(2), np.ones(2))],
        [[IMAGES[:3], np.eye(3)], [IMAGES[3:], np.eye(3)[:2]]],
        [(IMAGES[:3], None), (IMAGES[3:], None)],
        [(IMAGES,)],
        [IMAGES[:3], IMAGES[3:]],
    ],
)
def test_images_come_once_and_in_order_whatever_is_beside_them(batches):
    found = [one.image for one in epoch(Batches(*batches))]
    assert np.array_equal(found, IMAGES)
    model = LinearClassifier.random((8, 9, 1), classes=3, seed=0)
    made = explain_all(model, Batches(*batches), "saliency")
    assert made.names == tuple("01234")
    assert np.array_equal([one.image for one in made], IMAGES)


class Endless(Batches):
    def __len__(self):
        raise TypeError("no length")


class Broken(Batches):
    def __getitem__(self, number):
        raise OSError("cannot identify image file 'c.png'")


@pytest.mark.parametrize(
    ("loader", "sentence"),
    [
        (Endless((IMAGES, None)), "does not say how many batches"),
        (Broken(1), r"fails after 0 batches \(cannot identify image file 'c.png'\)"),
        (Batches(({"scan": IMAGES, "age": np.ones(5)}, np.ones(5))), "several inputs at once"),
        (Batches(([IMAGES, IMAGES], np.ones(5))), "several inputs at once"),
        (Batches((IMAGES, np.ones(4))), "4 labels beside 5 images"),
    ],
)
def test_what_is_no_loader_of_images_is_told(loader, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        list(epoch(loader))
    with pytest.raises(InvalidInput, match=sentence):
        explain_all(LinearClassifier.random((8, 9, 1), classes=3, seed=0), loader, "saliency")


def test_one_image_is_not_taken_out_of_a_loader():
    model = LinearClassifier.random((8, 9, 1), classes=3, seed=0)
    with pytest.raises(InvalidInput, match="a Batches can hold several: use `explain_all`"):
        explain(model, Batches((IMAGES, None)), "saliency")
    with pytest.raises(InvalidInput, match="list of images is empty"):
        explain_all(model, Batches(), "saliency")


def test_rows_and_targets_of_a_loader_that_shuffles_would_be_of_any_image():
    model = open_model(LinearClassifier.random((8, 9, 1), classes=3, seed=0))
    loader = Batches((IMAGES, np.zeros(5, int)))
    assert model.predict(loader).shape == (5, 3)
    targets = [0, 1, 2, 1, 0]
    assert [one.target for one in model.explain_all(loader, "saliency", target=targets)] == targets
    loader.shuffle = True
    for ask in (lambda: model.predict(loader), lambda: model.explain_all(loader, "saliency", target=targets)):
        with pytest.raises(InvalidInput, match=r"the loader shuffles, so .* shuffle=False"):
            ask()
    assert len(model.explain_all(loader, "saliency", target=1)) == 5


def test_what_a_generator_changes_by_chance_is_told_and_rescaling_is_not():
    class Generator:
        rotation_range, horizontal_flip, rescale, brightness_range, zoom_range = (
            0,
            False,
            1 / 255,
            None,
            [1, 1],
        )

    loader = Batches((IMAGES, None))
    loader.image_data_generator = Generator()
    assert chances(loader) == ()
    Generator.rotation_range, Generator.zoom_range = 5, [0.9, 1.1]
    (note,) = chances(loader)
    assert "by chance (rotation_range, zoom_range)" in note
    made = explain_all(LinearClassifier.random((8, 9, 1), classes=3, seed=0), loader, "saliency")
    assert made.notes == (note,)
    assert str(made).endswith(note)
