"""Every argument of every public function: what is meant is taken, what doesn't fit is one short sentence."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from jaxtyping import Float

import xaimri
from calls import FRAMEWORK, calls, public
from odd import words_of
from xaimri import InvalidInput, LinearClassifier
from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data import phantom
from xaimri.rules import WholeNumber

TESTS = Path(__file__).parent
EXAMPLES = int(os.environ.get("XAIMRI_EXAMPLES", "100"))


@check_arguments(steps=WholeNumber(1))
def walk(
    steps: int,
    how: Literal["slow", "fast"] = "slow",
    *,
    wet: bool = False,
    share: float = 0.5,
    seed: int = 0,
    names: Sequence[str] = (),
    places: Mapping[str, float] | None = None,
    told: Callable[[str], object] | None = None,
    path: str | Path = ".",
    image: Float[Array, "height width"] | None = None,
    many: Iterable[int] = (),
) -> tuple[object, ...]:
    """Return what arrives."""
    return steps, how, wet, share, seed, names, places, told, path, image, many


@pytest.mark.parametrize(
    ("given", "place", "kept"),
    [
        ({"steps": np.int64(3)}, 0, 3),
        ({"steps": np.array(3)}, 0, 3),
        ({"how": np.str_("fast")}, 1, "fast"),
        ({"how": np.array("fast")}, 1, "fast"),
        ({"wet": np.bool_(True)}, 2, True),
        ({"share": np.float32(0.25)}, 3, 0.25),
        ({"share": 1}, 3, 1.0),
        ({"seed": 2**100}, 4, 2**100),
        ({"names": np.array(["a", "b"])}, 5, ["a", "b"]),
        ({"names": ("a",)}, 5, ("a",)),
        ({"places": {"a": 1}}, 6, {"a": 1}),
        ({"path": np.str_("here")}, 8, "here"),
    ],
)
def test_what_is_meant_is_what_arrives(given, place, kept):
    found = walk(**{"steps": 1, **given})[place]
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"steps": 2.5}, "`steps` must be a whole number of at least 1, got 2.5."),
        ({"steps": True}, "`steps` must be a whole number of at least 1, got True."),
        ({"steps": 10**30}, "`steps` must be at most 2,147,483,647, got 1000000000000000000000000000000."),
        ({"share": np.ones(3)}, "`share` must be a finite number, got an array of float64 of shape (3,)."),
        ({"how": "quick"}, "`how` must be 'slow' or 'fast', got 'quick'."),
        ({"wet": 1}, "`wet` must be True or False, got 1."),
        ({"share": float("nan")}, "`share` must be a finite number, got nan."),
        ({"share": "a half"}, "`share` must be a finite number, got 'a half'."),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got -1."),
        ({"seed": 2**128}, f"`seed` must be below 2**128, got {2**128}."),
        ({"names": "ab"}, "`names` must be a list of names, got 'ab'."),
        ({"names": ["a", 1]}, "`names[1]` must be a name, got 1."),
        ({"places": [1]}, "`places` must be a dict, got [1]."),
        ({"places": {"a": "b"}}, "`places['a']` must be a finite number, got 'b'."),
        ({"told": 3}, "`told` must be a function, got 3."),
        ({"path": "a\0b"}, r"`path` has a name that no file can have, got 'a\x00b': give another one."),
        ({"path": 3}, "`path` must be a path, got 3."),
        ({"image": np.ones(3)}, "`image` must be an array of numbers with the axes (height, width), got "
                                "an array of float64 of shape (3,)."),
        ({"many": 3}, "`many` must be a list, got 3."),
        ({"wett": True}, "walk has no argument `wett`: did you mean `wet`?"),
        ({"colour": 1}, "walk has no argument `colour`: it has steps, how, wet, share, seed, names, places, "
                        "told, path, image, many."),
    ],
)  # fmt: skip
def test_what_is_no_such_thing_is_named_and_quoted_where_short(given, sentence):
    with pytest.raises(InvalidInput, match=f"^{re.escape(sentence)}$"):
        walk(**{"steps": 1, **given})


def test_what_is_left_out_is_pythons_own_to_tell():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        walk()
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3"):
        walk(1, "slow", True)


MODEL = LinearClassifier.random((4, 6, 1), classes=2, seed=0)
SCAN = np.arange(24, dtype=np.float32).reshape(4, 6, 1)
ONES = np.ones((2, 4, 6, 1))


class Batches:
    """A loader, as Keras has them."""

    def __len__(self):
        return 1

    def __getitem__(self, number):
        return SCAN[None], np.array([0])

    def on_epoch_end(self):
        """Do nothing."""


UNTYPED: Any = xaimri
"""The package as it is for those who check no types."""


def mapped():
    return xaimri.explain(MODEL, SCAN, "saliency")


def of_function(scores, classes=None):
    return xaimri.explain(
        lambda images: np.ones((len(images), scores)), SCAN, "lime", samples=20, classes=classes
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: UNTYPED.data.split(Batches()), "`dataset` must be a Dataset, got a Batches"),
        (lambda: LinearClassifier(ONES, patch=0), "`patch` must be a whole number of at least 1"),
        (lambda: LinearClassifier(ONES, classes=list("abc")), "3 `classes` were given for weights of 2"),
        (lambda: LinearClassifier(ONES, classes=["a", " "]), "`classes` must be names, and one is empty"),
        (lambda: of_function(0), r"got shape \(1, 0\)"),
        (lambda: of_function(2, ["a", "a"]), "two different names"),
        (lambda: of_function(2, ["a", ""]), "one is empty"),
        (lambda: of_function(2, list("abc")), "`classes` has 3 names"),
        (lambda: xaimri.data.Dataset(("a", "a"), ()), "`classes` must be different names"),
        (lambda: xaimri.data.Dataset(("a", ""), ()), "none of them empty"),
        (lambda: mapped().figure(foo=1), "has no argument `foo`"),
        (lambda: UNTYPED.images.Picture(SCAN, afine=1), "Picture has no argument `afine`: did you mean"),
        (lambda: UNTYPED.images.Picture(SCAN, bar=1), "it has pixels, spacing, affine\\."),
        (lambda: xaimri.explain_all(MODEL, [SCAN], "saliency").figure(foo=1), "has no argument `foo`"),
        (lambda: UNTYPED.metrics.deletion(mapped(), MODEL, steps=2.5), "`steps`.*got 2.5"),
        (lambda: UNTYPED.metrics.road(mapped(), MODEL, fractions=0.5), "`fractions`.*got 0.5"),
        (lambda: UNTYPED.Saliency().explain(LinearClassifier, SCAN[None]), "takes a classifier"),
    ],
)  # fmt: skip
def test_slips_that_people_make_are_one_sentence(call, sentence):
    with pytest.raises(xaimri.XaimriError, match=sentence) as refusal:
        call()
    assert words_of(str(refusal.value)) is None


def test_numpys_words_name_methods_and_metrics():
    cases = phantom.make(4, 1, (26, 22))
    net = LinearClassifier.random((26, 22, 1), classes=4, seed=0)
    listed = np.array(["saliency"]), net, cases, np.array(["entropy"])
    plain = ["saliency"], net, cases, ["entropy"]
    judged = [xaimri.evaluate_explanations(*each).to_dict() for each in (listed, plain)]
    assert judged[0] == judged[1]
    found = [xaimri.explain(MODEL, SCAN, each).values for each in (np.array("saliency"), np.str_("saliency"))]
    np.testing.assert_array_equal(*found)


@pytest.mark.tensorflow
def test_slips_in_training_and_bundles_are_one_sentence(tmp_path):
    import keras

    training: Any = xaimri.training
    scan = keras.Input((8, 8, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(scan)
    net = keras.Model(scan, keras.layers.Dense(2, activation="softmax")(pooled))
    folder = training.save(tmp_path / "bundle", net, ["a", "b"])
    odd = np.ones(3)
    for call, sentence in (
        (lambda: training.save(tmp_path, net, 3), "`classes` must be a list"),
        (lambda: training.save(folder, net, ["a", "b"], fit=odd), "`fit` must be 'stretch' or 'pad'"),
        (lambda: training.save(folder, net, ["a", "b"], history=[1]), "`history` must be a dict"),
        (lambda: training.save(folder, net, ["a", "b"], failures=3), "`failures` must be a list"),
        (lambda: training.load(3), "`folder` must be a path"),
        (lambda: training.reference_images(3), "`shape` must be a list"),
    ):
        with pytest.raises(InvalidInput, match=sentence) as refusal:
            call()
        assert words_of(str(refusal.value)) is None
    assert training.load(folder).classes == ("a", "b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return where the calls write; what is drawn is not shown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PIL.Image.Image.show", lambda *_, **__: None)
        patch.chdir(tmp_path_factory.mktemp("here"))
        yield tmp_path_factory.mktemp("calls")


@pytest.mark.tensorflow
def test_every_public_function_has_a_valid_call(folder):
    named, found = set(calls(folder)), set(public())
    assert found - named - FRAMEWORK == set(), "add a call to tests/calls.py"
    assert named - found == set()
    assert found >= FRAMEWORK
    assert not FRAMEWORK & named


def run(program: str, *given: object) -> tuple[list[str], Counter[str]]:
    """Run a program beside this file, without the suite's type checks: its faults, and how calls ended."""
    ran = subprocess.run(
        [sys.executable, TESTS / program, *map(str, given)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    *faults, last = ran.stdout.splitlines()
    return faults, Counter(json.loads(last))


@pytest.mark.fuzz
def test_an_odd_value_in_any_argument_is_computed_with_or_refused():
    faults, ended = run("odd.py", max(1, 60 * 100 // EXAMPLES))
    assert faults == []
    assert ended["computed"] + ended["refused"] > 300


@pytest.mark.fuzz
def test_calls_with_some_arguments_changed_mostly_compute_and_never_fail():
    faults, ended = run("varied.py", EXAMPLES)
    assert faults == []
    assert ended["computed"] > ended["refused"] > 0
    assert ended.total() == EXAMPLES
