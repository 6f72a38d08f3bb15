"""Run the command line in this process."""

import sys

import pytest

from xaimri import cli


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; return exit code, standard output and standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["xaimri", *map(str, words)])
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call
