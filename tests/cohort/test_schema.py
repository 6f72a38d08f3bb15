"""The columns are what others read: pandas, DuckDB and Arrow see the same numbers."""

import re
import shutil
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


@pytest.mark.slow
def test_ray_reads_it(run):
    ray = pytest.importorskip("ray")
    data = pytest.importorskip("ray.data")
    folder, truth = run
    ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        check(data.read_parquet(str(folder / "rows")).take_all(), truth)
    finally:
        ray.shutdown()


@pytest.mark.slow
def test_spark_reads_it(run):
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    from pyspark.sql import SparkSession

    folder, truth = run
    told = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1",
            "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # fmt: skip
    spark = SparkSession.builder.master("local[1]").config(map=told).getOrCreate()
    try:
        read = spark.read.parquet(str(folder / "rows"))
        check([row.asDict() for row in read.collect()], truth)
        assert read.where("method = 'saliency' and failure is null").count() == 5
    finally:
        spark.stop()


@pytest.mark.parametrize("reader", ["pandas", "duckdb"])
def test_half_precision_is_read_too(tmp_path, reader):
    """By all but Spark, which knows no such type."""
    module = pytest.importorskip(reader)
    model = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
    image = np.random.default_rng(0).random((6, 8))
    xaimri.explain_cohort(model, {"a": image}, "saliency", out=tmp_path, precision="float16")
    if reader == "pandas":
        (row,) = module.read_parquet(tmp_path / "rows").to_dict("records")
    else:
        (row,) = module.sql(f"select * from '{tmp_path}/rows/*.parquet'").to_arrow_table().to_pylist()
    values = np.array(list(row["map"]), np.float32).reshape(6, 8) * row["map_scale"]
    np.testing.assert_allclose(values, xaimri.explain(model, image, "saliency").values, rtol=2e-3)


def test_the_manual_has_the_same_table():
    page = (Path(__file__).parents[2] / "docs" / "guide" / "cohorts.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert told == COLUMNS
