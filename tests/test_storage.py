"""Stored explanations: as they were written, or one sentence, whatever lies there instead."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xaimri
from xaimri import array_file, json_file
from xaimri.arrays import Stored
from xaimri.errors import StorageFault, XaimriError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices, links and names of 255 bytes")

FUZZED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

ODD = st.sampled_from(
    [None, [], ["a", 1], "a", "", 99, -1, 10**400, 1e308, True, {}, {"name": 1}, [[[1]]], "logit", 0, 2]
)


@pytest.fixture(scope="module")
def explanation():
    model = xaimri.LinearClassifier.random((6, 5, 1), classes=3)
    return xaimri.explain(model, np.arange(30.0).reshape(6, 5), "lime", samples=40)


@pytest.fixture
def stored(explanation, tmp_path):
    return explanation.store(tmp_path / "kept")


def same(a, b):
    """Tell whether two explanations are equal, bit for bit."""
    same_regions = all(
        np.array_equal(getattr(a.regions, name), getattr(b.regions, name), equal_nan=True)
        for name in ("labels", "values")
    )
    plain = ("target", "of", "unit", "classes", "method", "diagnostics", "caveats", "spacing", "against")
    return same_regions and np.array_equal(a.values, b.values) and all(
        getattr(a, n) == getattr(b, n) for n in plain
    )  # fmt: skip


def use(explanation):
    """Do what a caller does with an explanation."""
    assert repr(explanation)
    other = "" if explanation.against is None else f" against {explanation.against_class}"
    assert explanation.question == explanation.target_class + other
    assert explanation.objective
    assert explanation.regions.certain().shape == explanation.regions.values.shape
    assert explanation.regions.paint(explanation.regions.values).shape == explanation.values.shape


def rewrite(folder, edit):
    """Change a record, and sign it as if it had been written so."""
    path = folder / "record.json"
    record = json.loads(path.read_text())
    del record["checksum"]
    path.write_text(json_file.text_of(edit(record)))


def repack(folder, **changed):
    """Write other arrays, and the record as if they had been stored so."""
    arrays = {**array_file.read(folder / "arrays.npz", "."), **changed}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    array_file.write(folder / "arrays.npz", arrays)
    digests = {name: Stored(array).sha256 for name, array in arrays.items()}
    rewrite(folder, lambda record: {**record, "arrays": digests})


def refused(folder):
    with pytest.raises(XaimriError) as told:
        xaimri.load(folder)
    sentence = str(told.value)
    assert "\n" not in sentence
    assert len(sentence) < 600
    return sentence


EDITS = {
    "target 99": {"target": 99},
    "target 3, of 3 classes": {"target": 3},
    "target -1": {"target": -1},
    "target 'a'": {"target": "a"},
    "target true": {"target": True},
    "target of many digits": {"target": 10**300},
    "against itself": {"target": 1, "against": 1},
    "a probability against a class": {"of": "probability", "target": 1, "against": 0},
    "classes 1": {"classes": ["a"]},
    "no classes": {"classes": []},
    "classes that are numbers": {"classes": [1, 2, 3]},
    "method {}": {"method": {}},
    "method null": {"method": None},
    "method 'x'": {"method": "x"},
    "method of number": {"method": {"name": 3, "settings": {}}},
    "of nothing": {"of": None},
    "negative spacing": {"spacing": [-1.0, 1.0]},
    "spacing of another rank": {"spacing": [1.0]},
    "caveats null": {"caveats": None},
    "a caveat without a name": {"caveats": [{"text": "It is odd."}]},
    "a caveat that is none": {"caveats": [{"name": "A B", "text": "no stop"}]},
    "diagnostics a list": {"diagnostics": [1]},
    "an unknown entry": {"more": 1},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_record_that_cannot_be_is_refused_at_loading(stored, edit):
    rewrite(stored, lambda record: {**record, **edit})
    refused(stored)


ARRAYS = {
    "values of another shape": {"values": np.ones((5, 6), np.float32)},
    "values of whole numbers": {"values": np.ones((6, 5), np.int64)},
    "an image of another size": {"image": np.ones((6, 4, 1), np.float32)},
    "probabilities of four classes": {"probabilities": np.full(4, 0.25)},
    "a probability of 7": {"probabilities": np.array([7.0, 0, 0])},
    "labels beyond the regions": {"regions.labels": np.full((6, 5), 10**6)},
    "labels below -1": {"regions.labels": np.full((6, 5), -2)},
    "no labels": {"regions.labels": None},
    "no logits": {"logits": None},
    "an unknown array": {"other": np.ones(3)},
    "an affine of 3 x 3": {"affine": np.eye(3)},
}


@pytest.mark.parametrize("changed", ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_do_not_fit_are_refused_at_loading(stored, changed):
    repack(stored, **changed)
    refused(stored)


def test_a_record_beside_the_arrays_of_another_is_noticed(stored, tmp_path):
    model = xaimri.LinearClassifier.random((6, 5, 1), classes=3, seed=9)
    other = xaimri.explain(model, np.ones((6, 5)), "lime", samples=40).store(tmp_path / "other")
    shutil.copy(other / "arrays.npz", stored / "arrays.npz")
    assert "its arrays can't be right beside the rest" in refused(stored)


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "3", '"x"', "[" * 100_000, "NaN", '{"a": NaN}', '{"a": 1e999}', "9" * 5000, "", "\0", "{"],
    ids=range(12),
)
def test_json_that_is_no_record_is_one_sentence(stored, text):
    (stored / "record.json").write_text(text)
    refused(stored)


def header(shape, descr="<f4"):
    """Return a `.npy` file that is nothing but its header."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def bomb(path):
    """Write 6 GB of zeros in 6 MB, as far as the file's directory says."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("values.npy", header((10**6,)) + bytes(10**6))
    content = path.read_bytes().replace((10**6 + len(header((10**6,)))).to_bytes(4, "little"), b"\0\0\0\x7f")
    path.write_bytes(content)


def entry(content):
    def write(path):
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("values.npy", content)

    return write


BROKEN = {
    "a compressed bomb": bomb,
    "10^12 elements": entry(header((10**6, 10**6))),
    "10^30 elements": entry(header((10**10,) * 3)),
    "negative sides": entry(header((-1, -1)) + bytes(4)),
    "too many axes": entry(header((1,) * 70) + bytes(4)),
    "objects": entry(header((1,), "|O") + bytes(8)),
    "no array": entry(b"text"),
    "an empty entry": entry(b""),
    "empty": lambda path: path.write_bytes(b""),
    "a pickle": lambda path: path.write_bytes(b"\x80\x04N."),
    "an npy": lambda path: path.write_bytes(header((0,))),
}


@pytest.mark.parametrize("write", BROKEN.values(), ids=BROKEN)
def test_arrays_are_held_against_their_file_before_they_are_made(stored, write):
    write(stored / "arrays.npz")
    assert "arrays.npz` is damaged" in refused(stored)


@LINUX
def test_what_is_no_regular_file_is_not_waited_for(stored, tmp_path):
    def link(to):
        return lambda path: path.symlink_to(to)

    def listen(path):
        with socket.socket(socket.AF_UNIX) as server:
            here = os.open(path.parent, os.O_RDONLY)
            server.bind(f"/proc/self/fd/{here}/{path.name}")
            os.close(here)

    kinds = {
        "is a pipe": os.mkfifo,
        "is a device": link("/dev/zero"),
        "is a folder": lambda path: path.mkdir(),
        "is a link that leads nowhere": link(tmp_path / "nowhere"),
        "is a socket": listen,
    }
    for name in ("record.json", "arrays.npz"):
        kept = (stored / name).read_bytes()
        for words, make in {**kinds, "leads in a circle": link(stored / name)}.items():
            (stored / name).unlink()
            make(stored / name)
            assert words in refused(stored)
            (stored / name).rmdir() if (stored / name).is_dir() else (stored / name).unlink()
            (stored / name).write_bytes(kept)
    assert same(xaimri.load(stored), xaimri.load(stored))


@LINUX
def test_names_that_no_file_can_have(explanation, stored, tmp_path):
    for name in ("a\0b", "n" * 300, "n" * 5000, "a\ud800b", "gone", "kept/record.json/below"):
        refused(tmp_path / name)
    for name in ("a\0b", "a\ud800b"):
        for write in (explanation.store, lambda path: explanation.save(f"{path}.png")):
            with pytest.raises(XaimriError, match="has a name that no file can have"):
                write(str(tmp_path / name))


def test_what_the_system_does_not_let_be_read_is_a_fault_of_storage(stored, monkeypatch):
    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(StorageFault, match=r"record\.json` can't be read \(Permission denied\)"):
        xaimri.load(stored)


@pytest.mark.parametrize("name", ["record.json", "arrays.npz"])
@FUZZED
@given(data=st.data())
def test_a_changed_file_is_refused_or_says_the_same(explanation, tmp_path_factory, name, data):
    folder = explanation.store(tmp_path_factory.mktemp("fuzz") / "kept")
    content = bytearray((folder / name).read_bytes())
    kind = data.draw(st.sampled_from(["byte", "cut", "hole", "more"]))
    at = data.draw(st.integers(0, len(content) - 1))
    if kind == "byte":
        content[at] = data.draw(st.integers(0, 255))
    elif kind == "more":
        content[at:at] = data.draw(st.binary(max_size=9))
    else:
        del content[at : None if kind == "cut" else at + data.draw(st.integers(0, 9))]
    (folder / name).write_bytes(content)
    try:
        again = xaimri.load(folder)
    except XaimriError:
        return
    assert same(again, explanation)


@FUZZED
@given(data=st.data())
def test_a_record_with_another_value_anywhere_is_refused_or_can_be_used(explanation, tmp_path_factory, data):
    folder = explanation.store(tmp_path_factory.mktemp("fuzz") / "kept")

    def edit(record):
        place = record
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            below = place[key]
            if not (isinstance(below, dict | list) and below and data.draw(st.booleans())):
                place[key] = data.draw(ODD)
                return record
            place = below

    rewrite(folder, edit)
    try:
        found = xaimri.load(folder)
    except XaimriError:
        return
    use(found)
