"""Files of rows that are damaged, foreign, or at another's place: told, or passed over, and never joined."""

import shutil

import numpy as np
import pytest

import xaimri
from xaimri import LinearClassifier
from xaimri.cohort import open as open_cohort
from xaimri.errors import InvalidInput

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

MODEL = LinearClassifier.random((6, 8, 1), classes=2, seed=0)
CASES = {f"scan {n}": one for n, one in enumerate(np.random.default_rng(0).random((40, 6, 8)))}
METHODS = ["saliency", "hirescam"]


def run(out, methods=METHODS, cases=CASES):
    return xaimri.explain_cohort(MODEL, cases, methods, out=out)


@pytest.fixture
def kept(tmp_path):
    run(tmp_path / "run")
    return tmp_path / "run"


def part(folder, number):
    return folder / "rows" / f"part-{number:06d}.parquet"


def test_other_files_beside_the_parts_are_no_rows(kept):
    rows = open_cohort(kept).table().to_pylist()
    first = part(kept, 0)
    shutil.copy(first, kept / "rows" / "part-000000 (conflicted copy).parquet")
    shutil.copy(first, part(kept, 7))  # of a part that this cohort doesn't have
    parquet.write_table(pyarrow.table({"a": [1, 2]}), kept / "rows" / "mine.parquet")
    (kept / "rows" / "folder").mkdir()
    cohort = open_cohort(kept)
    assert cohort.table().to_pylist() == rows
    assert len(cohort) == 80
    assert sum(each.subjects for each in cohort.class_means("saliency", "predicted", independent=True)) == 40
    assert len(cohort.judge("deletion", model=MODEL, images=CASES, independent=True).rows) == 80
    shutil.copytree(kept / "judgements" / "deletion", kept / "judgements" / "other")
    shutil.copy(kept / "judgements/deletion/part-000000.parquet", kept / "judgements/deletion/part-9.parquet")
    assert len(cohort.judgement("deletion", independent=True).rows) == 80
    assert run(kept).done == 40


def test_a_file_that_is_cut_off_is_named_with_the_remedy_which_helps(kept):
    whole = open_cohort(kept).table(["case", "method", "map"])
    cut = part(kept, 1)
    cut.write_bytes(cut.read_bytes()[:-20])
    cohort = open_cohort(kept)
    asked = [
        lambda: len(cohort),
        cohort.table,
        lambda: cohort.explanation("scan 39", "saliency", image=CASES["scan 39"]),
        lambda: cohort.class_means("saliency", "predicted", independent=True),
        lambda: cohort.export(kept.parent / "new"),
        lambda: cohort.judge("deletion", model=MODEL, images=CASES, independent=True),
        lambda: run(kept),
    ]
    for each in asked:
        with pytest.raises(
            InvalidInput, match=r"rows/part-000001\.parquet in .* is damaged .*: remove it, and"
        ):
            each()
    cut.unlink()
    assert run(kept).table(["case", "method", "map"]).equals(whole)


def test_a_bit_that_flips_on_the_disk_is_seen(kept):
    file = part(kept, 0)
    group = parquet.ParquetFile(file).metadata.row_group(0)
    columns = [group.column(n) for n in range(group.num_columns)]
    (maps,) = (each for each in columns if each.path_in_schema.startswith("map."))
    content = bytearray(file.read_bytes())
    content[maps.data_page_offset + maps.total_compressed_size - 99] ^= 4
    file.write_bytes(bytes(content))
    cohort = open_cohort(kept)
    with pytest.raises(InvalidInput, match=r"rows/part-000000\.parquet in .* is damaged"):
        list(cohort.rows())
    with pytest.raises(InvalidInput, match=r"rows/part-000000\.parquet in .* is damaged"):
        cohort.store.read(0)


def of_another_part(kept):
    shutil.copy(part(kept, 0), part(kept, 1))


def of_other_cases(kept):
    run(kept.parent / "other", cases={f"z {n}": one for n, one in enumerate(CASES.values())})
    shutil.copy(part(kept.parent / "other", 1), part(kept, 1))


def of_fewer_methods(kept):
    run(kept.parent / "other", "saliency")
    shutil.copy(part(kept.parent / "other", 1), part(kept, 1))


@pytest.mark.parametrize("wrong", [of_another_part, of_other_cases, of_fewer_methods])
def test_a_part_with_the_rows_of_others_is_refused_when_the_run_goes_on(kept, wrong):
    whole = open_cohort(kept).table(["case", "method", "map"])
    wrong(kept)
    with pytest.raises(
        InvalidInput, match=r"rows/part-000001\.parquet in .* holds other rows than that part"
    ):
        run(kept)
    part(kept, 1).unlink()
    assert run(kept).table(["case", "method", "map"]).equals(whole)


def test_rows_of_others_are_neither_averaged_nor_judged(kept):
    of_another_part(kept)
    with pytest.raises(InvalidInput, match="holds other rows than that part of the cohort has"):
        open_cohort(kept).class_means("saliency", "predicted", independent=True)
    of_fewer_methods(kept)
    with pytest.raises(InvalidInput, match="holds other rows than that part of the cohort has"):
        open_cohort(kept).judge("deletion", model=MODEL, images=CASES, independent=True)


def test_rows_of_another_part_of_as_many_are_not_averaged(tmp_path):
    cases = {f"scan {n}": one for n, one in enumerate(np.random.default_rng(0).random((64, 6, 8)))}
    run(tmp_path / "run", cases=cases)
    of_another_part(tmp_path / "run")
    with pytest.raises(InvalidInput, match="some cases are there twice"):
        open_cohort(tmp_path / "run").class_means("saliency", "predicted", independent=True)


@pytest.mark.parametrize("kind", ["columns", "fewer", "twice", "column"])
def test_a_file_of_something_else_in_a_part_s_place_is_named_by_all_who_read(kept, kind):
    file = part(kept, 1)
    rows = parquet.read_table(file)
    other = {
        "columns": pyarrow.table({"a": [1] * len(rows)}),
        "fewer": rows.slice(2),
        "twice": pyarrow.concat_tables([rows, rows]),
        "column": rows.drop_columns(["failure"]),
    }[kind]
    parquet.write_table(other, file)
    asked = [
        len,
        lambda cohort: cohort.table(),
        lambda cohort: len(cohort.filter(failed=True)),
        lambda cohort: list(cohort.rows()),
        lambda cohort: cohort.class_means("saliency", "predicted", independent=True),
        lambda cohort: cohort.export(kept.parent / "new"),
        lambda cohort: cohort.judge("deletion", model=MODEL, images=CASES, independent=True),
        lambda cohort: run(kept),
    ]
    for each in asked:
        with pytest.raises(
            InvalidInput, match=r"rows/part-000001\.parquet in .* holds other rows than that part"
        ):
            each(open_cohort(kept))
    assert not (kept.parent / "new").exists()
    file.unlink()
    assert run(kept).done == 40
