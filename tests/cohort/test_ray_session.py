"""Ray for as long as a run lasts: stopped at any moment nothing of it stays, and the same call goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import xaimri
from children import below, left_of, started
from cohorts import gated_model
from xaimri.cohort import RayEngine
from xaimri.cohort import open as open_cohort
from xaimri.errors import InvalidInput, MissingExtra

pytest.importorskip("pyarrow")
ray = pytest.importorskip("ray", reason="Ray is not installed: it comes with the extra `cohort`")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc"),
]

HELD = """
import sys, time
import numpy as np
import xaimri
from xaimri.cohort import RayEngine

def scores(images):
    until = time.monotonic() + 300
    while images.max() > 1 and time.monotonic() < until:
        time.sleep(0.05)
    one = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
    return np.stack([one, 1 - one], axis=1)

model = xaimri.open_model(scores, classes=["a", "b"])
"""
"""A model that does not come to the end of the last two parts before it is stopped."""

SHELL = f"""{HELD}
from xaimri import cli, options

options.open_with = lambda _, given, methods: (model, given)
cli.main()
"""
"""The command line, with this model in place of a file."""

PYTHON = f"""{HELD}
try:
    xaimri.explain_cohort(
        model, sys.argv[1], "rise", out=sys.argv[2], samples=4, engine=RayEngine(workers=1),
        progress=lambda told: print(told.done, file=sys.stderr, flush=True),
    )
except KeyboardInterrupt:
    import ray

    print("stopped", ray.is_initialized())
    time.sleep(60)  # the process stays, as a notebook does
"""
"""A run that is stopped, in a process that stays."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of 100 images, which are four parts; those of the last two have values above 1."""
    made = tmp_path_factory.mktemp("scans")
    for n in range(100):
        image = np.random.default_rng(n).random((6, 8)) + (n >= 64)
        np.save(made / f"{n:02}.npy", image.astype(np.float32))
    return made


def shell(script, *given, folder, out, **options):
    asked = ("cohort", "run", "model", folder, "-m", "rise", "--samples", "4", "-o", out)
    return started(script, *given, *asked, "--ray", "--workers", "1", **options)


def check_goes_on(folder, out):
    """See that what is there can be read, and that the same call does the rest alone."""
    part = open_cohort(out)
    assert 0 < part.done <= 64
    assert part.at_work is None
    assert len(part.table().to_pylist()) == part.done
    kept = {each: each.stat().st_mtime_ns for each in (out / "rows").iterdir()}
    # by this process, which is quicker: that Ray goes on as well stands in test_ray_engine.py
    found = xaimri.explain_cohort(gated_model(), folder, "rise", out=out, samples=4)
    assert (found.done, len(found.filter(failed=True))) == (100, 0)
    assert {each: each.stat().st_mtime_ns for each in kept} == kept


@pytest.mark.parametrize(
    ("number", "group", "code"),
    [(signal.SIGTERM, False, 143), (signal.SIGTERM, True, 143), (signal.SIGINT, True, 130)],
)
def test_a_signal_to_the_shell_ends_in_one_sentence_and_nothing_is_left(
    tmp_path, folder, number, group, code
):
    """As `kill` sends it to one, `timeout` and batch systems to all, and Ctrl-C to all."""
    with shell(SHELL, folder=folder, out=tmp_path / "out") as run:
        assert "of 100 cases" in run.stderr.readline()
        began = below(run.pid)
        assert "raylet" in {name for name, *_ in began.values()}
        groups = {os.getpgid(each) for each in began}
        assert run.pid not in groups  # a signal to the group is this run's alone
        (os.killpg if group else os.kill)(run.pid, number)
        _, told = run.communicate(timeout=300)
    assert run.returncode == code
    assert told.strip().splitlines()[-1] == "xaimri: the run was stopped: the same command goes on."
    assert "Traceback" not in told
    assert left_of(began) == []
    check_goes_on(folder, tmp_path / "out")


BEGINS = f"""
import sys
from xaimri.cohort.ray_session import ray_package

ray_package()
from ray._private import node

name = sys.argv.pop(1)
where = node if hasattr(node, name) else node.Node

def wait(*given, plain=getattr(where, name), **options):
    plain(*given, **options)
    print("begun", flush=True)
    sys.stdin.readline()

setattr(where, name, wait)
{SHELL}
"""
"""The command line, where Ray waits at some step of its start until it is told to go on."""


@pytest.mark.parametrize("step", ["try_to_symlink", "start_gcs_server", "start_raylet"])
def test_sigterm_while_ray_starts_ends_in_one_sentence(tmp_path, folder, step):
    with shell(BEGINS, step, folder=folder, out=tmp_path / "out", stdin=subprocess.PIPE) as run:
        assert run.stdout.readline() == "begun\n"
        began = below(run.pid)
        assert ("gcs_server" in {name for name, *_ in began.values()}) == step.startswith("start_")
        run.terminate()
        _, told = run.communicate("\n" * 9, timeout=300)
    assert (run.returncode, told.strip()) == (143, "xaimri: the run was stopped: the same command goes on.")
    assert left_of(began) == []
    assert open_cohort(tmp_path / "out").done == 0


HALF_BUILT = f"""
import os, sys
from xaimri.cohort.ray_session import ray_package

number = int(sys.argv.pop(1))
ray_package()
from ray._private import gc_collect_manager

class Collecting(gc_collect_manager.PythonGCThread):
    def __init__(self, *given, **options):
        print("half built", flush=True)
        os.kill(os.getpid(), number)
        super().__init__(*given, **options)

gc_collect_manager.PythonGCThread = Collecting
from ray import _raylet

_raylet.PythonGCThread = Collecting
{SHELL}
"""
"""The command line, where a signal comes while the core of Ray's library is being built."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_does_not_leave_the_library_half_built(tmp_path, folder, number, code):
    """It ended the process by a segmentation fault, after the sentence."""
    with shell(HALF_BUILT, int(number), folder=folder, out=tmp_path / "out") as run:
        said, told = run.communicate(timeout=300)
    assert said == "half built\n"
    assert (run.returncode, told.strip()) == (code, "xaimri: the run was stopped: the same command goes on.")
    assert open_cohort(tmp_path / "out").done == 0


SWALLOWED = f"""
import os, signal, sys

number = int(sys.argv.pop(1))
sent = []

def swallow():
    if not sent:
        sent.append(number)
        os.kill(os.getpid(), number)

os.register_at_fork(after_in_parent=swallow)
{SHELL}
"""
"""The command line, where a signal comes when Ray's first process has just begun."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_python_swallows_while_ray_starts_is_not_lost(tmp_path, folder, number, code):
    with shell(SWALLOWED, int(number), folder=folder, out=tmp_path / "out") as run:
        _, told = run.communicate(timeout=300)
    assert run.returncode == code
    assert told.strip() == "xaimri: the run was stopped: the same command goes on."
    assert open_cohort(tmp_path / "out").done == 0


def test_ctrl_c_in_python_ends_ray_and_the_process_stays(tmp_path, folder):
    with started(PYTHON, folder, tmp_path / "out") as run:
        assert int(run.stderr.readline()) > 0
        began = below(run.pid)
        os.killpg(run.pid, signal.SIGINT)
        assert run.stdout.readline() == "stopped False\n"
        assert left_of(began) == []
        check_goes_on(folder, tmp_path / "out")
        run.kill()


def test_sigterm_in_python_ends_the_process_as_always_and_ray_with_it(tmp_path, folder):
    with started(PYTHON, folder, tmp_path / "out") as run:
        assert int(run.stderr.readline()) > 0
        began = below(run.pid)
        run.terminate()
        _, told = run.communicate(timeout=300)
    assert run.returncode == -signal.SIGTERM
    assert "Traceback" not in told
    assert left_of(began) == []  # which Ray's own agents see by and by
    check_goes_on(folder, tmp_path / "out")


def actors():
    """Return the names of Ray's processes that do a run's work."""
    names = [name for name, *_ in below(os.getpid()).values()]
    return [name for name in names if name.startswith(("ray::Notes", "ray::MapWorker", "ray::Alone"))]


def test_a_ray_that_stays_is_left_clean_and_writes_no_more(tmp_path, folder):
    from xaimri.cohort.ray_session import ray_session

    gate, stops = tmp_path / "gate", []

    def stop(told):
        if not stops:
            stops.append(told.done)
            os.kill(os.getpid(), signal.SIGINT)

    with ray_session(RayEngine(workers=1)):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                xaimri.explain_cohort(
                    gated_model(gate), folder, "rise", out=tmp_path / "out", samples=4,
                    engine=RayEngine(workers=1), progress=stop,
                )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)
        done = open_cohort(tmp_path / "out").done
        gate.touch()
        until = time.monotonic() + 300
        while actors():
            assert time.monotonic() < until, actors()
            time.sleep(0.2)
        assert ray.is_initialized()
        assert open_cohort(tmp_path / "out").done == done
    check_goes_on(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"workers": 1, "gpus": 4}, "`gpus` is 4"), ({"threads": 64}, "`threads` is 64")],
)
def test_what_no_machine_has_is_refused_and_not_waited_for(asked, told):
    from xaimri.cohort.ray_session import workers_of

    class Few:
        @staticmethod
        def nodes():
            of = {"CPU": 8.0, "GPU": 2.0}
            return [
                {"Alive": True, "Resources": of},
                {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}},
            ]

    with pytest.raises(InvalidInput, match=f"{told}, and no machine of Ray's has more than"):
        workers_of(Few, RayEngine(**asked), 10)
    assert workers_of(Few, RayEngine(workers=20, gpus=1), 10) == 10
    assert workers_of(Few, RayEngine(gpus=1), 10) == 2
    assert workers_of(Few, RayEngine(threads=3), 10) == 2
    assert workers_of(Few, RayEngine(gpus=0.25), 3) == 3


@pytest.mark.parametrize("address", ["127.0.0.1:9", "127.0.0.1", "nowhere.invalid:6379"])
def test_where_nobody_listens_ray_is_not_begun(monkeypatch, address):
    """Ray itself tries for minutes."""
    from xaimri.cohort.ray_session import ray_session

    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("Ray is begun"))
    told = rf"^Ray can't be reached at {address} \(.*\): check the address"
    with pytest.raises(InvalidInput, match=told), ray_session(RayEngine(address=address)):
        pass


@pytest.mark.parametrize("version", ["2.55.1", "1.13.0"])
def test_a_ray_that_is_too_old_is_told(monkeypatch, version):
    from xaimri.cohort.ray_session import ray_package

    assert ray_package() is ray
    monkeypatch.setattr(ray, "__version__", version)
    with pytest.raises(MissingExtra, match=r'`ray>=2.56`, which is not installed: run `pip install "xaimri'):
        ray_package()


def test_few_parts_begin_few_processes(tmp_path):
    seen = []
    xaimri.explain_cohort(
        gated_model(), {"a": np.ones((6, 8), np.float32)}, "rise", out=tmp_path, samples=4,
        engine=RayEngine(workers=24), progress=lambda _: seen.append(len(below(os.getpid()))),
    )  # fmt: skip
    assert seen
    assert max(seen) < 24
