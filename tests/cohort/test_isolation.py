"""Cases that end their process, hang, or take all memory: one row each, and all other rows are there."""

import json
import os
import sys
import types

import numpy as np
import pytest

import killers
import xaimri
from xaimri.cohort import open as open_cohort
from xaimri.cohort import request, worker
from xaimri.cohort.progress import AT_WORK, Progress
from xaimri.errors import Cancelled, InvalidInput, MissingCapability
from xaimri.explainers import RISE, Occlusion

pytest.importorskip("pyarrow")
pytest.importorskip("loky")

METHODS = {"occlusion": Occlusion(window=3), "rise": RISE(samples=20)}


def model(**options):
    return xaimri.open_model(killers.Deadly(**options), classes=["well", "ill"])


def explained(cases, out, **options):
    return xaimri.explain_cohort(model(), cases, METHODS, out=out, **options)


def rows(cohort):
    from xaimri.cohort.schema import COLUMNS

    found = cohort.table([name for name in COLUMNS if name != "seconds"]).to_pylist()
    return {(row["case"], row["method"]): row for row in found}


@pytest.fixture(autouse=True)
def _late_where_it_hangs(monkeypatch, tmp_path_factory):
    """Have a case be late where it hangs, and there alone: a sound one may take as long on a slow machine."""
    hangs = tmp_path_factory.mktemp("hangs") / "here"
    monkeypatch.setenv("XAIMRI_HANGS", str(hangs))

    def wait(ends, seconds, plain=worker.wait):
        assert seconds is None or seconds >= 2
        while not (found := plain(ends, 0.05)) and not hangs.exists():
            pass
        if not found:
            assert seconds is not None
            hangs.unlink()
        return found

    monkeypatch.setattr(worker, "wait", wait)


def check_deadly(out, ways, stages=("read", "explain"), methods=METHODS):
    """See that each way of ending, in reading or explaining, is a row, and that all else is as without."""
    sound = {f"sound {n}": killers.image(n) for n in range(3)}
    deadly = {("explain", way): killers.image(9, way) for way in ways}
    deadly |= {("read", way): killers.Unreadable(way) for way in ways}
    bad = {f"{stage} {way}": image for (stage, way), image in deadly.items() if stage in stages}
    given = {"sound 0": sound["sound 0"], **bad, **sound}
    found = rows(xaimri.explain_cohort(model(), given, methods, out=out / "run", timeout=2))
    assert list(found) == [(case, method) for case in given for method in methods]
    for (case, _), row in found.items():
        stage, way = case.split(" ", 1)
        assert row["stage"] == (None if case in sound else stage)
        if case not in sound and case != "read memory":  # of which the reader tells
            verb = "its explanation" if way == "memory" else {"read": "reading"}.get(stage, "explaining")
            assert row["failure"] == f"{verb} {killers.TOLD[way]}"
    absent = {**given, **{case: np.full(killers.SHAPE, np.nan) for case in bad}}
    plain = rows(xaimri.explain_cohort(model(), absent, methods, out=out / "plain"))
    for case in sound:
        for method in methods:  # bit for bit as if the others could not be read
            assert found[case, method] == plain[case, method]


def test_a_case_that_ends_its_process_is_set_aside_and_the_others_are_there(tmp_path):
    check_deadly(tmp_path, ["exit"], ["explain"], {"rise": METHODS["rise"]})


@pytest.mark.slow
@pytest.mark.parametrize("way", list(killers.WAYS))
def test_every_way_to_end_is_told(tmp_path, way):
    check_deadly(tmp_path, [way])


@pytest.mark.slow
def test_all_ways_at_once_in_parts_of_one_and_of_many(tmp_path, monkeypatch):
    monkeypatch.setattr(request, "TOGETHER", 1)
    check_deadly(tmp_path / "one", ["segfault", "exit", "killed", "memory"])
    monkeypatch.setattr(request, "TOGETHER", 4)
    check_deadly(tmp_path / "four", ["segfault", "exit", "killed", "memory"])


def test_an_isolated_run_has_the_rows_of_a_plain_one(tmp_path):
    given = {f"{n}": killers.image(n) for n in range(40)}
    one = explained(given, tmp_path / "a", isolated=True)
    assert rows(one) == rows(explained(given, tmp_path / "b"))
    assert rows(explained(given, tmp_path / "a")) == rows(one)


@pytest.mark.slow
def test_what_ended_once_and_not_again_is_no_failure(tmp_path):
    given = {f"{n}": killers.image(n) for n in range(5)} | {"once": killers.image(9, "segfault")}
    shaky = model(once=tmp_path / "passed")
    found = rows(xaimri.explain_cohort(shaky, given, METHODS, out=tmp_path / "a", isolated=True))
    assert (tmp_path / "passed").exists()
    assert {row["failure"] for row in found.values()} == {None}
    assert found == rows(xaimri.explain_cohort(shaky, given, METHODS, out=tmp_path / "b"))


def killed_at(way, tmp_path, cases, times):
    """Run plainly in processes that a case kills; return the exit codes."""
    codes = []
    for _ in range(times):
        child = os.fork()
        if not child:
            try:
                explained(cases, tmp_path / "run")
            finally:
                os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return codes


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be forked here")
def test_a_case_that_kills_a_plain_run_does_so_once(tmp_path, monkeypatch):
    monkeypatch.setattr(request, "TOGETHER", 2)
    given = {f"{n}": killers.image(n) for n in range(11)}
    given["3"] = killers.image(3, "segfault")
    given["10"] = killers.Unreadable("killed")  # read ahead, beyond the parts that the first death suspects
    assert killed_at("segfault", tmp_path, given, 3) == [-11, -9, 0]
    found = rows(open_cohort(tmp_path / "run"))
    assert {case for (case, _), row in found.items() if row["failure"] is not None} == {"3", "10"}
    assert len(found) == 22
    assert not (tmp_path / "run" / "at_work.json").exists()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be forked here")
def test_the_first_case_may_kill_while_the_model_is_made_known(tmp_path):
    given = {"0": killers.image(0, "segfault")} | {f"{n}": killers.image(n) for n in range(1, 4)}
    assert killed_at("segfault", tmp_path, given, 2) == [-11, 0]
    found = rows(explained(given, tmp_path / "run"))
    assert {case for (case, _), row in found.items() if row["failure"] is not None} == {"0"}
    other = xaimri.open_model(lambda images: killers.Deadly()(images)[:, ::-1], classes=["well", "ill"])
    with pytest.raises(InvalidInput, match="the model, which gives other scores"):
        xaimri.explain_cohort(other, given, METHODS, out=tmp_path / "run")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be forked here")
def test_a_model_that_cant_be_sent_goes_on_once_and_is_then_told(tmp_path, monkeypatch):
    class Unsendable(killers.Deadly):
        def __reduce__(self):
            raise TypeError("it stays here")

    monkeypatch.setattr(killers, "Deadly", Unsendable)
    given = {"a": killers.image(1), "b": killers.image(2, "segfault")}
    with pytest.raises(MissingCapability, match=r"can't be sent to a process of its own \(it stays here\)"):
        explained(given, tmp_path / "run", isolated=True)
    assert killed_at("segfault", tmp_path, given, 2) == [-11, -11]
    with pytest.raises(MissingCapability, match=r"2 runs were killed here .* can't be sent"):
        explained(given, tmp_path / "run")


def sparseness(cohort):
    found = cohort.filter(method="rise").table(["case", "sparseness"]).to_pylist()
    return {row["case"]: row["sparseness"] for row in found}


def test_failures_of_files_that_were_mended_are_done_again_where_that_is_asked(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for n in range(4):
        np.save(folder / f"{n}.npy", killers.image(n))
    good = (folder / "2.npy").read_bytes()
    (folder / "2.npy").write_bytes(good[:60])
    run = tmp_path / "run"
    kept = explained(folder, run)
    assert len(kept.filter(failed=True)) == 2
    kept.judge("sparseness", model=model(), independent=True, resamples=20)
    assert sparseness(kept)["2.npy"] is None
    (folder / "2.npy").write_bytes(good)
    with pytest.raises(InvalidInput, match=r"the images of 2\.npy are others .* give `retry_failed`"):
        explained(folder, run)
    found = explained(folder, run, retry_failed=True)
    assert len(found.filter(failed=True)) == 0
    found.judge("sparseness", model=model(), independent=True, resamples=20)
    assert None not in sparseness(found).values()
    whole = rows(explained(folder, tmp_path / "whole"))
    assert {key: row["map"] for key, row in rows(found).items()} == {
        key: row["map"] for key, row in whole.items()
    }
    (folder / "1.npy").write_bytes(good)
    with pytest.raises(InvalidInput, match="Give another folder"):
        explained(folder, run, retry_failed=True)


def test_a_timeout_is_a_number_of_seconds(tmp_path):
    for wrong in (0, -1, "long", float("nan")):
        with pytest.raises(InvalidInput, match="`timeout` must be"):
            explained({"a": killers.image(0)}, tmp_path / "run", timeout=wrong)


def test_a_function_of_a_module_that_a_new_interpreter_lacks_is_refused_and_explained_here(
    tmp_path, monkeypatch
):
    given = {f"{n}": killers.image(n) for n in range(40)}
    here_alone = types.ModuleType("here_alone")
    source = "import numpy as np\ndef bright(images): return np.tile([0.2, 0.8], (len(images), 1))"
    exec(source, vars(here_alone))
    monkeypatch.setitem(sys.modules, "here_alone", here_alone)

    def run(**options):
        return xaimri.explain_cohort(
            here_alone.bright, given, METHODS["rise"], out=tmp_path / "run", **options
        )

    with pytest.raises(MissingCapability, match=r"can't be opened in a process of its own \(No module"):
        run(isolated=True)
    with pytest.raises(Cancelled):
        run(progress=lambda told: False)
    left = {**vars(Progress(32, 40, 0, 1.0, 32)), "finished": 0, "deaths": 0}
    (tmp_path / "run" / AT_WORK).write_text(json.dumps(left))  # as a run that was killed leaves it
    assert run().done == 40


def test_the_classes_of_a_function_are_those_that_it_tells_in_the_other_process(tmp_path):
    given = {f"{n}": killers.image(n) for n in range(3)}

    def function(images):  # sent as it is, as it is of no module
        found = images.mean((1, 2)) @ np.array([[1.0, 2.0, 4.0]], np.float32)
        return found / found.sum(1, keepdims=True)

    apart, here = (
        xaimri.explain_cohort(function, given, METHODS["rise"], out=tmp_path / name, isolated=name == "apart")
        for name in ("apart", "here")
    )
    assert apart.manifest.classes == here.manifest.classes == ("class_0", "class_1", "class_2")
    assert apart.explanation("1", image=given["1"]).predicted == 2
    named = xaimri.explain_cohort(
        function, given, METHODS["rise"], out=tmp_path / "named", isolated=True, target="class_1"
    )
    assert set(named.table(["target"])["target"].to_pylist()) == {"class_1"}
    record = tmp_path / "apart" / "cohort.json"  # as runs before this one left it
    record.write_text(json.dumps({**json.loads(record.read_text()), "classes": []}))
    again = xaimri.explain_cohort(function, given, METHODS["rise"], out=tmp_path / "apart")
    assert again.explanation("1", image=given["1"]).predicted == 2
