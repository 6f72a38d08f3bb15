"""The columns are what others read: pandas, DuckDB and Arrow see the same numbers."""

import re
from pathlib import Path

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort.schema import COLUMNS, VERSION, schema

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    folder = tmp_path_factory.mktemp("run")
    scans = {f"s{n}": np.random.default_rng(n).random((6, 8)) for n in range(5)}
    xaimri.explain_cohort(model, scans, ["saliency", "input_x_gradient"], out=folder)
    return folder, {name: xaimri.explain(model, image, "saliency").values for name, image in scans.items()}


def check(rows, truth):
    assert len(rows) == 10
    for row in rows:
        if row["method"] == "saliency":
            values = np.array(list(row["map"]), np.float32).reshape(list(row["map_shape"]))
            np.testing.assert_array_equal(values, truth[row["case"]])


def test_arrow_reads_it_and_every_column_says_what_it_means(run):
    from pyarrow import parquet

    folder, truth = run
    table = parquet.read_table(folder / "rows")
    check(table.to_pylist(), truth)
    assert table.schema.metadata[b"xaimri_cohort"] == str(VERSION).encode()
    assert {each.name: each.metadata[b"meaning"].decode() for each in table.schema} == COLUMNS
    assert [each.name for each in schema() if not each.nullable] == ["case", "method"]


def test_pandas_reads_it(run):
    pandas = pytest.importorskip("pandas")
    folder, truth = run
    check(pandas.read_parquet(folder / "rows").to_dict("records"), truth)


def test_duckdb_reads_it(run):
    duckdb = pytest.importorskip("duckdb")
    folder, truth = run
    query = f"select * from read_parquet('{folder}/rows/*.parquet')"
    check(duckdb.sql(query).to_arrow_table().to_pylist(), truth)


def test_the_manual_has_the_same_table():
    page = (Path(__file__).parents[2] / "docs" / "guide" / "cohorts.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert told == COLUMNS
