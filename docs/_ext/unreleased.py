"""Show in the changelog what is not released yet, from its fragments."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def unreleased(app, docname, source):
    """Append the draft of the next release to the page of the changelog, above what is released."""
    if docname != "changelog":
        return
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "Not released yet"]
    drawn = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source[0] = source[0].replace("<!-- unreleased -->", drawn[drawn.index("## ") :])


def setup(app):
    app.connect("source-read", unreleased)
    return {"parallel_read_safe": True}
