"""Who imports whom: one circle is allowed, and drawing an explanation loads nothing that stands above it.

Read from the source of every module: all imports count, those inside functions and those for type checkers
too. ``from xaimri import archive`` is an import of ``xaimri.archive``. The root ``xaimri/__init__`` is left
out: it names everything for type checkers, and loads nothing before it is asked for. A module that imports
the root names in it is held to importing what these names stand for.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

import xaimri

SOURCE = Path(xaimri.__file__).parent

DRAWN = {"xaimri.explanation", "xaimri.render"} | {
    f"xaimri.render.{room}"
    for room in (
        "bars",
        "colour",
        "colourbar",
        "comparison",
        "contours",
        "fade",
        "figure",
        "frame",
        "glass",
        "mosaic",
        "notebook",
        "output",
        "page",
        "page_facts",
        "panel",
        "planes",
        "sheet",
        "superpixels",
        "ticks",
        "view",
    )
}
"""The one circle: an explanation draws itself, by the rooms of render that draw explanations."""


def modules() -> dict[str, Path]:
    """Return the file of every module but the root."""
    found = {}
    for file in SOURCE.rglob("*.py"):
        parts = file.relative_to(SOURCE).with_suffix("").parts
        found[".".join(("xaimri", *(part for part in parts if part != "__init__")))] = file
    del found["xaimri"]
    return found


def imported(tree: ast.AST, known: Collection[str], homes: dict[str, str]) -> Iterator[str]:
    """Yield the modules that a module's source names in its imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, "imports name their whole path"
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                home = homes.get(name.name, "") if node.module == "xaimri" else node.module
                yield from (each for each in (whole if whole in known else home,) if each in known)


def graph(sources: Mapping[str, str], homes: dict[str, str]) -> dict[str, set[str]]:
    """Return whom each module imports."""
    return {name: set(imported(ast.parse(text), sources, homes)) for name, text in sources.items()}


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components of more than one module, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = set()
            while node not in component:
                component.add(stack.pop())
            if len(component) > 1 or node in edges[node]:
                found.append(component)

    for node in edges:
        if node not in index:
            visit(node)
    return found


def test_the_one_circle_is_what_draws_itself_with_the_rooms_of_render():
    sources = {name: file.read_text() for name, file in modules().items()}
    edges = graph(sources, xaimri._HOMES)
    assert [sorted(circle) for circle in circles(edges)] == [sorted(DRAWN)], (
        "these import each other in a circle"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"a": "from xaimri import b", "b": "import xaimri.a"}, [{"a", "b"}]),
        (
            {
                "a": "from xaimri.b import x",
                "b": "def f(): from xaimri.c import y",
                "c": "from xaimri import A",
            },
            [{"a", "b", "c"}],
        ),
        (
            {"a": "if TYPE_CHECKING: from xaimri.b import B", "b": "from xaimri.a import x", "c": ""},
            [{"a", "b"}],
        ),
        ({"a": "from xaimri.b import x", "b": "import numpy", "c": "from xaimri import a, b"}, []),
    ],
)
def test_a_circle_is_found_wherever_its_imports_stand(lines, expected):
    sources = {f"xaimri.{name}": text for name, text in lines.items()}
    found = circles(graph(sources, {"A": "xaimri.a"}))
    assert found == [{f"xaimri.{name}" for name in circle} for circle in expected]


SAVING = """
import sys
import numpy as np
from xaimri.explanation import Explanation, Regions

values = np.arange(12.0).reshape(3, 4)
own = Explanation(
    values, np.ones((3, 4, 1)), 0, "logit", "logit", np.zeros(2), np.full(2, 0.5), ("a", "b"),
    {"name": "lime", "settings": {}}, regions=Regions(values.astype(int), values.ravel(), np.ones(12)),
)
own.save(sys.argv[1])
print(*sorted(name for name in sys.modules if name.startswith("xaimri.")))
"""


def test_an_explanation_saves_itself_without_what_stands_above_it(tmp_path):
    """No metric, figure of a classifier, judgement, chart or method is loaded to draw one."""
    file = tmp_path / "own.png"
    done = subprocess.run([sys.executable, "-c", SAVING, file], capture_output=True, text=True, check=True)
    assert file.stat().st_size > 5000
    rooms = {name.split(".")[1] for name in done.stdout.split()}
    above = {
        "metrics",
        "evaluation",
        "judging",
        "charts",
        "explainer",
        "explainers",
        "adapters",
        "data",
        "model",
    }
    assert rooms & above == set()
    assert "render" in rooms
