"""Where relevance lies, for networks of which it is known."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.audit.clusters import clusters_of
from xaimri.audit.probes import probe
from xaimri.audit.relevance import some_of
from xaimri.data import Case, Dataset

SIDE, CLASSES = 24, ("well", "ill")


def image_of(seed, mark):
    pixels = np.zeros((SIDE, SIDE))
    pixels[7:17, 7:17] = np.random.default_rng(seed).uniform(80, 120, (10, 10))
    pixels[:2, :2] = mark
    return pixels


def cases_of(count=24, slices=1):
    made = [Case(f"{i}/{s}", i % 2, f"S{i}", image_of(i, 60.0)) for i in range(count) for s in range(slices)]
    return Dataset(CLASSES, tuple(made))


def reading(*places):
    """Each class has the opposite weights of the other, on one pixel each."""
    weights = np.zeros((2, SIDE, SIDE, 1))
    for place in places:
        weights[1][place], weights[0][place] = 1, 1
    return LinearClassifier(weights, classes=CLASSES)


@pytest.fixture(autouse=True)
def few_deals(monkeypatch):
    monkeypatch.setattr("xaimri.audit.effects.probe", partial(probe, deals=19))


def audited(network, cases=None, **settings):
    given = {"interventions": ["blurred"], "method": "input_x_gradient", "resamples": 200} | settings
    return xaimri.audit_model(network, cases_of() if cases is None else cases, **given)


def test_shares_are_those_of_the_pixels_that_the_network_reads():
    found = audited(reading((0, 0))).relevance
    shares = {share.part: share for share in found.shares}
    assert [shares[p].relevance.value for p in ("inside", "rim", "around")] == [0, 0, 1]
    assert sum(share.area for share in found.shares) == pytest.approx(1)
    assert shares["around"].excess.value == pytest.approx(1 - shares["around"].area)
    inside = {share.part: share for share in audited(reading((12, 12))).relevance.shares}
    assert inside["inside"].relevance.value == 1
    edge = {share.part: share for share in audited(reading((7, 12))).relevance.shares}
    assert edge["rim"].relevance.value == 1


def test_maps_without_positive_relevance_or_an_object_are_counted_and_not_averaged():
    weights = np.zeros((2, SIDE, SIDE, 1))
    weights[1, 0, 0] = 1
    found = audited(
        LinearClassifier(weights, classes=CLASSES)
    ).relevance  # of the class "well" nothing speaks
    assert (found.images, found.empty) == (24, 12)
    assert "12 of 24 maps have no positive relevance" in " ".join(found.notes)
    assert {share.part: share.relevance.value for share in found.shares}["around"] == 1


def test_mean_maps_have_their_standard_error_over_people():
    network, cases = reading((0, 0), (12, 12)), cases_of(8, slices=2)
    found = audited(network, cases).relevance
    (well, ill) = found.means
    assert (well.name, well.subjects, ill.subjects) == ("well", 4, 4)
    own = []
    for i in range(0, 8, 2):
        pixels = image_of(i, 60.0)
        size = (pixels[0, 0] + pixels[12, 12]) / SIDE**2
        own.append(pixels[12, 12] / size)
    assert well.mean[12, 12] == pytest.approx(np.mean(own), rel=1e-5)
    assert well.error[12, 12] == pytest.approx(np.std(own, ddof=1) / 2, rel=1e-4)


def test_a_person_who_is_not_known_is_nobody_else():
    cases = cases_of(8).cases
    named = (replace(cases[0], subject=None), *cases[1:2], replace(cases[2], subject=f"case {cases[0].id}"))
    found = audited(reading((12, 12)), Dataset(CLASSES, (*named, *cases[3:])), independent=True).relevance
    assert [each.subjects for each in found.means] == [4, 4]


def test_cells_wider_than_the_rim_are_told_and_none_without_cells():
    coarse = LinearClassifier.random((SIDE, SIDE, 1), patch=8)
    named = LinearClassifier(coarse.weights, coarse.bias, 8, CLASSES)
    assert any("8 pixels wide and the rim 2" in line for line in audited(named, method="gradcam").untold)
    assert not any("wide and the rim" in line for line in audited(named).untold)


def test_images_are_of_as_many_people_as_can_be_and_none_is_made_where_none_is_asked_for():
    chosen = some_of(cases_of(10, slices=5), 12)
    assert len({case.subject for case in chosen}) == 10
    assert sum(case.id.endswith("/2") for case in chosen) == 10  # the middle ones
    assert audited(reading((0, 0)), maps=0).relevance is None


def test_groups_that_lie_apart_are_found_and_called_weak():
    maps = [np.zeros((16, 16), np.float32) for _ in range(24)]
    generator = np.random.default_rng(0)
    for n, values in enumerate(maps):
        values += generator.normal(0, 0.05, values.shape)
        values[(slice(0, 4), slice(0, 4)) if n < 6 else (slice(8, 14), slice(8, 14))] += 1
    cases = [Case(f"{n}", int(n < 6), f"{n}", np.ones((2, 2))) for n in range(24)]
    found = clusters_of(maps, cases, CLASSES, 0)
    assert sorted(found.sizes) == [6, 18]
    assert {tuple(counts) for counts in found.classes} == {("well",), ("ill",)}
    assert found.sentence.startswith("Weak: the maps fall into 2 groups")
    assert clusters_of(maps[:10], cases[:10], CLASSES, 0) is None
    assert clusters_of([maps[0]] * 24, cases, CLASSES, 0) is None
