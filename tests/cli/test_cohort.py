"""`xaimri cohort`: a folder into a store, stopped and gone on with, looked at, and exported."""

import re
import signal

import numpy as np
import pytest
from PIL import Image

import xaimri
from children import started
from xaimri import LinearClassifier, Model
from xaimri.images.intake import Intake

pytest.importorskip("pyarrow")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    for n in range(40):
        image = np.random.default_rng(n).integers(0, 255, (6, 8), np.uint8)
        Image.fromarray(image).save(tmp_path / "data" / f"{n:02}.png")
    model = Model(LinearClassifier.random((6, 8, 1), classes=2, seed=0), Intake((6, 8, 1)))
    monkeypatch.setattr("xaimri.options.open_model", lambda *_, **__: model, raising=False)
    monkeypatch.setattr("xaimri.options.open_with", lambda _, options, methods: (model, options))
    return tmp_path / "data"


def test_a_folder_is_explained_and_told_and_exported(run, folder, tmp_path):
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    code, out, err = run(*asked)
    assert code == 0
    assert "<Cohort: 40 cases by saliency, finished>" in out
    assert "32 of 40 cases" in err
    assert "40 of 40 cases" in err
    assert "0 failures" in err
    assert run(*asked)[0] == 0
    code, out, _ = run("cohort", "status", tmp_path / "out")
    assert code == 0
    assert out.splitlines() == [
        "40 of 40 cases by saliency",
        "finished: yes",
        "at work: no",
        "failures: 0 of 40 rows",
    ]
    code, _, _ = run("cohort", "export", tmp_path / "out", "-o", tmp_path / "table")
    assert code == 0
    assert len((tmp_path / "table" / "cohort.csv").read_text().splitlines()) == 41


STOPPED = """
import multiprocessing, signal, sys
from xaimri import LinearClassifier, Model, cli, options
from xaimri.cohort.store import Store
from xaimri.images.intake import Intake

def write(store, part, rows, plain=Store.write, number=int(sys.argv.pop(1))):
    plain(store, part, rows)
    signal.raise_signal(number)

model = Model(LinearClassifier.random((6, 8, 1), classes=2, seed=0), Intake((6, 8, 1)))
options.open_with = lambda _, given, methods: (model, given)
Store.write, before = write, signal.getsignal(signal.SIGTERM)
try:
    cli.main()
finally:
    print(len(multiprocessing.active_children()), signal.getsignal(signal.SIGTERM) == before)
"""
"""The command line with a model in place of a file; a signal comes when the first part is written."""


@pytest.mark.parametrize(
    ("number", "code", "options"),
    [(signal.SIGTERM, 143, ()), (signal.SIGINT, 130, ()), (signal.SIGTERM, 143, ("--isolated",))],
)
def test_a_signal_ends_in_one_sentence_and_the_same_command_goes_on(
    run, folder, tmp_path, number, code, options
):
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out", *options)
    with started(STOPPED, int(number), *asked) as stopped:
        told, err = stopped.communicate(timeout=300)
    assert stopped.returncode == code
    assert err.strip().splitlines()[-1] == "xaimri: the run was stopped: the same command goes on."
    assert "Traceback" not in err
    assert told == "0 True\n"  # no process of its own is left, and the handler is the one before
    assert xaimri.cohort.open(tmp_path / "out").done == 32
    assert "32 of 40 cases" in run("cohort", "status", tmp_path / "out")[1]
    assert run(*asked)[0] == 0


@pytest.mark.parametrize(("words", "target"), [("0", "class_0"), ("1", "class_1"), ("CLASS_0", "class_0")])
def test_a_class_is_given_by_index_or_name(run, folder, tmp_path, words, target):
    code, _, _ = run("cohort", "run", "model", folder, "-m", "saliency", "-o", tmp_path / "out", "-t", words)
    assert code == 0
    assert set(xaimri.cohort.open(tmp_path / "out").table(["target"])["target"].to_pylist()) == {target}


def test_a_table_of_paths_and_a_bids_folder_have_labels(run, folder, tmp_path):
    (tmp_path / "data" / "cases.csv").write_text("path,case,subject,label\n03.png,c,7,class_1\n")
    asked = ("cohort", "run", "model", folder / "cases.csv", "-m", "saliency", "-t", "label")
    assert run(*asked, "-o", tmp_path / "out")[0] == 0
    (row,) = xaimri.cohort.open(tmp_path / "out").table(["case", "subject", "label", "target"]).to_pylist()
    assert row == {"case": "c", "subject": "7", "label": "class_1", "target": "class_1"}
    code, _, err = run(*asked, "-o", tmp_path / "b", "--label", "diagnosis")
    assert code == 1
    assert "is no folder: leave --label out, or give a BIDS folder" in err


def test_a_folder_per_class_has_labels_and_whoever_was_scanned(run, folder, tmp_path):
    data = tmp_path / "classes"
    for n in range(6):
        place = data / ("ill", "well")[n % 2] / f"sub-{n // 2}_{n}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((folder / f"{n:02}.png").read_bytes())
    table = tmp_path / "subjects.csv"
    rows = [f"{('ill', 'well')[n % 2]}/sub-{n // 2}_{n}.png,P{n // 2}\n" for n in range(6)]
    table.write_text("case,subject\n" + "".join(rows))
    ways = {
        "pattern": ("--subject", "(?P<subject>sub-[0-9]+)"),
        "table": ("--subjects", table),
        "alone": ("--independent",),
    }
    found = {}
    for name, options in ways.items():
        out = tmp_path / name
        assert run("cohort", "run", "model", data, "-m", "saliency", *options, "-o", out)[0] == 0
        found[name] = xaimri.cohort.open(out).table(["case", "label", "subject"]).to_pylist()
        assert {row["case"].partition("/")[0]: row["label"] for row in found[name]} == {
            "ill": "ill",
            "well": "well",
        }
        assert len(found[name]) == 6
    assert {row["subject"] for row in found["pattern"]} == {"sub-0", "sub-1", "sub-2"}
    assert {row["subject"] for row in found["table"]} == {"P0", "P1", "P2"}
    assert all(row["subject"] == row["case"] for row in found["alone"])
    asked = ("cohort", "run", "model", data, "-m", "saliency", "--subjects", table, "-o", tmp_path / "no")
    for options, sentence in (
        (("--independent",), "6 of 6 cases have a subject: leave --independent out"),
        (("--subject", "(?P<subject>sub)"), "both say who was scanned"),
    ):
        code, _, err = run(*asked, *options)
        assert code == 1
        assert sentence in err
    code, _, err = run("cohort", "run", "model", table, "--independent", "-o", tmp_path / "no")
    assert code == 1
    assert "is no folder" in err
    assert not (tmp_path / "no").exists()


def test_failures_and_what_is_wrong_are_told(run, folder, tmp_path):
    (folder / "07.png").write_bytes(b"broken")
    code, _, err = run("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    assert code == 1
    assert "1 of 40 rows are failures" in err
    out = run("cohort", "status", tmp_path / "out")[1]
    assert "failures: 1 of 40 rows" in out
    code, _, err = run("cohort", "export", tmp_path / "out", "-o", tmp_path / "f", "-f", "png", "-m", "lime")
    assert code == 1
    assert "not known" in err
    for words in (("run", "model", tmp_path / "gone", "-o", tmp_path / "x"), ("status", tmp_path / "gone")):
        code, _, err = run("cohort", *words)
        assert code == 1
        assert len(err.strip().splitlines()) == 1


def test_status_says_how_fast_a_run_is_that_is_at_work(run, folder, tmp_path, monkeypatch):
    from xaimri.cohort import progress
    from xaimri.cohort.store import Store

    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    plain, said = Store.write, []

    def write(store, part, rows):
        said.append(run("cohort", "status", tmp_path / "out")[1])
        plain(store, part, rows)

    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(Store, "write", write)
    assert run(*asked)[0] == 0
    assert len(said) == 2
    assert "at work: just begun" in said[0]
    assert re.search(r"at work: [\d.]+ a second, [\d,]+ s left", said[1])
    assert "at work: no" in run("cohort", "status", tmp_path / "out")[1]


def test_failures_are_told_and_done_again_where_that_is_asked(run, folder, tmp_path):
    good = (folder / "07.png").read_bytes()
    (folder / "07.png").write_bytes(good[:40])
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out", "--timeout", "60")
    code, _, err = run(*asked)
    assert code == 1
    assert "1 of 40 rows are failures" in err
    (folder / "07.png").write_bytes(good)
    code, _, err = run(*asked)
    assert code == 1
    assert "give --retry-failed to explain those parts anew" in err
    assert run(*asked, "--retry-failed")[0] == 0
    assert "failures: 0 of 40 rows" in run("cohort", "status", tmp_path / "out")[1]


def test_what_ray_can_not_be_asked_for_is_refused_in_one_sentence(run, folder, tmp_path):
    pytest.importorskip("ray")
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out")
    for words, told in {
        ("--workers", "2"): "--workers, --threads, --gpus, --address and --shared-files need --ray",
        ("--shared-files",): "--workers, --threads, --gpus, --address and --shared-files need --ray",
        ("--ray", "--workers", "0"): "--workers must be a whole number of at least 1, got 0",
        ("--ray", "--threads", "0"): "--threads must be a whole number of at least 1, got 0",
        ("--ray", "--gpus", "-1"): "--gpus must be a number of at least 0 and at most 1024, got -1",
        ("--ray", "--gpus", "1.5"): "--gpus must be a whole number or below 1, got 1.5",
        ("--ray", "--address", "ray://a:1"): "--address must be of the cluster's head",
        ("--ray", "--address", ""): "--address must be",
    }.items():
        code, out, err = run(*asked, *words)
        assert code == 1, words
        assert out == "", words
        assert len(err.strip().splitlines()) == 1, err
        assert told in err
    assert run(*asked, "--ray", "--workers", "two")[0] == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_ray_is_asked_for_from_the_shell_and_goes_on(run, folder, tmp_path):
    pytest.importorskip("ray")
    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out")
    assert run(*asked, tmp_path / "here")[0] == 0
    by_ray = (*asked, tmp_path / "ray", "--ray", "--workers", "1")
    code, out, err = run(*by_ray, "--threads", "2", "--gpus", "0")
    assert code == 0, err
    assert "<Cohort: 40 cases by saliency, finished>" in out
    assert all("of 40 cases" in line for line in err.strip().splitlines())  # Ray itself says nothing
    columns = ["case", "key", "map", "probabilities", "failure"]
    here, there = (xaimri.cohort.open(tmp_path / each).table(columns) for each in ("here", "ray"))
    assert there.drop(["map", "probabilities"]) == here.drop(["map", "probabilities"])
    for name in ("map", "probabilities"):
        one, other = (np.array(each[name].to_pylist()) for each in (here, there))
        np.testing.assert_allclose(one, other, atol=1e-5)
    first, last = sorted((tmp_path / "ray" / "rows").iterdir())
    kept = first.stat().st_mtime_ns
    last.unlink()
    assert "32 of 40 cases" in run("cohort", "status", tmp_path / "ray")[1]
    code, out, err = run(*by_ray)
    assert code == 0, err
    assert "40 of 40 cases" in err
    assert first.stat().st_mtime_ns == kept
    assert last.exists()
    code, _, err = run(*asked, tmp_path / "none", "--ray", "--workers", "1", "--gpus", "900")
    assert code == 1
    assert len(err.strip().splitlines()) == 1
    assert "--gpus is 900, and no machine of Ray's has more than" in err


@pytest.mark.slow
def test_a_cluster_is_named_by_its_address(run, folder, tmp_path):
    pytest.importorskip("ray")
    from xaimri.cohort.ray_session import ray_package

    ray_package()  # sets how quiet it is
    from ray.cluster_utils import Cluster

    asked = ("cohort", "run", "model", folder, "-m", "saliency", "--out", tmp_path / "out", "--ray")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    try:
        code, out, err = run(*asked, "--address", cluster.address, "--shared-files", "--workers", "2")
    finally:
        cluster.shutdown()
    assert code == 0, err
    assert "<Cohort: 40 cases by saliency, finished>" in out
    assert {row["failure"] for row in xaimri.cohort.open(tmp_path / "out").table().to_pylist()} == {None}
    code, _, err = run(*asked, "--address", "127.0.0.1:9", "--workers", "2")  # all is done: nobody is asked
    assert code == 0, err
    code, _, err = run(*asked[:-2], tmp_path / "new", "--ray", "--address", "127.0.0.1:9")
    assert code == 1
    assert len(err.strip().splitlines()) == 1
    assert "Ray can't be reached at 127.0.0.1:9" in err
