"""What a command says where Ctrl-C or SIGTERM stops it."""

import signal
from contextlib import suppress

import numpy as np
import pytest
import typer

from children import started
from frameworks import on_first_use
from xaimri.cli import data
from xaimri.cli.stops import told_of_stops
from xaimri.cohort import open as open_cohort
from xaimri.data import phantom

with on_first_use():
    from xaimri import experiment

ENDED = "xaimri: the command was stopped before its end; files that it had finished stay."
GOES_ON = "xaimri: the run was stopped: the same command goes on."

STOPPED = """
import signal, sys
from xaimri import cli
from xaimri.cli import data
from xaimri.cli.stops import told_of_stops

number = int(sys.argv.pop(1))
data.dataset_of = lambda *_, **__: signal.raise_signal(number)
before = signal.getsignal(signal.SIGTERM)
try:
    cli.main()
finally:
    print(signal.getsignal(signal.SIGTERM) == before)
"""
"""The command line, where a signal comes when the data are read."""


SWALLOWED = """
import signal, sys
import numpy as np
import xaimri
from xaimri import cli, options

number = int(sys.argv.pop(1))

class Last:
    def __del__(self):
        signal.raise_signal(number)

def scores(images):
    if asked:
        asked.pop()  # whose end swallows what the signal's handler raises
    one = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
    return np.stack([one, 1 - one], axis=1)

asked = []
model = xaimri.open_model(scores, classes=["a", "b"])
asked.append(Last())
options.open_with = lambda _, given, methods: (model, given)
cli.main()
"""
"""The command line, where a signal comes while Python cleans up."""


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_any_command_in_one_sentence(number, code):
    with started(STOPPED, int(number), "data", "info", "anything") as stopped:
        told, err = stopped.communicate(timeout=300)
    assert (stopped.returncode, err.strip(), told) == (code, ENDED, "True\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_python_swallows_ends_a_run_after_its_part(tmp_path, number, code):
    pytest.importorskip("pyarrow")
    (tmp_path / "scans").mkdir()
    for n in range(100):
        np.save(tmp_path / "scans" / f"{n:02}.npy", np.full((6, 8), n / 100, np.float32))
    asked = ("cohort", "run", "model", tmp_path / "scans", "-m", "rise", "--samples", "4")
    with started(SWALLOWED, int(number), *asked, "-o", tmp_path / "out") as stopped:
        _, err = stopped.communicate(timeout=300)
    assert (stopped.returncode, err.splitlines()[-1]) == (code, GOES_ON)
    assert 0 < open_cohort(tmp_path / "out").done < 100


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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_fails_because_of_a_stop_is_that_stop(capsys, number, code):
    """As where a process that the same signal ended is missed before Python has told of the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background ignores

    def fail():
        with suppress(KeyboardInterrupt):  # as Python does where it cleans up
            signal.raise_signal(number)
        raise OSError("gone")

    try:
        with pytest.raises(typer.Exit) as ended, told_of_stops():
            fail()
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == f"\n{GOES_ON}\n"


@pytest.mark.parametrize("fault", [OSError("gone"), typer.Exit(3), SystemExit(2)])
def test_what_fails_without_a_stop_is_told_as_ever(capsys, fault):
    with pytest.raises(type(fault)) as ended, told_of_stops():
        raise fault
    assert ended.value is fault
    assert capsys.readouterr().err == ""
