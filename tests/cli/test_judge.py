"""`xaimri judge`: which cases and what cost, files whole or not at all, errors that say what to do."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from xaimri import InvalidInput, LinearClassifier, Model, open_model
from xaimri.cli import judge
from xaimri.data import phantom, split
from xaimri.images.intake import Intake
from xaimri.images.window import Window

SIZE = (26, 22)
FILES = ["deletion.png", "heat.png", "insertion.png", "judgement.csv", "judgement.json"]
QUICK = ("--method", "saliency,input_x_gradient")


def model_of(classes=phantom.STAGES):
    linear = LinearClassifier.random((*SIZE, 1), classes=len(classes))
    return LinearClassifier(linear.weights / 50, linear.bias, classes=classes)


@pytest.fixture
def network(monkeypatch):
    """Stand in for a saved network: a linear one, and the split it is said to be trained on."""

    def stand_in(split=None, **settings):
        model = Model(model_of(**settings), Intake((*SIZE, 1)), split=split)
        monkeypatch.setattr("xaimri.options.open_model", lambda *_: model)

    stand_in()
    return stand_in


@pytest.fixture(scope="module")
def cases():
    return phantom.make(subjects=12, slices=3, size=SIZE)


@pytest.fixture
def folder(tmp_path, cases):
    """Return a folder of the cases as images, a folder per class; subjects stand in the file names."""
    for case in cases:
        file = tmp_path / "data" / cases.classes[case.label] / f"{case.id.replace('/slice ', '_')}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(case.source)).save(file)
    return tmp_path / "data"


@pytest.fixture
def judged(run, network, folder, tmp_path):
    """Run a quick judgement of the folder; return exit code, standard output and standard error."""

    def call(*words, out=tmp_path / "out", methods="saliency,input_x_gradient"):
        given = ("--subject", "(?P<subject>S[0-9]+)_", "--out", out, "--method", methods)
        return run("judge", "net", folder, *given, *words)

    return call


def rows_of(out):
    with (out / "judgement.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_help_names_everything_and_what_it_costs(run):
    code, out, _ = run("judge", "--help")
    words = " ".join(out.replace("│", " ").split())
    assert code == 0
    assert "Usage: xaimri judge" in words
    for said in ("gradcam,lime by default", "deletion,insertion by default", "20 model calls", "LIME 1000"):
        assert said in words


def test_the_default_methods_cost_what_the_help_says():
    from xaimri import LIME

    assert LIME().samples == 1000


def test_it_prints_the_table_and_keeps_tables_and_figures(judged, tmp_path):
    code, out, err = judged("--cases", 8)
    assert (code, err) == (0, "")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == FILES
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 2 * 2 * 8
    assert {row["explainer"] for row in rows} == {"saliency", "input_x_gradient"}
    kept = json.loads((tmp_path / "out" / "judgement.json").read_text(encoding="utf-8"))
    for summary in kept["summary"]:
        low, high = (format(summary["estimate"][end], ".3g") for end in ("low", "high"))
        assert f"{summary['estimate']['value']:.3g} [{low}, {high}]" in out
    assert out.startswith(
        "Judging saliency, input_x_gradient by deletion, insertion on 8 cases of 8 subjects"
    )
    assert out.endswith(f"Kept in {tmp_path / 'out'}.\n")
    for name in ("deletion", "heat", "insertion"):
        with Image.open(tmp_path / "out" / f"{name}.png") as drawn:
            assert drawn.size[0] > 300


@pytest.mark.slow
def test_the_numbers_are_those_of_the_library(judged, cases, tmp_path):
    from xaimri import evaluate_explanations

    judged("--cases", 1000, "--metric", "deletion")
    found = evaluate_explanations(["saliency"], model_of(), cases, ["deletion"])
    expected = {row.case.replace("/slice ", "_"): row.value for row in found.rows}
    rows = [row for row in rows_of(tmp_path / "out") if row["explainer"] == "saliency"]
    assert len(rows) == len(cases)
    for row in rows:
        name = row["case"].split("/")[1].removesuffix(".png")
        assert float(row["value"]) == pytest.approx(expected[name])


@pytest.mark.slow
def test_only_curves_that_were_measured_are_drawn(judged, tmp_path):
    code, out, _ = judged("--cases", 5, "--metric", "sparseness, insertion")
    assert code == 0
    made = {file.name for file in (tmp_path / "out").iterdir()}
    assert made == {"heat.png", "insertion.png", "judgement.csv", "judgement.json"}
    assert "sparseness (^)" in out


def test_names_can_stand_apart_or_with_commas_and_count_once(judged):
    words = ("-m", "saliency", "--method", "lime", "--metric", "entropy", "--metric", "entropy,sparseness")
    code, out, _ = judged(*words, "--samples", 20, "--cases", 3, methods="saliency,lime")
    assert code == 0
    assert out.startswith("Judging saliency, lime by entropy, sparseness on 3 cases of 3 subjects (all of")


@pytest.mark.slow
def test_the_cost_is_said_before(judged, tmp_path):
    _, out, _ = judged("--cases", 6)
    assert f"at least {6 * (2 + 20 * 4)} model calls" in out
    words = ("--metric", "deletion,entropy", "--samples", 50, "--cases", 3)
    _, out, _ = judged(*words, methods="lime", out=tmp_path / "lime")
    assert f"at least {3 * (50 + 20)} model calls" in out


@pytest.mark.slow
def test_labels_are_matched_by_name(judged, network, tmp_path):
    backwards = tuple(reversed(phantom.STAGES))
    network(classes=backwards)
    code, _, err = judged("--target", "label", "--cases", 8)
    assert (code, err) == (0, "")
    rows = rows_of(tmp_path / "out")
    assert len({row["target"] for row in rows}) > 1
    assert all(row["case"].split("/")[0] == row["target"] for row in rows)


@pytest.mark.slow
def test_a_network_without_names_takes_the_folders_in_order_and_says_so(judged, network, tmp_path):
    network(classes=tuple(f"class_{i}" for i in range(4)))
    code, out, _ = judged("--target", "label", "--cases", 8)
    assert code == 0
    names = sorted(phantom.STAGES)
    assert out.startswith(f"The network's classes have no names: they are taken to be {', '.join(names)}.\n")
    for row in rows_of(tmp_path / "out"):
        assert row["target"] == f"class_{names.index(row['case'].split('/')[0])}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "classes", [("well", "ill", "worse", "worst"), ("class_0", "class_1"), (*phantom.STAGES[:3], "other")]
)
def test_labels_that_the_network_does_not_know_are_refused(judged, network, tmp_path, classes):
    network(classes=classes)
    code, _, err = judged("--target", "label", "--cases", 36)
    assert code == 1
    assert "the data holds" in err
    assert '--target "predicted"' in err
    assert judged("--cases", 4)[0] == 0  # the predicted class needs no names


class TestParts:
    @pytest.fixture
    def record(self, cases):
        return split(cases, seed=1).record()

    @pytest.mark.parametrize(("words", "name"), [((), "test"), (("--part", "train"), "train")])
    def test_the_recorded_part_alone_is_judged(self, judged, network, record, tmp_path, words, name):
        network(record)
        code, out, _ = judged("--cases", 100, *words)
        assert code == 0
        assert {row["subject"] for row in rows_of(tmp_path / "out")} == set(record[name])
        assert f"({name} part of the recorded split)" in out

    @pytest.mark.slow
    def test_all_takes_everybody(self, judged, network, record, tmp_path):
        network(record)
        code, out, _ = judged("--cases", 100, "--part", "all")
        assert code == 0
        assert len({row["subject"] for row in rows_of(tmp_path / "out")}) == 12
        assert "(all of the data)" in out

    @pytest.mark.slow
    def test_people_that_the_split_does_not_know_are_left_out_and_counted(self, judged, network, record):
        network({**record, "test": record["test"][1:]})
        code, out, _ = judged("--cases", 3)
        assert code == 0
        assert "3 of 36 cases are in no part of the record and are left out: " in out

    @pytest.mark.slow
    def test_who_of_the_held_out_is_missing_is_said(self, judged, network, record):
        network({**record, "test": [*record["test"], "S099"]})
        code, out, _ = judged("--cases", 3)
        assert code == 0
        assert "4 of 5 held-out subjects are there; missing: S099.\n" in out

    def test_an_empty_part_is_said(self, judged, network, record):
        everyone = [*record["train"], *record["validation"], *record["test"]]
        network({**record, "train": everyone, "validation": [], "test": []})
        code, _, err = judged()
        assert code == 1
        assert "the test part has no case in this data: take another part" in err
        assert err.endswith("; for data the network never saw use --part all.\n")

    def test_a_part_needs_a_split(self, judged):
        code, _, err = judged("--part", "test")
        assert code == 1
        assert "records no split" in err
        assert "--part all" in err

    def test_a_part_that_does_not_exist_is_a_usage_error(self, judged):
        code, _, err = judged("--part", "tset")
        assert code == 2
        assert "validation" in err

    @pytest.mark.slow
    def test_a_split_by_case_says_that_images_are_independent(self, run, network, folder, tmp_path):
        ids = sorted(f"{file.parent.name}/{file.name}" for file in folder.rglob("*.png"))
        network({"by": "case", "train": ids[:20], "validation": [], "test": ids[20:]})
        words = ("judge", "net", folder, *QUICK, "--out", tmp_path / "out", "--cases", 100)
        assert run(*words, "--part", "all")[0] == 1  # that was said of the split's images, not of all
        code, out, _ = run(*words)
        assert code == 0
        assert "on 16 cases of 16 subjects" in out


class TestSome:
    def test_as_many_subjects_as_possible_in_the_order_of_the_data(self, cases):
        for seed in range(5):
            few = judge.drawn_cases(cases, 12, seed, independent=False)
            assert len(set(few.subjects)) == 12
            more = judge.drawn_cases(cases, 30, seed, independent=False)
            assert max(more.subjects.count(who) for who in set(more.subjects)) == 3
            assert min(more.subjects.count(who) for who in set(more.subjects)) == 2
            places = [cases.cases.index(case) for case in more]
            assert places == sorted(set(places))

    def test_the_seed_decides(self, cases):
        drawn = [
            [case.id for case in judge.drawn_cases(cases, 5, seed, independent=False)] for seed in (0, 0, 1)
        ]
        assert drawn[0] == drawn[1] != drawn[2]

    def test_all_where_there_are_no_more(self, cases):
        assert [case.id for case in judge.drawn_cases(cases, 100, 3, independent=False)] == [
            c.id for c in cases
        ]

    def test_images_without_subjects_must_be_said_to_be_independent(self, cases):
        unknown = replace(cases, cases=tuple(replace(case, subject=None) for case in cases))
        with pytest.raises(InvalidInput, match=r"36 of 36 images have no subject.*--subject.*--independent"):
            judge.drawn_cases(unknown, 4, 0, independent=False)
        assert len(judge.drawn_cases(unknown, 4, 0, independent=True)) == 4


@pytest.mark.slow
def test_images_without_subjects(run, network, folder, tmp_path):
    words = ("judge", "net", folder, *QUICK, "--cases", 6, "--out", tmp_path / "out")
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert "--independent" in err
    assert not (tmp_path / "out").exists()
    assert run(*words, "--independent")[0] == 0
    assert len({row["subject"] for row in rows_of(tmp_path / "out")}) == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "gradcam,limes"), "the method 'limes' is not known: did you mean 'lime'?"),
        (("--metric", "deletions"), "the metric 'deletions' is not known: did you mean 'deletion'?"),
        (("--metric", ","), "',' names nothing: give deletion,insertion."),
        (("--samples", "many"), "`--samples` must be a whole number"),
        (("--samples", "5"), "none of 'saliency', 'input_x_gradient' has a setting 'samples'"),
        (("--metric", "iou"), "'iou' needs a region, and no case has a mask: leave it out."),
        (("--subject", "(?P<subject>X)"), "does not fit the file name"),
    ],
)
def test_an_error_is_one_sentence_and_leaves_nothing(judged, tmp_path, words, said):
    code, _, err = judged(*words)
    assert code == 1
    assert err.startswith("xaimri: ")
    assert err.count("\n") == 1
    assert said in err
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_methods_must_be_named(judged, tmp_path):
    assert judged(methods=" ") == (1, "", "xaimri: ' ' names nothing: give gradcam,lime.\n")


def test_names_are_checked_before_the_network_is_opened(judged, monkeypatch):
    def opened(*_):
        raise AssertionError("the network was opened")

    monkeypatch.setattr("xaimri.options.open_model", opened)
    for words in (("--method", "limes"), ("--metric", "deletions")):
        assert judged(*words)[0] == 1


def test_data_that_are_not_there(run, network, tmp_path):
    code, _, err = run("judge", "net", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert code == 1
    assert "is not a folder" in err
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_measured_nothing_is_written(judged, folder, tmp_path):
    for file in folder.rglob("*.png"):
        file.write_text("no picture")
    code, out, err = judged()
    assert code == 1
    assert "nothing could be measured: " in err
    assert "insertion (^)" not in out
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


class TestWhereToWrite:
    def test_what_is_there_is_not_overwritten(self, judged, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
        code, out, err = judged()
        assert (code, out) == (1, "")
        assert "is there already, and not empty: give a new folder" in err
        assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]

    @pytest.mark.parametrize("below", ["file", "file/out"])
    def test_a_file_in_the_way(self, judged, tmp_path, below):
        (tmp_path / "file").write_text("mine")
        code, out, err = judged(out=tmp_path / below)
        assert (code, out) == (1, "")
        assert f"`{tmp_path / 'file'}` is a file" in err
        assert (tmp_path / "file").read_text() == "mine"


def test_a_figure_that_fails_leaves_nothing(judged, monkeypatch, tmp_path):

    def broken(*_):
        raise InvalidInput("the pencil broke.")

    monkeypatch.setattr("xaimri.charts.metric_curves", broken)
    code, out, err = judged("--cases", 4)
    assert code == 1
    assert "the pencil broke." in err
    assert "deletion (v)" in out  # the table was printed before
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


@pytest.mark.tensorflow
class TestWithANetwork:
    @pytest.fixture(scope="class")
    def saved(self, tmp_path_factory, cases):
        import keras

        from xaimri import training

        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((*SIZE, 1)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(6, 3, strides=2, activation="relu", padding="same", name="cells"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(4),
                layers.Softmax(),
            ]
        )
        folder = tmp_path_factory.mktemp("networks")
        model.save(folder / "net.keras")
        record = split(cases, seed=1).record()
        return training.save(
            folder / "bundle", model, phantom.STAGES, fit="pad", split=record
        ), folder / "net.keras"

    def test_a_bundle_brings_its_fit_and_its_split(self, saved, cases):
        model = open_model(saved[0])
        assert (model.classes, model.intake.fit) == (phantom.STAGES, "pad")
        assert list(model.split["test"]) == split(cases, seed=1).record()["test"]
        assert open_model(saved[0], fit="stretch").intake.fit == "stretch"

    def test_a_file_has_neither(self, saved):
        model = open_model(saved[1])
        assert (len(model.classes), model.intake.fit, model.split) == (4, "stretch", None)

    def test_the_default_methods_are_judged_on_the_held_out_part(self, run, saved, cases, folder, tmp_path):
        words = ("--subject", "(?P<subject>S[0-9]+)_", "--samples", 20, "--out", tmp_path / "out")
        code, out, err = run("judge", saved[0], folder, *words)
        assert code == 0, err
        assert out.startswith("Judging gradcam, lime by deletion, insertion on 12 cases of 4 subjects (test")
        assert sorted(file.name for file in (tmp_path / "out").iterdir()) == FILES
        subjects = {row["subject"] for row in rows_of(tmp_path / "out")}
        assert subjects == set(split(cases, seed=1).record()["test"])


def test_masks_come_from_a_folder(judged, run, folder, tmp_path):
    masks, region = tmp_path / "answers", np.zeros(SIZE, np.uint8)
    region[8:16, 6:14] = 255
    images = sorted(folder.rglob("*.png"))
    for file in images:
        named = masks / file.relative_to(folder).with_name(f"{file.stem}_mask.png")
        named.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(region).save(named)
    code, out, err = judged("--cases", 6, "--masks", masks, "--metric", "iou")
    assert (code, err) == (0, "")
    assert f"Masks: {len(images)} of {len(images)} images have one." in out
    assert "Erasing the mask lowers the score (logit) by" in out
    assert all(not row["failure"] for row in rows_of(tmp_path / "out"))
    code, _, err = judged("--masks", masks, "--metric", "deletion")
    assert code == 1
    assert "no metric asks for the masks" in err
    code, _, err = run("judge", "net", "phantom", "--masks", masks, *QUICK)
    assert code == 1
    assert "the phantom has masks of its own" in err


@pytest.fixture
def answers(folder, tmp_path):
    """Return a folder with a mask of every image: its upper left part."""
    region = np.zeros(SIZE, np.uint8)
    region[:12, :10] = 255
    for file in sorted(folder.rglob("*.png")):
        named = tmp_path / "answers" / file.relative_to(folder)
        named.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(region).save(named)
    return tmp_path / "answers"


@pytest.mark.parametrize(("sees", "slight"), [(False, True), (True, False)])
def test_masks_that_the_network_does_not_use_are_told(judged, answers, monkeypatch, sees, slight):
    """A network blind to the region, and one that sees nothing else."""
    weights = model_of().weights.copy()
    weights[:, 12:] = weights[:, :, 10:] = 0
    linear = LinearClassifier(weights if sees else model_of().weights - weights, classes=phantom.STAGES)
    monkeypatch.setattr("xaimri.options.open_model", lambda *_: Model(linear, Intake((*SIZE, 1))))
    code, out, err = judged("--cases", 5, "--masks", answers, "--metric", "relevance_mass,pointing_game")
    assert (code, err) == (0, "")
    assert ("In 5 of 5 cases it does next to nothing" in out) == slight
    assert "saliency" in out
    every = out.splitlines()
    row = next(line for line in every if line.startswith("saliency "))
    assert ("1" in row.split()) == sees  # all relevance lies in the region, or none, of everybody
    assert ("0" in row.split()) != sees
    assert "[" not in row
    assert "In brackets" not in out


def test_another_window_than_the_trainings_is_told(judged, monkeypatch):
    intake = Intake((*SIZE, 1), window=Window(0, 255), trained=Window(0, 4000))
    monkeypatch.setattr("xaimri.options.open_model", lambda *_: Model(model_of(), intake))
    _, out, _ = judged("--cases", 1, methods="saliency")
    assert "  saliency: other_window 1" in out
    assert "No intervals: they need at least 5 subjects, and there is 1." in out
    assert "In brackets" not in out
