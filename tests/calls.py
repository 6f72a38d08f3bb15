"""A valid call of every public function, class and method: what tests and the fuzzing vary.

Every parameter has a value here, so that each can be replaced by another one; `public` finds all there are.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, get_origin

import numpy as np
from PIL import Image as Pillow

import xaimri
from xaimri import LinearClassifier

FRAMEWORK = {
    "KerasClassifier", "clear_cache", "adapters.keras.SavedModel", "adapters.keras.load_model",
    "charts.network_diagram", "training.build_resnet50", "training.build_cnn3d", "data.phantom.anatomy",
    "training.load", "training.save", "training.train", "training.unfreeze", "training.reference_images",
    "KerasClassifier.with_inputs", "training.Recipe.length", "training.Recipe.rate", "training.Recipe",
    "training.Augmentation", "training.batches", "training.BatchedPart.on_epoch_begin",
    "training.BatchedPart.on_epoch_end",
    "experiment.train", "experiment.evaluate", "experiment.calibrate", "experiment.compare_models",
    "experiment.cross_validate", "experiment.explain_classes", "experiment.predict_cases",
    "experiment.representatives", "card.model_card",
}  # fmt: skip
"""What needs Keras, a journey with such a network, and the phantom that needs the template of nilearn."""

RESULTS = {
    "Failure", "metrics.AbsentSensitivity", "metrics.Cascade", "metrics.MaskEffect", "metrics.Curve",
    "evaluation.ClassFigures", "evaluation.ClassificationReport", "evaluation.Level",
    "evaluation.OperatingPoint", "evaluation.Threshold", "evaluation.Bin", "evaluation.Calibration",
    "experiment.CrossValidation", "experiment.CrossValidation.mean", "experiment.CrossValidation.save",
    "experiment.Explained", "experiment.Predicted",
    "evaluation.Reliability", "evaluation.DecisionCurve", "evaluation.Difference",
    "evaluation.PairedComparison", "evaluation.Population", "evaluation.Populations",
    "judging.Difference", "judging.Row", "judging.Summary", "Judgement", "Model", "training.TrainingResult",
    "training.BatchedPart",
    "Explanation", "Caveat", "training.Bundle", "adapters.Adapter", "Explainer", "evaluation.Estimate",
    "evaluation.Estimate.alone", "data.Split", "data.Stack", "Atlas", "atlas.RegionRow", "atlas.RegionTable",
    "Slices.axis", "cohort.ClassMean", "Slices.turn", "render.View", "render.View.open",
    "cohort.CohortRow", "cohort.RegionCohort", "cohort.Cohort", "cohort.Manifest", "cohort.Progress",
    "cohort.Manifest.differences", "cohort.Manifest.read", "cohort.Manifest.write",
    "SplitAudit", "ModelAudit", "ModelAudit.probed", "ModelAudit.rows", "ModelAudit.shared", "audit.Clusters",
    "audit.Controls", "audit.Effect", "audit.Intervention", "audit.MeanMap", "audit.Pair", "audit.Probe",
    "audit.Relevance", "audit.Share", "audit.Telltale", "audit.Telltale.row",
    "card.Card", "card.Card.reported", "card.Card.rows", "card.Card.save", "card.Card.to_html",
    "card.Card.to_markdown", "card.Checklist", "card.Checklist.items", "card.Item",
}  # fmt: skip
"""Records that the library makes, whose fields nobody gives by hand."""

PROTOCOL = {
    "attribute", "logits", "gradient", "feature_maps", "features", "readout", "randomised", "accelerated",
    "doubts", "checked", "explained", "tempered",
    "prepare", "trace", "needs", "arrays", "record", "accepts", "accepts_errors", "checkpoints", "carried",
    "of_package", "wrap", "interval", "ends", "estimate", "weights", "masks", "resolved", "check_call",
    "takes", "none", "to_dict", "of_header", "of_slices", "places", "combined", "joined", "along",
}  # fmt: skip
"""Methods that the library calls itself, with what it has checked."""

ROOMS_ASIDE = ("testing", "forked")
"""Tools for tests of one's own method or model, which fail by an AssertionError."""

VOID = {"Cancelled", "InvalidInput", "MissingCapability", "MissingExtra", "StorageFault", "UnusableImage",
        "XaimriError", "Classifier"}  # fmt: skip
"""Errors, and a protocol."""


@dataclass(frozen=True)
class Call:
    """A function with valid arguments, by name; ``more`` are options that go by ``**options``."""

    function: Callable[..., Any]
    arguments: dict[str, Any]

    def given(self, **changed: Any) -> Any:
        """Call the function with some arguments changed."""
        values = {**self.arguments, **changed}
        kinds = signature(self.function)
        placed = [
            name for name, each in kinds.items() if name in values and each.kind is each.POSITIONAL_ONLY
        ]
        first = [values.pop(name) for name in placed]
        return self.function(*first, **values)


FREE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@cache
def signature(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function by name; those that hold explanations are given by position."""
    found = dict(inspect.signature(function).parameters)
    if next(iter(found), "") == "explanations" and hasattr(function, "__wrapped__"):
        found["explanations"] = found["explanations"].replace(kind=inspect.Parameter.POSITIONAL_ONLY)
    return found


def rooms() -> Iterator[tuple[str, Any]]:
    """Yield every module that lists its public names, the nearest to the top first."""
    yield "", xaimri
    named = sorted(each.name for each in pkgutil.walk_packages(xaimri.__path__, "xaimri.") if each.ispkg)
    for name in named:
        module = importlib.import_module(name)
        if hasattr(module, "__all__") and not name.removeprefix("xaimri.").startswith(ROOMS_ASIDE):
            yield f"{name.removeprefix('xaimri.')}.", module


def public() -> dict[str, Any]:
    """Return every public callable by name: functions, classes, and the methods of classes."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for prefix, module in rooms():
        for name in module.__all__:
            each = getattr(module, name)
            if not callable(each) or get_origin(each) or id(each) in seen or name in VOID:
                continue
            seen.add(id(each))
            found[f"{prefix}{name}"] = each
            if inspect.isclass(each):
                for method, function in inspect.getmembers(each, callable):
                    plain = getattr(function, "__func__", function)
                    own = str(getattr(plain, "__module__", "")).startswith("xaimri")
                    if method.startswith("_") or method in PROTOCOL or not own or id(plain) in seen:
                        continue
                    seen.add(id(plain))
                    found[f"{prefix}{name}.{method}"] = function
    return {name: each for name, each in found.items() if name not in RESULTS}


SIZE = (10, 12)
QUICK: dict[str, Any] = {"samples": 12, "regions": 4}


@cache
def world(folder: Path) -> dict[str, Any]:
    """Return what calls are made of: a model, images, maps of them, data, a judgement and a report."""
    from xaimri.data import attach_masks, phantom, read_folder, split
    from xaimri.evaluation import evaluate

    random = np.random.default_rng(0)
    model = LinearClassifier.random((*SIZE, 1), classes=3, seed=0, patch=2)
    image = random.random((*SIZE, 1)).astype(np.float32) + 0.5
    images = [image, image[::-1].copy()]
    for kind in ("a", "b"):
        (folder / "scans" / kind).mkdir(parents=True, exist_ok=True)
        (folder / "masks" / kind).mkdir(parents=True, exist_ok=True)
        for number in range(4):
            pixels = (random.random(SIZE) * 255).astype(np.uint8)
            Pillow.fromarray(pixels).save(folder / "scans" / kind / f"{kind}{number}_1.png")
            mask = np.zeros(SIZE, np.uint8)
            mask[2:5, 3:7] = 255
            Pillow.fromarray(mask).save(folder / "masks" / kind / f"{kind}{number}_1.png")
    cases = phantom.make(subjects=8, slices=1, size=(26, 22))
    fitting = LinearClassifier.random((26, 22, 1), classes=4, seed=1)
    maps = xaimri.Saliency(signed=True).explain(model, np.stack(images))
    lime = xaimri.explain(model, image, "lime", **QUICK)
    (volume,) = xaimri.Saliency().explain(
        LinearClassifier.random((6, 7, 8, 1)), random.random((1, 6, 7, 8, 1))
    )
    judged = xaimri.evaluate_explanations(
        ["saliency", "input_x_gradient"], fitting, cases, ["deletion", "entropy"]
    )
    truth = np.arange(24) % 3
    report = evaluate(random.dirichlet(np.ones(3), 24), truth, [f"s{n}" for n in range(24)])
    region = np.zeros(SIZE, bool)
    region[2:5, 3:7] = True
    stored = xaimri.explain(model, image, "saliency").store(folder / "stored")
    scans = attach_masks(read_folder(folder / "scans", subject=r"(?P<subject>\w\d)_"), folder / "masks")
    return {
        "folder": folder, "model": model, "image": image, "images": images, "cases": cases, "scans": scans,
        "fitting": fitting, "maps": list(maps), "lime": lime, "volume": volume,
        "placed": replace(maps[0], affine=np.eye(4)),
        "judged": judged, "report": report,
        "labels": np.arange(120).reshape(SIZE) % 3,
        "region": region, "stored": stored, "truth": truth, "split": split(cases, 0.3, 0.3),
        "opened": xaimri.open_model(model), "explained": xaimri.explain_all(model, images, "saliency"),
        "compared": xaimri.compare(model, image, ["saliency", "gradcam"]),
        "function": partial(_answers, model),
    }  # fmt: skip


def _answers(model: LinearClassifier, images: Any) -> Any:
    scores = np.exp(model.logits(np.asarray(images, np.float32)))
    return scores / scores.sum(axis=1, keepdims=True)


def calls(folder: Path) -> dict[str, Call]:
    """Return a valid call of every public function."""
    of = world(folder)
    found = {
        **_front(of),
        **_objects(of),
        **_atlases(of),
        **_methods(of),
        **_metrics(of),
        **_data(of),
        **_drawing(of),
    }
    everything = public()
    return {
        name: each if isinstance(each, Call) else Call(everything[name], each) for name, each in found.items()
    }


ASKED = {"target": None, "of": None, "against": None}


def _front(of: dict[str, Any]) -> dict[str, Any]:
    """The calls of the package itself, and of an open model."""
    one = {"image": of["image"], **ASKED, "progress": False}
    several = {"images": of["images"], **ASKED, "inputs": None, "progress": False}
    openings: dict[str, Any] = dict.fromkeys(
        ("classes", "preprocess", "outputs", "unit", "output", "inputs", "engine", "fit", "window", "layout",
         "slices")
    )  # fmt: skip
    judging = {
        "cases": of["cases"].cases[:4], "metrics": ["deletion"], "target": "predicted", "of": None,
        "against": None,
        "independent": False, "confidence": 0.9, "resamples": 100, "seed": 0, "progress": False,
    }  # fmt: skip
    opened = of["opened"]
    fitting = xaimri.open_model(of["fitting"])
    return {
        "explain": {"model": of["function"], "method": "lime", **one, **QUICK, "classes": ["a", "b", "c"],
                    "window": None, "preprocess": None, "layout": None, "fit": "stretch"},
        "explain_all": {"model": of["model"], "method": "gradcam", "layer": None, **several},
        "compare": {"model": of["model"], "methods": ["saliency", "lime"], **one, **QUICK},
        "evaluate_explanations": {"methods": ["saliency"], "model": of["fitting"], **judging},
        "trustworthiness": {"methods": ["saliency"], "model": of["fitting"], "cases": of["cases"].cases[:4],
                            "retrained": of["fitting"], "other": of["fitting"], "by": "ssim",
                            "target": "predicted", "seed": 0},
        "open_model": {"model": of["function"], **openings},
        "load": {"folder": of["stored"]},
        "absent_sensitivity": {"explainer": xaimri.LIME(**QUICK), "classifier": of["model"],
                               "image": of["image"], "choices": ("mean", 0.0), **ASKED},
        "Model.explain": Call(opened.explain, {"method": "lime", **one, **QUICK}),
        "Model.explain_all": Call(opened.explain_all, {"method": "saliency", **several}),
        "Model.compare": Call(opened.compare, {"methods": ["saliency", "gradcam"], **one}),
        "nearest_cases": {"model": fitting, "images": of["images"], "training": of["cases"], "subjects": None,
                          "k": 2, "distance": "euclidean", "progress": False},
        "Model.predict": Call(opened.predict, {"images": of["images"]}),
        "Model.judge": Call(fitting.judge, {"methods": ["saliency"], **judging}),
        "Model.with_inputs": Call(opened.with_inputs, {"inputs": None}),
        "adapters.as_classifier": {"model": of["function"], "classes": None, "outputs": None},
        "adapters.is_preset": {"path": of["folder"]},
        "adapters.is_saved_model": {"path": of["folder"]},
        "FunctionClassifier": {"function": of["function"], "classes": ["a", "b", "c"], "preprocess": None,
                               "outputs": "auto", "input_shape": (*SIZE, 1)},
        "LinearClassifier": {"weights": np.ones((2, 4, 6, 1)), "bias": [0.0, 1.0], "patch": 2,
                             "classes": ["a", "b"]},
        "LinearClassifier.random": {"shape": (4, 6, 1), "classes": 2, "seed": 0, "patch": 1},
    }  # fmt: skip


def _kept(of: dict[str, Any]) -> dict[str, Any]:
    """Return what is done with a cohort that is kept."""
    folder = of["folder"] / "a cohort"
    asked = {"model": of["model"], "cases": {"one": of["image"]}, "methods": ["saliency"], "out": folder,
             "target": "predicted", "of": "logit", "against": None, "maps": "whole",
             "precision": "float32", "engine": "local", "progress": None}  # fmt: skip
    made = xaimri.explain_cohort(**asked)
    judging = {"metrics": "entropy", "model": of["model"], "images": {"one": of["image"]},
               "independent": True, "confidence": 0.9, "resamples": 50, "seed": 0}  # fmt: skip
    made.judge(**judging)
    return {
        "explain_cohort": asked,
        "report": {"source": made, "path": of["folder"] / "report.html", "model": None, "training": None,
                   "evaluation": None, "split_audit": None, "model_audit": None, "answers": None,
                   "atlas": None, "names": None, "independent": True, "neighbours": 2, "width": 64,
                   "quality": 50, "title": "A report", "progress": False},
        "cohort.RayEngine": {"workers": 2, "threads": 1, "gpus": 0.5, "address": "auto",
                             "shared_files": True},
        "cohort.open": {"folder": folder},
        "cohort.Cohort.table": Call(made.table, {"columns": ["case"]}),
        "cohort.Cohort.filter": Call(made.filter, {"method": "saliency", "failed": False, "label": None,
                                                   "subject": None, "expression": None}),
        "cohort.Cohort.explanation": Call(made.explanation, {"case": "one", "method": "saliency",
                                                             "image": of["image"]}),
        "cohort.Cohort.explanations": Call(made.explanations, {}),
        "cohort.Cohort.class_means": Call(
            made.class_means, {"method": "saliency", "by": "target", "independent": True}
        ),
        "cohort.Cohort.judge": Call(made.judge, {**judging, "progress": None}),
        "cohort.Cohort.mapped": Call(made.mapped, {}),
        "cohort.Cohort.still": Call(made.still, {}),
        "cohort.Cohort.judgement": Call(made.judgement, {"metrics": "entropy", "independent": True,
                                                         "confidence": 0.9, "resamples": 50, "seed": 0,
                                                         "curves": False}),
        "cohort.Cohort.regions": Call(made.regions, {
            "atlas": np.ones(made.table(["map_shape"])["map_shape"][0].as_py(), int), "names": None,
            "method": "saliency", "amount": "enrichment", "same_space": False,
            "images": {"one": of["image"]}, "independent": True, "confidence": 0.9, "resamples": 20,
            "flips": 20, "seed": 0,
        }),
        "cohort.Cohort.rows": Call(made.rows, {"columns": ["case"]}),
        "cohort.Cohort.export": Call(made.export, {"folder": of["folder"] / "exported", "form": "csv"}),
    }  # fmt: skip


def _audits(of: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a split and of a network, and how sure a network is."""
    split, folder, fitting, cases = of["split"], of["folder"], of["fitting"], of["cases"]
    two = xaimri.audit_split(split.train, split.test)
    one = xaimri.audit_model(fitting, cases, interventions=["blurred"], maps=4)
    people = [f"s{n}" for n in range(24)]
    logits = np.eye(3)[of["truth"]] + np.random.default_rng(3).normal(size=(24, 3))
    weights = LinearClassifier.random((26, 22, 1), classes=4, seed=2).weights
    unsure = xaimri.open_model(LinearClassifier(weights, classes=cases.classes))
    return {
        "audit_split": {"train": split.train, "test": split.test, "resamples": 50, "confidence": 0.9,
                        "seed": 0},
        "audit_model": {"model": fitting, "cases": cases, "interventions": ["blurred"], "probes": True,
                        "covariates": None, "method": "gradcam", "maps": 4, "independent": False,
                        "confidence": 0.9, "resamples": 50, "seed": 0, "progress": False},
        "SplitAudit.save": Call(two.save, {"path": folder / "split.json"}),
        "SplitAudit.counts": Call(two.counts, {}),
        "ModelAudit.save": Call(one.save, {"path": folder / "network.json"}),
        "Model.calibrated": Call(unsure.calibrated, {"cases": cases, "independent": False}),
        "evaluation.temperature_scaling": {"logits": logits, "truth": of["truth"], "subjects": people,
                                           "classes": ["a", "b", "c"], "independent": False},
    }  # fmt: skip


def _objects(of: dict[str, Any]) -> dict[str, Any]:
    """What explanations, judgements and reports do."""
    one, several, judged = of["lime"], of["explained"], of["judged"]
    panel = {"scale": None, "plane": None, "k": 2, "fade": True, "colourbar": True, "title": "map"}
    names = {"explainer": "saliency", "metric": "deletion"}
    split, cases, folder = of["split"], of["cases"], of["folder"]
    compared = of["compared"]
    return {
        "Explanation.figure": Call(one.figure, {"style": "side_by_side", **panel}),
        "Explanation.plot": Call(one.plot, {"ax": None, "style": "superpixels", **panel}),
        "Explanation.save": Call(one.save, {"path": folder / "m.png", "style": "overlay", "dpi": 30}),
        "Explanation.show": Call(one.show, {"style": "overlay"}),
        "Explanation.view": Call(one.view, {"window": None, "limit": None, "heading": "a.png"}),
        "Explanation.to_nifti": Call(of["placed"].to_nifti, {"path": folder / "map.nii"}),
        "Explanation.to_dicom": _dicom(folder),
        "Explanation.by_region": Call(one.by_region, {"atlas": of["labels"], "names": {1: "one"},
                                                      "same_space": False, "affine_to_scan": None}),
        "Explanation.store": Call(one.store, {"folder": folder / "once more"}),
        "Explanations": {"explanations": {"a": of["maps"][0]}, "failures": None, "notes": ()},
        "Explanations.of": Call(several.of, {"name": "0"}),
        "Explanations.figure": Call(several.figure, {"style": "overlay", "columns": 2, "fade": True}),
        "Explanations.save": Call(several.save, {"folder": folder / "all", "style": "overlay", "dpi": 30}),
        "Explanations.to_csv": Call(several.to_csv, {"path": folder / "t.csv"}),
        "Explanations.to_rows": Call(several.to_rows, {}),
        "Explanations.items": Call(several.items, {}),
        "Comparison": {"explanations": of["maps"]},
        "Comparison.figure": Call(compared.figure, {"style": "overlay", "columns": 2, "fade": True}),
        "Comparison.save": Call(compared.save, {"path": folder / "c.png", "dpi": 30}),
        "Comparison.show": Call(compared.show, {"style": "overlay"}),
        "Judgement.difference": Call(
            judged.difference, {"first": "saliency", "second": "input_x_gradient", "metric": "deletion"}
        ),
        "Judgement.mean": Call(judged.mean, names),
        "Judgement.values": Call(judged.values, names),
        "Judgement.save": Call(judged.save, {"path": folder / "j.csv"}),
        "Judgement.to_rows": Call(judged.to_rows, {}),
        "Judgement.words": Call(judged.words, {}),
        "evaluation.evaluate": {"probabilities": np.eye(3)[of["truth"]] * 0.4 + 0.2, "truth": of["truth"],
                                "subjects": [f"s{n}" for n in range(24)], "classes": ["a", "b", "c"],
                                "independent": False, "confidence": 0.9},
        "evaluation.threshold_for": {"probabilities": np.eye(3)[of["truth"]] * 0.4 + 0.2,
                                     "truth": of["truth"], "positive": 1, "sensitivity": 0.9,
                                     "subjects": [f"s{n}" for n in range(24)], "classes": ["a", "b", "c"],
                                     "level": "slice", "independent": False},
        "evaluation.operating_point": {"probabilities": np.eye(3)[of["truth"]] * 0.4 + 0.2,
                                       "truth": of["truth"], "positive": 1, "threshold": 0.5,
                                       "subjects": [f"s{n}" for n in range(24)], "classes": ["a", "b", "c"],
                                       "level": "slice", "independent": False, "confidence": 0.9},
        "evaluation.calibration": {"probabilities": np.eye(3)[of["truth"]] * 0.4 + 0.2, "truth": of["truth"],
                                   "subjects": [f"s{n}" for n in range(24)], "classes": ["a", "b", "c"],
                                   "level": "slice", "bins": 3, "independent": False,
                                   "confidence": 0.9},
        "evaluation.compare_predictions": {"a": np.eye(3)[of["truth"]] * 0.4 + 0.2,
                                           "b": np.full((24, 3), 1 / 3), "truth": of["truth"],
                                           "subjects": [f"s{n}" for n in range(24)],
                                           "classes": ["a", "b", "c"], "level": "slice",
                                           "independent": False, "permutations": 20, "confidence": 0.9,
                                           "seed": 0},
        "evaluation.decision_curve": {"probabilities": np.eye(3)[of["truth"]] * 0.4 + 0.2,
                                      "truth": of["truth"], "positive": 1,
                                      "subjects": [f"s{n}" for n in range(24)], "classes": ["a", "b", "c"],
                                      "thresholds": [0.2, 0.5], "prevalence": 0.1, "level": "slice",
                                      "independent": False, "confidence": 0.9},
        "evaluation.side_by_side": {"reports": {"one": of["report"], "two": of["report"]},
                                    "level": "slice"},
        "evaluation.PairedComparison.save": Call(_paired(of).save, {"path": folder / "p.json"}),
        "evaluation.Bootstrap": {"resamples": 100, "confidence": 0.9, "seed": 0},
        "evaluation.ClassificationReport.level": Call(of["report"].level, {"name": "slice"}),
        "evaluation.ClassificationReport.save": Call(of["report"].save, {"path": folder / "r.json"}),
        "data.Split.part": Call(split.part, {"name": "train"}),
        "data.Split.part_of": Call(split.part_of, {"case_id": cases.cases[0].id}),
        "data.Split.parts": Call(split.parts, {}),
        "data.Split.describe": Call(split.describe, {}),
        "data.Split.from_record": Call(type(split).from_record, {"record": split.record(), "dataset": cases}),
        "data.Dataset.describe": Call(cases.describe, {}),
        "data.Dataset.find": Call(cases.find, {"case_id": cases.cases[0].id}),
        "data.Dataset.covariate": Call(
            replace(cases, cases=tuple(replace(c, covariates={"age": 1.0}) for c in cases)).covariate,
            {"name": "age"},
        ),
        "data.Dataset.take": Call(cases.take, {"indices": [0, 2]}),
        "data.Dataset.with_classes": Call(cases.with_classes, {"classes": list(reversed(cases.classes))}),
        "data.Dataset.with_shuffled_labels": Call(cases.with_shuffled_labels, {"seed": 0}),
    }  # fmt: skip


def _atlases(of: dict[str, Any]) -> dict[str, Any]:
    """What atlases and tables of their regions do."""
    atlas, table = xaimri.Atlas.read(of["labels"]), of["lime"].by_region(of["labels"])
    placed = xaimri.Atlas.read(xaimri.images.Picture(np.ones((3, 4, 5), int), affine=np.eye(4)))
    maps = [of["lime"], *xaimri.explain_all(of["model"], of["images"], "lime", **QUICK)]
    cohort = xaimri.by_region(maps, of["labels"], independent=True, resamples=20, flips=20)
    reading = {"names": {1: "one"}, "same_space": False, "affine_to_scan": None}
    return {
        "Atlas.read": Call(placed.read, {"source": placed, **reading}),
        "Atlas.from_record": Call(atlas.from_record, {"record": atlas.record(), "arrays": atlas.arrays()}),
        "Atlas.name_of": Call(atlas.name_of, {"label": 1}),
        "Atlas.slice_of": Call(placed.slice_of, {"labels": np.ones((3, 4), int)}),
        "Atlas.on": Call(placed.on, {"space": (3, 4, 5), "affine": np.eye(4), "grid": None}),
        "Atlas.shares_within": Call(placed.shares_within, {"space": (3, 4, 5), "affine": np.eye(4)}),
        "atlas.RegionTable.of": Call(table.of, {"region": 1}),
        "atlas.RegionTable.save": Call(table.save, {"path": of["folder"] / "regions.csv"}),
        "atlas.RegionTable.to_rows": Call(table.to_rows, {}),
        "by_region": {
            "explanations": maps,
            "atlas": of["labels"],
            "names": {1: "one"},
            "subjects": ["a", "b", "c"],
            "amount": "mean",
            "independent": False,
            "same_space": False,
            "confidence": 0.9,
            "resamples": 20,
            "flips": 20,
            "seed": 0,
        },
        "cohort.RegionCohort.of": Call(cohort.of, {"region": 1}),
        "cohort.RegionCohort.save": Call(cohort.save, {"path": of["folder"] / "cohort.csv"}),
        "cohort.RegionCohort.to_rows": Call(cohort.to_rows, {}),
        **_kept(of),
        **_audits(of),
        "evaluation.sign_flip_test": {"values": cohort.values, "null": 1.0, "flips": 20, "seed": 0},
        "atlas.names_of": {"given": {1: "one"}},
    }


def _methods(of: dict[str, Any]) -> dict[str, Any]:
    """The methods with all their settings, and what every method can do."""
    absent = {"absent": "auto", "seed": 0}
    cut = {**QUICK, **absent, "shape": "superpixels", "compactness": 0.2}
    references = np.stack(of["images"])
    saliency = xaimri.Saliency()
    noisy = {"inner": "saliency", "noise": 0.1, "copies": 2, "seed": 0}
    made: dict[str, dict[str, Any]] = {
        "GradCAM": {"layer": None, "relu": True},
        "GradCAMPlusPlus": {"layer": None, "relu": True},
        "HiResCAM": {"layer": "patches", "relu": False},
        "LayerCAM": {"layer": None, "relu": True},
        "ScoreCAM": {"layer": None, "relu": True, "features": 2},
        "EigenCAM": {"layer": None, "relu": False},
        "Saliency": {"signed": False},
        "InputXGradient": {},
        "IntegratedGradients": {"baseline": 0.0, "steps": 4, "most": 8, "tolerance": 0.01},
        "ExpectedGradients": {"references": references, "samples": 4, "seed": 0},
        "GradientSHAP": {"references": references, "samples": 4, "smoothing": 0.0, "seed": 0},
        "SmoothGrad": noisy,
        "VarGrad": noisy,
        "LIME": {**cut, "adjust": False, "sampling": "halves", "features": 10, "selection": "auto",
                 "kernel": "exponential", "distance": "cosine", "kernel_width": 0.25},
        "SHAP": {**cut, "exact": 4, "adjust": True},
        "PartitionSHAP": cut,
        "Occlusion": {"window": 4, "stride": 4, "regions": None, **absent},
        "RISE": {"samples": 8, "cells": 3, "keep": 0.5, "centred": False, **absent},
    }  # fmt: skip

    def runs(name: str) -> Callable[..., Any]:
        def run(**settings: Any) -> Any:
            return getattr(xaimri, name)(**settings).explain(of["model"], of["image"][None])

        run.__signature__ = inspect.signature(getattr(xaimri, name))  # type: ignore[attr-defined]
        return run

    return {
        **{name: Call(runs(name), settings) for name, settings in made.items()},
        "Auto": {"by": "order", "top": 2, "tolerance": 0.1, "confidence": 0.9, "floor": 30, "ceiling": 40},
        "Slices": {"which": "all", "every": 2, "plane": None, "view": "array", "combine": "mean"},
        "Slices.describe": Call(xaimri.Slices("brain").describe, {}),
        "Window": {"low": 0.0, "high": 1.0, "percentile": False, "top": 255.0, "inside": "image"}
        | {"header": False},
        "Window.apply": Call(xaimri.Window(0, 1).apply, {"image": of["image"]}),
        "Window.parts": Call(xaimri.Window(0, 1).parts, {"image": of["image"]}),
        "Window.misses": Call(xaimri.Window(0, 1).misses, {"image": of["image"]}),
        "Window.describe": Call(xaimri.Window(0, 1).describe, {}),
        "Explainer.explain": Call(
            saliency.explain,
            {"model": of["model"], "images": of["image"][None], "targets": [0], "of": "logit", "against": 1},
        ),
        "Explainer.from_record": Call(
            saliency.from_record, {"record": saliency.record(), "arrays": saliency.arrays()}
        ),
        "judging.Mutant": {"inner": "saliency", "mutation": "negated", "shuffle": 0},
        "judging.Metric": {"name": "mine", "function": _mine, "better": "higher", "needs": (),
                           "measures": "maps", "chance": "0", "sees": ()},
        "judging.as_metric": {"metric": "road"},
        "judging.unrelated_similarity": {"explanations": of["maps"], "by": "ssim"},
    }  # fmt: skip


def _paired(of: dict[str, Any]) -> Any:
    from xaimri.evaluation import compare_predictions

    names = [f"s{n}" for n in range(24)]
    p = np.eye(3)[of["truth"]] * 0.4 + 0.2
    return compare_predictions(p, p, of["truth"], names, permutations=10)


def _decision(of: dict[str, Any]) -> Any:
    from xaimri.evaluation import decision_curve

    names = [f"s{n}" for n in range(24)]
    return decision_curve(np.eye(3)[of["truth"]] * 0.4 + 0.2, of["truth"], 1, names, thresholds=[0.2, 0.5])


def _calibration(of: dict[str, Any]) -> Any:
    from xaimri.evaluation import calibration

    names = [f"s{n}" for n in range(24)]
    return calibration(np.eye(3)[of["truth"]] * 0.4 + 0.2, of["truth"], names)


def _mine(explanations: Any) -> Any:
    return np.zeros(len(explanations))


def _metrics(of: dict[str, Any]) -> dict[str, Any]:
    """The metrics, on two maps."""
    maps, model, image = of["maps"], of["model"], of["image"]
    asks = {"explanations": maps, "classifier": model}
    hides = {**asks, "absent": 0.0, "seed": 0}
    lies = {"explanations": maps, "region": of["region"], "within": None}
    again = {"explainer": "saliency", "classifier": model, "image": image, **ASKED}
    curve = {**hides, "steps": 3, "regions": None, "of": None}
    found = {
        "auprc": lies,
        "average_drop": hides,
        "average_increase": hides,
        "completeness_gap": {**hides, "of": None},
        "deletion": curve,
        "insertion": curve,
        "dice": {**lies, "fraction": None},
        "iou": {**lies, "fraction": 0.2},
        "entropy": {"explanations": maps},
        "sparseness": {"explanations": maps},
        "faithfulness_correlation": {**hides, "samples": 6, "share": 0.2, "regions": None, "of": None},
        "infidelity": {**hides, "samples": 6, "side": 0.3, "normalised": True, "of": None},
        "sensitivity_n": {**hides, "samples": 6, "sizes": (0.1, 0.5), "regions": None, "of": None},
        "impute": {"image": image, "removed": of["region"], "noise": 0.0, "seed": 0},
        "label_randomisation": {**again, "control": model, "by": "ssim"},
        "mask_effect": {**hides, "region": of["region"], "of": None},
        "max_sensitivity": {**again, "radius": 0.02, "samples": 2, "seed": 0},
        "mover_similarity": {**lies, "cells": 4},
        "pointing_game": {**lies, "tolerance": 0.0},
        "randomisation": {**again, "order": "cascading", "steps": 1, "by": "ssim", "seed": 0},
        "relevance_mass": lies,
        "relevance_rank": lies,
        "repeatability": {**again, "other": model, "by": "ssim"},
        "road": {**asks, "fractions": (0.2, 0.5), "noise": 0.01, "of": None, "seed": 0},
        "seed_stability": {**again, "explainer": xaimri.LIME(**QUICK), "seeds": (0, 1), "by": "spearman"},
        "similarity": {"one": maps[0].values, "other": maps[1].values, "by": "ssim"},
    }
    return {f"metrics.{name}": each for name, each in found.items()}


def _bids(folder: Path) -> Path:
    """Write a BIDS folder of four subjects without a voxel."""
    home = folder / "bids"
    for number in range(4):
        (home / f"sub-{number}" / "anat").mkdir(parents=True, exist_ok=True)
        (home / f"sub-{number}" / "anat" / f"sub-{number}_T1w.nii").touch()
    rows = [f"sub-{number}\t{'ab'[number % 2]}" for number in range(4)]
    (home / "participants.tsv").write_text("\n".join(["participant_id\tgroup", *rows]))
    return home


def _data(of: dict[str, Any]) -> dict[str, Any]:
    """Reading and splitting."""
    from xaimri.data import phantom, write_split, write_subjects

    cases, folder, image = of["cases"], of["folder"], of["image"]
    random = np.random.default_rng(1)
    loader = [(random.random((2, *SIZE, 1)).astype(np.float32), np.array([0, 1])) for _ in range(2)]
    cutting = {"dataset": cases, "validation": 0.3, "seed": 0, "groups": None, "independent": False,
               "copies": "refuse"}  # fmt: skip
    stacking = {"dataset": cases.take([0, 1]), "space": (13, 11), "channels": 1, "fit": "stretch",
                "window": None, "layout": None}  # fmt: skip
    return {
        "data.Case": {"id": "a", "label": 0, "subject": "s", "source": image, "slice": None, "mask": None,
                      "covariates": {"age": 71.0}},
        "data.subjects_from_pixels": {"dataset": of["scans"], "join_unsure": False},
        "data.write_subjects": {"dataset": of["scans"], "path": folder / "subjects.csv"},
        "data.with_subjects": {"dataset": of["scans"],
                               "path": write_subjects(of["scans"], folder / "who.csv")},
        "data.write_split": {"split": of["split"], "path": folder / "split of all.json"},
        "data.read_split": {"path": write_split(of["split"], folder / "the split.json")},
        "data.join_slices": {"dataset": phantom.make(subjects=2, slices=2, size=(18, 16))},
        "images.SliceStack": {"slices": [image, image]},
        "data.Dataset": {"classes": cases.classes, "cases": cases.cases, "no_split": None, "origin": None,
                         "notes": ()},
        "data.attach_masks": {"dataset": of["scans"], "folder": folder / "masks"},
        "data.folds": {**cutting, "k": 2, "validation": 0.0},
        "data.split": {**cutting, "test": 0.3},
        "data.load_images": stacking,
        "data.stack_images": stacking,
        "data.read_folder": {"path": folder / "scans", "subject": None, "classes": None, "masks": None,
                             "series": False, "patient_key": None},
        "data.read_bids": {"path": _bids(folder), "label": "group", "suffix": "T1w", "classes": None,
                           "table": "participants", "entities": None, "repeats": "refuse"},
        "data.read_loader": {"loader": loader, "classes": ["a", "b"], "subject": None, "axes": 3},
        "data.remake": {"origin": cases.origin, "folder": None},
        "data.phantom.make": {"subjects": 4, "slices": 1, "size": (26, 22), "seed": 0,
                              "change": "all", "stages": (0, 3)},
        "data.phantom.voxel_edge": {"size": (26, 22)},
        "images.Picture": {"pixels": image, "spacing": (1.0, 1.0), "affine": None},
        "images.Contrasts": {"sources": {"T1w": image, "FLAIR": 2 * image}},
        "images.Picture.of_contrasts": Call(xaimri.images.Picture(image).of_contrasts, {"names": ("T1w",)}),
        "images.Picture.on": Call(xaimri.images.Picture(image).on, {"scan": None}),
        "images.Picture.with_pixels": Call(xaimri.images.Picture(image).with_pixels, {"pixels": image}),
        "images.as_window": {"value": (0, 1)},
        "images.foreground": {"image": image},
        "images.read_image": {"source": image[..., 0], "rank": 2, "channels": 1, "layout": None},
        "images.read_picture": {"source": image[..., 0], "rank": 2, "channels": 1, "layout": None,
                                "first": False},
        "images.read_series": {"source": _series(of["folder"]), "series": 0},
        "images.read_mask": {"source": of["region"], "space": SIZE, "name": "the mask", "layout": None},
        "images.with_channels": {"image": image, "channels": 1},
    }  # fmt: skip


def _series(folder: Path) -> Path:
    """Write a series of two slices."""
    from scans import content, placed, series_of

    place = folder / "series"
    place.mkdir(exist_ok=True)
    for number, made in enumerate(series_of(*placed((2, 4, 5)))):
        (place / f"{number}.dcm").write_bytes(content(made))
    return place


def _dicom(folder: Path) -> Call:
    """Write a map of a series."""
    source = _series(folder)
    found = xaimri.explain(
        lambda volumes: np.full((len(volumes), 2), 0.5), source, xaimri.Occlusion(window=2), target=0
    )
    return Call(found.to_dicom, {"path": folder / "map.dcm", "source": source, "kind": "parametric_map"})


def _drawing(of: dict[str, Any]) -> dict[str, Any]:
    """Figures and charts."""
    one, maps, folder = of["lime"], of["maps"], of["folder"]
    named = dict(zip("ab", maps, strict=True))
    return {
        "render.Scale": {"limit": 1.0, "signed": True, "palette": None, "beyond": False},
        "render.Scale.of": {"maps": [each.values for each in maps], "colours": None, "limit": None},
        "render.figure": {"explanation": one, "style": "overlay", "heading": "a.png", "footnote": True,
                          "at": None, "at_mm": None, "k": 2, "fade": True, "title": "map"},
        "render.grid": {"explanations": maps, "style": "overlay", "columns": 2, "heading": None,
                        "footnote": True, "fade": True},
        "render.sheet": {"explanations": named, "style": "overlay", "columns": 2, "fade": True},
        "render.html": {"explanation": maps[0]},
        "render.html_table": {"columns": ["name"], "rows": [{"name": "a"}], "explanations": named,
                              "notes": ()},
        "render.mosaic": {"explanation": of["volume"], "axis": 0, "planes": 3, "columns": 2, "fade": True},
        "render.glass": {"explanation": of["volume"], "scale": None, "colours": None, "limit": None,
                         "fade": True, "colourbar": True, "ticks": None, "title": None},
        "render.view": {"explanation": of["volume"], "at": [0, 0, 0], "at_mm": None, "window": (0, 200),
                        "colours": None, "limit": None, "heading": None, "atlas": None},
        "render.View.save": Call(one.view().save, {"path": folder / "view.html"}),
        "render.View.frame": Call(one.view().frame, {}),
        "render.View.way": Call(one.view().way, {}),
        "render.plot": {"explanation": one, "ax": None, "style": "chart", "scale": None, "plane": None,
                        "k": 2, "fade": True, "colourbar": True, "title": None,
                        "colours": None, "limit": None, "hatch": False, "window": None, "ticks": None},
        "render.save": {"drawn": _blank(), "path": folder / "d.png", "dpi": 30},
        "render.show": {"drawn": _blank()},
        "charts.cascade": {"found": _cascade(of), "most": 2, "plane": None, "fade": True},
        "charts.confusion_matrix": {"report": of["report"], "level": "slice"},
        "charts.decision_chart": {"curve": _decision(of)},
        "charts.heat_table": {"judgement": of["judged"]},
        "charts.metric_curves": {"judgement": of["judged"], "metric": "deletion", "confidence": None},
        "charts.reliability_diagram": {"calibration": _calibration(of)},
        "charts.training_curves": {"history": {"epoch": [1, 2], "phase": ["head", "head"],
                                               "loss": [2.0, 1.0], "val_loss": [2.0, 1.5],
                                               "balanced_accuracy": [0.3, 0.4],
                                               "val_balanced_accuracy": [0.3, 0.3]}},
    }  # fmt: skip


def _blank() -> Any:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(1, 1))
    drawn.subplots()
    return drawn


def _cascade(of: dict[str, Any]) -> Any:
    from xaimri.metrics.sanity import Cascade

    maps = of["maps"]
    return Cascade(("weights",), maps[0], (maps[1],), np.array([0.5]))
