"""What another package's error says, in a sentence of ours; and that a remedy works."""

import re
import tomllib
from pathlib import Path

import pytest

from xaimri.errors import MissingExtra, first_line

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("It failed.", "It failed"),
        ("\n  It failed,\t as it \n\nsays here.", "It failed, as it"),
        ("Exception encountered when calling Dense.\n\n\x1b[1mA shape is wrong.\x1b[0m", "A shape is wrong"),
        ("a\0b", "a?b"),
        ("", "ValueError"),
        (" .\n", "ValueError"),
        ("long " * 100, f"{('long ' * 40)[:200]}..."),
    ],
)
def test_its_first_line_without_its_full_stop(text, line):
    assert first_line(ValueError(text)) == line


def test_every_extra_that_an_error_names_is_one_that_pip_of_any_age_finds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    named = re.findall(r'MissingExtra\(\s*"[^"]+", "([^"]+)"', source)
    assert len(named) >= 6
    assert set(named) <= set(project["optional-dependencies"])
    for name in project["optional-dependencies"]:
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name), f"pip 23 does not find the extra {name}"
    assert '"xaimri[keras-hub]"' in str(MissingExtra("keras-hub", "keras-hub", "a preset"))
