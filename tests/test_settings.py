"""A setting is held to the rule beside its field, and whoever asks is told the same rule."""

import json
import pickle
import re
from dataclasses import FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import pytest

from xaimri import EXPLAINERS, Auto, Explainer, Window
from xaimri.arrays import Stored
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput
from xaimri.explainer import Attribution
from xaimri.explainers import setting_of as setting_of_method
from xaimri.rules import Choice, Flag, Name, Number, Numbers, OrNone, Rule, Seed, WholeNumber
from xaimri.settings import check, document, metadata, setting, setting_of, settings_in

BIG = 10**400

ALLOWED: list[tuple[Rule, object, object]] = [
    (WholeNumber(2), 2, 2),
    (WholeNumber(2), np.int16(7), 7),
    (WholeNumber(-1), -1, -1),
    (Seed(), 2**32 - 1, 2**32 - 1),
    (Number(), -3, -3.0),
    (Number(above=0), np.float32(0.5), 0.5),
    (Number(least=0), 0, 0.0),
    (Number(least=0, most=180), 180, 180.0),
    (Choice(("a", "b")), "b", "b"),
    (Choice((None, "b")), None, None),
    (Flag(), np.bool_(True), True),
    (Name(), "conv5", "conv5"),
    (OrNone(WholeNumber(1)), None, None),
    (OrNone(WholeNumber(1)), 1, 1),
]

REFUSED: list[tuple[Rule, object, str]] = [
    (WholeNumber(2), 1, "a whole number of at least 2, got 1"),
    (WholeNumber(2), 2.0, "got 2.0"),
    (WholeNumber(0), True, "got True"),
    (WholeNumber(1, "or None for all"), "3", "of at least 1 or None for all, got '3'"),
    (Seed(), 2**32, r"below 2\*\*32, got 4294967296"),
    (Seed(), -1, "at least 0, got -1"),
    (Number(), np.nan, "a finite number, got nan"),
    (Number(), BIG, "a finite number"),
    (Number(above=0), 0, "a number above 0, got 0"),
    (Number(above=0), np.inf, "a number above 0, got inf"),
    (Number(above=0, below=1), 1, "a number above 0 and below 1, got 1"),
    (Number(least=0, most=180), 180.1, "a number of at least 0 and at most 180, got 180.1"),
    (Number(least=0), -0.1, "a number of at least 0"),
    (Number(), True, "got True"),
    (Number(), 1j, "got 1j"),
    (Choice(("a", "b")), "c", "'a' or 'b', got 'c'"),
    (Choice(("a", "b")), ["a"], "'a' or 'b'"),
    (Flag(), 1, "True or False, got 1"),
    (Name(), 3, "a name, got 3"),
    (OrNone(Name()), 3, "a name, or None, got 3|a name, got 3"),
    (Numbers(), [1.0], "an array of numbers, got list"),
    (Numbers(), np.array(["a"]), "an array of numbers, got <U1 of shape"),
    (Numbers(), np.zeros(0), "an array of numbers"),
    (Numbers(), np.array([1.0, np.nan]), "holds NaN"),
    (Numbers(), np.array([1e300]), "far too large"),
]


@pytest.mark.parametrize(("rule", "given", "kept"), ALLOWED, ids=str)
def test_what_a_rule_allows_is_kept_as_a_plain_value(rule, given, kept):
    found = rule.convert(given, "it")
    assert found == kept
    assert type(found) is type(kept)
    assert rule.convert(found, "it") == found  # a record is read back by the same rule


@pytest.mark.parametrize(("rule", "given", "sentence"), REFUSED, ids=lambda x: str(x)[:40])
def test_what_a_rule_refuses_is_told_with_the_setting_and_what_is_allowed(rule, given, sentence):
    with pytest.raises(InvalidInput, match=f"^`it` .*({sentence})"):
        rule.convert(given, "it")


def test_an_array_is_kept_once_in_single_precision():
    kept = Numbers().convert(np.arange(3), "it")
    assert isinstance(kept, Stored)
    assert kept.array.dtype == np.float32
    assert Numbers().convert(kept, "it") is kept


@document
@dataclass(frozen=True)
class Walk:
    """A walk.

    Notes
    -----
    It ends.
    """

    start: int = field(metadata=metadata(WholeNumber(0), doc="Where it begins."))
    steps: int = setting(3, WholeNumber(1), doc="How many; more take longer.", unit="steps")
    free: Any = None

    def __post_init__(self):
        check(self)


def test_a_class_of_settings_is_a_plain_frozen_dataclass():
    walk = Walk(np.int64(1), 4)
    assert walk == Walk(start=1, steps=4)
    assert hash(walk) == hash(Walk(1, 4))
    assert pickle.loads(pickle.dumps(walk)) == walk
    assert repr(walk) == "Walk(start=1, steps=4, free=None)"
    assert [f.name for f in fields(Walk)] == ["start", "steps", "free"]
    with pytest.raises(FrozenInstanceError):
        walk.steps = 5
    with pytest.raises(TypeError, match="start"):
        Walk()
    with pytest.raises(InvalidInput, match="`start` must be a whole number of at least 0, got -1"):
        Walk(-1)


def test_the_docstring_tells_the_settings_before_all_other_sections():
    before, section, after = Walk.__doc__.partition("Parameters\n----------\n")
    assert section
    assert before.strip() == "A walk."
    parameters, notes, _ = after.partition("Notes\n-----")
    assert notes
    assert parameters.splitlines()[:4] == [
        "start : a whole number of at least 0",
        "    Where it begins.",
        "steps : a whole number of at least 1, in steps",
        "    How many; more take longer.",
    ]
    once = Walk.__doc__
    assert document(Walk).__doc__ == once


def test_a_setting_can_be_asked_for_its_rule_and_read_from_words():
    assert list(settings_in(Walk)) == ["start", "steps"]
    told = setting_of(Walk, "steps")
    assert (told.summary, told.unit, told.parse("12")) == ("How many", "steps", 12)
    with pytest.raises(InvalidInput, match="`--steps` must be a whole number of at least 1, got 'many'"):
        told.parse("many", "--steps")
    with pytest.raises(InvalidInput, match="no rule for a setting 'free': it has 'start', 'steps'"):
        setting_of(Walk, "free")


@pytest.mark.parametrize("kind", [*EXPLAINERS.values(), Auto, Window], ids=lambda kind: kind.__name__)
def test_every_setting_of_ours_has_a_rule_and_words_and_is_in_the_docstring(kind):
    told = settings_in(kind)
    assert list(told) == [f.name for f in fields(kind)]
    for name, each in told.items():
        assert each.doc.endswith("."), name
        assert each.rule.allowed, name
        assert f"\n{name} : {each.rule.allowed}" in kind.__doc__, name


@pytest.mark.parametrize("kind", EXPLAINERS.values(), ids=lambda kind: kind.__name__)
def test_every_default_is_what_its_rule_allows(kind):
    for each in fields(kind):
        if each.name != "references":  # has to be given
            kept = setting_of(kind, each.name).rule.convert(each.default, each.name)
            assert kept == each.default, each.name


@pytest.mark.parametrize(
    ("method", "name", "words", "value"),
    [
        ("lime", "samples", "auto", Auto()),
        ("rise", "samples", "auto", Auto(by="error")),
        ("gradcam", "layer", "conv5", "conv5"),
        ("gradcam", "layer", "null", None),
        ("gradcam", "relu", "false", False),
        ("occlusion", "window", "[2, 3]", (2, 3)),
        ("lime", "absent", "0.5", 0.5),
        ("lime", "absent", "blur", "blur"),
    ],
)
def test_a_method_setting_is_read_from_words(method, name, words, value):
    assert setting_of_method(method, name).parse(words, name) == value


def test_an_unknown_setting_of_a_method_is_told_with_those_it_has():
    with pytest.raises(InvalidInput, match="'sample': it has 'samples'"):
        setting_of_method("rise", "sample")
    with pytest.raises(InvalidInput, match="'no such' is not known"):
        setting_of_method("no such", "samples")


# The same for a method of somebody else.


@dataclass(frozen=True)
class Bright(Explainer[Classifier]):
    """How bright."""

    factor: float = setting(1.0, Number(above=0), doc="By which.")
    least: int = setting(0, WholeNumber(0), doc="Of pixels.")
    name: ClassVar[str] = "bright"

    def __post_init__(self):
        super().__post_init__()
        if self.least > self.factor:
            raise InvalidInput("`least` must not exceed `factor`.")

    def attribute(self, model, images, objective, /):
        return Attribution(images.sum(axis=-1), model.logits(images))


def test_the_base_class_holds_the_settings_of_a_third_party_to_their_rules():
    assert type(Bright(2).factor) is float
    assert "factor : a number above 0\n    By which." in Bright.__doc__
    with pytest.raises(InvalidInput, match="`factor` must be a number above 0, got 0"):
        Bright(0)
    with pytest.raises(InvalidInput, match="`least` must not exceed"):
        Bright(1, 2)


def test_a_method_without_title_family_and_cost_has_sensible_ones():
    assert (Bright.title, Bright.family, Bright.cost) == ("Bright", "perturbation", "not stated")
    assert Bright().record()["title"] == "Bright"


def test_a_record_names_the_title_and_is_read_without_it():
    record = Bright(2.0).record()
    assert record == {"name": "bright", "title": "Bright", "settings": {"factor": 2.0, "least": 0}}
    assert Bright.from_record(json.loads(json.dumps(record))) == Bright(2.0)
    assert Bright.from_record({"name": "bright", "settings": {"factor": 2.0}}) == Bright(2.0)
    assert Bright.from_record(record | {"title": "another"}) == Bright(2.0)


def test_a_method_without_a_name_is_refused_where_it_is_defined():
    with pytest.raises(InvalidInput, match=r'Dim has no name: .* `name: ClassVar\[str\] = "dim"`'):

        class Dim(Explainer[Classifier]):
            def attribute(self, model, images, objective, /):
                return Attribution(images.sum(axis=-1), model.logits(images))


@pytest.mark.parametrize("kind", [*EXPLAINERS.values(), Auto, Window], ids=lambda kind: kind.__name__)
def test_what_is_allowed_can_stand_in_the_manual(kind):
    """A star or a backtick by itself would be read as markup."""
    for name, each in settings_in(kind).items():
        assert not re.search(r"(?:^|\W)[*`]\w", each.rule.allowed.replace("2**32", "")), name
