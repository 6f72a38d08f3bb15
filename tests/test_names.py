"""A name is found as people write it, and a slip is never taken for another name."""

import numpy as np
import pytest

import xaimri
from xaimri.errors import InvalidInput
from xaimri.names import known_name, stated

METHODS = list(xaimri.EXPLAINERS)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("gradcam", "gradcam"), ("Grad-CAM", "gradcam"), ("GRADCAM++", "gradcam++"), ("Score cam", "scorecam"),
     ("input x gradient", "input_x_gradient"), ("Integrated-Gradients", "integrated_gradients")],
)  # fmt: skip
def test_case_and_strokes_do_not_count(given, meant):
    assert known_name(given, METHODS, "method") == meant
    assert xaimri.explainers.build(given).name == meant


@pytest.mark.parametrize(("given", "near"), [("gradcma", "gradcam"), ("limes", "lime"), ("SHPA", "shap")])
def test_a_slip_is_asked_about(given, near):
    with pytest.raises(InvalidInput, match=rf"^the method '{given}' is not known: did you mean '{near}'\?$"):
        known_name(given, METHODS, "method")


@pytest.mark.parametrize("given", ["", "zzz", "\n", "a" * 10_000])
def test_what_is_near_to_nothing_lists_all(given):
    with pytest.raises(InvalidInput, match=r"use 'gradcam', .*'lime'") as told:
        known_name(given, METHODS, "method")
    assert len(str(told.value)) <= 300


def test_two_names_that_differ_in_case_alone_are_never_mixed_up():
    assert known_name("ab", ["AB", "ab"], "class") == "ab"
    with pytest.raises(InvalidInput, match="is not known"):
        known_name("Ab", ["AB", "ab"], "class")


def test_what_tables_mark_as_missing_is_none_and_a_whole_number_is_one_name():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"s": ["S1", None, "", " "], "n": [7, np.nan, 8, 9], "i": pd.array([1, None, 2, 3])})
    assert [stated(one) for one in table["s"]] == ["S1", None, None, None]
    assert [stated(one) for one in table["n"]] == [7, None, 8, 9]
    assert [stated(one) for one in table["i"]] == [1, None, 2, 3]
    assert [str(stated(one)) for one in (7, 7.0, np.int64(7), np.float32(7))] == ["7"] * 4
    assert stated(("a", 1)) == ("a", 1)
    assert stated(pd.NaT) is None
    assert [stated(one) for one in table["n"].astype(str)] == ["7.0", None, "8.0", "9.0"]
    assert [stated(str(one)) for one in (None, pd.NA, pd.NaT, "n/a", "nana")] == [None] * 4 + ["nana"]
