"""The command line: one sentence per error, exit codes, files where they were asked for."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xaimri
from frameworks import on_first_use
from unreadable import UNREADABLE
from xaimri.cli import data
from xaimri.errors import XaimriError

with on_first_use():
    from xaimri import experiment


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("demo",),
        ("train",),
        ("evaluate",),
        ("calibrate",),
        ("compare-models",),
        ("cross-validate",),
        ("explain",),
        ("compare",),
        ("regions",),
        ("judge",),
        ("data",),
        ("methods",),
        ("card",),
    ],
)
def test_every_command_has_help(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Usage: xaimri" in " ".join(out.split())


def test_an_unknown_option_is_a_usage_error(run):
    code, _, err = run("explain", "--colour", "red")
    assert code == 2
    assert "--colour" in err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("data", "info", "nowhere"), "nowhere"),
        pytest.param(("evaluate", "nowhere", "phantom"), "nowhere", marks=pytest.mark.tensorflow),
        pytest.param(
            ("explain", "nowhere.keras", Path(__file__)), "nowhere.keras", marks=pytest.mark.tensorflow
        ),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_1(run, words, named):
    code, out, err = run(*words)
    assert code == 1
    assert out == ""
    assert err.startswith("xaimri: ")
    assert err.count("\n") == 1
    assert named in err
    assert "Traceback" not in err


@pytest.mark.filterwarnings("always")
def test_a_warning_of_ours_is_one_sentence(run, monkeypatch):
    def warn(*_, **__):
        warnings.warn_explicit("Some cases are left out.", UserWarning, data.__file__, 3)
        with pytest.warns(UserWarning, match="Theirs"):
            warnings.warn("Theirs.", stacklevel=1)
        raise XaimriError("It ended here.")

    monkeypatch.setattr(data, "dataset_of", warn)
    told = "xaimri: Some cases are left out.\nxaimri: It ended here.\n"
    assert run("data", "info", "anything") == (1, "", told)


def test_what_a_folder_passes_over_is_printed(run, tmp_path):
    for name in ("data/a/1.png", "data/b/1.png", "data/b/readme.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    code, out, _ = run("data", "info", tmp_path)
    assert code == 0
    assert out.splitlines()[3:] == [
        "The classes are the folders of `data`.",
        "Passed over: 1 no image by the ending (1 .txt).",
    ]


@pytest.mark.slow
def test_the_phantom_is_written_as_class_folders_and_read_back(run, tmp_path):
    code, out, _ = run("data", "phantom", "--out", tmp_path, "--subjects", 4, "--slices", 2)
    assert code == 0
    assert run("data", "phantom", "--out", tmp_path)[0] == 1  # never into what is there already
    files = sorted(tmp_path.rglob("*.png"))
    assert len(files) == 8
    assert len({file.parent for file in files}) == 4
    code, again, _ = run("data", "info", tmp_path)
    assert code == 0
    assert [line.split()[-2] for line in again.splitlines()[1:5]] == ["2"] * 4
    assert "unknown" in again  # no subjects in a plain folder
    assert "unknown" not in out


@pytest.mark.tensorflow
class TestWithANetwork:
    @pytest.fixture(scope="class")
    def bundle(self, tmp_path_factory):
        import keras

        from xaimri import training

        layers, chance = keras.layers, keras.initializers.GlorotUniform(seed=1)
        model = keras.Sequential(
            [
                keras.Input((24, 20, 1)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(
                    6, 3, strides=2, activation="relu", padding="same", name="cells",
                    kernel_initializer=chance,
                ),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, kernel_initializer=chance),
                layers.Softmax(),
            ]
        )  # fmt: skip
        return training.save(tmp_path_factory.mktemp("bundle"), model, ("none", "mild", "severe"), fit="pad")

    @pytest.fixture
    def scan(self, tmp_path):
        pixels = np.random.default_rng(0).integers(0, 255, (31, 27), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "scan.png")
        return tmp_path / "scan.png"

    def test_a_plain_network_is_compared_by_the_classes_that_are_named_and_a_bundle_keeps_its_own(
        self, run, bundle, tmp_path
    ):
        """The plain one is the bundle's with its outputs in another order: by right names all is equal."""
        import json

        import keras

        network = keras.models.load_model(bundle / "model.keras")
        weights, bias = network.layers[-2].get_weights()
        network.layers[-2].set_weights([weights[:, ::-1], bias[::-1]])
        network.save(tmp_path / "plain.keras")
        draw = np.random.default_rng(0)
        for number in range(18):
            folder = tmp_path / "data" / ("none", "mild", "severe")[number % 3]
            folder.mkdir(parents=True, exist_ok=True)
            pixels = draw.integers(0, 255, (24, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
        words = ("--independent", "--part", "all", "--fit", "pad", "--out", tmp_path / "out")
        given = ("compare-models", bundle, tmp_path / "plain.keras", tmp_path / "data", *words)
        code, _, err = run(*given)
        assert code == 1
        assert "class_0" in err
        code, _, err = run(*given, "--classes", "none,mild")
        assert code == 1
        assert err.startswith(f"xaimri: `{tmp_path / 'plain.keras'}`: --classes must be 3 different names")
        code, _, err = run(*given, "--classes", "severe,mild,none")
        assert code == 0, err
        found = json.loads((tmp_path / "out" / "comparison.json").read_text())["differences"]
        assert all(abs(one["difference"]["value"]) < 1e-6 for one in found.values())
        assert found["AUROC"]["a"] != 0.5
        given = ("compare-models", bundle, bundle, tmp_path / "data", *words, "--force")
        code, _, err = run(*given, "--classes", "a,b,c")
        assert code == 1
        assert "know by themselves what --classes would tell: leave it out" in err

    def test_explain_draws_a_figure_and_says_what_it_saw(self, run, bundle, scan, tmp_path):
        code, out, err = run("explain", bundle, scan, "--out", tmp_path, "--target", "mild")
        assert code == 0, err
        assert out.startswith(f"{scan}: mild, p = 0.")
        with Image.open(tmp_path / "scan_gradcam.png") as drawn:
            assert drawn.size[0] > 300

    def test_a_folder_of_slices_is_one_volume_and_goes_back_as_dicom(self, run, bundle, tmp_path):
        pydicom = pytest.importorskip("pydicom")
        pytest.importorskip("highdicom")
        import keras

        from scans import content, placed, series_of

        folder, out = tmp_path / "study" / "series", tmp_path / "out"
        folder.mkdir(parents=True)
        source = series_of(*placed((5, 6, 7)))
        for number, one in enumerate(source):
            (folder / f"{number}.dcm").write_bytes(content(one))
        layers = keras.layers
        network = keras.Sequential(
            [
                keras.Input((7, 6, 5, 1)),
                layers.Conv3D(2, 2, activation="relu"),
                layers.GlobalAveragePooling3D(),
                layers.Dense(2),
                layers.Softmax(),
            ]
        )
        network.save(tmp_path / "network.keras")
        words = ("explain", tmp_path / "network.keras", "--out", out, "--format", "dcm,npy,json,csv")
        code, said, err = run(*words, folder)
        assert code == 0, err
        assert len(said.splitlines()) == 1
        written = pydicom.dcmread(out / "series_gradcam.dcm")
        assert written.PatientID == source[0].PatientID
        assert written.NumberOfFrames == 5
        assert np.load(out / "series_gradcam.npy").shape == (7, 6, 5)
        assert "secret" not in (said + err).casefold()
        for file in out.iterdir():
            assert file.suffix == ".dcm" or b"ecret" not in file.read_bytes()
        code, said, err = run(*words, folder.parent, "--force")  # a study: each folder of slices is an image
        assert code == 0, err
        assert len(said.splitlines()) == 1
        code, said, err = run(
            "explain", bundle, folder, "--out", tmp_path / "slices"
        )  # to a network of slices
        assert code == 0, err
        assert len(said.splitlines()) == 5

    def test_one_class_is_explained_against_another(self, run, bundle, scan, tmp_path):
        words = ("explain", bundle, scan, "--out", tmp_path, "-m", "saliency", "--target", "mild")
        code, out, err = run(*words, "--against", 0)
        assert code == 0, err
        assert out.startswith(f"{scan}: mild against none, p = 0.")
        code, _, err = run(*words, "--against", "mild", "--force")
        assert code == 1
        assert "--target and --against are both 'mild'" in err
        words = ("compare", bundle, scan, "--out", tmp_path, "-m", "saliency", "-m", "gradcam")
        code, out, err = run(*words, "--target", "severe", "--against", "none")
        assert code == 0, err
        assert out.startswith("saliency: severe against none, p = 0.")

    def test_every_form_of_every_method_is_written_and_nothing_is_written_over(
        self, run, bundle, scan, tmp_path
    ):
        import csv
        import json

        out = tmp_path / "made"
        words = ("explain", bundle, scan, "--out", out, "-m", "Grad-CAM,saliency", "-m", "Input X Gradient")
        code, said, err = run(*words, "--format", "npy,.JSON", "-f", "svg,csv,html", "--target", "Mild")
        assert code == 0, err
        assert len(said.splitlines()) == 3
        names = ("gradcam", "saliency", "input_x_gradient")
        files = {f"scan_{name}.{form}" for name in names for form in ("npy", "json", "svg", "html")}
        assert {file.name for file in out.iterdir()} == files | {"explanations.csv"}
        assert f"<title>{scan.name}: " in (out / "scan_saliency.html").read_text(encoding="utf-8")
        values = np.load(out / "scan_saliency.npy")
        numbers = json.loads((out / "scan_saliency.json").read_text())
        found = xaimri.explain(bundle, scan, "saliency", target="mild")
        np.testing.assert_array_equal(values, found.values)
        assert numbers == found.to_dict()
        assert numbers["target_class"] == "mild"
        with (out / "explanations.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [row["method"] for row in rows] == list(names)
        assert float(rows[0]["probability"]) == pytest.approx(float(found.probabilities[1]))
        before = (out / "scan_gradcam.svg").read_bytes()
        code, _, err = run(*words, "-f", "svg")
        assert code == 1
        assert "`" + str(out / "scan_gradcam.svg") + "` and 2 more are there already" in err
        assert (out / "scan_gradcam.svg").read_bytes() == before
        assert run(*words, "-f", "svg", "--force")[0] == 0

    def test_what_is_wrong_with_the_words_is_said_before_the_network_is_opened(
        self, run, bundle, scan, tmp_path, monkeypatch
    ):
        def opened(*_, **__):
            raise AssertionError("the network was opened")

        monkeypatch.setattr("xaimri.options.open_model", opened)
        monkeypatch.setattr("xaimri.open_model", opened)
        (tmp_path / "scan_comparison.png").touch()
        (tmp_path / "report.txt").touch()
        for words, said in (
            (("explain", bundle, scan, "-m", "limes"), "did you mean 'lime'?"),
            (("explain", bundle, scan, "-f", "bmp"), "the format 'bmp' is not known: use 'png'"),
            (("explain", bundle, scan, "--preprocess", "xceptoin"), "did you mean 'xception'?"),
            (("explain", bundle, scan, "--preprocess", "nowhere:f"), "the module `nowhere` can't be loaded"),
            (("explain", bundle, scan, "--preprocess", "json:f"), "`json` has no function `f`"),
            (("explain", bundle, scan, "--inputs", "age"), "--inputs must be NAME=VALUE"),
            (("explain", bundle, scan, "--window", "1%", "9"), "--window must be two intensities"),
            (("explain", bundle, "gone.png"), "there is no file or folder `gone.png`"),
            (
                ("compare", bundle, scan, "--out", tmp_path),
                "is there already: give another --out, or --force",
            ),
            (("evaluate", bundle, "gone"), "`gone` is not a folder"),
            (("evaluate", bundle, tmp_path, "--out", tmp_path), "report.txt` is there already"),
            (("compare-models", bundle, bundle, "gone"), "`gone` is not a folder"),
        ):
            code, out, err = run(*words)
            assert (code, out) == (1, ""), words
            assert said in err
            assert err.count("\n") == 1

    def test_options_of_the_model_reach_it(self, run, scan, tmp_path, monkeypatch):
        """Preparation outside, classes by name, an input beside the image: as in Python."""
        import keras

        layers = keras.layers
        keras.utils.set_random_seed(1)
        image, age = keras.Input((24, 20, 1), name="image"), keras.Input((1,), name="age")
        pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(image))
        scores = layers.Dense(2, "softmax")(layers.Concatenate()([pooled, age]))
        model = keras.Model([image, age], scores)
        model.save(tmp_path / "two.keras")
        (tmp_path / "own.py").write_text("def halve(images):\n    return images / 510\n")
        monkeypatch.chdir(tmp_path)
        words = ("explain", "two.keras", scan, "-m", "saliency", "--classes", "no, yes", "-f", "json")
        code, out, err = run(*words, "--preprocess", "own:halve", "--inputs", "age=0.5", "--target", "YES")
        assert code == 0, err
        with Image.open(scan) as picture:
            pixels = np.asarray(picture, np.float32)
        found = xaimri.explain(
            model, pixels, "saliency", target=1, inputs={"age": 0.5}, preprocess=lambda images: images / 510
        )
        assert f": yes, p = {found.probabilities[1]:.3f}" in out
        code, out, err = run("explain", "two.keras", scan, "-f", "json", "-m", "saliency", "--force")
        assert code == 1
        assert "--inputs" in err  # not as an argument of Python
        assert "`inputs" not in err

    def test_a_network_is_explained_without_a_word_beside(self, bundle, scan, tmp_path):
        """What TensorFlow prints while it is loaded is past Python's own standard error."""
        words = [sys.executable, "-m", "xaimri", "explain", bundle, scan, "-m", "saliency", "-o", tmp_path]
        plain = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        done = subprocess.run(list(map(str, words)), env=plain, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{scan}: ")

    def test_an_engine_that_no_method_uses_is_said(self, run, bundle, scan, tmp_path):
        words = (
            "explain",
            bundle,
            scan,
            "-m",
            "saliency",
            "--engine",
            "openvino",
            "--out",
            tmp_path / "made",
        )
        code, out, err = run(*words)
        assert code == 0, err
        assert out.startswith("--engine openvino is not used by saliency: ")

    def test_a_folder_with_a_bad_file_gives_the_rest_and_names_it(self, run, bundle, scan, tmp_path):
        (tmp_path / "notes.png").write_text("no picture")
        for name, kind in (("pipe.png", "pipe"), ("folder.png", "folder")):
            UNREADABLE[kind](tmp_path / name)
        code, out, err = run("explain", bundle, tmp_path, "--out", tmp_path / "made", "-m", "saliency")
        assert f"xaimri: {tmp_path}: Passed over: 1 no regular file.\n" in err
        assert code == 1
        assert out.startswith(f"{scan}: ")
        assert sorted(file.name for file in (tmp_path / "made").iterdir()) == [
            "explanations.csv",
            "scan_saliency.png",
        ]
        assert "notes.png" in err
        assert err.endswith("1 of 2 images could not be explained.\n")

    def test_what_can_not_be_written_of_one_image_is_told_and_the_rest_goes_on(
        self, run, bundle, scan, tmp_path
    ):
        pytest.importorskip("nibabel")
        pytest.importorskip("pydicom")
        from scans import content, placed, series_of

        (tmp_path / "slice.dcm").write_bytes(content(series_of(*placed((1, 6, 7)))[0]))
        words = ("explain", bundle, tmp_path, "--out", tmp_path / "made", "-f", "nii.gz,npy,csv")
        code, out, err = run(*words)
        assert code == 1
        assert [line.partition(": ")[0] for line in out.splitlines()] == [str(tmp_path / "slice.dcm")]
        assert f"xaimri: {scan}: where the pixels of this explanation lie is not known" in err
        assert err.endswith("1 of 2 images could not be written in every form.\n")
        assert sorted(file.name for file in (tmp_path / "made").iterdir()) == [
            "explanations.csv", "scan_gradcam.npy", "slice_gradcam.json", "slice_gradcam.nii.gz",
            "slice_gradcam.npy",
        ]  # fmt: skip
        assert len((tmp_path / "made" / "explanations.csv").read_text().splitlines()) == 3

    def test_a_folder_without_images(self, run, bundle, tmp_path):
        code, _, err = run("explain", bundle, tmp_path)
        assert code == 1
        assert "there is no image in" in err

    def test_a_window_is_looked_through(self, run, bundle, tmp_path):
        deep = np.random.default_rng(0).integers(0, 4000, (31, 27)).astype(np.uint16)
        Image.fromarray(deep).save(tmp_path / "deep.png")
        _, noticed, _ = run("explain", bundle, tmp_path / "deep.png", "--out", tmp_path)
        code, out, err = run(
            "explain", bundle, tmp_path / "deep.png", "--out", tmp_path, "--window", 0, 4000, "--force"
        )
        assert code == 0, err
        assert "input_range" in noticed
        assert "input_range" not in out

    def test_a_network_of_several_outputs_or_logits_is_told_apart(self, run, scan, tmp_path):
        import keras

        image = keras.Input((24, 20, 1))
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3)(image))
        heads = {"raw": keras.layers.Dense(2)(x), "many": keras.layers.Dense(3, "sigmoid")(x)}
        keras.Model(image, heads).save(tmp_path / "two.keras")
        words = ("explain", tmp_path / "two.keras", scan, "--out", tmp_path)
        assert "--output" in run("explain", "--help")[1]
        assert run(*words)[0] == 1
        assert run(*words, "--output", "raw", "--outputs", "logits")[0] == 0
        assert run(*words, "--output", "many", "--unit", 1, "--force")[0] == 0

    def test_options_go_to_the_methods_that_have_them(self, run, bundle, scan, tmp_path):
        words = ("compare", bundle, scan, "--out", tmp_path, "-m", "hirescam", "-m", "lime")
        assert run(*words, "--layer", "cells", "--samples", 20)[0] == 0
        code, _, err = run("compare", bundle, scan, "-m", "saliency", "--samples", 20)
        assert code == 1
        assert "'saliency' has no setting 'samples'" in err

    def test_compare_draws_both_methods(self, run, bundle, scan, tmp_path):
        code, _, err = run("compare", bundle, scan, "--out", tmp_path)
        assert code == 0, err
        assert (tmp_path / "scan_comparison.png").stat().st_size > 10_000

    def test_an_unknown_class_names_the_known_ones(self, run, bundle, scan, tmp_path):
        code, _, err = run("explain", bundle, scan, "--out", tmp_path, "--target", "moderate")
        assert code == 1
        assert "'none', 'mild', 'severe'" in err
        assert not list(tmp_path.glob("scan_*.png"))

    def test_evaluate_without_a_recorded_split_says_what_to_do(self, run, bundle):
        code, _, err = run("evaluate", bundle, "phantom", "--part", "test")
        assert code == 1
        assert "--part" in err


def test_the_version_and_what_there_is_are_listed(run):
    from xaimri.judging.catalogue import METRICS

    assert run("--version") == (0, f"xaimri {xaimri.__version__}\n", "")
    code, out, _ = run("methods")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["name", *xaimri.EXPLAINERS]
    code, out, _ = run("metrics")
    assert [line.split()[0] for line in out.splitlines()] == ["name", *METRICS]


def test_a_class_named_by_a_number_is_found_by_its_name():
    from xaimri.cli.arguments import target_of

    assert target_of("1", ("1", "2", "3")) == "1"
    assert target_of("1", ("none", "some")) == 1
    assert target_of("SOME", ("none", "some")) == "some"
    assert target_of("Some", ("SOME", "some")) == "Some"  # which of both is not guessed


def test_subjects_are_read_from_file_names_whatever_the_folders_are_called(run, tmp_path):
    for label in ("NonDemented", "MildDemented"):
        for subject in range(3):
            file = tmp_path / label / f"sub-{subject}{label[0]}_x.png"
            file.parent.mkdir(exist_ok=True)
            Image.fromarray(np.zeros((4, 5), np.uint8)).save(file)
    from xaimri.cli.data import dataset_of

    dataset = dataset_of(str(tmp_path), 0, r"(?P<subject>sub-\w\w)")
    assert set(dataset.subjects) == {f"sub-{i}{c}" for i in range(3) for c in "NM"}


def test_a_bids_folder_is_counted_by_the_column_that_is_named(run, tmp_path):
    for number in range(4):
        for kind in ("T1w", "T2w"):
            file = tmp_path / f"sub-{number}" / "anat" / f"sub-{number}_{kind}.nii"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    rows = [f"sub-{number}\t{'ab'[number % 2]}" for number in range(3)]
    (tmp_path / "participants.tsv").write_text("\n".join(["participant_id\tgroup", *rows]))
    for words in ((), ("--suffix", "T1w,T2w")):
        code, out, _ = run("data", "info", tmp_path, "--label", "group", *words)
        assert code == 0
        assert [line.split() for line in out.splitlines()[1:3]] == [["a", "2", "2"], ["b", "1", "1"]]
        assert "1 subject without a row in participants.tsv: sub-3" in out
    for words, said in (
        ((), "say by --label which column of its table is the label"),
        (("--suffix", "T1w"), "say which column is its label by --label"),
        (("--label", "stage"), "has no column `stage`; its columns are group"),
        (("--label", "group", "--subject", "(?P<subject>.)"), "leave --subject out"),
    ):
        code, _, err = run("data", "info", tmp_path, *words)
        assert (code, err.count("\n")) == (1, 1)
        assert said in err


def tiny(classes, size, weights=None, channels=1, **settings):
    """Stand in for the ResNet50: the same range of intensities, a thousandth of the work."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((*size, channels)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(classes)),
            layers.Softmax(),
        ]
    )


@pytest.mark.tensorflow
def test_images_of_16_bits_are_seen_through_one_window_all_the_way(run, tmp_path, monkeypatch):
    """Twelve bits in files of sixteen: told before training; then every command uses the one window."""
    import tifffile

    from xaimri import training
    from xaimri.data import read_folder

    monkeypatch.setattr(training, "build_resnet50", tiny)
    generator, data, out = np.random.default_rng(0), tmp_path / "set", tmp_path / "run"
    for number in range(24):
        low = 200 + 1500 * (number % 2) + generator.integers(0, 900)
        pixels = (low + generator.integers(0, 900, (32, 28))).astype(np.uint16)
        file = data / "ab"[number % 2] / f"p{number}_1.{'png' if number % 3 else 'tif'}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file) if number % 3 else tifffile.imwrite(file, pixels)
    people = ("--subject", r"(?P<subject>p\d+)_")
    words = ["train", data, *people, "--out", out, "--weights", "random", "--epochs", 2]
    words += ["--size", 32]
    code, _, err = run(*words)
    assert code == 1
    assert "xaimri: the images reach 29" in err
    assert "say which range to show by --window, such as --window 0 29" in err
    assert not out.exists()

    through = ("--test", 0.5, "--window", 0, 4000)
    code, trained, err = run(*words, *through)
    assert code == 0, err
    model = xaimri.open_model(out)
    assert model.intake.window == xaimri.Window(0, 4000)
    code, evaluated, _ = run("evaluate", out, data, *people, "--out", tmp_path / "again")
    assert evaluated.split("\n\nKept in")[0].strip() in trained
    cases = read_folder(data)
    p = dict(zip([case.id for case in cases], model.predict(cases), strict=True))
    file = "a/p0_1.tif"
    explanation = xaimri.explain(out, data / file)
    np.testing.assert_allclose(explanation.probabilities, p[file], atol=1e-6)
    assert explanation.diagnostics["window"] == xaimri.Window(0, 4000).record()
    byte = np.clip(tifffile.imread(data / file) / 4000 * 255, 0, 255).astype(np.float32)
    np.testing.assert_allclose(
        xaimri.explain(model.classifier, byte, fit="pad").probabilities, p[file], atol=1e-5
    )

    _, told, _ = run("explain", out, data / file, "--out", tmp_path)
    assert f"p = {p[file].max():.3f}" in told
    assert "other_window" not in told
    _, told, _ = run("explain", out, data / file, "--out", tmp_path, "--window", 0, 255, "--force")
    assert "other_window" in told
    _, told, _ = run("evaluate", out, data, *people, "--window", 0, 255, "--out", tmp_path / "other")
    assert (
        "The network was trained through the window 0 to 4000, and sees this image through 0 to 255" in told
    )
    code, told, err = run("judge", out, data, *people, "-m", "saliency", "--out", tmp_path / "judged")
    assert code == 0, err
    assert "on 12 cases of 12 subjects" in told


@pytest.mark.tensorflow
def test_a_network_of_volumes_is_trained_on_scans_in_bids(run, tmp_path):
    """Three sides ask for it; from there on the bundle goes the way of any other."""
    nibabel = pytest.importorskip("nibabel")
    generator, data, out = np.random.default_rng(0), tmp_path / "bids", tmp_path / "run"
    rows = ["participant_id\tdiagnosis"]
    for number in range(8):
        file = data / f"sub-{number}" / "anat" / f"sub-{number}_T1w.nii.gz"
        file.parent.mkdir(parents=True)
        voxels = generator.integers(0, 200, (8, 9, 10), np.uint8)
        nibabel.Nifti1Image(voxels, np.diag([2.0, 2, 2, 1])).to_filename(file)
        rows.append(f"sub-{number}\t{'AC'[number % 2]}")
    (data / "participants.tsv").write_text("\n".join(rows))
    (data / "dataset_description.json").write_text('{"Name": "n", "BIDSVersion": "1.9.0"}')
    words = ["train", data, "--label", "diagnosis", "--out", out, "--epochs", 1, "--test", 0.5]
    code, _, err = run(*words)
    assert code == 1
    assert "is a volume" in err
    assert "three sides, such as 40,56,48" in err
    code, _, err = run(*words, "--size", "8,9,10", "--weights", "imagenet")
    assert code == 1
    assert "leave --weights" in err
    code, printed, err = run(*words, "--size", "8,9,10")
    assert code == 0, err
    assert "4 images of 4 subjects" in printed
    assert xaimri.open_model(out).intake.shape == (8, 9, 10, 1)


@pytest.mark.parametrize("size", ["31", "12,14", "1,2,3,4", "a", "40,,48", "-40,56,48"])
def test_a_size_is_one_side_or_three(run, tmp_path, size):
    code, _, err = run("train", "phantom", "--out", tmp_path / "run", f"--size={size}")
    assert code == 1
    assert "--size is one side of at least 32 for slices, or three for volumes" in err


@pytest.mark.tensorflow
def test_subjects_from_pixels_and_their_split_are_trained_on(run, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from xaimri import experiment, training
    from xaimri.data import phantom

    monkeypatch.setattr(training, "build_resnet50", tiny)
    made = phantom.make(subjects=6, slices=20, size=(52, 44), stages=(0, 3))
    data, table, parts = tmp_path / "set", tmp_path / "subjects.csv", tmp_path / "split.json"
    for number, place in enumerate(np.random.default_rng(0).permutation(len(made)).tolist()):
        file = data / "ab"[made[place].label] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(made[place].source).save(file)
    code, told, err = run("data", "subjects", data, "-o", table, "--split", parts, "--test", 0.34)
    assert code == 0, err
    assert "6 scans were chained" in told
    assert told.endswith(f"Next: xaimri train {data} --subjects {table} --split {parts} --out FOLDER\n")
    assert run("data", "subjects", data, "-o", table)[0] == 1
    few = ["data", "subjects", tmp_path / "few", "-o", tmp_path / "few.csv", "--split", tmp_path / "few.json"]
    for case in phantom.make(subjects=4, slices=1, size=(52, 44)):
        file = tmp_path / "few" / "ab"[case.label % 2] / f"{case.subject}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(case.source).save(file)
    code, _, err = run(*few)
    assert code == 1
    assert "no case has a subject" in err
    assert "--subject" in err
    assert not (tmp_path / "few.csv").exists()
    train = ["train", data, "--split", parts, "--weights", "random", "--epochs", 1, "--size", 32]
    code, _, err = run(*train, "--out", tmp_path / "none")
    assert code == 1
    assert "recorded by subject, and none of these cases has one" in err
    code, told, err = run(*train, "--subjects", table, "--out", tmp_path / "run")
    assert code == 0, err
    assert "40 images of 2 subjects" in told
    code, again, err = run("evaluate", tmp_path / "run", data, "--subjects", table, "--out", tmp_path / "e")
    assert code == 0, err
    assert again.split("\n\nKept in")[0].strip() in told
    named, model = ("--subjects", table), tmp_path / "run"
    code, _, err = run("compare-models", model, model, data, *named, "--out", tmp_path / "c")
    assert code == 0, err
    code, _, err = run("card", model, "--data", data, *named, "--out", tmp_path / "card.md")
    assert code == 0, err
    assert "Held-out: a 20 images, 1 subject; b 20 images, 1 subject" in (tmp_path / "card.md").read_text()
    monkeypatch.setattr(experiment, "calibrate", lambda *_, **__: SimpleNamespace(scaling=None))
    code, told, err = run("calibrate", model, data, *named)
    assert code == 0, err
    assert told.endswith(f"next: xaimri evaluate {model} {data} --subjects {table}\n")
    code, _, err = run("data", "info", data, *named, "--subject", "(?P<subject>.)")
    assert code == 1
    assert "leave one out" in err
    table.write_text("case,subject\nb/none.png,p\n")
    code, _, err = run(*train, "--subjects", table, "--out", tmp_path / "other")
    assert code == 1
    assert "cases that the data have not" in err


@pytest.mark.tensorflow
@pytest.mark.parametrize("command", ["train", "cross_validate"])
def test_cases_that_a_table_knows_no_subject_of_are_in_no_part(run, monkeypatch, tmp_path, command):
    rows, ids = ["case,subject"], []
    for n in range(26):
        file = tmp_path / "data" / "ab"[n % 2] / f"{n}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(n).integers(0, 255, (40, 32), np.uint8)).save(file)
        ids.append(f"{'ab'[n % 2]}/{n}.png")
        rows.append(f"{ids[-1]},{'' if n < 2 else f'P{n}'}")
    (tmp_path / "s.csv").write_text("\n".join(rows))
    met = []

    def asked(dataset, *_, independent=False, **__):
        met.append((len(dataset), independent))
        raise XaimriError("That is all.")

    monkeypatch.setattr(experiment, command, asked)
    words = (command.replace("_", "-"), tmp_path / "data", "--subjects", tmp_path / "s.csv", "--size", "32")
    code, told, err = run(*words, "--weights", "random", "--out", tmp_path / "out")
    assert (code, err) == (1, "xaimri: That is all.\n")
    assert told.startswith("2 of 26 cases have no subject, so they are in no part: --independent takes each")
    run(*words, "--weights", "random", "--out", tmp_path / "out", "--independent")
    assert [count for count, _ in met] == [24, 26]
