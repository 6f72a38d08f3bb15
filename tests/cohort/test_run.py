"""A cohort: the same maps as one by one, one row for each case and method, and nothing lost by a stop."""

import json
import re

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.data import Case, Dataset
from xaimri.errors import Cancelled, InvalidInput, StorageFault
from xaimri.images import Picture

pytest.importorskip("pyarrow")

SHAPE = (6, 8, 1)
METHODS = {"saliency": {}, "hirescam": {}, "lime": {"samples": 30, "regions": 4}}
SETTINGS = {"samples": 30, "regions": 4}


def model(seed=0):
    return LinearClassifier.random(SHAPE, classes=3, seed=seed, patch=2)


def scans(count, size=(12, 16)):
    return {f"scan {n}": np.random.default_rng(n).random(size).astype(np.float32) for n in range(count)}


def rows(cohort):
    """Return all rows but for their times."""
    from xaimri.cohort.schema import COLUMNS

    found = cohort.table(list(COLUMNS)).to_pylist()
    return sorted(
        ({name: value for name, value in row.items() if name != "seconds"} for row in found),
        key=lambda row: (row["case"], row["method"]),
    )


def test_every_row_is_the_explanation_that_one_call_makes(tmp_path):
    given = scans(40)
    cohort = xaimri.explain_cohort(model(), given, list(METHODS), out=tmp_path / "new" / "run", **SETTINGS)
    assert repr(cohort) == "<Cohort: 40 cases by saliency and hirescam and lime, finished>"
    assert len(cohort) == 120
    for name, settings in METHODS.items():
        for case in ("scan 0", "scan 33", "scan 39"):
            one = xaimri.explain(model(), given[case], name, **settings)
            found = cohort.explanation(case, name, image=given[case])
            np.testing.assert_allclose(found.values, one.values, atol=1e-5)
            np.testing.assert_allclose(found.logits, one.logits, atol=1e-5)
            assert found.caveats == one.caveats
            assert found.method == one.method
            assert found.diagnostics.keys() == one.diagnostics.keys()
            assert (found.target, found.of, found.unit) == (one.target, one.of, one.unit)
            if one.regions is not None:
                np.testing.assert_array_equal(found.regions.labels, one.regions.labels)
                np.testing.assert_allclose(found.regions.errors, one.regions.errors, atol=1e-5)
    table = cohort.table(["case", "method", "sums", "map", "probability", "probabilities", "failure"])
    for row in table.to_pylist()[:7]:
        values = np.array(row["map"])
        assert row["sums"] == pytest.approx([values.clip(0).sum(), values.clip(None, 0).sum()], rel=1e-5)
        assert row["probability"] == max(row["probabilities"])
        assert row["failure"] is None


def test_a_stop_costs_no_finished_row_and_the_rest_is_bit_for_bit_the_same(tmp_path):
    given, whole = scans(75), tmp_path / "whole"
    expected = rows(xaimri.explain_cohort(model(), given, ["saliency", "lime"], out=whole, **SETTINGS))
    seen = []

    def stop(told):
        seen.append(told)
        return told.done < 32

    with pytest.raises(Cancelled, match="the same call goes on"):
        xaimri.explain_cohort(
            model(), given, ["saliency", "lime"], out=tmp_path / "b", progress=stop, **SETTINGS
        )
    assert [(told.done, told.total, told.failures) for told in seen] == [(32, 75, 0)]
    part = open_cohort(tmp_path / "b")
    assert (part.done, len(part)) == (32, 64)
    assert "32 done" in repr(part)
    with pytest.raises(InvalidInput, match="or it is not done yet"):
        part.explanation("scan 70", "lime")
    kept = (tmp_path / "b" / "rows" / "part-000000.parquet").stat().st_mtime_ns
    found = xaimri.explain_cohort(model(), given, ["saliency", "lime"], out=tmp_path / "b", **SETTINGS)
    assert rows(found) == expected
    assert (tmp_path / "b" / "rows" / "part-000000.parquet").stat().st_mtime_ns == kept


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"methods": "lime"}, "the methods (saliency, lime there, lime here)"),
        ({"samples": 31}, "the settings of lime"),
        ({"model": LinearClassifier.random(SHAPE, classes=3, seed=9)}, "the model, which gives other scores"),
        ({"cases": scans(4)}, "the cases (5 there, 4 here, in their order)"),
        ({"cases": dict(reversed(scans(5).items()))}, "the cases (5 there, 5 here, in their order)"),
        ({"target": "class_1"}, "`target` ('predicted' there, 'class_1' here)"),
        ({"precision": "float16"}, "`precision` ('float32' there, 'float16' here)"),
        ({"window": (0, 2)}, "how images reach the model (images 6 x 8 x 1, stretched there)"),
    ],
)
def test_another_cohort_in_the_folder_is_refused_with_what_differs(tmp_path, changes, told):
    asked = {"model": model(), "cases": scans(5), "methods": ["saliency", "lime"], **SETTINGS}
    xaimri.explain_cohort(**asked, out=tmp_path)
    before = sorted((file, file.read_bytes()) for file in tmp_path.rglob("*") if file.is_file())
    with pytest.raises(InvalidInput) as refusal:
        xaimri.explain_cohort(**{**asked, **changes}, out=tmp_path)
    assert f"holds another cohort, which differs in {told}: give another folder" in str(refusal.value)
    assert sorted((file, file.read_bytes()) for file in tmp_path.rglob("*") if file.is_file()) == before


def test_a_folder_of_other_things_a_file_and_a_damaged_record_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="holds other things"):
        xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path)
    with pytest.raises(InvalidInput, match="is a file"):
        xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path / "notes.txt")
    with pytest.raises(InvalidInput, match=r"holds no cohort \(no cohort.json\)"):
        open_cohort(tmp_path)
    run = tmp_path / "run"
    xaimri.explain_cohort(model(), scans(2), "saliency", out=run)
    record = json.loads((run / "cohort.json").read_text())
    wrong = [{"version": 99}, {"together": 0}, {"precision": "float64"}, {"maps": "all"}, {"methods": {}},
             {"probe": []}]  # fmt: skip
    damaged = [(json.dumps({**record, **one}), "is damaged") for one in wrong[1:]]
    for content, told in [("{", "is damaged"), (json.dumps({**record, **wrong[0]}), "version 99"), *damaged]:
        (run / "cohort.json").write_text(content)
        with pytest.raises(InvalidInput, match=told):
            open_cohort(run)


def test_two_runs_at_once_are_refused_and_a_dead_one_is_none(tmp_path):
    def again(_):
        with pytest.raises(StorageFault, match="another process or thread is writing"):
            xaimri.explain_cohort(model(), scans(40), "saliency", out=tmp_path)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        xaimri.explain_cohort(model(), scans(40), "saliency", out=tmp_path, progress=again)
    assert xaimri.explain_cohort(model(), scans(40), "saliency", out=tmp_path).done == 40


def test_a_disk_that_is_full_ends_in_a_sentence_and_leaves_a_store_that_can_be_read(tmp_path, monkeypatch):
    from pathlib import Path

    plain, written = Path.write_bytes, []

    def full(path, content):
        if path.suffix == ".parquet":
            written.append(path)
            if len(written) == 2:
                raise OSError(28, "No space left on device", str(path))
        return plain(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageFault, match="No space left on device"):
        xaimri.explain_cohort(model(), scans(70), "saliency", out=tmp_path)
    assert len(open_cohort(tmp_path)) == 32
    assert len(xaimri.explain_cohort(model(), scans(70), "saliency", out=tmp_path)) == 70


def test_what_fails_is_a_row_with_its_sentence(tmp_path):
    given = {
        **scans(3),
        "gone": tmp_path / "gone.png",
        "flat": np.full((12, 16), np.nan),
        "empty": np.zeros((0, 4)),
    }
    cohort = xaimri.explain_cohort(model(), given, ["saliency", "hirescam"], out=tmp_path / "run")
    failed = cohort.filter(failed=True)
    told = {(row["case"], row["stage"]) for row in failed.table().to_pylist()}
    assert told == {("gone", "read"), ("flat", "read"), ("empty", "read")}
    assert len(failed) == 6
    assert len(cohort.filter(failed=False, method="saliency")) == 3
    assert "there is no file" in failed.table(["failure"])["failure"][0].as_py()
    with pytest.raises(InvalidInput, match=r"there is no map of `gone`: there is no file"):
        cohort.explanation("gone", "saliency")


def test_one_case_that_stops_the_others_is_set_aside(tmp_path):
    def picky(images):
        if (images > 5).any():
            raise xaimri.InvalidInput("this is too bright: darken it.")
        return np.tile([[0.3, 0.7]], (len(images), 1)) + 0.1 * images.mean(axis=(1, 2)) * [[1, -1]]

    given = {**scans(6), "bright": np.full((12, 16), 9.0)}
    opened = xaimri.open_model(picky, classes=["a", "b"])
    cohort = xaimri.explain_cohort(opened, given, "rise", samples=20, out=tmp_path / "one")
    assert cohort.filter(failed=True).table(["case", "failure", "stage"]).to_pylist() == [
        {"case": "bright", "failure": "this is too bright: darken it.", "stage": "explain"}
    ]
    with pytest.raises(InvalidInput, match="can't explain any of the first 2 cases: this is too bright"):
        xaimri.explain_cohort(
            opened, {"b": given["bright"], "c": given["bright"]}, "rise",
            samples=20, out=tmp_path / "two",
        )  # fmt: skip
    right = xaimri.explain_cohort(opened, scans(2), "rise", samples=20, out=tmp_path / "two")
    assert len(right.filter(failed=False)) == 2


def test_a_folder_where_nothing_could_be_explained_takes_other_settings(tmp_path):
    volumes = {f"v{n}": np.random.default_rng(n).random((6, 8, 5)) for n in range(40)}
    failed = xaimri.explain_cohort(model(), volumes, "saliency", out=tmp_path)
    assert len(failed.filter(failed=True)) == 40
    right = xaimri.explain_cohort(model(), volumes, "saliency", slices="all", out=tmp_path)
    assert len(right.filter(failed=False)) == 40
    with pytest.raises(InvalidInput, match="holds another cohort"):
        xaimri.explain_cohort(model(), volumes, "hirescam", slices="all", out=tmp_path)


def test_each_case_is_explained_for_its_own_class(tmp_path):
    names = ("class_2", "class_0")
    cases = Dataset(
        names, tuple(Case(f"c{n}", n % 2, f"p{n}", image) for n, image in enumerate(scans(4).values()))
    )
    cohort = xaimri.explain_cohort(model(), cases, "saliency", out=tmp_path / "a", target="label")
    told = cohort.table(["case", "label", "target", "subject"]).to_pylist()
    assert [(row["label"], row["target"]) for row in told] == [(names[n % 2],) * 2 for n in range(4)]
    assert [row["subject"] for row in told] == ["p0", "p1", "p2", "p3"]
    assert len(cohort.filter(label="class_2", subject="p2")) == 1
    with pytest.raises(InvalidInput, match='target="label" needs a label of every case'):
        xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path / "b", target="label")
    other = cases.with_classes(("class_0", "class_2", "ill"))
    wrong = Dataset(other.classes, (Case("x", 2, "p", cases[0].source),))
    with pytest.raises(InvalidInput, match="`x` has 'ill': the model's are class_0"):
        xaimri.explain_cohort(model(), wrong, "saliency", out=tmp_path / "c", target="label")


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_half_precision_keeps_small_and_large_maps_to_its_three_digits(tmp_path, scale):
    small = LinearClassifier(scale * model().weights, patch=2)
    given = scans(2)
    cohort = xaimri.explain_cohort(small, given, "input_x_gradient", out=tmp_path, precision="float16")
    for case, image in given.items():
        one = xaimri.explain(small, image, "input_x_gradient").values
        found = cohort.explanation(case, image=image).values
        bound = np.maximum(np.abs(one) * 2.0**-11, np.abs(one).max() * 2.0**-25)
        assert (np.abs(found - one) <= 1.01 * bound).all()


def test_maps_can_be_left_out(tmp_path):
    given = scans(3)
    regions = xaimri.explain_cohort(
        model(), given, ["saliency", "lime"], out=tmp_path / "r", maps="regions", **SETTINGS
    )
    none = xaimri.explain_cohort(
        model(), given, ["saliency", "lime"], out=tmp_path / "n", maps="none", **SETTINGS
    )
    kept = {row["method"]: row for row in regions.table(["method", "map", "region_values"]).to_pylist()}
    assert kept["saliency"]["map"] is None is kept["lime"]["map"]
    assert len(kept["lime"]["region_values"]) > 1
    assert all(row["region_values"] is None for row in none.table(["region_values"]).to_pylist())
    assert none.table(["sums"]) == regions.table(["sums"])
    with pytest.raises(InvalidInput, match='was not kept: run the cohort with maps="whole"'):
        regions.explanation("scan 1", "saliency", image=given["scan 1"])


def test_a_scan_keeps_where_it_lies(tmp_path):
    network = LinearClassifier.random((4, 5, 6, 1), classes=2, seed=0)
    affine = np.array([[2.0, 0, 0, -10], [0, 2, 0, 5], [0, 0, 3, 1], [0, 0, 0, 1]])
    given = {f"s{n}": Picture(np.random.default_rng(n).random((4, 5, 6)), affine=affine) for n in range(2)}
    cohort = xaimri.explain_cohort(network, given, "input_x_gradient", out=tmp_path)
    found = cohort.explanation("s1", image=given["s1"])
    one = xaimri.explain(network, given["s1"], "input_x_gradient")
    np.testing.assert_array_equal(found.values, one.values)
    np.testing.assert_array_equal(found.affine, affine)
    assert found.spacing == one.spacing


def test_a_class_named_as_a_word_of_target_is_given_by_its_index(tmp_path):
    named = xaimri.open_model(
        lambda x: np.stack([x.mean((1, 2, 3)), 1 - x.mean((1, 2, 3))], 1), classes=["label", "b"]
    )
    with pytest.raises(InvalidInput, match="a class is called so: give the class by its index"):
        xaimri.explain_cohort(named, scans(2), "occlusion", out=tmp_path, target="label")
    cohort = xaimri.explain_cohort(named, scans(2), "occlusion", out=tmp_path, target=0)
    assert set(cohort.table(["target"])["target"].to_pylist()) == {"label"}


def test_what_can_be_no_watcher_and_no_folder_is_told_before_the_work(tmp_path):
    with pytest.raises(InvalidInput, match="`progress` must be a function"):
        xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path / "run", progress=3)
    with pytest.raises(InvalidInput, match="`progress` must be a function"):
        xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path / "run", progress=lambda: False)
    assert not (tmp_path / "run").exists()
    cohort = xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path / "run")
    with pytest.raises(InvalidInput, match="`progress` must be a function"):
        cohort.judge("deletion", model=model(), images=scans(2), independent=True, progress=3)
    with pytest.raises(StorageFault, match=r"can't be \w+ \(File name too long\)"):
        xaimri.explain_cohort(model(), scans(2), "saliency", out=tmp_path / ("x" * 300))


def test_rows_that_are_taken_away_meanwhile_are_missed(tmp_path):
    def taken_away(told):
        if told.done == 64:
            (tmp_path / "rows" / "part-000000.parquet").unlink()

    with pytest.raises(StorageFault, match=r"the rows of 1 parts in .* were taken away meanwhile"):
        xaimri.explain_cohort(model(), scans(70), "saliency", out=tmp_path, progress=taken_away)
    assert len(xaimri.explain_cohort(model(), scans(70), "saliency", out=tmp_path)) == 70


def saturated(seed):
    """Return a model whose probabilities of the first image are rounded to 0 and 1, as of many others."""
    weights = np.random.default_rng(seed).normal(size=(6 * 8, 2)) * 3

    def answer(images):
        scores = images[..., 0].reshape(len(images), -1) @ weights
        scores = scores + np.where(images[:, :1, 0, 0] > 1.5, [[0, 200]], 0)
        parts = np.exp(scores - scores.max(axis=1, keepdims=True))
        return parts / parts.sum(axis=1, keepdims=True)

    return answer


def test_another_model_that_is_as_sure_of_the_first_case_is_refused(tmp_path):
    given = scans(40, (6, 8))
    given["scan 0"] = np.full((6, 8), 2.0)
    asked = {"cases": given, "methods": "occlusion", "out": tmp_path / "run"}
    with pytest.raises(Cancelled):
        xaimri.explain_cohort(saturated(0), **asked, progress=lambda told: False)
    probes = [np.round(saturated(seed)(np.full((1, 6, 8, 1), 2.0)), 9).tolist() for seed in (0, 1)]
    assert probes == [[[0, 1]]] * 2
    with pytest.raises(InvalidInput, match="differs in the model, which gives other scores of `scan "):
        xaimri.explain_cohort(saturated(1), **asked)
    whole = xaimri.explain_cohort(saturated(0), **asked)
    assert whole.done == 40
    with pytest.raises(InvalidInput, match="this is another model than explained the cohort"):
        whole.judge("sparseness", model=saturated(1), images=given, independent=True, resamples=20)


def test_another_version_goes_on_with_no_rows_of_this_one(tmp_path):
    asked = {"model": model(), "cases": scans(40), "methods": "saliency", "out": tmp_path / "run"}
    with pytest.raises(Cancelled):
        xaimri.explain_cohort(**asked, progress=lambda told: False)
    record = tmp_path / "run" / "cohort.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps({**told, "xaimri": "0.0.1"}))
    with pytest.raises(
        InvalidInput, match=re.escape(f"xaimri's version (0.0.1 there, {told['xaimri']} here)")
    ):
        xaimri.explain_cohort(**asked)
    record.write_text(json.dumps(told))
    xaimri.explain_cohort(**asked)
    record.write_text(json.dumps({**told, "xaimri": "0.0.1"}))
    assert xaimri.explain_cohort(**asked).done == 40  # nothing is left to do


def test_the_case_that_the_model_was_least_sure_of_is_found_among_those_not_passed_over(tmp_path):
    cohort = xaimri.explain_cohort(model(), scans(40), "saliency", out=tmp_path)
    table = cohort.table(["case", "logits"]).to_pylist()
    leads = {row["case"]: np.diff(np.sort(row["logits"])[-2:])[0] for row in table}
    first, second = sorted(leads, key=lambda case: leads[case])[:2]
    assert cohort.store.least_sure()[0] == first
    assert cohort.store.least_sure([first])[0] == second
    assert cohort.store.least_sure(list(leads)) is None


def test_what_is_passed_over_in_a_folder_is_told_and_kept(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for n in range(3):
        np.save(folder / f"{n}.npy", np.random.default_rng(n).random((6, 8)))
    (folder / "fetched later.npy").symlink_to(tmp_path / "nowhere.npy")
    (folder / "notes.txt").write_text("mine")
    told = ("Passed over: 1 no regular file, 1 no image by the ending (1 .txt).",)
    assert xaimri.explain_cohort(model(), folder, "saliency", out=tmp_path / "run").notes == told
    assert open_cohort(tmp_path / "run").notes == told
    assert xaimri.explain_cohort(model(), folder, "saliency", out=tmp_path / "run").notes == told
    page = xaimri.report(tmp_path / "run", tmp_path / "report.html", independent=True)
    assert told[0] in page.read_text()
    data = Dataset(("a",), (Case("x", 0, "p", np.ones((6, 8))),), notes=("Said of the data.",))
    assert xaimri.explain_cohort(model(), data, "saliency", out=tmp_path / "of data").notes == data.notes
    record = tmp_path / "run" / "cohort.json"
    older = json.loads(record.read_text())
    del older["notes"]
    record.write_text(json.dumps(older))
    assert open_cohort(tmp_path / "run").notes == ()
