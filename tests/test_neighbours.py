"""Similar cases: what a search of all pairs finds, without the image's own subject, at true distances."""

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.neighbours import Neighbourhood, nearest_cases

CLASSES = ("class_0", "class_1", "class_2")
MODEL = LinearClassifier.random((4, 5, 1), classes=3, seed=0)
"""Its features are the pixels."""


def drawn(count, seed=0, **more):
    return np.random.default_rng(seed).normal(3, 1, size=(count, 4, 5)).astype(np.float32)


def training(count=120, people=20):
    images = drawn(count)
    return Dataset(
        CLASSES,
        tuple(Case(f"t{n}", n % 3, f"S{n % people}", image) for n, image in enumerate(images)),
    )


def brute(image, cases, distance, apart=lambda case: True):
    """Return names and distances of every class from a search of all pairs."""
    one = image.ravel().astype(float)
    found = {}
    for label, name in enumerate(cases.classes):
        rows = []
        for case in cases:
            if case.label == label and apart(case):
                other = case.source.ravel().astype(float)
                gap = np.linalg.norm(one - other)
                if distance == "cosine":
                    gap = 1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other)
                rows.append((gap, case.id))
        found[name] = sorted(rows)
    return found


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_they_are_those_of_a_search_of_all_pairs(distance):
    cases, images = training(), drawn(40, seed=1)
    found = nearest_cases(MODEL, list(images), cases, k=4, distance=distance)
    assert list(found) == [str(n) for n in range(40)]
    for n, image in enumerate(images):
        for name, rows in brute(image, cases, distance).items():
            near = found[str(n)][name]
            assert [each.case.id for each in near] == [case for _, case in rows[:4]]
            assert {each.name for each in near} == {name}
            np.testing.assert_allclose(
                [each.distance for each in near], [gap for gap, _ in rows[:4]], rtol=1e-6
            )


def test_nobody_is_a_neighbour_of_himself():
    cases = training()
    found = nearest_cases(MODEL, cases, cases, k=3)
    for case in cases:
        expected = brute(
            case.source, cases, "euclidean", lambda other, own=case: other.subject != own.subject
        )
        for name, rows in expected.items():
            assert [each.case.id for each in found[case.id][name]] == [other for _, other in rows[:3]]


def test_without_subjects_an_image_is_no_neighbour_of_itself_but_its_copy_is():
    images = drawn(9)
    images[4] = images[1]  # a copy, in another class' place
    cases = Dataset(CLASSES, tuple(Case(f"t{n}", n % 3, None, image) for n, image in enumerate(images)))
    near = nearest_cases(MODEL, cases, cases, k=5)["t1"]
    assert [len(near[name]) for name in CLASSES] == [3, 2, 3]
    assert (near["class_1"][0].case.id, near["class_1"][0].distance) == ("t4", 0.0)
    strangers = nearest_cases(MODEL, {"t1": images[1]}, cases, k=5)["t1"]
    assert {each.case.id for each in strangers["class_1"][:2]} == {"t1", "t4"}
    told = nearest_cases(MODEL, {"t1": images[1]}, training(), subjects={"t1": "S1"}, k=50)["t1"]
    assert {each.case.subject for row in told.values() for each in row} == {f"S{n}" for n in range(20)} - {
        "S1"
    }


def test_a_file_is_no_neighbour_of_itself_whatever_it_is_called(tmp_path):
    for n, image in enumerate(drawn(4)):
        np.save(tmp_path / f"{n}.npy", image)
    cases = Dataset(
        CLASSES[:2], tuple(Case(f"t{n}", n % 2, f"S{n}", tmp_path / f"{n}.npy") for n in range(4))
    )
    near = nearest_cases(MODEL, tmp_path, cases, subjects={"0.npy": "another name"}, k=3)
    assert [each.case.id for each in near["0.npy"]["class_0"]] == ["t2"]
    assert {each.case.id for each in near["0.npy"]["class_1"]} == {"t1", "t3"}


def test_whoever_has_more_cases_than_are_asked_for_is_still_left_out():
    images = drawn(60)
    people = ["own"] * 50 + [f"S{n}" for n in range(10)]
    images[:50] = images[0] + 1e-3 * drawn(50, seed=3)
    cases = Dataset(
        CLASSES[:2], tuple(Case(f"t{n}", n % 2, people[n], image) for n, image in enumerate(images))
    )
    near = nearest_cases(MODEL, {"x": images[0]}, cases, subjects={"x": "own"}, k=5)["x"]
    assert all(len(row) == 5 for row in near.values())
    assert "own" not in {each.case.subject for row in near.values() for each in row}


def test_an_order_that_rounding_hides_is_the_true_one():
    far = np.full((4, 5), 4000.0)
    corner, steps = np.arange(20).reshape(4, 5) == 0, [3.0, 1.0, 2.0]
    cases = Dataset(
        CLASSES[:2],
        tuple(Case(f"t{n}", 0, None, far + step * corner) for n, step in enumerate(steps)),
    )
    near = nearest_cases(MODEL, {"x": far}, cases, k=2)["x"]
    assert list(near) == ["class_0"]
    assert [each.case.id for each in near["class_0"]] == ["t1", "t2"]


def test_what_cannot_be_read_is_no_neighbour(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    cases = training(6)
    broken = Case("broken", 0, "S9", tmp_path / "broken.png")
    around = Neighbourhood.of(MODEL, Dataset(CLASSES, (broken, *cases)))
    assert [each.name for each in around.failures] == ["broken"]
    assert repr(around) == "<Neighbourhood: 6 training cases, 20 features, euclidean>"
    images = {"whole": drawn(1)[0], "lost": tmp_path / "broken.png"}
    assert list(nearest_cases(MODEL, images, cases)) == ["whole"]
    assert nearest_cases(MODEL, {"lost": tmp_path / "broken.png"}, cases) == {}
    with pytest.raises(InvalidInput, match="none of 1 cases can be read"):
        Neighbourhood.of(MODEL, Dataset(CLASSES, (broken,)))


def test_what_has_no_features_is_refused():
    plain = xaimri.open_model(lambda images: np.full((len(images), 3), 1 / 3))
    with pytest.raises(MissingCapability, match="FunctionClassifier hands out no features"):
        nearest_cases(plain, [drawn(1)[0]], training())
    with pytest.raises(InvalidInput, match="no case"):
        nearest_cases(MODEL, [drawn(1)[0]], Dataset(CLASSES, ()))
    volumes = Dataset(CLASSES, (Case("v", 0, None, np.ones((3, 4, 5))),))
    with pytest.raises(MissingCapability, match="cut into slices"):
        nearest_cases(xaimri.open_model(MODEL, slices="all"), [np.ones((3, 4, 5))], volumes)
    with pytest.raises(InvalidInput, match="20"):
        Neighbourhood.of(MODEL, training()).nearest(np.ones((1, 7), np.float32), [frozenset()])
