"""One table of methods: everything that lists them lists these, and nothing heavy is loaded for it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import xaimri
from xaimri import EXPLAINERS, LinearClassifier
from xaimri.explainer import FAMILIES, Explainer
from xaimri.explainers import build, setting_of, table
from xaimri.render.panel import headline, title_of

ROOT = Path(__file__).parents[2]


def test_the_table_names_every_method_once():
    kinds = [kind for kind in vars(table).values() if isinstance(kind, type)]
    assert list(EXPLAINERS.values()) == kinds
    assert all(issubclass(kind, Explainer) for kind in kinds)
    for attribute in ("name", "title", "__name__"):
        assert len({getattr(kind, attribute) for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("kind", EXPLAINERS.values(), ids=lambda kind: kind.__name__)
def test_a_method_says_how_it_is_written_what_it_costs_and_where_it_belongs(kind):
    for attribute in ("title", "cost"):
        assert attribute in vars(kind), attribute
    assert kind.family in FAMILIES.values()
    assert kind.cost != "not stated"


def test_every_class_of_the_package_that_is_a_method_is_in_the_table():
    files = (ROOT / "src/xaimri/explainers").glob("*.py")
    defined = {
        name for file in files for name in re.findall(r"^class (\w+)\(Explainer\[", file.read_text(), re.M)
    }
    assert defined == {kind.__name__ for kind in EXPLAINERS.values()}


def test_every_method_is_a_root_name():
    for kind in EXPLAINERS.values():
        assert getattr(xaimri, kind.__name__) is kind
        assert kind.__name__ in xaimri.__all__
        assert kind.__name__ in dir(xaimri)
    with pytest.raises(AttributeError, match="no attribute 'NoSuchMethod'"):
        xaimri.NoSuchMethod  # noqa: B018


def test_the_reference_lists_every_method_under_its_family():
    page = (ROOT / "docs/api/explainers.md").read_text()
    heads = {
        "class activation map": "Class activation maps",
        "gradient": "Gradient methods",
        "perturbation": "Perturbation methods",
    }
    assert set(heads) == set(FAMILIES.values())
    for family, head in heads.items():
        section = re.search(rf"^## {head}$(.*?)^## ", page, re.M | re.S).group(1)
        listed = re.findall(r"^   ([A-Z]\w+)$", section, re.M)
        wanted = [kind.__name__ for kind in EXPLAINERS.values() if kind.family == family]
        assert sorted(set(listed) - {"Auto"}) == sorted(wanted)


def test_the_guide_shows_a_table_of_every_family():
    page = (ROOT / "docs/guide/methods.md").read_text()
    assert sorted(re.findall(r"^```\{methods\} (.*)$", page, re.M)) == sorted(set(FAMILIES.values()))


def test_a_figure_is_headed_by_the_title_in_the_record():
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0, patch=2)
    (found,) = build("gradcam++", {"layer": "patches"}).explain(model, np.ones((1, 6, 8, 1), np.float32))
    assert headline(found).startswith("Grad-CAM++, patches (3 x 4 cells)\n")
    assert title_of({"name": "theirs", "title": "Their method", "settings": {}}) == "Their method"
    assert title_of({"name": "theirs", "settings": {}}) == "theirs"  # an older record
    assert title_of(found.method, "gradcam++") == "Grad-CAM++"
    assert title_of(found.method, "with another layer") == "with another layer"


LIGHT = """
import sys
import numpy as np
import xaimri
assert "numpy.linalg" in sys.modules and "xaimri.explainers" not in sys.modules
xaimri.LIME(samples=300, regions=20), xaimri.Occlusion(), xaimri.RISE(), xaimri.GradCAM()
heavy = {"scipy", "sklearn", "skimage", "matplotlib", "tensorflow", "keras", "lime", "shap"}
loaded = sorted(heavy & set(sys.modules))
assert not loaded, f"to build a method loads {loaded}"

def model(batch):
    p = 1 / (1 + np.exp(-batch.mean(axis=(1, 2, 3))))
    return np.stack([1 - p, p], axis=1)

for method, settings in (("occlusion", {"absent": "mean"}), ("rise", {"samples": 20})):
    xaimri.explain(model, np.random.default_rng(0).random((12, 10)), method, **settings)
    loaded = sorted((heavy | {"scipy.stats"}) & set(sys.modules))
    assert not loaded, f"{method} loads {loaded}"
xaimri.explain(model, np.random.default_rng(0).random((12, 10)), "shap", samples=20, regions=5)
assert "scipy.stats" not in sys.modules
"""


def test_the_first_explanation_of_a_function_loads_no_more_than_it_needs():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_line_describes_a_setting_in_its_own_words():
    """It does not import the methods to write its help, so its words are held to theirs here."""
    from xaimri.cli.options import METHOD

    (option,) = METHOD["layer"].__metadata__
    for method in ("gradcam", "scorecam", "eigencam"):
        assert option.help == f"{setting_of(method, 'layer').summary}."
