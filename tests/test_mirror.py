"""The tests themselves: they lie where their subject lies, and collecting them loads no framework."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "xaimri"
ELSEWHERE = {
    "typing": "a file that mypy reads, and nobody runs",
    "plugins": "packages of somebody else, installed for a test",
}
"""Folders that mirror no room."""

THEMES = {
    "test_mirror": "the tests themselves",
    "test_reference": "the manual's reference",
    "test_circles": "imports across all rooms",
    "test_real_network": "the whole journey, on real slices",
    "explainers/test_gradients": "gradient, integrated, expected and smoothgrad, on one set of scores",
    "explainers/test_against": "one class against another, by every method, metric and command",
    "explainers/test_hiding": "what is of one colour, by every method that hides regions",
    "explainers/test_shap_package": "what is taken from the package shap",
    "perturb/test_games": "the games that other tests take for the truth",
    "images/test_fuzz": "generated images and files of every kind",
    "images/test_faults": "what is an image's own fault, and what is the caller's",
    "judging/test_sees": "what metrics claim to see, on a network that was trained",
    "cohort/test_faults": "kills, full disks and broken files, through whole runs",
    "cli/test_commands": "the commands of the room's __init__",
    "adapters/keras/test_networks": "networks built in every way",
    "adapters/keras/test_edits": "networks that are edited between two calls",
    "adapters/keras/test_models_by_methods": "every network by every method",
    "adapters/keras/test_threads": "several threads on one network",
    "adapters/keras/test_tasks": "every classifier of KerasHub",
    "adapters/keras/geometry/test_backbones": "networks of keras.applications",
    "adapters/keras/geometry/test_chains": "generated chains of layers",
    "adapters/keras/geometry/test_places": "where maps of whole networks lie",
    "testing/test_broken_explainers": "whoever breaks a promise of explainers",
    "testing/test_broken_classifiers": "whoever breaks a promise of classifiers",
}
"""Files that are named after what they are about, since it is no single module."""

FILES = [
    path.relative_to(TESTS).with_suffix("")
    for path in sorted(TESTS.rglob("test_*.py"))
    if path.relative_to(TESTS).parts[0] not in ELSEWHERE
]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.as_posix())
def test_a_test_lies_where_its_subject_lies(file: Path) -> None:
    room = SOURCE / file.parent
    assert room.is_dir(), f"src/xaimri/{file.parent} is no folder: move the test"
    module = room / f"{file.name.removeprefix('test_')}.py"
    package = module.with_suffix("")
    assert module.exists() or package.is_dir() or file.as_posix() in THEMES, (
        f"src/xaimri has no {module.relative_to(SOURCE)}: name the test after a module, or list it in THEMES"
    )


def test_every_theme_has_its_file() -> None:
    assert set(THEMES) - {"test_circles"} <= {file.as_posix() for file in FILES}


@pytest.mark.slow
def test_collecting_loads_no_framework() -> None:
    program = (
        "import sys, pytest\n"
        "assert pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', sys.argv[1]]) == 0\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(TESTS)],
        capture_output=True,
        text=True,
        cwd=TESTS.parent,
        check=False,
    )
    assert told.stdout.splitlines()[-1:] == ["[]"], told.stdout[-2000:]
