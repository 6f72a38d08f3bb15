from __future__ import annotations

import json
import pickle

import pytest

from xaimri.data import folds, read_bids, read_folder, remake, split
from xaimri.errors import InvalidInput
from xaimri.sealed import unseal

HEAD = "participant_id\tdiagnosis\tage\tsex\tsite\tfamily_id"
ROWS = [
    "sub-01\tAD\t71\tF\tA\tx",
    "sub-02\tCN\t65.5\tM\tB\tx",
    "sub-03\tAD\tn/a\tM\tA\tn/a",
    "sub-04\tCN\t80\tF\tB\tn/a",
]


@pytest.fixture
def make(tmp_path):
    """Write a data set of rows and of files below its folders, which are empty."""

    def made(rows=ROWS, head=HEAD, files=None, table=None, root=tmp_path):
        root.mkdir(exist_ok=True)
        content = "\n".join([head, *rows]) + "\n" if table is None else table
        (root / "participants.tsv").write_bytes(content if isinstance(content, bytes) else content.encode())
        for name in (
            [f"sub-{n:02}/anat/sub-{n:02}_T1w.nii.gz" for n in range(1, 5)] if files is None else files
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        return root

    return made


def listed(dataset):
    return [(case.subject, dataset.classes[case.label]) for case in dataset]


ALL = [("sub-01", "AD"), ("sub-02", "CN"), ("sub-03", "AD"), ("sub-04", "CN")]


def test_labels_subjects_and_covariates_are_those_of_the_table(make):
    dataset = read_bids(make(), "diagnosis")
    assert listed(dataset) == ALL
    assert [case.id for case in dataset][:1] == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert dataset[0].covariates == {"age": 71.0, "sex": "F", "site": "A", "family_id": "x"}
    assert dataset.covariate("age") == (71.0, 65.5, None, 80.0)
    assert dataset.notes == ()
    again = pickle.loads(pickle.dumps(dataset))
    assert again.covariate("age") == dataset.covariate("age")
    with pytest.raises(TypeError):
        again[0].covariates["age"] = 3
    with pytest.raises(InvalidInput, match="no case has the covariate 'weight': there are age, sex"):
        dataset.covariate("weight")


@pytest.mark.parametrize(
    "table",
    [
        ("\ufeff" + "\r\n".join([HEAD, *ROWS]) + "\r\n").encode(),
        "\r".join([HEAD, *ROWS]).encode(),
        "\n".join([HEAD, *ROWS]).encode("utf-16"),
        ("\n\n".join([HEAD + "\t", *(row + "\t\t" for row in ROWS)]) + "\n\n\n").encode(),
        "\n".join([HEAD, *(row.removeprefix("sub-") for row in ROWS)]).encode(),
        "\n".join([HEAD, *("\t".join(f'" {cell}"' for cell in row.split("\t")) for row in ROWS)]).encode(),
        "\n".join([HEAD.replace("\t", " \t "), *reversed(ROWS)]).encode(),
    ],
    ids=["bom", "cr", "utf16", "ends", "bare", "quoted", "order"],
)
def test_tables_are_read_however_a_spreadsheet_wrote_them(make, table):
    dataset = read_bids(make(table=table), "diagnosis")
    assert listed(dataset) == ALL
    assert dataset.covariate("age") == (71.0, 65.5, None, 80.0)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (HEAD.replace("\t", ",") + "\nsub-01,AD", "no column `participant_id` .it seems to have commas"),
        ("", "no column `participant_id`"),
        (HEAD + "\tsite\n", "several columns called 'site'"),
        (HEAD + "\nsub-01\tAD\t71", "row 2 of .* has 3 columns, and the heading 6"),
        (HEAD + "\nsub-01\tAD\t71\tF\tA\tx\ty", "row 2 of .* has 7 columns"),
        ("\n".join([HEAD, ROWS[0], ROWS[0].replace("AD", "CN")]), "two rows for `sub-01` that differ"),
        ("\n".join([HEAD, ROWS[0], ROWS[0][4:].replace("AD", "CN")]), "two rows for `sub-01` that differ"),
        ("\n".join([HEAD, "\tAD\t1\tF\tA\tx"]), "row 2 of .* has no `participant_id`"),
        (HEAD.encode() + b"\nsub-01\t\xe9\t1\tF\tA\tx", "no text in UTF-8"),
        (
            "\n".join([HEAD.replace("diagnosis", "group"), *ROWS]),
            "no column `diagnosis`; its columns are age, fam",
        ),
        (
            "\n".join([HEAD, *ROWS[:2], ROWS[2].replace("AD", "ad"), ROWS[3]]),
            "'AD' and 'ad', which differ in cap",
        ),
        (
            "\n".join([HEAD, *(row.replace("AD", "n/a").replace("CN", "NA") for row in ROWS)]),
            "no scan has a value",
        ),
    ],
)
def test_tables_that_contradict_themselves_are_refused(make, table, told):
    with pytest.raises(InvalidInput, match=told):
        read_bids(make(table=table), "diagnosis")


def test_who_is_missing_is_left_out_and_named(make):
    rows = [ROWS[0], ROWS[0], ROWS[1], ROWS[2].replace("AD", "N/A"), "sub-09\tAD\t1\tF\tA\tx"]
    dataset = read_bids(make(rows), "diagnosis")
    assert listed(dataset) == [("sub-01", "AD"), ("sub-02", "CN")]
    told = " ".join(dataset.notes)
    assert "has sub-01 twice, with the same values" in told
    assert "Left out: 1 subject without a row in participants.tsv: sub-04." in told
    assert "No such scan: 1 subject of participants.tsv: sub-09." in told
    assert "Left out: 1 scan without a `diagnosis`: sub-03." in told


def test_zeros_that_a_spreadsheet_has_lost_are_named(make):
    rows = [ROWS[0], ROWS[1], *(row.replace("sub-0", "") for row in ROWS[2:])]
    (told, _) = read_bids(make(rows), "diagnosis").notes
    assert "(the table has lost zeros before its numbers): sub-03, sub-04" in told


def test_numbers_are_labels_and_names_of_digits_are_no_numbers(make):
    values = ["10", "2", "2.0", "n/a"]
    rows = [f"sub-{n:02}\t{value}\t0{n}\tF\t1\tx" for n, value in enumerate(values, 1)]
    dataset = read_bids(make(rows), "diagnosis")
    assert dataset.classes == ("2", "10")
    assert [case.label for case in dataset] == [1, 0, 0]
    assert dataset.covariate("age") == ("01", "02", "03")
    assert dataset.covariate("site") == (1.0, 1.0, 1.0)
    with pytest.raises(InvalidInput, match="`diagnosis` has 4 values for 4 subjects"):
        read_bids(make([row.replace("n/a", "7").replace("2.0", "3") for row in rows]), "diagnosis")


def test_numbers_that_differ_late_are_labels_of_their_own(make):
    rows = [f"sub-{n:02}\t{1000001 + n % 2}\t71\tF\tA\tx" for n in range(1, 5)]
    assert read_bids(make(rows), "diagnosis").classes == ("1000001", "1000002")
    rows = [f"sub-{n:02}\t{('0.12345671', '0.12345672', '2.50')[n % 3]}\t71\tF\tA\tx" for n in range(1, 7)]
    files = [f"sub-{n:02}/anat/sub-{n:02}_T1w.nii.gz" for n in range(1, 7)]
    dataset = read_bids(make(rows, files=files), "diagnosis")
    assert dataset.classes == ("0.12345671", "0.12345672", "2.5")
    assert [case.label for case in dataset] == [1, 2, 0, 1, 2, 0]


def test_classes_choose_and_order(make):
    rows = [ROWS[0], ROWS[1], ROWS[2].replace("AD", "MCI"), ROWS[3].replace("CN", "NA")]
    dataset = read_bids(make(rows), "diagnosis", classes=["NA", "CN", "AD"])
    assert listed(dataset) == [("sub-01", "AD"), ("sub-02", "CN"), ("sub-04", "NA")]
    assert dataset.classes == ("NA", "CN", "AD")
    assert dataset.notes == ("Left out: 1 scan of other labels: MCI (1).",)
    with pytest.raises(InvalidInput, match="no scan has the label 'Cn'"):
        read_bids(make(rows), "diagnosis", classes=["Cn", "AD"])


def visits(*names):
    return [f"sub-{n:02}/{s}/anat/sub-{n:02}_{s}_{name}.nii.gz" for n in (1, 2, 3, 4) for s, name in names]


def test_sessions_are_cases_of_one_subject_that_never_parts(make):
    root = make(files=visits(("ses-1", "T1w"), ("ses-2", "T1w")))
    for number in (1, 2, 3, 4):
        table = "session_id\tage\tdiagnosis\nses-1\t50\tCN\n2\t5{}\t{}\n".format(
            number, "AD" if number > 2 else "CN"
        )
        (root / f"sub-0{number}" / f"sub-0{number}_sessions.tsv").write_text(table)
    dataset = read_bids(root, "diagnosis")
    assert [case.subject for case in dataset] == [f"sub-0{n}" for n in (1, 1, 2, 2, 3, 3, 4, 4)]
    assert dataset.covariate("age") == (50.0, 51.0, 50.0, 52.0, 50.0, 53.0, 50.0, 54.0)
    assert "The sessions have a `diagnosis` of their own, which is not used" in dataset.notes[0]
    assert [dataset.classes[case.label] for case in dataset] == ["AD", "AD", "CN", "CN"] * 2
    own = read_bids(root, "diagnosis", table="sessions")
    assert [own.classes[case.label] for case in own] == ["CN", "CN", "CN", "CN", "CN", "AD", "CN", "AD"]
    parts = split(dataset, validation=0, test=0.5, copies="tell")
    assert {len(part) for part in (parts.train, parts.test)} == {4}
    with pytest.raises(InvalidInput, match="no column `stage`"):
        read_bids(root, "stage")
    with pytest.raises(InvalidInput, match=r"it is one of the participants: pass table=.participants"):
        read_bids(root, "site", table="sessions")


def test_several_scans_of_a_session_are_asked_about(make):
    one = [f"sub-01/anat/sub-01_{name}.nii.gz" for name in ("acq-a_run-1_T1w", "acq-a_run-02_T1w", "T2w")]
    root = make(files=[*one, "sub-02/anat/sub-02_acq-b_run-1_T1w.nii.gz", "sub-02/anat/sub-02_T2w.nii.gz"])
    with pytest.raises(
        InvalidInput, match=r"sub-01 has 2 scans `T1w`, which differ in run: 02, 1: choose by ent"
    ):
        read_bids(root, "diagnosis")
    for run in (2, "2", "02"):
        chosen = read_bids(root, "diagnosis", entities={"acq": "a", "run": run})
        assert [case.id for case in chosen] == ["sub-01/anat/sub-01_acq-a_run-02_T1w.nii.gz"]
    first = read_bids(root, "diagnosis", repeats="first")
    assert [case.id[12:] for case in first] == [
        "sub-01_acq-a_run-1_T1w.nii.gz",
        "sub-02_acq-b_run-1_T1w.nii.gz",
    ]
    assert "The scans differ in `acq`: a (1), b (1); choose one by entities={'acq': ...}" in first.notes[-1]
    assert len(read_bids(root, "diagnosis", repeats="all")) == 3
    assert len(read_bids(root, "diagnosis", suffix="T2w")) == 2
    with pytest.raises(InvalidInput, match="has the pairs of `entities`"):
        read_bids(root, "diagnosis", entities={"acq": None})


def test_the_first_of_ten_runs_is_run_1(make):
    files = [f"sub-01/anat/sub-01_run-{run}_T1w.nii.gz" for run in (10, 2, 1)]
    files += [f"sub-02/anat/sub-02_run-{run}_T1w.nii.gz" for run in (12, 3)]
    dataset = read_bids(make(files=files), "diagnosis", repeats="first")
    assert [case.id[12:] for case in dataset] == ["sub-01_run-1_T1w.nii.gz", "sub-02_run-3_T1w.nii.gz"]
    pairs = [f"sub-01/anat/sub-01_run-{run}_{kind}.nii.gz" for run in (10, 9) for kind in ("T1w", "FLAIR")]
    source = read_bids(make(files=[*files, *pairs]), "diagnosis", suffix=("T1w", "FLAIR"), repeats="first")[
        0
    ].source
    assert [path.name for path in source.sources.values()] == [
        "sub-01_run-1_T1w.nii.gz",
        "sub-01_run-9_FLAIR.nii.gz",
    ]


def test_a_scan_and_its_packed_twin_are_told(make):
    root = make(files=["sub-01/anat/sub-01_T1w.nii", "sub-01/anat/sub-01_T1w.nii.gz"])
    with pytest.raises(InvalidInput, match="names that differ in nothing but their ending"):
        read_bids(root, "diagnosis")


def test_only_raw_scans_are_read_and_a_derivative_takes_the_table_around_it(make):
    more = [f"derivatives/prep/sub-{n:02}/anat/sub-{n:02}_space-MNI_T1w.nii.gz" for n in (1, 2)]
    root = make(
        files=[
            *visits(("ses-1", "T1w")),
            *more,
            "sourcedata/sub-01/sub-01_T1w.nii",
            "sub-01/._sub-01_T1w.nii",
        ]
    )
    assert len(read_bids(root, "diagnosis")) == 4
    derived = read_bids(root / "derivatives" / "prep", "diagnosis")
    assert listed(derived) == ALL[:2]
    with pytest.raises(InvalidInput, match=r"has no folders `sub-.`, as BIDS has: read `.*prep`"):
        read_bids(root / "derivatives", "diagnosis")
    (root / "participants.tsv").unlink()
    with pytest.raises(InvalidInput, match=r"has no `participants.tsv`, which says the label"):
        read_bids(root, "diagnosis")


def test_links_to_nothing_and_files_of_others_are_told(make):
    root = make(files=["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-03_T1w.nii.gz"])
    (root / "sub-02/anat/sub-02_T1w.nii.gz").symlink_to(root / ".git/annex/gone")
    dataset = read_bids(root, "diagnosis", classes=["AD"])
    assert dataset.notes[:2] == (
        "Passed over: 1 in the folder of another subject or session than in their name.",
        "Passed over: 1 links to content that isn't there (fetch it, as by `datalad get`).",
    )
    (root / "sub-01/anat/sub-01_T1w.nii.gz").unlink()
    with pytest.raises(InvalidInput, match=r"hold no .*T1w.nii.gz` .*datalad get"):
        read_bids(root, "diagnosis")


def test_linked_folders_of_subjects_are_read_and_those_within_told(make, tmp_path):
    root = make(files=["sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"], root=tmp_path / "bids")
    for folder, name in (("ses-2/anat", "sub-01_ses-2_T1w"), ("two/anat", "sub-02_T1w")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{name}.nii.gz").touch()
    (root / "sub-01" / "ses-2").symlink_to(tmp_path / "ses-2")
    (root / "sub-02").symlink_to(tmp_path / "two")
    dataset = read_bids(root, "diagnosis")
    assert listed(dataset) == [("sub-01", "AD"), ("sub-02", "CN")]
    assert "Passed over: 1 linked folders (lay the folders themselves there)." in dataset.notes


def test_folders_of_subjects_are_no_classes(make):
    with pytest.raises(InvalidInput, match=r"read it by `xaimri.data.read_bids`"):
        read_folder(make())
    assert read_folder(make(), classes=["sub-01", "sub-02"]).classes == ("sub-01", "sub-02")
    other = make(root=make() / "other", files=["sub-acute/1.png", "sub-chronic/2.png"])
    assert read_folder(other).classes == ("sub-acute", "sub-chronic")


def test_a_covariate_can_be_what_stays_together(make):
    dataset, apart = read_bids(make(), "diagnosis"), []
    for seed in range(8):
        parts = split(dataset, validation=0, test=0.5, seed=seed, groups="family_id", copies="tell")
        homes = {case.subject: name for name, part in parts.parts() for case in part}
        assert homes["sub-01"] == homes["sub-02"]
        apart.append(homes["sub-03"] != homes["sub-04"])
    assert any(apart)  # n/a is no family
    with pytest.raises(InvalidInput, match="no case has the covariate 'family'"):
        folds(dataset, 2, groups="family")


def test_the_record_makes_it_again(make):
    dataset = read_bids(make(), "diagnosis", classes=["CN", "AD"], entities={"run": None})
    again = remake(json.loads(json.dumps(unseal(dataset.origin))), make())
    assert [(case.id, case.label) for case in again] == [(case.id, case.label) for case in dataset]


def test_contrasts_are_channels_in_the_order_asked_for(make):
    files = [*visits(("ses-1", "T1w"), ("ses-1", "FLAIR"), ("ses-2", "T1w"))]
    dataset = read_bids(make(files=files), "diagnosis", suffix=("FLAIR", "T1w"))
    assert listed(dataset) == ALL
    assert dataset.notes == ("Left out: 4 sessions without all of FLAIR, T1w.",)
    source = dataset[0].source
    assert source.names == ("FLAIR", "T1w")
    assert [file.name for file in source.sources.values()] == [
        f"sub-01_ses-1_{kind}.nii.gz" for kind in source.names
    ]
    assert pickle.loads(pickle.dumps(dataset))[0].source.names == source.names
    for wrong in ((), ("T1w", "T1w")):
        with pytest.raises(InvalidInput, match="`suffix` must be one kind of scan"):
            read_bids(make(files=files), "diagnosis", suffix=wrong)
    with pytest.raises(InvalidInput, match="`repeats` can't be"):
        read_bids(make(files=files), "diagnosis", suffix=("T1w", "FLAIR"), repeats="all")
