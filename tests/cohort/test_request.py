"""What is asked of a run: for which class, of which model."""

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.errors import InvalidInput

pytest.importorskip("pyarrow")


@pytest.fixture
def scans(tmp_path):
    for n in range(3):
        np.save(tmp_path / f"{n}.npy", np.random.default_rng(n).random((6, 8)))
    return tmp_path


def model(*classes):
    weights = np.random.default_rng(0).normal(size=(len(classes), 6, 8, 1))
    return LinearClassifier(weights, classes=classes)


@pytest.mark.parametrize(
    ("classes", "label"),
    [(("AD", "CN"), "ad"), (("2", "20"), "2.0"), (("1", "0"), "-1"), (("10", "1"), "1.0")],
)
def test_a_label_that_is_no_class_by_its_very_word_is_told_before_the_work(scans, classes, label):
    (scans / "list.csv").write_text(f"path,label\n0.npy,{classes[0]}\n1.npy,{label}\n")
    with pytest.raises(InvalidInput, match=f"`1.npy` has '{label}': the model's are {classes[0]}, "):
        xaimri.explain_cohort(
            model(*classes), scans / "list.csv", "saliency", out=scans / "run", target="label"
        )
    assert not (scans / "run" / "rows").exists()


def test_no_target_is_the_predicted_class_as_of_one_image(scans):
    asked = model("AD", "CN"), scans, "saliency"
    cohort = xaimri.explain_cohort(*asked, out=scans / "run", target=None)
    assert cohort.manifest.target == "predicted"
    assert xaimri.explain_cohort(*asked, out=scans / "run").done == 3


def test_what_is_held_against_is_called_so(scans):
    with pytest.raises(InvalidInput, match="`against` 'ill' is not one of the classes"):
        xaimri.explain_cohort(model("AD", "CN"), scans, "saliency", out=scans / "run", against="ill")
