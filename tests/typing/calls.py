"""Every call of the README and the guides, as a type checker sees it: for ``mypy --strict``, not for pytest.

``assert_type`` states what comes back; a wrong call carries an ignore that mypy must find to be needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, assert_type

import numpy as np

import xaimri
from xaimri import metrics
from xaimri.arrays import Array, Scores
from xaimri.caveats import Caveat
from xaimri.cohort import ClassMean, Cohort, RayEngine
from xaimri.data import Case, Dataset, Split, phantom, read_folder, split
from xaimri.evaluation import ClassificationReport, PairedComparison, evaluate
from xaimri.experiment import compare_models
from xaimri.explainers import build, from_record
from xaimri.render import Comparison
from xaimri.testing import check_classifier, check_explainer


def probabilities(images: Array) -> Array:
    return np.full((len(images), 2), 0.5)


image = np.ones((8, 9))
cases_of = phantom.make(subjects=4, slices=1)
net = xaimri.LinearClassifier.random((8, 9, 1), classes=2, seed=0)

# the door
model = xaimri.open_model("runs/mine")
assert_type(model, xaimri.Model)
assert_type(
    xaimri.open_model(net, classes=["no", "yes"], outputs="logits", window=(0, 4000), fit="pad"), xaimri.Model
)
assert_type(xaimri.open_model(probabilities, layout="channels_first", engine="tensorflow"), xaimri.Model)
assert_type(model.explain("scan.jpg", "lime", target="MildDemented"), xaimri.Explanation)
assert_type(model.explain_all("scans/", "hirescam"), xaimri.Explanations)
assert_type(model.compare("scan.jpg", ["gradcam", "lime"]), Comparison)
assert_type(model.predict([image, "scan.jpg"]), Scores)
assert_type(model.classes, tuple[str, ...])
xaimri.open_model(net, clases=["no", "yes"])  # type: ignore[call-arg]
xaimri.open_model(net, outputs="logit")  # type: ignore[arg-type]
xaimri.open_model(net, fit="crop")  # type: ignore[arg-type]
xaimri.open_model(net, window=3)  # type: ignore[arg-type]
model.explain("scan.jpg", target=["a", "b"])  # type: ignore[arg-type]
model.classifier = net  # type: ignore[misc]

# the star
explanation = xaimri.explain(model, "scan.jpg")
assert_type(explanation, xaimri.Explanation)
assert_type(xaimri.explain(net, image, method="lime", target="MildDemented"), xaimri.Explanation)
assert_type(xaimri.explain(net, image, xaimri.GradCAM(layer="conv5_block3_out")), xaimri.Explanation)
assert_type(xaimri.explain(net, image, "shap", samples="auto"), xaimri.Explanation)
assert_type(xaimri.explain(net, image, window=xaimri.Window(1, 99, percentile=True)), xaimri.Explanation)
assert_type(xaimri.explain(net, image, inputs={"age": 71.0}, output="stage", unit=2), xaimri.Explanation)
assert_type(xaimri.explain(net, image, progress=lambda done, total: done < total), xaimri.Explanation)
xaimri.explain(net, image, 7)  # type: ignore[arg-type]
xaimri.explain(net, image, of="odds")  # type: ignore[arg-type]
xaimri.explain(net, image, target=1.5)  # type: ignore[arg-type]
xaimri.explain(net)  # type: ignore[call-arg]

xaimri.explian(net, image)  # type: ignore[attr-defined]
assert_type(xaimri.data.split(cases_of, test=0.2).test, Dataset)

# many
found = xaimri.explain_all(net, ["a.png", "b.png"], target=["a", "b"])
assert_type(found, xaimri.Explanations)
assert_type(xaimri.explain_all(net, image, "lime", target=["a", "b"]), xaimri.Explanations)
assert_type(found[0], xaimri.Explanation)
assert_type(found[:1], tuple[xaimri.Explanation, ...])
assert_type(found.failures, Mapping[str, xaimri.Failure])
assert_type(found.failures["b.png"].sentence, str)
assert_type(found.to_rows(), list[dict[str, Any]])
assert_type(found.to_csv("table.csv"), Path)
assert_type(found.save("figures"), tuple[Path, ...])
assert_type([name for name, each in found.items() if each.caveats], list[str])
xaimri.explain_all(net)  # type: ignore[call-arg]

# several methods
comparison = xaimri.compare(net, image, methods=["gradcam", xaimri.LIME(samples=300)], target=1)
assert_type(comparison, Comparison)
assert_type(comparison.save("figure.png"), Path)
assert_type(comparison[0], xaimri.Explanation)
xaimri.compare(net, image, 3)  # type: ignore[arg-type]

# the result
assert_type(explanation.values, Array)
assert_type(explanation.caveats, tuple[Caveat, ...])
assert_type(explanation.target_class, str)
assert_type(explanation.save("why.png"), Path)
assert_type(xaimri.load(explanation.store("kept")), xaimri.Explanation)
assert_type(build("lime", {"samples": 20}), xaimri.Explainer[Any])
assert_type(from_record(explanation.method, explanation.method_arrays), xaimri.Explainer[Any])
explanation.target = 3  # type: ignore[misc]
xaimri.LIME(samples="many")  # type: ignore[arg-type]
xaimri.LIME(sample=3)  # type: ignore[call-arg]

# judging
cases = phantom.make(subjects=8, slices=1)
assert_type(cases, Dataset)
judgement = xaimri.evaluate_explanations(["gradcam", "lime"], model, cases, ["deletion", "road"])
assert_type(judgement, xaimri.Judgement)
assert_type(model.judge(cases, ["gradcam"], [partial(metrics.deletion, absent=0.0)]), xaimri.Judgement)
assert_type(judgement.rows[0].value, float)
assert_type(judgement.rows[0].failure, xaimri.Failure | None)
xaimri.evaluate_explanations(["gradcam"], model, cases, target="truth")  # type: ignore[arg-type]
xaimri.evaluate_explanations(["gradcam"], model, 3)  # type: ignore[arg-type]

# data and figures of a classifier
parts = split(read_folder("scans", subject="(?P<subject>p[0-9]+)"), test=0.25, seed=0)
assert_type(parts, Split)
assert_type(parts.test, Dataset)
assert_type(evaluate(model.predict(parts.test), parts.test), ClassificationReport)
assert_type(cases[0], Case)
one_of: Sequence[Case] = cases
Case("a", "label", None, image)  # type: ignore[arg-type]

assert_type(compare_models("runs/a", "runs/b", parts.test), PairedComparison)

# is the number worth anything
assert_type(xaimri.audit_split(parts.train, parts.test), xaimri.SplitAudit)
assert_type(xaimri.audit_model(model, parts.test, method="gradcam"), xaimri.ModelAudit)
assert_type(xaimri.audit_split(parts.train, parts.test).save("audit.html"), Path)
xaimri.audit_split(parts)  # type: ignore[arg-type, call-arg]

# cohorts
cohort = xaimri.explain_cohort(model, "scans/", ["gradcam", "lime"], out="cohort/", timeout=120)
assert_type(cohort, Cohort)
assert_type(xaimri.cohort.open("cohort/"), Cohort)
assert_type(
    xaimri.explain_cohort(net, parts.test, out="s3://bucket/run", engine=RayEngine(workers=2)), Cohort
)
assert_type(cohort.explanation("scan 7", "lime"), xaimri.Explanation)
assert_type(cohort.filter(failed=True), Cohort)
assert_type(cohort.class_means(), tuple[ClassMean, ...])
assert_type(xaimri.report(cohort, "report.html", model=model, training=parts.train), Path)
xaimri.explain_cohort(model, "scans/")  # type: ignore[call-arg]
xaimri.explain_cohort(model, "scans/", out="cohort/", engine="spark")  # type: ignore[arg-type]

# for third parties
check_explainer(xaimri.Saliency(), net, np.ones((2, 8, 9, 1), np.float32))
check_classifier(net, np.ones((2, 8, 9, 1), np.float32))
