"""A cohort is judged as `evaluate_explanations` judges the same maps, and goes on after a stop."""

import dataclasses
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.data import Case, Dataset, phantom
from xaimri.errors import Cancelled, InvalidInput, StorageFault
from xaimri.judging import Metric
from xaimri.metrics import deletion, max_sensitivity

pytest.importorskip("pyarrow")

SIZE = (26, 22)
MODEL = LinearClassifier.random((*SIZE, 1), classes=4, seed=0, patch=2)
METHODS = {"saliency": "saliency", "gradcam": "gradcam", "few": xaimri.LIME(samples=30, regions=6)}
SMOOTH = xaimri.IntegratedGradients(baseline=np.full((*SIZE, 1), 0.2), steps=3)
METRICS = ["deletion", "insertion", "relevance_mass", "sparseness", "seed_stability",
           Metric("twice", partial(max_sensitivity, samples=2), "lower",
                  ("classifier", "image", "target"), "explainer")]  # fmt: skip


def phantoms(count=8, scale=1):
    """Return cases of two slices a person, one without a mask and one that can't be read."""
    made = list(phantom.make(subjects=count, slices=2, size=SIZE, seed=1))
    cases = [
        dataclasses.replace(
            one,
            source=np.kron(np.asarray(one.source), np.ones((scale, scale))),
            mask=None if n == 3 else np.kron(np.asarray(one.mask), np.ones((scale, scale))) > 0,
        )
        for n, one in enumerate(made)
    ]
    cases[5] = dataclasses.replace(cases[5], source=np.full((4, 4), np.nan), mask=None)
    return Dataset(("a", "b", "c", "d"), tuple(cases))


def alike(found, expected, rel=1e-5):
    """See that two judgements are of the same values, failures, curves and means."""
    assert found.explainers == expected.explainers
    assert list(found.metrics) == list(expected.metrics)
    key = lambda row: (row.metric, row.explainer, row.case)  # noqa: E731
    for one, other in zip(sorted(found.rows, key=key), sorted(expected.rows, key=key), strict=True):
        assert one.value == pytest.approx(other.value, rel=rel, abs=1e-6, nan_ok=True), key(one)
        assert (one.failure, one.subject, one.target, one.against) == (
            other.failure, other.subject, other.target, other.against
        )  # fmt: skip
        assert key(one) == key(other)
    assert found.mask_effects.keys() == expected.mask_effects.keys()
    for case, effect in expected.mask_effects.items():
        if isinstance(effect, xaimri.Failure):
            assert found.mask_effects[case] == effect
        else:
            assert float(found.mask_effects[case]) == pytest.approx(float(effect), rel=1e-4, abs=1e-6)
    assert found.caveats == expected.caveats
    for one, other in zip(found.summary, expected.summary, strict=True):
        assert (one.cases, one.subjects, one.failures) == (other.cases, other.subjects, other.failures)
        assert one.estimate.value == pytest.approx(other.estimate.value, rel=1e-4, nan_ok=True)
        assert one.estimate.low == pytest.approx(other.estimate.low, rel=1e-3, abs=1e-6, nan_ok=True)


def test_every_value_is_that_of_the_judge_on_the_same_explanations(tmp_path):
    cases = phantoms()
    cohort = xaimri.explain_cohort(MODEL, cases, METHODS, out=tmp_path)
    found = cohort.judge(METRICS, model=MODEL, images=cases, resamples=200)
    expected = xaimri.evaluate_explanations(METHODS, MODEL, cases, METRICS, resamples=200)
    alike(found, expected)
    curves = cohort.judgement(["deletion"], resamples=50, curves=True).curves
    for key, listed in curves.items():
        for one, other in zip(listed, expected.curves[key], strict=True):
            np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5)
    assert "Erasing the mask" in str(found)


@pytest.mark.parametrize("maps", ["whole", "cells"])
def test_maps_of_larger_images_are_brought_back_to_the_network_s_grid(tmp_path, maps):
    cases = phantoms(scale=3)
    opened = xaimri.open_model(MODEL)
    methods = dict(METHODS) if maps == "whole" else {n: METHODS[n] for n in ("gradcam", "few")}
    cohort = xaimri.explain_cohort(opened, cases, methods, out=tmp_path, maps=maps)
    metrics = ["insertion", "relevance_mass", "entropy"]
    found = cohort.judge(metrics, model=opened, images=cases, resamples=50)
    alike(found, xaimri.evaluate_explanations(methods, opened, cases, metrics, resamples=50), rel=2e-4)


def test_of_smaller_images_the_maps_of_cells_are_the_network_s_own(tmp_path):
    opened = xaimri.open_model(LinearClassifier.random((30, 36, 1), classes=2, seed=0, patch=6))
    cases = [Case(f"c{n}", 0, f"p{n}", np.random.default_rng(n).random((20, 17))) for n in range(6)]
    metrics = ["deletion", "sparseness"]
    cohort = xaimri.explain_cohort(opened, Dataset(("x",), tuple(cases)), "hirescam", out=tmp_path)
    found = cohort.judge(metrics, model=opened, images=Dataset(("x",), tuple(cases)), resamples=50)
    alike(found, xaimri.evaluate_explanations("hirescam", opened, cases, metrics, resamples=50), rel=2e-4)


def files(tmp_path, count=70):
    """Return a folder's table of pictures and people."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["path,subject"]
    for n in range(count):
        image = np.random.default_rng(n).integers(0, 255, SIZE, np.uint8)
        Image.fromarray(image).save(folder / f"{n:02}.png")
        rows.append(f"{n:02}.png,p{n // 2}")
    (folder / "cases.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "cases.csv"


@pytest.fixture
def kept(tmp_path):
    return xaimri.explain_cohort(MODEL, files(tmp_path), ["saliency", "hirescam"], out=tmp_path / "run")


def stamps(folder):
    return {file: file.stat().st_mtime_ns for file in Path(folder).rglob("*.parquet")}


def test_a_stop_costs_no_judged_part_and_the_same_call_goes_on(kept, tmp_path):
    seen = []

    def stop(told):
        seen.append((told.done, told.total, told.failures))
        return False

    with pytest.raises(Cancelled, match="the same call goes on"):
        kept.judge(["sparseness", "deletion"], model=MODEL, progress=stop)
    assert seen == [(32, 70, 0)]
    part = open_cohort(tmp_path / "run").judgement(["sparseness"])
    assert len(part.rows) == 64
    assert part.notes == ("64 of 140 maps are judged: `judge` goes on.",)
    table = kept.table(["case", "sparseness"])
    assert table["sparseness"].null_count == 76
    before = stamps(tmp_path / "run")
    found = kept.judge(["sparseness", "deletion"], model=MODEL, resamples=50)
    after = stamps(tmp_path / "run")
    assert {file: after[file] for file in before} == before
    assert len(after) == len(before) + 4
    assert found.notes == ()
    kept.judge("sparseness", model=MODEL, progress=lambda _: pytest.fail("nothing is left to do"))
    values = found.values("saliency", "sparseness")
    shown = kept.filter(method="saliency").table(["case", "sparseness", "sparseness_failure"]).to_pylist()
    assert [row["sparseness"] for row in shown] == values.tolist()
    assert {row["sparseness_failure"] for row in shown} == {None}


def test_the_columns_stand_in_the_table_in_the_order_of_its_rows_and_more_can_be_added(kept):
    kept.judge("sparseness", model=MODEL)
    light = kept.table()
    assert light.column_names[-2:] == ["sparseness", "sparseness_failure"]
    assert light.schema.field("sparseness").metadata is None or light["sparseness"].null_count == 0
    again = kept.judge(["entropy"], model=MODEL)
    assert list(again.metrics) == ["entropy"]
    both = kept.judgement(resamples=50)
    assert list(both.metrics) == ["entropy", "sparseness"]
    backwards = kept.filter(method="hirescam").table(["entropy", "case"])
    assert backwards.column_names == ["entropy", "case"]
    values = dict(zip(both.cases, both.values("hirescam", "entropy"), strict=True))
    assert {row["case"]: row["entropy"] for row in backwards.to_pylist()} == values
    with pytest.raises(InvalidInput, match="was not judged by 'deletion' yet"):
        kept.judgement("deletion")
    with pytest.raises(InvalidInput, match="did you mean 'entropy'"):
        kept.table(["entropi"])
    few = kept.filter(subject="p3").judgement("entropy", resamples=50)
    assert few.cases == ("06.png", "07.png")


def test_what_the_files_hold_is_read_by_others(kept, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    from pyarrow import parquet

    from xaimri.cohort.judged import JUDGED

    found = kept.judge("sparseness", model=MODEL, resamples=50)
    table = parquet.read_table(tmp_path / "run" / "judgements" / "sparseness")
    assert {each.name: each.metadata[b"meaning"].decode() for each in table.schema} == JUDGED
    query = f"""select method, avg(value) from '{tmp_path}/run/rows/*.parquet'
        join '{tmp_path}/run/judgements/sparseness/*.parquet' using (case, method) group by method"""
    query = query.replace("(case, method)", '("case", method)')
    told = dict(duckdb.sql(query).fetchall())
    for name in ("saliency", "hirescam"):
        assert told[name] == pytest.approx(found.mean(name, "sparseness").estimate.value)


def test_the_manual_has_the_same_table():
    from xaimri.cohort.judged import JUDGED

    page = (Path(__file__).parents[2] / "docs" / "guide" / "cohorts.md").read_text(encoding="utf-8")
    part = page.partition("| what a metric's files hold |")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| (\w+) \| (.*) \|$", part, re.MULTILINE)) == JUDGED


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"model": LinearClassifier.random((*SIZE, 1), classes=4, seed=5)}, "gives other scores of `12.png`"),
        ({"model": LinearClassifier.random((*SIZE, 1), classes=3, seed=0)}, "the model's classes"),
        ({"window": (0, 9)}, "how images reach the model"),
        ({"metrics": partial(deletion, absent=0.5)}, "the setting `absent` (its default there, 0.5 here)"),
        ({"metrics": Metric("deletion", deletion, "higher", ("classifier",))}, "`better`"),
        ({"metrics": Metric("de/letion", deletion, "lower", ("classifier",))}, "can't be a column"),
        ({"metrics": Metric("target", deletion, "lower", ("classifier",))}, "can't be a column"),
        ({"metrics": "relevance_mass"}, "needs a region, and no case has a mask"),
        ({"images": {"00.png": np.zeros(SIZE)}}, "`images` has no entry for '01.png'"),
        ({"model": None}, "give the model"),
        ({"sampels": 3}, "sampels"),
    ],
)
def test_another_model_or_other_settings_are_refused_with_what_differs(kept, tmp_path, asked, told):
    kept.judge("deletion", model=MODEL, progress=lambda _: True)
    before = stamps(tmp_path / "run")
    with pytest.raises(InvalidInput) as refusal:
        kept.judge(
            **{"metrics": "deletion" if "model" not in asked else "insertion", "model": MODEL, **asked}
        )
    assert told in str(refusal.value)
    assert stamps(tmp_path / "run") == before


def test_whose_cases_they_are_must_be_known_and_all_rows_are_judged(tmp_path):
    given = {f"s{n}": np.random.default_rng(n).random(SIZE) for n in range(6)}
    cohort = xaimri.explain_cohort(MODEL, given, "saliency", out=tmp_path / "a")
    with pytest.raises(InvalidInput, match="6 of 6 cases have no subject"):
        cohort.judge("entropy", model=MODEL, images=given)
    with pytest.raises(InvalidInput, match="6 images were in memory: give them by `images`"):
        cohort.judge("entropy", model=MODEL, independent=True)
    assert not (tmp_path / "a" / "judgements").exists()
    with pytest.raises(InvalidInput, match="some of the rows"):
        cohort.filter(method="saliency").judge("entropy", model=MODEL, images=given, independent=True)
    assert len(cohort.judge("entropy", model=MODEL, images=given, independent=True).rows) == 6
    named = [Case(f"{n}", 0, "case 0" if n == 1 else None, image) for n, image in enumerate(given.values())]
    cohort = xaimri.explain_cohort(MODEL, named, "saliency", out=tmp_path / "c")
    found = cohort.judge("entropy", model=MODEL, images=named, independent=True)
    assert found.mean("saliency", "entropy").subjects == 6
    for file in (tmp_path / "c" / "rows").iterdir():
        file.unlink()
    with pytest.raises(InvalidInput, match="no rows yet: run it first"):  # as after a stop in the first part
        open_cohort(tmp_path / "c").judge("entropy", model=MODEL, images=named, independent=True)
    none = xaimri.explain_cohort(MODEL, given, "saliency", out=tmp_path / "b", maps="none")
    with pytest.raises(InvalidInput, match="no maps are kept"):
        none.judge("entropy", model=MODEL, images=given, independent=True)


def test_an_image_or_a_mask_that_changed_is_told(kept, tmp_path):
    data = tmp_path / "data"
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(data / "03.png")
    (data / "04.png").unlink()
    found = kept.judge("entropy", model=MODEL, resamples=50)
    failed = {row.case: row.failure for row in found.rows if row.failure is not None}
    assert {case: each.stage for case, each in failed.items()} == {"03.png": "read", "04.png": "read"}
    assert "another one than was explained" in failed["03.png"].sentence
    rows = kept.filter(subject="p1", method="saliency").table(["entropy", "entropy_failure"]).to_pylist()
    assert rows[1]["entropy"] is None
    assert "another one" in rows[1]["entropy_failure"]


def test_a_case_that_was_explained_anew_is_judged_anew(tmp_path):
    path = files(tmp_path, 40)
    mended = (tmp_path / "data" / "33.png").read_bytes()
    (tmp_path / "data" / "33.png").write_bytes(b"no image")
    asked = {"model": MODEL, "cases": path, "methods": ["saliency", "hirescam"], "out": tmp_path / "run"}
    xaimri.explain_cohort(**asked).judge("sparseness", model=MODEL, resamples=50)
    (tmp_path / "data" / "33.png").write_bytes(mended)
    cohort = xaimri.explain_cohort(**asked, retry_failed=True)
    assert cohort.table(["sparseness"])["sparseness"].null_count == 2
    assert cohort.judgement().notes == ("78 of 80 maps are judged: `judge` goes on.",)
    seen = []
    found = cohort.judge("sparseness", model=MODEL, progress=lambda told: seen.append(told.fresh))
    assert seen == [8]
    assert not found.failures
    assert cohort.table(["sparseness"])["sparseness"].null_count == 0


def test_other_masks_are_refused(tmp_path):
    cases = phantoms()
    cohort = xaimri.explain_cohort(MODEL, cases, "saliency", out=tmp_path)
    cohort.judge("relevance_mass", model=MODEL, images=cases)
    moved = [
        one if one.mask is None else dataclasses.replace(one, mask=np.roll(one.mask, 1, axis=0))
        for one in cases
    ]
    with pytest.raises(InvalidInput, match="is another one than it was judged by"):
        cohort.judge("relevance_mass", model=MODEL, images=Dataset(cases.classes, tuple(moved)))
    again = cohort.judge("relevance_mass", model=MODEL, images=cases)
    assert len(again.rows) == len(cases)


def test_an_object_store_is_judged_as_a_folder_is(tmp_path):
    pytest.importorskip("fsspec")
    given = {f"s{n}": np.random.default_rng(n).random(SIZE) for n in range(6)}
    asked = {"model": MODEL, "images": given, "independent": True, "resamples": 50}
    found = []
    for out in (tmp_path, f"memory://{tmp_path.name}/run"):
        cohort = xaimri.explain_cohort(MODEL, given, {"a": SMOOTH, "b": "saliency"}, out=out)
        cohort.judge("sparseness", **asked)
        again = open_cohort(out)
        again.judge(["sparseness", "entropy"], **asked)
        found.append((again.table(), again.explanation("s1", "a", image=given["s1"]).method_arrays))
    assert found[0][0].drop_columns("seconds") == found[1][0].drop_columns("seconds")
    assert found[0][1].keys() == found[1][1].keys() == SMOOTH.arrays().keys() != set()


def test_while_a_run_is_at_work_nobody_judges(kept):
    def again(_):
        with pytest.raises(StorageFault, match="another process or thread is writing"):
            kept.judge("entropy", model=MODEL)
        return False

    with pytest.raises(Cancelled):
        kept.judge("sparseness", model=MODEL, progress=again)


@pytest.mark.real
@pytest.mark.tensorflow
@pytest.mark.slow
def test_real_slices_by_a_real_network_get_the_judge_s_values_from_nine_cells_each(real, tmp_path):
    from xaimri.data import alzheimer

    cases = alzheimer.load(real / "data" / "alzheimer").take(list(range(0, 6400, 800)))
    model = xaimri.open_model(real / "models" / "resnet50_stages.keras")
    cohort = xaimri.explain_cohort(model, cases, "gradcam", out=tmp_path, maps="cells")
    assert {len(row["cells"]) for row in cohort.rows()} == {9}
    found = cohort.judge(["deletion", "sparseness"], independent=True, resamples=50)  # the model by its path
    expected = xaimri.evaluate_explanations(
        "gradcam", model, cases, ["deletion", "sparseness"], independent=True, resamples=50
    )
    for metric in found.metrics:
        values = found.values("gradcam", metric)
        np.testing.assert_allclose(values, expected.values("gradcam", metric), atol=1e-5)
    for case in cases:
        whole = xaimri.explain(model, case, "gradcam").values
        kept = cohort.explanation(case.id, "gradcam").values
        assert np.abs(kept - whole).max() <= 2e-6 * np.abs(whole).max()


def _of_length(maps):
    return [float(len(maps))] * len(maps)


def test_a_function_that_does_something_else_is_another_metric(kept):
    def metric(value):
        return Metric("own", lambda maps: [value] * len(maps), "higher")

    assert {
        row.value for row in kept.judge([metric(1.0)], model=MODEL, resamples=20).rows if row.value > 0
    } == {1}
    kept.judge([metric(1.0)], model=MODEL, resamples=20)
    with pytest.raises(InvalidInput, match="another 'own', which differs in what its function does"):
        kept.judge([metric(2.0)], model=MODEL, resamples=20)


class Scaled:
    """A metric that is an object."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, maps):
        return [self.factor * float(np.abs(one.values).max() > 0) for one in maps]


def test_an_object_that_measures_is_known_by_its_settings(kept):
    kept.judge([Metric("scaled", Scaled(2.0), "higher")], model=MODEL, resamples=20)
    kept.judge([Metric("scaled", Scaled(2.0), "higher")], model=MODEL, resamples=20)
    with pytest.raises(InvalidInput, match=r"the setting `factor` \(2.0 there, 3.0 here\)"):
        kept.judge([Metric("scaled", Scaled(3.0), "higher")], model=MODEL, resamples=20)


def test_a_metric_that_never_gave_a_value_leaves_no_column_and_may_be_mended(kept):
    with pytest.raises(InvalidInput, match="must give one value for each"):
        kept.judge([Metric("mended", lambda maps: 1.0, "higher")], model=MODEL, resamples=20)
    assert "mended" not in kept.table().column_names
    with pytest.raises(InvalidInput, match="not judged by 'mended' yet"):
        kept.judgement("mended")
    found = kept.judge([Metric("mended", _of_length, "lower")], model=MODEL, resamples=20)
    assert {row.metric for row in found.rows} == {"mended"}


def test_a_record_without_what_is_asked_is_damaged(kept):
    kept.judge(["sparseness"], model=MODEL, resamples=20)
    record = Path(kept.store.place.path, "judgements", "sparseness.json")
    record.write_text('{"version": 1}')
    with pytest.raises(InvalidInput, match=r"record judgements/sparseness.json in .* is damaged"):
        kept.judgement("sparseness")
