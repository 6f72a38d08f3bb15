"""What an audit says of networks of which it is known what they go by."""

import json
from functools import partial

import numpy as np
import pytest

import xaimri
from xaimri import FunctionClassifier, InvalidInput, LinearClassifier
from xaimri.audit import readings
from xaimri.audit.probes import probe
from xaimri.data import Case, Dataset

SIDE = 24
INNER = slice(8, 18)
CLASSES = ("well", "ill")


def picture(label, seed, mark=0.0, brighter=0.0, ground=0.0):
    """Texture on a uniform ground; in the object, the upper half is brighter in the class 1."""
    image = np.full((SIDE, SIDE), ground, np.float32)
    image[INNER, INNER] = np.random.default_rng(seed).uniform(80, 120, (10, 10)) + brighter * label
    image[8:13, INNER] += 60 * label
    image[:2, :2] += mark * label
    return image


def cases_of(count=24, **made):
    cases = [Case(f"{i}", i % 2, f"S{i // 2}{i % 2}", picture(i % 2, i, **made)) for i in range(count)]
    return Dataset(CLASSES, tuple(cases))


def reading(rows, columns, threshold):
    """A network that holds the sum of some pixels against a threshold, per pixel."""
    weights = np.zeros((2, SIDE, SIDE, 1))
    weights[1, rows, columns] = 1
    return LinearClassifier(weights, bias=[threshold * weights.sum(), 0], classes=CLASSES)


CORNER = reading(slice(0, 2), slice(0, 2), 100)
"""Goes by the mark."""

UPPER = reading(slice(10, 12), slice(10, 16), 130)
"""Goes by the upper half of the object."""


@pytest.fixture(autouse=True)
def few_deals(monkeypatch):
    monkeypatch.setattr("xaimri.audit.effects.probe", partial(probe, deals=59))


@pytest.fixture(scope="module")
def of_the_corner():
    return xaimri.audit_model(CORNER, cases_of(mark=200.0))


def by_name(audit):
    return {effect.name: effect for effect in audit.effects}


def test_a_network_that_reads_a_mark_keeps_it_without_the_object_and_follows_another_background(
    of_the_corner,
):
    effects = by_name(of_the_corner)
    assert of_the_corner.plain.value == 1.0
    assert effects["erased"].after.value == 1.0
    assert effects["erased"].found
    assert effects["outline"].after.value == 0.5  # there the mark is gone
    assert not effects["outline"].found
    assert effects["background"].after.value == 0.0  # every prediction follows the other class's mark
    assert effects["background"].drop.value == 1.0
    assert effects["background"].found
    for name in ("rim", "binarised", "blurred", "mirrored"):
        assert effects[name].drop.value == 0.0, name
        assert not effects[name].found, name
    assert "by edges without grey values or what lies around the object alone" in of_the_corner.headline
    assert of_the_corner.headline.endswith("does worse without the own background.")


def test_a_network_that_reads_the_object_is_at_chance_without_it_and_no_unchanged_image_is_called_no_drop():
    audit = xaimri.audit_model(UPPER, cases_of())
    effects = by_name(audit)
    assert audit.plain.value == 1.0
    assert effects["erased"].after.value == 0.5
    assert not effects["erased"].found
    ground = effects["background"]
    assert (ground.changed, ground.unchanged, ground.estimable) == (0, 24, False)
    assert np.isnan(ground.drop.value)
    assert ground.note == "changes no pixel of any image, so it says nothing"
    assert f"Background of another class: {ground.note}." in audit.untold
    row = next(line for line in str(audit).splitlines() if line.startswith("background"))
    assert "changes no pixel" in row
    assert "0.00" not in row
    assert "no drop" not in "".join(line for line in audit.untold if line.startswith("Background"))


def test_what_shifts_all_alike_is_no_sign_of_use_and_hides_no_mark():
    """The edge adds the same to all: without it the threshold is missed, and the order stays as it was."""
    weights = UPPER.weights.copy()
    weights[1, INNER, 8] = 2.0
    edge = LinearClassifier(weights, bias=[130 * 12 + 2 * 10 * 130, 0], classes=CLASSES)
    rim = by_name(xaimri.audit_model(edge, cases_of(40), interventions=["rim"], maps=0, probes=False))["rim"]
    assert rim.drop.value > 0.3
    assert rim.p < 0.05
    assert rim.order.value > 0.95
    assert rim.thrown
    assert not rim.found
    assert "the order of the subjects was not shown to be lost" in rim.sentence
    weights = CORNER.weights.copy()
    weights[1, 10:16, 10:16] = 1.0
    both = LinearClassifier(weights, bias=[36 * 130 + 4 * 100, 0], classes=CLASSES)
    audit = xaimri.audit_model(both, cases_of(mark=200.0), interventions=["erased"], maps=0, probes=False)
    erased = by_name(audit)["erased"]
    assert erased.after.value == 0.5  # all are called well, and the mark still orders them
    assert erased.order.value == 1.0
    assert erased.found


def test_only_images_that_change_count_on_both_sides():
    """The network is right of the images with an object alone; the others can't be changed."""
    whole = [
        Case(f"n{i}", i % 2, f"N{i}", np.random.default_rng(i).uniform(0, 50, (SIDE, SIDE)))
        for i in range(12)
    ]
    mixed = Dataset(CLASSES, (*cases_of(mark=200.0), *whole))
    erased = by_name(xaimri.audit_model(CORNER, mixed, interventions=["erased"], maps=0))["erased"]
    assert (erased.changed, erased.unchanged, erased.impossible, erased.subjects) == (24, 0, 12, 24)
    assert erased.before.value == 1.0
    assert erased.note == "can't be made on 12 images"
    alone = xaimri.audit_model(
        CORNER, Dataset(CLASSES, tuple(whole)), interventions=["erased", "blurred"], maps=0
    )
    assert by_name(alone)["erased"].note == "not made: no object is told from its background on 12 images"
    assert not alone.able
    assert any("decisions were not shown to be above chance" in line for line in alone.untold)
    assert any(f"mean AUROC {alone.order}, chance 0.50" in line for line in alone.untold)


def test_images_of_several_sizes_are_asked_about_and_backgrounds_come_from_images_of_one_size():
    """Of the small images there is one class alone, so that there is no background for them."""

    def network(images):
        p = (images.mean(axis=(1, 2, 3)) > 18).astype(float) * 0.8 + 0.1
        return np.stack([1 - p, p], axis=1)

    small = [Case(f"s{i}", 1, f"T{i}", picture(1, i)[:-2, 1:]) for i in range(6)]
    mixed = Dataset(CLASSES, (*cases_of(24, mark=200.0), *small))
    given = {"interventions": ["background", "erased"], "maps": 0}
    ground = by_name(xaimri.audit_model(FunctionClassifier(network, CLASSES), mixed, **given))["background"]
    assert (ground.changed, ground.impossible) == (24, 6)


def test_a_person_counts_once_by_the_mean_probability_of_all_images():
    """Of person A, two faint images say 'well' and a sure one says 'ill': by the mean A is ill."""
    says = {1: 0.9, 2: 0.4, 3: 0.4}

    def network(images):
        p = np.array([says.get(round(float(image.max())), 0.1) for image in images])
        return np.stack([1 - p, p], axis=1)

    pixels = [np.full((4, 4), value, np.float32) for value in (1, 2, 3)]
    ill = [Case(f"A{s}{n}", 1, f"A{s}", image) for s in range(5) for n, image in enumerate(pixels)]
    well = [Case(f"B{s}", 0, f"B{s}", np.full((4, 4), 9.0)) for s in range(5)]
    audit = xaimri.audit_model(
        FunctionClassifier(network, CLASSES), Dataset(CLASSES, (*ill, *well)), interventions=["blurred"]
    )
    assert audit.plain.value == 1.0
    assert audit.subjects == 10


def test_few_subjects_are_not_estimable_and_the_headline_says_so():
    audit = xaimri.audit_model(CORNER, cases_of(8, mark=200.0), interventions=["erased", "background"])
    assert np.isnan(audit.plain.value)
    assert audit.headline == "What this network goes by can't be told from so few subjects."
    assert audit.findings == ()
    assert all(not effect.estimable and "too few subjects" in effect.note for effect in audit.effects)
    assert audit.to_dict()["plain"]["value"] is None


def test_p_of_a_drop_and_of_what_is_above_chance_are_exact(of_the_corner):
    """All or none flipped give the largest t, of 2 ** 23 flips of 24 people; 10,000 are drawn."""
    effects = by_name(of_the_corner)
    assert effects["background"].p == pytest.approx(2e-4)  # of two tests
    assert effects["erased"].p < 0.005
    assert effects["blurred"].p != effects["blurred"].p or effects["blurred"].p == 1.0


def test_what_is_found_where_there_is_nothing_is_rare():
    """Networks and labels that have nothing to do with each other: under both tests 5 % are promised."""
    wrong = 0
    for seed in range(12):
        generator = np.random.default_rng(seed)
        labels = generator.permutation([0, 1] * 10)
        cases = [
            Case(
                f"{i}",
                int(y),
                f"{i}",
                picture(0, 100 * seed + i, ground=2.0) + generator.normal(0, 1, (SIDE, SIDE)),
            )
            for i, y in enumerate(labels)
        ]
        network = LinearClassifier.random((SIDE, SIDE, 1), seed=seed)
        audit = xaimri.audit_model(network, Dataset(CLASSES, tuple(cases)), resamples=50, maps=0)
        wrong += bool(audit.findings)
    assert wrong <= 3


def test_a_saved_audit_holds_what_is_printed(of_the_corner, tmp_path):
    kept = json.loads(of_the_corner.save(tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert kept["headline"] == of_the_corner.headline
    assert kept["model"] == {"sha256": None, "temperature": 1.0}
    assert [one["name"] for one in kept["effects"]] == list(xaimri.audit.INTERVENTIONS)
    assert kept["effects"][4]["drop"]["value"] == 1.0
    assert str(of_the_corner).startswith(of_the_corner.headline)


def test_an_image_costs_a_prediction_and_one_for_every_change_and_few_are_held_at_once(monkeypatch):
    asked, waiting, most = [], [], []
    read = readings.attempt

    def attempt(*given):
        waiting.append(1)
        return read(*given)

    def network(images):
        asked.append(len(images))
        most.append(len(waiting))
        waiting.clear()
        return np.full((len(images), 2), 0.5)

    monkeypatch.setattr(readings, "attempt", attempt)
    xaimri.audit_model(FunctionClassifier(network, CLASSES), cases_of(80, mark=200.0), maps=0)
    assert sum(asked) == 80 * (1 + 9)
    assert max(asked) == readings.TOGETHER
    assert max(most) <= readings.TOGETHER + 1 + 2 * readings.DONORS


def test_what_can_not_be_audited_is_refused():
    nobody = Dataset(CLASSES, tuple(Case(f"{i}", i % 2, None, picture(i % 2, i)) for i in range(12)))
    with pytest.raises(InvalidInput, match=r"no subject.*independent=True"):
        xaimri.audit_model(CORNER, nobody)
    assert xaimri.audit_model(CORNER, nobody, independent=True, interventions="blurred").subjects == 12
    with pytest.raises(InvalidInput, match="name the network's classes"):
        xaimri.audit_model(FunctionClassifier(lambda x: np.full((len(x), 3), 1 / 3)), cases_of())
    with pytest.raises(InvalidInput, match="the network knows"):
        xaimri.audit_model(reading(0, 0, 1), Dataset(("a", "b"), cases_of().cases))
    unread = Dataset(CLASSES, tuple(Case(f"{i}", 0, f"{i}", np.zeros((0, 4))) for i in range(3)))
    with pytest.raises(InvalidInput, match="none of 3"):
        xaimri.audit_model(CORNER, unread)
