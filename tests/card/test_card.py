"""Model cards: every item, what is known with its file, nothing of another network, nobody's tags."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from frameworks import on_first_use
from xaimri import experiment
from xaimri.card import CLAIM, TRIPOD, model_card
from xaimri.data import phantom, split
from xaimri.errors import InvalidInput

with on_first_use():
    import keras

    from xaimri import training

pytestmark = pytest.mark.tensorflow

HOSTILE = "<script>alert(1)</script> | **bold** [x](javascript:y)"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A tiny network as if it had been trained on the first part, evaluated on the test part."""
    folder = tmp_path_factory.mktemp("card") / "net"
    dataset = phantom.make(subjects=24, slices=2, size=(26, 22), seed=3, stages=(0, 3))
    parts = split(dataset, validation=0.25, test=0.25, seed=3)
    layers = keras.layers
    body = [keras.Input((26, 22, 1)), layers.Rescaling(1 / 255), layers.Conv2D(3, 5), layers.Flatten()]
    model = keras.Sequential([*body, layers.Dense(2), layers.Softmax()])
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    recipe = {"seed": 7, "batch": 4, "epochs": [0, 2], "weights": None, "best_epoch": 1, "stopped": "epochs"}
    history = {"epoch": [1, 2], "val_balanced_accuracy": [0.5, 0.625]}
    kept = {"split": parts.record(), "origin": dataset.origin, "history": history, "recipe": recipe}
    training.save(folder, model, dataset.classes, **kept)
    experiment.evaluate(folder, parts.test, folder)
    return folder, dataset, parts


def answered(tmp_path):
    file = tmp_path / "answers.toml"
    words = json.dumps(HOSTILE)
    file.write_text(f'[card]\ntitle = {words}\n[claim]\n3 = {words}\n44 = "None."\n')
    return file


def rows(card, checklist):
    return {item.number: found for _, section in card.rows(checklist) for item, found in section}


def test_a_card_of_the_network_alone_says_what_is_known_and_no_more(made):
    folder, _, parts = made
    assert repr(model_card(folder)).startswith(f"<Card: Model card of {folder.name}, of ")
    found = rows(model_card(folder), CLAIM)
    assert list(found) == [str(number) for number in range(1, 45)]
    assert found["37"] == found["38"] == found["44"] == found["14"][1:] == ()
    assert found["22"][0].text == "Input 26 x 22 x 1 (channels last); 6 layers; 2,456 parameters; 2 outputs."
    assert found["1"][0].text.startswith("Deep learning: a convolutional neural network")
    sizes = [len({case.subject for case in part}) for _, part in parts.parts()]
    assert found["19"][0].text == "Subjects: training {}, validation {}, held-out {}.".format(*sizes)
    assert "seed 7" in found["25"][0].text
    assert found["26"][0].text.startswith("The weights of epoch 1, chosen on the validation part")
    assert "in that epoch 0.50" in found["26"][1].text
    assert found["24"][0].text == "Weights before training: random."
    assert {fact.source for facts in found.values() for fact in facts} == {"bundle.json", "model.keras"}


def test_report_and_data_fill_their_items_and_name_their_files(made, tmp_path):
    folder, dataset, _ = made
    card = model_card(folder, dataset, report=folder / "report.json", answers=answered(tmp_path))
    report = json.loads((folder / "report.json").read_text())
    found = rows(card, CLAIM)
    told = report["subject"]["balanced_accuracy"]["value"]
    assert f"By subject: balanced accuracy {told:.2f}" in found["37"][0].text
    assert {fact.source for fact in found["37"]} == {"report.json"}
    assert found["44"][0].source == "stated by the author"
    assert any(fact.text.startswith("Training: no atrophy") for fact in found["36"])
    assert rows(card, TRIPOD)["23a"][0] == found["37"][0]
    filled, count = card.reported(CLAIM)
    assert (filled, count) == (sum(map(bool, found.values())), 44)


def test_a_file_of_another_network_is_refused(made, tmp_path):
    folder, _, _ = made
    report = json.loads((folder / "report.json").read_text())
    assert report["model"]["sha256"] == training.load(folder).sha256

    def refused(change, words, **kind):
        file = tmp_path / "other.json"
        file.write_text(json.dumps({**report, **change}))
        with pytest.raises(InvalidInput, match=words):
            model_card(folder, **(kind or {"report": file}))

    refused({"model": {**report["model"], "sha256": "0" * 64}}, "another network")
    refused({"model": {**report["model"], "temperature": 2.0}}, "made at the temperature 2")
    refused({"classes": ["a", "b"]}, "tells of the classes a, b")
    audit = {"headline": "x", "findings": [], "untold": [], "model": {"sha256": "0" * 64}}
    file = tmp_path / "audit.json"
    file.write_text(json.dumps(audit))
    with pytest.raises(InvalidInput, match="another network"):
        model_card(folder, model_audit=file)
    with pytest.raises(InvalidInput, match=r"has no 'verdict': give what `xaimri audit split` writes"):
        model_card(folder, split_audit=file)
    for held in ({"verdict": "unsafe", "reason": "x", "images": {}, "pairs": []}, {**audit, "untold": 3}):
        file.write_text(json.dumps({name: value for name, value in held.items() if name != "model"}))
        kind = "split_audit" if "pairs" in held else "model_audit"
        with pytest.raises(InvalidInput, match="is not as it was written"):
            model_card(folder, **{kind: file})
    file.write_text("{")
    with pytest.raises(InvalidInput, match="is no JSON"):
        model_card(folder, report=file)
    with pytest.raises(InvalidInput, match="is not there"):
        model_card(folder, report=tmp_path / "nowhere.json")


def test_audits_fill_their_items(made, tmp_path):
    folder, _, _ = made
    one, two = tmp_path / "split.json", tmp_path / "model.json"
    split_audit = {
        "verdict": "subject-safe",
        "reason": "Nobody.",
        "images": {"train": 9, "test": 4},
        "pairs": [],
    }
    one.write_text(json.dumps(split_audit))
    two.write_text(json.dumps({"headline": "By its rim.", "findings": ["Rim."], "untold": ["Site."]}))
    card = model_card(folder, split_audit=one, model_audit=two)
    found = rows(card, CLAIM)
    assert any("4 of test: subject-safe. Nobody." in fact.text for fact in found["20"])
    assert [fact.text for fact in found["30"]] == ["By its rim.", "Rim."]
    assert "Site." in [fact.text for fact in found["40"]]
    assert "The audit does not say of which network it is." in [fact.text for fact in found["40"]]


class Words(HTMLParser):
    """The words and the tags of a page."""

    def __init__(self):
        super().__init__()
        self.words, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data.strip())


def test_words_of_others_are_words_in_both_files(made, tmp_path):
    folder, _, _ = made
    card = model_card(folder, report=folder / "report.json", answers=answered(tmp_path))
    page = Words()
    page.feed(card.save(tmp_path / "card.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.words.count(HOSTILE) >= 2
    assert page.words.count("not reported") == sum(
        n - filled for filled, n in map(card.reported, (CLAIM, TRIPOD))
    )
    text = card.save(tmp_path / "card.md").read_text(encoding="utf-8")
    assert "<script" not in text
    assert not re.search(r"(?<!\\)\[x\]", text)
    assert unescape(re.sub(r"\\([^\w\s])", r"\1", text.split("\n")[0])) == f"# {HOSTILE}"
    rendered = Words()
    rendered.feed(pytest.importorskip("markdown_it").MarkdownIt().render(text))
    assert not {"script", "a", "table"} & set(rendered.tags)
    assert HOSTILE in "".join(rendered.words)
    assert text.count(": not reported") == page.words.count("not reported")
    with pytest.raises(InvalidInput, match=r"\.md or \.html"):
        card.save(tmp_path / "card.pdf")


def test_a_bundle_without_a_recipe_claims_nothing_of_its_training(made, tmp_path):
    folder, _, _ = made
    bundle = training.load(folder)
    training.save(tmp_path / "bare", bundle.model, bundle.classes)
    found = rows(model_card(tmp_path / "bare"), CLAIM)
    assert all(found[number] == () for number in ("7", "12", "13", "19", "20", "24", "25", "26"))


def test_subjects_that_were_told_by_pixels_are_called_so(made, tmp_path):
    folder, _, _ = made
    bundle = training.load(folder)
    names = {"train": ["scan-89b67c8966", "S1"], "validation": [], "test": ["scan-1bed40227f"]}
    kept = {"by": "subject", **names, "notes": []}
    training.save(
        tmp_path / "told",
        bundle.model,
        bundle.classes,
        split=kept,
        origin={"maker": "folder", "subject": None},
    )
    found = rows(model_card(tmp_path / "told"), CLAIM)
    assert "2 of 3 subjects are scans that were told by their pixels" in str(found["20"])
    assert "Read or made by xaimri.data: folder." in str(found["7"])
    assert "by their pixels" not in str(rows(model_card(folder), CLAIM)["20"])


def test_the_command_writes_it_and_says_how_much_is_reported(made, tmp_path, capsys, monkeypatch):
    import sys

    from xaimri import cli

    folder, _, _ = made

    def run(*more):
        words = ["xaimri", "card", folder, "--report", folder / "report.json", "--data", "phantom", *more]
        monkeypatch.setattr(sys, "argv", list(map(str, words)))
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, capsys.readouterr()

    target = tmp_path / "card.md"
    code, told = run("--out", target)
    assert code == 0, told.err
    assert told.out.startswith(str(target))
    assert "CLAIM 2024: something is reported for " in told.out
    assert "Training: no atrophy" in target.read_text(encoding="utf-8")
    assert run("--out", target)[0] == 1, "never over what is there"
    assert "must end in" in run("--out", tmp_path / "card.pdf")[1].err
