"""The audit of a split: its verdict on splits whose leak is known by construction."""

import dataclasses
import json

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_digits

import xaimri
from xaimri.audit.pair import Pair
from xaimri.audit.split_report import varied
from xaimri.data import Case, Dataset, phantom
from xaimri.data.likeness import Match
from xaimri.documents.picture import picture_of


def without_subjects(dataset):
    cases = [dataclasses.replace(case, subject=None) for case in dataset]
    return dataclasses.replace(dataset, cases=tuple(cases))


def altered(case, change, name="altered"):
    return dataclasses.replace(case, id=f"{name} {case.id}", subject=None, source=change(case.source))


def turned(image):
    """Turn by 9 degrees, scale, shift, mirror, darken, and compress as JPEG."""
    height, width = image.shape
    map_ = cv2.getRotationMatrix2D((width / 2 - 5, height / 2 + 4), 9, 1.06)
    moved = cv2.warpAffine(image, map_, (width, height))[:, ::-1]
    done, written = cv2.imencode(".jpg", (moved * 0.85).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return cv2.imdecode(written, cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def people():
    return phantom.make(subjects=12, slices=2, seed=5)


@pytest.fixture(scope="module")
def honest(people):
    return people.take(range(16)), people.take(range(16, 24))


def test_a_split_by_subject_is_safe_and_without_names_none_is_claimed(honest):
    audit = xaimri.audit_split(*honest, resamples=20)
    assert (audit.verdict, audit.remedy) == ("subject-safe", "")
    assert audit.pairs == ()
    unnamed = xaimri.audit_split(*map(without_subjects, honest), resamples=20)
    assert unnamed.verdict == "no leak found"
    assert unnamed.remedy.startswith("Say who was scanned")


def test_a_subject_on_both_sides_is_named_once_for_each_image_of_the_test(people):
    audit = xaimri.audit_split(people.take(range(0, 24, 2)), people.take(range(1, 24, 2)), resamples=20)
    assert audit.verdict == "unsafe"
    assert [pair.kind for pair in audit.pairs] == ["subject"] * 12
    assert {pair.test for pair in audit.pairs} == {case.id for case in people.cases[1::2]}
    assert all(pair.train.split("/")[0] == pair.test.split("/")[0] for pair in audit.pairs)


def test_bytes_pixels_and_altered_copies_are_told_apart(honest, tmp_path):
    train, test = map(without_subjects, honest)
    file = tmp_path / "a.png"
    assert cv2.imwrite(str(file), train[0].source)
    (tmp_path / "b.png").write_bytes(file.read_bytes())
    on_disk = dataclasses.replace(train[0], source=file)
    train = dataclasses.replace(train, cases=(on_disk, *train.cases[1:]))
    planted = (
        Case("bytes", 0, None, tmp_path / "b.png"),
        dataclasses.replace(train[3], id="pixels"),
        altered(train[5], turned),
        altered(train[7], lambda image: image[8:-8, 6:-6], "cropped"),
        altered(train[9], lambda image: np.repeat(image.T[..., None], 3, axis=2), "transposed"),
    )
    audit = xaimri.audit_split(train, dataclasses.replace(test, cases=test.cases + planted), resamples=20)
    assert audit.verdict == "unsafe"
    found = {(pair.kind, pair.test): pair.train for pair in audit.pairs}
    assert found == {
        ("bytes", "bytes"): train[0].id,
        ("pixels", "pixels"): train[3].id,
        ("near", f"altered {train[5].id}"): train[5].id,
        ("near", f"cropped {train[7].id}"): train[7].id,
        ("near", f"transposed {train[9].id}"): train[9].id,
    }
    assert audit.counts() == {"bytes": 1, "pixels": 1, "near": 3}


@pytest.mark.parametrize("named", ["neither", "train", "test"])
def test_uncertain_pairs_are_told_whichever_side_has_subjects(monkeypatch, honest, named):
    train, test = (side if side is named_side else without_subjects(side) for side, named_side in (
        (honest[0], honest[0] if named == "train" else None),
        (honest[1], honest[1] if named == "test" else None),
    ))  # fmt: skip
    monkeypatch.setattr("xaimri.audit.pairs.alike", lambda *_: [Match(0, 1, 0.78)])
    audit = xaimri.audit_split(train, test, resamples=20)
    assert audit.verdict == "safe but for near copies"
    assert [(pair.train, pair.test) for pair in audit.pairs] == [(train[0].id, test[1].id)]


def test_figures_without_subjects_are_said_to_be_too_high(honest):
    named = xaimri.audit_split(*honest, resamples=20)
    nameless = xaimri.audit_split(*map(without_subjects, honest), resamples=20)
    assert not any("too high" in note for note in named.notes)
    assert "24 images have no subject" in nameless.notes[-1]
    assert "too high" in nameless.notes[-1]


def test_neighbours_in_a_scan_are_no_copies():
    many = without_subjects(phantom.make(subjects=2, slices=24, seed=1))
    audit = xaimri.audit_split(many.take(range(0, 48, 2)), many.take(range(1, 48, 2)), resamples=20)
    assert audit.verdict == "unsafe"
    assert {pair.kind for pair in audit.pairs} == {"neighbour"}
    assert all(pair.train.split("/")[0] == pair.test.split("/")[0] for pair in audit.pairs)


def test_the_nearest_neighbour_recognises_people_whatever_their_labels(people):
    plain = people.with_shuffled_labels(1)
    leaky = [dataclasses.replace(c, id=f"{c.id} again", source=np.asarray(c.source) // 2 * 2) for c in plain]
    found = xaimri.audit_split(plain, dataclasses.replace(plain, cases=tuple(leaky)), resamples=50).controls
    assert found is not None
    assert found.nearest.value == found.shuffled.value == 1.0
    assert found.apart.value < 0.7
    assert found.shuffled_apart.low <= 0.25 <= found.shuffled_apart.high
    assert (found.groups, found.alone) == (12, 0)


def test_dealt_labels_are_known_on_a_random_split_of_copies_and_not_by_people(people):
    """Labels by lot can't be learned: what a split gives above chance with them is recognition."""
    dealt = people.with_shuffled_labels(1)
    copies = [
        dataclasses.replace(c, id=f"{c.id}, copy {k}", source=np.roll(c.source, k, k % 2))
        for c in dealt
        for k in (1, 2)
    ]
    pool = dataclasses.replace(dealt, cases=(*dealt, *copies))
    order = np.random.default_rng(0).permutation(len(pool))
    cut = int(0.8 * len(pool))
    mixed = xaimri.audit_split(pool.take(order[:cut].tolist()), pool.take(order[cut:].tolist()), resamples=50)
    assert mixed.verdict == "unsafe"
    assert min(mixed.controls.nearest.value, mixed.controls.shuffled.value) > 0.9
    names = sorted(set(pool.subjects))
    learned = [place for place, name in enumerate(pool.subjects) if name in names[:8]]
    apart = xaimri.audit_split(
        pool.take(learned), pool.take(sorted(set(range(len(pool))) - set(learned))), resamples=50
    )
    assert apart.controls.shuffled.low <= 0.25 <= apart.controls.shuffled.high < 0.9


def test_images_that_say_nothing_or_cannot_be_read_are_told(people):
    black = [Case(f"black {i}", 0, None, np.zeros((50, 60))) for i in range(3)]
    broken = Case("broken", 0, None, np.zeros((0, 4)))
    sides = [
        Dataset(
            people.classes, (*people.cases[:12], *(dataclasses.replace(c, id=f"{c.id} {n}") for c in black))
        )
        for n in (1, 2)
    ]
    test = dataclasses.replace(sides[1], cases=(*people.cases[12:], *sides[1].cases[12:], broken))
    audit = xaimri.audit_split(sides[0], test, resamples=20)
    assert audit.verdict == "no leak found"
    assert any("1 of 16 images of the test can't be read" in note for note in audit.notes)
    assert any("3 of 15 images of training show too little" in note for note in audit.notes)


def test_images_that_are_all_alike_are_not_called_copies():
    """Smooth blobs, each of its own place and size, are one image once they are laid on each other."""
    y, x = np.mgrid[:64, :64]
    generator = np.random.default_rng(0)

    def blob():
        cx, cy, wide = generator.uniform([28, 28, 6], [36, 36, 9])
        return 200 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / wide**2)

    cases = [Case(str(i), i % 2, f"person {i}", blob()) for i in range(30)]
    audit = xaimri.audit_split(Dataset(("a", "b"), tuple(cases[:20])), Dataset(("a", "b"), tuple(cases[20:])))
    assert audit.verdict in ("safe but for near copies", "subject-safe")
    assert not any(pair.certain for pair in audit.pairs)


def test_images_of_few_pixels_are_no_copies_of_each_other():
    """Digits of 8 x 8 pixels: two of one kind look alike, and nothing fine tells them apart."""
    digits = load_digits()
    cases = [
        Case(str(i), int(digits.target[i]), None, (digits.images[i] * 16).astype(np.uint8))
        for i in range(200)
    ]
    sides = [Dataset(tuple("0123456789"), tuple(part)) for part in (cases[:150], cases[150:])]
    audit = xaimri.audit_split(*sides, resamples=20)
    assert audit.pairs == ()
    assert audit.verdict == "no leak found"
    assert any("150 of 150 images of training show too little" in note for note in audit.notes)


def test_the_json_file_holds_all_of_it(people, tmp_path):
    audit = xaimri.audit_split(people.take(range(0, 24, 2)), people.take(range(1, 24, 2)), resamples=20)
    read = json.loads(audit.save(tmp_path / "audit.json").read_text())
    assert read["verdict"] == "unsafe"
    assert len(read["pairs"]) == 12
    assert read["controls"]["groups"] == 12
    assert [picture_of(each).alt for each in read["pictures"]] == [
        f"Two images side by side, {each['caption']}." for each in read["pictures"]
    ]
    assert len(read["pictures"]) == 12
    assert "pictures" not in audit.to_dict()
    assert str(audit).startswith("unsafe: 12 of 12 test images give away their answer")
    with pytest.raises(xaimri.InvalidInput, match=r"must end in \.html or \.json"):
        audit.save(tmp_path / "audit.txt")


def test_the_page_shows_the_pairs_and_the_card_the_verdict(people, tmp_path):
    audit = xaimri.audit_split(people.take(range(0, 24, 2)), people.take(range(1, 24, 2)), resamples=20)
    page = audit.save(tmp_path / "audit.html").read_text()
    assert page.count("data:image/png;base64,") == 12
    assert "Is the split honest?" in page
    assert audit.reason in page
    assert "Split people, not images" in page
    assert audit.remedy in str(audit).splitlines()
    assert "unsafe" in audit._repr_html_()
    safe = xaimri.audit_split(people.take(range(12)), people.take(range(12, 24)), resamples=20)
    assert repr(safe) == "<SplitAudit: subject-safe, 0 pairs, 12 and 12 images>"
    assert "None was found." in safe.save(tmp_path / "safe.html").read_text()


def test_pairs_are_shown_of_each_person_before_any_twice(people):
    test = {case.id: case for case in people}
    ids = [case.id for case in people][:6]  # two of each of three people
    pairs = tuple(Pair("a", each, "subject", 0.5) for each in ids)
    assert [test[pair.test].subject for (pair,) in varied(pairs, test, 3)] == ["S000", "S001", "S002"]
    assert [pair.test for (pair,) in varied(pairs, test, 4)] == [ids[0], ids[1], ids[2], ids[4]]
    nameless = {name: dataclasses.replace(case, subject=None) for name, case in test.items()}
    near = Pair("a", ids[0], "near", 0.97, certain=False)
    assert varied((near, *pairs), nameless, 2) == [(near, pairs[0]), (pairs[1],)]


def test_two_images_are_shown_once_with_all_that_gives_them_away(people, tmp_path):
    copied = dataclasses.replace(people[0], id="again")
    test = dataclasses.replace(people, cases=(copied, *people.cases[20:]))
    audit = xaimri.audit_split(people.take(range(1)), test, resamples=20)
    assert audit.counts() == {"pixels": 1, "subject": 1}
    told = f"images of equal pixels; images of one subject: again of the test, {people[0].id} of training"
    read = json.loads(audit.save(tmp_path / "audit.json").read_text())
    assert [each["caption"] for each in read["pictures"]] == [f"{told}, similarity 1.000"]
    assert [pair["kind"] for pair in read["pairs"]] == ["pixels", "subject"]
    page = audit.save(tmp_path / "audit.html").read_text()
    assert page.count("data:image/png;base64,") == 1
    assert "more pairs" not in page
    (row,) = [line for line in str(audit).splitlines() if "again" in line]
    assert row.split("  ")[0] == "images of equal pixels; images of one subject"


def test_subjects_that_are_called_almost_alike_are_told(people):
    train, test = people.take(range(12)), people.take(range(12, 24))
    named = {subject: f"s_{n}" for n, subject in enumerate(dict.fromkeys(test.subjects))}
    other = dataclasses.replace(
        test, cases=tuple(dataclasses.replace(c, subject=named[c.subject]) for c in test)
    )
    audit = xaimri.audit_split(train, other, resamples=20)
    (note,) = audit.notes
    assert note.startswith("6 subjects of training are called almost as ones of the test (S000 and s_0, S001")
    assert xaimri.audit_split(train, test, resamples=20).notes == ()


def test_what_was_not_compared_stands_beside_the_verdict(people, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    broken = Case("broken", 0, "nobody", tmp_path / "broken.png")
    test = dataclasses.replace(people, cases=(broken, *people.cases[12:]))
    audit = xaimri.audit_split(people.take(range(12)), test, resamples=20)
    assert audit.verdict == "subject-safe"
    assert audit.reason.endswith("found in training (1 image that can't be read was not compared).")


def test_sides_without_cases_or_of_other_classes_are_refused(people):
    with pytest.raises(xaimri.InvalidInput, match="`test` has no case"):
        xaimri.audit_split(people, people.take([]))
    with pytest.raises(xaimri.InvalidInput, match="has the classes"):
        xaimri.audit_split(people, Dataset(("a",), (Case("x", 0, None, np.eye(9)),)))
    with pytest.raises(xaimri.InvalidInput, match="no image of `test` can be read"):
        xaimri.audit_split(people, Dataset(people.classes, (Case("x", 0, None, np.zeros((0, 9))),)))


def test_a_class_that_one_side_lacks_is_a_class_still(people):
    renamed = Dataset(tuple(reversed(people.classes)), (Case("new", 0, "S99", people[23].source),))
    fewer = dataclasses.replace(renamed, classes=renamed.classes[:1])
    for test in (renamed, fewer):
        found = xaimri.audit_split(people, test, resamples=20)
        assert [pair.kind for pair in found.pairs] == ["pixels"]
        assert found.controls is not None
        assert found.controls.nearest.value == float(people[23].label == 3)
