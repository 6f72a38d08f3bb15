"""A row gives the whole explanation back, field by field, whatever the method; so do cells and regions."""

import dataclasses

import numpy as np
import pytest

import xaimri
from xaimri import EXPLAINERS, LIME, Atlas, IntegratedGradients, LinearClassifier, SmoothGrad, storage
from xaimri.explainers import from_record
from xaimri.images import Picture

pytest.importorskip("pyarrow")

SHAPE = (8, 12, 1)
MODEL = LinearClassifier.random(SHAPE, classes=3, seed=0, patch=2)
REFERENCES = np.random.default_rng(9).random((3, *SHAPE)).astype(np.float32)
FEW = {
    "integrated_gradients": {"steps": 9, "baseline": REFERENCES[0]},
    "expected_gradients": {"samples": 9, "references": REFERENCES},
    "gradient_shap": {"samples": 9, "references": REFERENCES, "smoothing": 0.2},
    "smoothgrad": {"copies": 9, "inner": IntegratedGradients(baseline=REFERENCES[1], steps=5)},
    "vargrad": {"copies": 9},
    "lime": {"samples": 40, "regions": 6},
    "shap": {"samples": 40, "regions": 6},
    "partition_shap": {"samples": 40, "regions": 6},
    "occlusion": {"window": 3},
    "rise": {"samples": 9, "cells": 2},
}
METHODS = {name: kind(**FEW.get(name, {})) for name, kind in EXPLAINERS.items()}
CAMS = [name for name, method in METHODS.items() if method.family == "class activation map"]


def same(found, one, atol=1e-6):
    """See that two explanations are one, field by field."""
    for entry in dataclasses.fields(one):
        first, second = getattr(found, entry.name), getattr(one, entry.name)
        if entry.name == "regions":
            assert (first is None) is (second is None)
            if second is not None:
                np.testing.assert_array_equal(first.labels, second.labels)
                np.testing.assert_allclose(first.values, second.values, atol=atol)
                assert (first.errors is None) is (second.errors is None)
                if second.errors is not None:
                    np.testing.assert_allclose(first.errors, second.errors, atol=atol)
        elif entry.name == "method_arrays":
            assert first.keys() == second.keys()
            for name in second:
                np.testing.assert_array_equal(first[name], second[name])
                assert first[name].dtype == second[name].dtype
        elif entry.name in ("values", "errors", "image", "logits", "probabilities", "affine"):
            if second is None:
                assert first is None, entry.name
                continue
            np.testing.assert_allclose(first, second, atol=atol * max(1, np.nanmax(np.abs(second))),
                                       err_msg=entry.name)  # fmt: skip
        elif entry.name == "diagnostics":
            near(storage.plain(first), storage.plain(second))
        else:
            assert storage.plain(first) == storage.plain(second), entry.name


def near(first, second):
    """See that two trees of JSON are one, numbers to the rounding of single precision."""
    if isinstance(second, dict):
        assert first.keys() == second.keys()
        for name in second:
            near(first[name], second[name])
    elif isinstance(second, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            near(one, other)
    elif isinstance(second, float):
        assert first == pytest.approx(second, rel=1e-4, abs=1e-6)
    else:
        assert first == second


@pytest.mark.parametrize("space", [(8, 12), (13, 17), (5, 30)])
def test_every_method_s_explanation_comes_back_whole(tmp_path, space):
    given = {f"s{n}": np.random.default_rng(n).random(space).astype(np.float32) for n in range(3)}
    cohort = xaimri.explain_cohort(MODEL, given, METHODS, out=tmp_path / "run")
    for name, method in METHODS.items():
        for case, image in given.items():
            one = xaimri.explain(MODEL, image, method)
            found = cohort.explanation(case, name, image=image)
            same(found, one)
            assert from_record(found.method, found.method_arrays) == method


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_cells_give_the_whole_map_back_and_regions_theirs(tmp_path, precision):
    atol = 1e-6 if precision == "float32" else 6e-4
    sizes = {"same": (8, 12), "larger": (31, 45), "smaller": (5, 7), "both": (7, 40)}
    given = {name: np.random.default_rng(n).random(size) for n, (name, size) in enumerate(sizes.items())}
    few = {name: METHODS[name] for name in (*CAMS, "lime", "saliency")}
    for fit in ("stretch", "pad"):
        opened = xaimri.open_model(MODEL, fit=fit)
        out = tmp_path / fit
        cohort = xaimri.explain_cohort(opened, given, few, out=out, maps="cells", precision=precision)
        kept = {(row["case"], row["method"]): row for row in cohort.rows()}
        for name in CAMS:
            for case, image in given.items():
                one = xaimri.explain(opened, image, name)
                row = kept[case, name]
                assert row["map"] is None
                assert len(row["cells"]) == 24 == np.prod(one.diagnostics["cells"])
                same(cohort.explanation(case, name, image=image), one, atol)
        for case, image in given.items():
            same(cohort.explanation(case, "lime", image=image), opened.explain(image, METHODS["lime"]), 1e-5)
            with pytest.raises(xaimri.InvalidInput, match="was not kept"):
                cohort.explanation(case, "saliency", image=image)
            assert kept[case, "saliency"]["sums"] is not None
        assert len(cohort.mapped()) == len(given) * (len(few) - 1)


def test_cells_are_the_network_s_own(tmp_path):
    image = np.random.default_rng(0).random((8, 12)).astype(np.float32)
    cohort = xaimri.explain_cohort(MODEL, {"a": image}, "hirescam", out=tmp_path, maps="cells")
    (row,) = cohort.rows(["cells"])
    target = xaimri.explain(MODEL, image, "hirescam").target
    parts = (MODEL.weights[target, ..., 0] * image).reshape(4, 2, 6, 2).sum(axis=(1, 3))
    np.testing.assert_allclose(row["cells"].reshape(4, 6), parts, atol=1e-5)


def test_a_volume_s_cells_and_a_scan_of_slices_whose_maps_stay_whole(tmp_path):
    network = LinearClassifier.random((4, 6, 8, 1), classes=2, seed=0, patch=2)
    affine = np.diag([2.0, 2, 3, 1])
    scan = Picture(np.random.default_rng(0).random((9, 7, 12)), affine=affine)
    cohort = xaimri.explain_cohort(network, {"a": scan}, "gradcam", out=tmp_path / "v", maps="cells")
    same(cohort.explanation("a", image=scan), xaimri.explain(network, scan, "gradcam"))
    assert next(cohort.rows())["map"] is None
    sliced = xaimri.open_model(MODEL, slices="all")
    volume = np.random.default_rng(1).random((5, 8, 12))
    whole = xaimri.explain_cohort(
        sliced, {"a": volume}, ["gradcam", "saliency"], out=tmp_path / "s", maps="cells"
    )
    same(whole.explanation("a", "gradcam", image=volume), sliced.explain(volume, "gradcam"))
    assert [row["map"] is None for row in whole.rows()] == [False, True]


def test_each_scan_s_own_regions_of_an_atlas_come_back_with_their_labels(tmp_path):
    network = LinearClassifier.random((4, 6, 8, 1), classes=2, seed=0)
    affine = np.diag([2.0, 2, 3, 1])
    labels = np.zeros((9, 7, 12), int)
    labels[1:4, 1:4, 2:5], labels[5:8, 2:6, 4:11] = 3, 11
    atlas = Atlas.read(Picture(labels, affine=affine), {3: "front", 11: "back"}, same_space=True)
    method = LIME(regions=atlas, samples=40)
    given = {
        f"s{n}": Picture(np.random.default_rng(n).random((9, 7, 12)) + 1, affine=affine) for n in range(2)
    }
    for maps in ("whole", "regions"):
        cohort = xaimri.explain_cohort(network, given, {"own": method}, out=tmp_path / maps, maps=maps)
        for case, scan in given.items():
            found = cohort.explanation(case, "own", image=scan)
            same(found, xaimri.explain(network, scan, method), 1e-5)
            assert from_record(found.method, found.method_arrays).regions.array.shape == (4, 6, 8)
    records = cohort.table(["method_record"])["method_record"].to_pylist()
    assert None not in records


def test_arrays_of_all_cases_are_kept_once(tmp_path):
    method = SmoothGrad(inner=IntegratedGradients(baseline=REFERENCES[1], steps=5), copies=3)
    given = {f"s{n}": np.random.default_rng(n).random((8, 12)) for n in range(4)}
    cohort = xaimri.explain_cohort(MODEL, given, {"a": method, "b": "saliency"}, out=tmp_path)
    assert (
        cohort.table(["method_record", "method_arrays"]).to_pylist()
        == [{"method_record": None, "method_arrays": None}] * 8
    )
    assert list(cohort.store.arrays) == list(method.arrays())
    assert cohort.explanation("s1", "b", image=given["s1"]).method_arrays == {}
    again = xaimri.cohort.open(tmp_path)
    (tmp_path / "arrays.npz").write_bytes(b"PK")
    with pytest.raises(xaimri.InvalidInput, match=r"arrays.npz in .* is damaged"):
        again.explanation("s1", "a", image=given["s1"])
