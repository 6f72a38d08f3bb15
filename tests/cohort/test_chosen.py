"""Rows that are chosen: what can be asked of them, and what can't."""

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.errors import InvalidInput

field = pytest.importorskip("pyarrow.dataset").field


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chosen")
    rng = np.random.default_rng(0)
    for n in range(6):
        np.save(folder / f"{n}.npy", rng.random((6, 8)) if n else np.ones(3))
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    return xaimri.explain_cohort(model, folder, ["saliency", "input_x_gradient"], out=folder / "run")


def test_an_expression_chooses_the_rows_of_which_it_is_true(cohort):
    told = cohort.table(["probability"])["probability"].to_pylist()
    assert len(cohort.filter(field("probability") > 0.6)) == sum(p is not None and p > 0.6 for p in told)
    assert len(cohort.filter(field("failure").is_valid())) == 2
    assert len(cohort.filter(failed=False, method="saliency")) == 5


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (field("probability"), "must be true or false of each row, and is a float"),
        (field("probability") + 1, "must be true or false of each row"),
        (field("deletion") > 0.5, r"can't be asked of the rows \(No match for FieldRef.Name\(deletion\)"),
        (field("label") > 3, "can't be asked of the rows .*: their columns are those of `table"),
        ("probability > 0.9", "must be one of Arrow"),
    ],
)
def test_what_is_not_true_or_false_of_each_row_is_refused(cohort, expression, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        cohort.filter(expression)
