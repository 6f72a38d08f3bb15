"""What another package's error says, in a sentence of ours."""

import pytest

from xaimri.errors import first_line


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
