"""`xaimri report`: a page of a cohort with what the options say, and never over what is there."""

import pytest

import reported
import xaimri

pytest.importorskip("pyarrow")


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    made = reported.cohort(tmp_path, count=9)
    model = xaimri.open_model(reported.named())
    monkeypatch.setattr("xaimri.model.open_model", lambda *_, **__: model)
    monkeypatch.setattr(xaimri, "open_model", lambda *_, **__: model, raising=False)
    return made, tmp_path


def test_a_page_is_written_and_never_over_another(run, cohort):
    _, folder = cohort
    out = folder / "page.html"
    code, told, err = run("report", folder / "cohort", "-o", out, "--title", "Of <mine>")
    assert (code, err) == (0, "")
    assert told.startswith(str(out))
    assert told.rstrip().endswith("MB)")
    text = out.read_text()
    assert "<h1>Of &lt;mine&gt;</h1>" in text
    assert "Not shown: the training data was not given." in text
    code, _, err = run("report", folder / "cohort", "-o", out)
    assert code == 1
    assert "is there already" in err
    assert run("report", folder / "cohort", "-o", out, "--force", "--width", 32, "--quality", 5)[0] == 0
    assert len(out.read_text()) < len(text)


def test_training_data_bring_similar_cases(run, cohort):
    _, folder = cohort
    for n, name in enumerate(reported.CLASSES):
        reported.drawn(folder / "learned" / name.replace("/", "|"), [f"p{n}{m}_1.png" for m in range(4)])
    out = folder / "page.html"
    asked = ("report", folder / "cohort", "-o", out, "--model", "network", "--training", folder / "learned")
    code, _, err = run(*asked, "--subject", "(?P<subject>p..)_", "--neighbours", 2)
    assert (code, err) == (0, "")
    text = out.read_text()
    assert "The nearest of 8 training cases" in text
    assert text.count('id="near-') > 2


def test_what_does_not_fit_together_is_refused(run, cohort):
    _, folder = cohort
    for words, sentence in (
        (("-o", folder / "page.pdf"), "must end in .html"),
        (("--window", "0", "100"), "give --model"),
        (("--training", folder), "give --model"),
        (("--model", "network", "--training", folder / "nowhere"), "nowhere"),
    ):
        code, _, err = run("report", folder / "cohort", "-o", folder / "page.html", *words)
        assert code == 1
        assert sentence in err
    code, _, err = run("report", folder, "-o", folder / "page.html")
    assert code == 1
    assert "neither a cohort" in err
    assert not (folder / "page.html").exists()
