"""What a command says where Ctrl-C or SIGTERM stops it."""

import signal

import pytest

from children import started
from frameworks import on_first_use
from xaimri.cli import data
from xaimri.data import phantom

with on_first_use():
    from xaimri import experiment

ENDED = "xaimri: the command was stopped before its end; files that it had finished stay."
GOES_ON = "xaimri: the run was stopped: the same command goes on."

STOPPED = """
import signal, sys
from xaimri import cli
from xaimri.cli import data

number = int(sys.argv.pop(1))
data.dataset_of = lambda *_, **__: signal.raise_signal(number)
before = signal.getsignal(signal.SIGTERM)
try:
    cli.main()
finally:
    print(signal.getsignal(signal.SIGTERM) == before)
"""
"""The command line, where a signal comes when the data are read."""


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_any_command_in_one_sentence(number, code):
    with started(STOPPED, int(number), "data", "info", "anything") as stopped:
        told, err = stopped.communicate(timeout=300)
    assert (stopped.returncode, err.strip(), told) == (code, ENDED, "True\n")


@pytest.mark.tensorflow
@pytest.mark.parametrize("command", ["train", "cross_validate"])
def test_what_goes_on_where_it_stopped_says_so(run, monkeypatch, tmp_path, command):
    people = phantom.make(subjects=24, slices=1, size=(40, 32), stages=(0, 3), seed=0)
    monkeypatch.setattr(f"xaimri.cli.{command}.dataset_of", lambda *_, **__: people)
    monkeypatch.setattr(experiment, command, interrupted)
    code, _, err = run(
        command.replace("_", "-"), "phantom", "--out", tmp_path, "--size", "32", "--weights", "random"
    )
    assert (code, err.strip().splitlines()[-1]) == (130, GOES_ON)


def test_an_interruption_is_told_once(run, monkeypatch):
    monkeypatch.setattr(data, "dataset_of", interrupted)
    assert run("data", "info", "anything") == (130, "", f"\n{ENDED}\n")
