"""How the work of a cohort is asked for."""

import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import RayEngine
from xaimri.errors import InvalidInput

pytest.importorskip("pyarrow")


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ({"workers": 0}, "`workers` must be a whole number of at least 1, got 0"),
        ({"threads": 0}, "`threads` must be a whole number"),
        ({"gpus": -1}, "`gpus` must be a number of at least 0 and at most 1024, got -1"),
        ({"gpus": 1.5}, "`gpus` must be a whole number or below 1"),
        ({"address": "ray://a:1"}, "`address` must be of the cluster's head"),
        ({"address": " "}, "`address` must be of the cluster's head"),
    ],
)
def test_an_engine_that_can_not_be_is_refused(engine, told):
    with pytest.raises(InvalidInput, match=told):
        RayEngine(**engine)


def test_another_engine_is_refused(tmp_path):
    model = LinearClassifier.random((2, 2, 1), classes=2)
    with pytest.raises(InvalidInput, match=r"`engine` must be .local. or .ray. or a RayEngine, got 'spark'"):
        xaimri.explain_cohort(model, {"a": [[1.0, 2.0]]}, out=tmp_path, engine="spark")
