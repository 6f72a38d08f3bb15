"""An adapter and a method of other packages, installed as packages are, through every seam."""

import shutil
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import xaimri
from xaimri.adapters import as_classifier
from xaimri.adapters.table import ADAPTERS, FUNCTION, adapter_of, others
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.explainers import build
from xaimri.testing import check_classifier, check_explainer

HERE = Path(__file__).parent
MODULES = {"toynet", "xaimri_toynet", "xaimri_toy_method"}
SHAPE = (6, 9, 2)
IMAGES = np.random.default_rng(0).uniform(0, 1, (3, *SHAPE)).astype(np.float32)


def install(package, folder):
    """Put a package's modules, and the metadata that an installer writes, into a folder of the path."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for module in package.glob("*.py"):
        shutil.copy(module, folder)
    metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(about, encoding="utf-8")
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(autouse=True)
def plugins(tmp_path, monkeypatch):
    for package in ("toy_adapter", "toy_method"):
        install(HERE / package, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for module in MODULES & set(sys.modules):
        del sys.modules[module]


def network(seed=1, classes=3):
    import toynet

    return toynet.Network(np.random.default_rng(seed).normal(0, 0.1, (classes, *SHAPE)))


def test_one_call_explains_their_model_by_their_method():
    model = network()
    explanation = xaimri.explain(
        model, IMAGES[0], "toy_method", target="sick", classes=["well", "sick", "dead"], times=3
    )
    np.testing.assert_allclose(explanation.values, 3 * model.weights[1].sum(axis=-1), rtol=1e-6)
    np.testing.assert_allclose(explanation.probabilities, model.predict(IMAGES[:1])[0], rtol=1e-5)
    assert explanation.target_class == "sick"
    assert [caveat.name for caveat in explanation.caveats if caveat.reason is None] == [
        "xaimri_toy_method.arbitrary"
    ]


def test_their_model_goes_with_our_methods_and_their_method_with_our_models():
    model = network()
    ours = xaimri.explain(model, IMAGES[0], "saliency", target=0)
    theirs = xaimri.explain(
        xaimri.LinearClassifier(model.weights), IMAGES[0], "toy_method", target=0, times=1
    )
    assert np.array_equal(np.abs(theirs.values) > 0, np.abs(ours.values) > 0)
    with pytest.raises(MissingCapability, match="GradCAM needs a Convolutional model, and ToyClassifier"):
        xaimri.explain(model, IMAGES[0], "gradcam")


def test_a_doubt_of_theirs_stands_with_the_explanation():
    dark = xaimri.explain(network(), IMAGES[0] / 100, "toy_method")
    assert "xaimri_toynet.dark" in [caveat.name for caveat in dark.caveats]


def test_both_keep_every_promise(tmp_path):
    model = network()
    classifier = as_classifier(model, classes=["well", "sick", "dead"])
    check_classifier(classifier, IMAGES, outputs=model.predict(IMAGES))
    check_explainer(build("toy_method", {"times": 0.5}), classifier, IMAGES)
    kept = xaimri.explain(model, IMAGES[0], "toy_method").store(tmp_path / "kept")
    assert xaimri.load(kept).caveats[0].name == "xaimri_toy_method.arbitrary"


def test_nothing_of_theirs_is_imported_for_a_model_of_another_kind():
    class Callable:
        def __call__(self, images):
            return np.full((len(images), 2), 0.5)

    for model in (
        Callable(),
        lambda images: np.full((len(images), 2), 0.5),
        xaimri.LinearClassifier.random(SHAPE),
    ):
        as_classifier(model).logits(IMAGES)
    assert not MODULES & set(sys.modules)


def test_a_model_is_claimed_by_the_package_of_its_class_or_of_a_base():
    import toynet

    class Own(toynet.Network):
        pass

    (row,) = [row for row in others() if row.package == "toynet"]
    for model in (network(), Own(network().weights)):
        assert adapter_of(model).package == "toynet"
        assert row.claims(model)
        assert not any(own.claims(model) for own in (*ADAPTERS, FUNCTION))


def test_a_classifier_stays_itself_and_takes_no_options():
    classifier = as_classifier(network())
    assert as_classifier(classifier) is classifier
    with pytest.raises(InvalidInput, match="`classes` can't stand beside a ToyClassifier, which has its own"):
        as_classifier(classifier, classes=["a", "b", "c"])


def test_an_option_that_an_adapter_does_not_take_is_told():
    with pytest.raises(InvalidInput, match="`unit` can't stand beside a Network: the adapter of `toynet`"):
        as_classifier(network(), unit=1)


def test_without_the_packages_their_names_are_unknown(monkeypatch):
    model = network()
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match=r"a Network can.t be called: give a function"):
        as_classifier(model)
    with pytest.raises(InvalidInput, match="'toy_method' is not known"):
        build("toy_method")
