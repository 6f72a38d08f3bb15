"""Many endings in one place: a table, files, and nothing dropped."""

import csv
import sys

import numpy as np
import pytest
from PIL import Image

import xaimri
from unreadable import UNREADABLE, bar, cases_of
from xaimri import Explanations, Failure, LinearClassifier
from xaimri.explanations import file_stems

NET = LinearClassifier.random((16, 20, 1), seed=0, patch=4)


@pytest.fixture
def found():
    images = {
        name: np.random.default_rng(n).random((16, 20)) for n, name in enumerate(("=1+1.png", "b/c.png"))
    }
    return xaimri.explain_all(NET, {**images, "@bad": "gone.png"}, "saliency")


def test_rows_hold_every_image_and_every_failure(found):
    rows = found.to_rows()
    assert [row["name"] for row in rows] == ["=1+1.png", "b/c.png", "@bad"]
    for row, explanation in zip(rows, found, strict=False):
        assert row["predicted"] == explanation.classes[explanation.predicted]
        assert row["probability"] == pytest.approx(float(explanation.probabilities[explanation.target]))
        assert row["caveats"] == ", ".join(caveat.name for caveat in explanation.caveats)
        assert row["failure"] is None
    assert "gone.png" in rows[-1]["failure"]
    assert rows[-1]["predicted"] is None
    assert len(found) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="pipes")
def test_a_folder_says_what_it_passes_over_and_fails_file_by_file(tmp_path, monkeypatch):
    bar(monkeypatch)
    whole = cases_of(tmp_path, 2, slices=1)
    expected = xaimri.explain_all(NET, tmp_path, "saliency")
    assert (expected.names, expected.notes) == (tuple(case.id for case in whole), ())
    for kind, make in UNREADABLE.items():
        make(tmp_path / f"{kind}.png")
    found = xaimri.explain_all(NET, tmp_path, "saliency")
    assert found.names == expected.names
    assert all(np.array_equal(one.values, two.values) for one, two in zip(found, expected, strict=True))
    assert list(found.failures) == ["barred.png", "cut.png", "empty.png", "text.png"]
    assert found.notes == ("Passed over: 2 no regular file.",)
    assert str(found).splitlines()[-1] == found.notes[0]


def test_a_spreadsheet_takes_no_cell_for_a_formula(found, tmp_path):
    with found.to_csv(tmp_path / "table.csv").open(newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert names == ["'=1+1.png", "b/c.png", "'@bad"]


def test_printing_gives_a_table(found):
    lines = str(found).splitlines()
    assert lines[0].split() == ["name", "predicted", "target", "probability", "caveats", "failure"]
    assert len(lines) == 4
    many = Explanations({}, {str(n): Failure(str(n), "read", "gone.") for n in range(60)})
    assert str(many).splitlines()[-1] == "and 10 more: `.to_rows()` has them all."


def test_each_is_drawn_into_a_file_called_as_its_image(found, tmp_path):
    files = found.save(tmp_path / "made", dpi=40)
    assert [file.name for file in files] == ["=1+1.png", "b_c.png"]
    for file in files:
        with Image.open(file) as drawn:
            assert drawn.size[0] > 100


def test_no_two_files_are_called_alike():
    names = file_stems(["p/a.png", "p_a.png", "p/a.jpg", "../p/a-2.png", "/"])
    assert len(set(names)) == 5
    assert not any("/" in name or name.startswith(".") for name in names)


def test_a_sheet_has_a_panel_for_each(found):
    drawn = found.figure()
    titles = [ax.get_title() for ax in drawn.axes if ax.get_title()]
    assert [title.splitlines()[0] for title in titles] == list(found.names)
    with pytest.raises(xaimri.InvalidInput, match="there is no explanation to draw"):
        Explanations({}).figure()


@pytest.mark.slow
def test_notebooks_show_table_and_pictures_without_markup_of_the_names():
    image = np.random.default_rng(0).random((16, 20))
    shown = xaimri.explain_all(NET, {"<b>x</b>": image, "y": "gone"}, "saliency")._repr_html_()
    assert "<b>x</b>" not in shown
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert shown.count("<tr>") == 3
    assert shown.count("<img ") == 1
    assert "<img" not in Explanations({})._repr_html_()
