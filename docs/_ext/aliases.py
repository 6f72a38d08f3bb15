"""The directive ``aliases``: the short names of types that stand in signatures, read from the code.

Its argument is a module of ``NAMES``. Each name gets the type that it stands for, and the text below it.
"""

import ast
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

PACKAGE = Path(__file__).parents[2] / "src" / "xaimri"

NAMES = {
    "xaimri.adapters.options": "ModelLike Preprocess",
    "xaimri.sources": "Source Sources",
    "xaimri.methods": "Method Methods",
    "xaimri.targets": "Target",
    "xaimri.objective": "Of",
    "xaimri.classifier": "Outputs",
    "xaimri.grid": "Fit",
    "xaimri.images.channels": "Layout",
    "xaimri.images.mask": "MaskSource",
    "xaimri.adapters.keras.engine": "Engine",
    "xaimri.perturb.progress": "Watcher",
    "xaimri.atlas.atlas": "AtlasLike Names",
    "xaimri.cohort.table": "Amount",
    "xaimri.cohort.schema": "KeptMaps Precision",
    "xaimri.cohort.engine": "CohortEngine",
    "xaimri.cohort.progress": "CohortWatcher",
    "xaimri.perturb.absent": "Absent",
    "xaimri.perturb.segments": "Segmentation Shape",
    "xaimri.perturb.stopping": "Samples",
    "xaimri.perturb.surrogate": "Kernel Distance Selection",
    "xaimri.judging.judge": "Metrics Aim",
    "xaimri.metrics.batch": "Values",
    "xaimri.metrics.masks": "Masks",
    "xaimri.metrics.similarity": "Similarity",
    "xaimri.metrics.sanity": "Order",
    "xaimri.metrics.subsets": "Drawing",
    "xaimri.metric": "Measures Need Mutation",
    "xaimri.data.epoch": "Loader",
    "xaimri.data.case": "Origin",
    "xaimri.data.copies": "OnCopies",
    "xaimri.data.attendance": "SplitRecord",
    "xaimri.training.recipe": "Schedule Weighting",
    "xaimri.training.resnet": "Depth",
    "xaimri.images.planes": "Plane",
    "xaimri.images.pooling": "Combine",
    "xaimri.images.slices": "Which View PlaneName",
    "xaimri.failure": "Stage",
    "xaimri.arrays": "Images Image Fitted Maps Map Cells Scores Labels Mask Coalitions Array",
}
"""Where each name of a signature is defined. A name stands for one type only."""

IN_SIGNATURES = {name: name for names in NAMES.values() for name in names.split()}


def definitions(module):
    """Return the type and the text of every alias of a module, by name."""
    path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    body = [line for each in ast.parse(path.read_text(encoding="utf-8")).body for line in _branch(each)]
    found = {}
    for line, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.annotation) == "TypeAlias":
            told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            text = after.value.value if told else ""
            found[line.target.id] = ast.unparse(line.value).replace("' ", "'"), text
    return found


def _branch(line):
    """Return what a checker of types reads of ``if TYPE_CHECKING``, and any other statement itself."""
    return line.body if isinstance(line, ast.If) else [line]


class Aliases(SphinxDirective):
    """The aliases of one module."""

    required_arguments = 1

    def run(self):
        """Return the nodes."""
        module = self.arguments[0]
        known = definitions(module)
        lines = []
        for name in NAMES[module].split():
            canonical, text = known[name]
            lines += [f".. py:type:: {name}", f"   :canonical: {canonical}", ""]
            lines += [f"   {line}" for line in text.splitlines()] + [""]
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), 0, holder)
        return holder.children


def setup(app):
    """Make the directive known."""
    app.add_directive("aliases", Aliases)
    return {"parallel_read_safe": True}
