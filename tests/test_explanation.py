"""The result is a value: frozen, picklable, kept bit for bit or not at all, carried to another grid."""

import dataclasses
import json
import pickle
import zipfile

import numpy as np
import pytest

from xaimri import LIME, GradCAM, LinearClassifier, archive, array_file, json_file, load
from xaimri.arrays import Stored, frozen
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.explainers import from_record
from xaimri.explanation import Regions
from xaimri.grid import Grid


def explained(method, shape=(6, 8, 2)):
    model = LinearClassifier.random(shape, classes=3, seed=0, patch=2)
    image = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    (found,) = method.explain(model, image)
    return found


@pytest.fixture(params=["gradcam", "lime", "full"])
def explanation(request):
    if request.param == "gradcam":
        return explained(GradCAM(relu=False))
    found = explained(LIME(samples=30, regions=5))
    if request.param == "lime":
        return found
    regions = Regions(found.regions.labels, found.regions.values, np.abs(found.regions.values) / 3)
    return dataclasses.replace(
        found,
        errors=regions.paint(regions.errors).astype(np.float32),
        regions=regions,
        caveats=(Caveat("odd", "Something is odd."),),
        spacing=(0.5, 1.25),
        affine=np.diag([0.5, 1.25, 1, 1]),
        diagnostics={"nested": {"list": [1, 2.5, None, "x"]}, "array": [0.25]},
    )


def arrays(explanation):
    held = {k: v for k, v in vars(explanation).items() if isinstance(v, np.ndarray)}
    if explanation.regions is not None:
        inner = vars(explanation.regions).items()
        held |= {f"regions.{k}": v for k, v in inner if isinstance(v, np.ndarray)}
    return held


def same(one, other):
    a, b = arrays(one), arrays(other)
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype
        assert a[name].tobytes() == b[name].tobytes()
        assert not b[name].flags.writeable
    for name in ("target", "of", "unit", "classes", "caveats", "spacing"):
        assert getattr(one, name) == getattr(other, name)
    assert dict(one.method) == dict(other.method)
    assert dict(one.diagnostics) == dict(other.diagnostics)


def test_nothing_of_it_can_be_changed(explanation):
    with pytest.raises(dataclasses.FrozenInstanceError):
        explanation.target = 2
    for array in arrays(explanation).values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for mapping in (explanation.method, explanation.diagnostics):
        with pytest.raises(TypeError):
            mapping["name"] = "other"


def test_it_shares_no_memory_with_what_it_was_made_of():
    values = np.zeros((6, 8))
    found = dataclasses.replace(explained(GradCAM()), values=values, image=np.zeros((6, 8, 2)))
    values += 1
    assert not found.values.any()
    view = frozen(values)[1:]
    assert frozen(view) is not view


def test_pickling_keeps_every_bit(explanation):
    same(explanation, pickle.loads(pickle.dumps(explanation)))


def test_storing_keeps_every_bit(explanation, tmp_path):
    folder = explanation.store(tmp_path / "new" / "kept")
    same(explanation, load(folder))
    same(explanation, load(str(folder)))
    record = json.loads((folder / "record.json").read_text())
    assert record["method"]["name"] == explanation.method["name"]
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["kept"]


def test_nan_and_infinity_in_the_values_are_kept(tmp_path):
    found = explained(GradCAM())
    odd = found.values.copy()
    odd[0, :3] = np.nan, np.inf, -np.inf
    found = dataclasses.replace(found, values=odd, diagnostics={"r2": float("nan"), "n": np.int64(3)})
    again = load(found.store(tmp_path / "kept"))
    assert again.values.tobytes() == found.values.tobytes()
    assert dict(again.diagnostics) == {"r2": None, "n": 3}


@pytest.mark.parametrize("fault", ["record", "arrays", "rename"])
def test_a_failure_on_the_way_leaves_nothing(explanation, tmp_path, monkeypatch, fault):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    if fault == "record":
        monkeypatch.setattr(json_file.json, "dumps", full)
    elif fault == "arrays":
        monkeypatch.setattr(np.lib.format, "write_array", full)
    else:
        monkeypatch.setattr(archive.Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        explanation.store(tmp_path / "kept")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    same(explanation, load(explanation.store(tmp_path / "kept")))


def test_an_existing_folder_is_never_written_over(explanation, tmp_path):
    explanation.store(tmp_path / "kept")
    before = (tmp_path / "kept" / "record.json").read_bytes()
    with pytest.raises(InvalidInput, match="is there already"):
        explanation.store(tmp_path / "kept")
    assert (tmp_path / "kept" / "record.json").read_bytes() == before


def damage_json(folder):
    (folder / "record.json").write_text("{")


def other_json(folder):
    (folder / "record.json").write_text('{"xaimri": "something else"}')


def list_json(folder):
    (folder / "record.json").write_text("[1, 2]")


def forget_field(folder):
    record = json.loads((folder / "record.json").read_text())
    del record["classes"]
    (folder / "record.json").write_text(json.dumps(record))


def cut_arrays(folder):
    whole = (folder / "arrays.npz").read_bytes()
    (folder / "arrays.npz").write_bytes(whole[: len(whole) // 2])


def flip_a_bit(folder):
    whole = bytearray((folder / "arrays.npz").read_bytes())
    whole[whole.index(b"\x93NUMPY") + 200] ^= 1
    (folder / "arrays.npz").write_bytes(bytes(whole))


def drop_array(folder):
    with zipfile.ZipFile(folder / "arrays.npz") as packed:
        kept = {name: packed.read(name) for name in packed.namelist() if name != "values.npy"}
    with zipfile.ZipFile(folder / "arrays.npz", "w") as packed:
        for name, content in kept.items():
            packed.writestr(name, content)


@pytest.mark.parametrize(
    "damage", [damage_json, other_json, list_json, forget_field, cut_arrays, flip_a_bit, drop_array]
)
def test_a_damaged_folder_is_told_in_one_sentence(explanation, tmp_path, damage):
    folder = explanation.store(tmp_path / "kept")
    damage(folder)
    with pytest.raises(InvalidInput, match="store the explanation again") as refusal:
        load(folder)
    assert "\n" not in str(refusal.value)


def test_a_missing_folder_or_part_is_named(explanation, tmp_path):
    with pytest.raises(InvalidInput, match=r"record\.json` is not there: give a folder"):
        load(tmp_path / "gone")
    folder = explanation.store(tmp_path / "kept")
    (folder / "arrays.npz").unlink()
    with pytest.raises(InvalidInput, match=r"arrays\.npz` is not there"):
        load(folder)


def test_arrays_of_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"[Oo]bject"), archive.whole_folder(tmp_path / "kept") as new:
        array_file.write(new / "arrays.npz", {"values": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []


def test_carried_to_its_own_grid_it_stays_as_it_is(explanation):
    space = explanation.values.shape
    same(explanation, explanation.carried(Grid.fitted(space, space), explanation.image))


def test_a_map_is_carried_by_interpolation_and_regions_by_the_nearest(explanation):
    image = np.zeros((11, 17, 2), np.float32)
    grid = Grid.fitted((11, 17), explanation.values.shape, "pad")
    carried = explanation.carried(grid, image)
    assert carried.values.shape == (11, 17)
    assert carried.image.shape == image.shape
    if explanation.regions is None:
        np.testing.assert_array_equal(carried.values, grid.resample(explanation.values))
        return
    assert np.array_equal(carried.regions.labels, grid.nearest(explanation.regions.labels))
    assert np.array_equal(carried.regions.values, explanation.regions.values)
    for region, value in enumerate(carried.regions.values):
        assert (carried.values[carried.regions.labels == region] == np.float32(value)).all()
    if explanation.errors is not None:
        assert carried.errors.shape == (11, 17)


def test_regions_paint_and_rank():
    regions = Regions(np.array([[0, 1], [2, -1]]), np.array([-3.0, 2.0, np.nan]))
    np.testing.assert_array_equal(regions.paint(regions.values), [[-3, 2], [np.nan, 0]])
    assert regions.strongest(5) == (0, 1)
    assert regions.strongest(1) == (0,)
    assert regions.strongest(5, sign=1) == (1,)
    assert regions.strongest(5, sign=-1) == (0,)
    assert list(regions.tested) == [True, True, False]


def test_the_short_form_says_what_matters():
    told = repr(explained(GradCAM()))
    for word in ("gradcam", "logit", "class_", "6 x 8", "caveats"):
        assert word in told


def test_stored_arrays_are_values():
    array = np.arange(6.0)
    kept = Stored(array)
    array += 1
    assert np.array_equal(kept.array, np.arange(6.0))
    assert kept == Stored(np.arange(6.0)) == pickle.loads(pickle.dumps(kept))
    assert kept != Stored(np.arange(6.0).reshape(2, 3))
    assert kept != Stored(np.arange(6.0, dtype=np.float32))
    assert len({kept, Stored(np.arange(6.0))}) == 1
    with pytest.raises(AttributeError):
        kept.array = array
    with pytest.raises(ValueError, match="read-only"):
        kept.array[0] = 1


def test_a_stored_explanation_rebuilds_its_method_with_arrays_among_the_settings(tmp_path):
    labels = np.arange(48).reshape(6, 8) // 12
    method = LIME(samples=20, regions=Stored(labels))
    kept = load(explained(method).store(tmp_path / "kept"))
    assert from_record(kept.method, kept.method_arrays) == method


def test_what_lies_deep_inside_cannot_be_changed_either():
    found = explained(GradCAM())
    with pytest.raises(TypeError):
        found.method["settings"]["relu"] = False
    with pytest.raises(TypeError):
        found.diagnostics["grid"]["start"][0] = 99


def test_a_value_within_the_rounding_of_the_largest_is_never_certain():
    regions = Regions(np.array([[0, 1, 2, -1]]), np.array([3.0, -2e-8, np.nan]), np.zeros(3))
    assert regions.certain().tolist() == [True, False, False]
    assert Regions(np.array([[0]]), np.zeros(1), np.zeros(1)).certain().tolist() == [False]
