"""Every public name has its place in the reference, and every name in the reference is there."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import xaimri

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "api").glob("*.md"))
ROOMS = sorted(path.parent.name for path in (ROOT / "src" / "xaimri").glob("*/__init__.py"))
WITH_TENSORFLOW = {"training", "experiment", "keras", "callbacks"}


def listed(page: Path) -> Iterator[tuple[str, str]]:
    """The module and the name of every entry of a page's lists."""
    module, inside = "", False
    for line in page.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        inside = line.startswith(".. autosummary::") or (inside and (not line or line.startswith("   ")))
        if inside and (name := re.fullmatch(r"   ([\w.]+)", line)):
            yield module, name[1]


def public(room: str) -> tuple[str, ...]:
    """The names of a package's `__all__`; of training, which imports TensorFlow, they are read."""
    if room != "training":
        return tuple(getattr(import_module(f"xaimri.{room}"), "__all__", ()))
    source = (ROOT / "src" / "xaimri" / room / "__init__.py").read_text(encoding="utf-8")
    tree = ast.parse(source).body
    (names,) = (ast.literal_eval(node.value) for node in tree if isinstance(node, ast.Assign))
    return tuple(names)


LISTED = Counter(entry for page in PAGES for entry in listed(page))
ROOT_NAMES = [name for name in dir(xaimri) if not name.startswith("__")]


@pytest.mark.parametrize("name", ROOT_NAMES)
def test_every_name_of_the_root_is_in_the_reference(name: str) -> None:
    assert listed_as("xaimri", name), f"write `{name}` under `currentmodule:: xaimri` on a page of docs/api"


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_is_in_the_reference(room: str) -> None:
    missing = [name for name in public(room) if not listed_as(f"xaimri.{room}", name)]
    assert not missing, f"write them under `currentmodule:: xaimri.{room}` on a page of docs/api"


def listed_as(module: str, name: str) -> bool:
    """Tell whether a page lists the name under this module, or the same thing under another one."""
    if (module, name) in LISTED:
        return True
    others = [other for other, listed_name in LISTED if listed_name == name]
    thing = getattr(import_module(module), name) if others else None
    return any(getattr(import_module(other), name, None) is thing for other in others)


def test_no_name_stands_twice() -> None:
    assert [entry for entry, count in LISTED.items() if count > 1] == []


def test_short_types_of_the_manual_are_those_of_the_code() -> None:
    pytest.importorskip("sphinx")
    spec = spec_from_file_location("aliases", ROOT / "docs" / "_ext" / "aliases.py")
    assert spec is not None
    assert spec.loader is not None
    aliases = module_from_spec(spec)
    spec.loader.exec_module(aliases)
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for module, names in aliases.NAMES.items():
        assert set(names.split()) <= set(aliases.definitions(module)), f"names in {module} have moved"
        assert f".. aliases:: {module}\n" in pages


def test_the_citation_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {project['version']}\n" in citation
    assert f"license: {project['license']}\n" in citation


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8").split("```")[1].split()
    assert {page.stem for page in PAGES} - {"index"} <= set(contents)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        pytest.param(*entry, marks=pytest.mark.tensorflow)
        if WITH_TENSORFLOW & {*entry[0].split("."), *(["keras"] if "Keras" in entry[1] else [])}
        else entry
        for entry in LISTED
    ],
)
def test_every_name_of_the_reference_is_there(module: str, name: str) -> None:
    thing = import_module(module)
    for part in name.split("."):
        if not hasattr(thing, part):
            thing = import_module(f"{thing.__name__}.{part}")
        else:
            thing = getattr(thing, part)
