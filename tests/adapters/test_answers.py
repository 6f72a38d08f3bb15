"""What a network puts out becomes logits: the softmax of them is what it says, in every form."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from xaimri import FunctionClassifier
from xaimri.adapters.answers import Answers, both
from xaimri.errors import InvalidInput
from xaimri.objective import softmax

Z = np.random.default_rng(0).normal(0, 2, (5, 3)).astype(np.float32)
P = softmax(Z)
ONE = (1 / (1 + np.exp(-Z[:, :1]))).astype(np.float32)

FORMS = {
    "logits before a softmax": (Answers("network"), Z, "softmax", P),
    "plain logits": (Answers("network", "logits"), Z, "plain", P),
    "plain probabilities": (Answers("network"), P, "plain", P),
    "one sigmoid": (Answers("network"), Z[:, :1], "sigmoid", both(ONE)),
    "one of several sigmoids": (Answers("network", unit=2), Z[:, [1, 2, 0]], "sigmoid", both(ONE)),
    "one plain logit": (Answers("network", "logits"), Z[:, :1], "plain", both(ONE)),
    "one of several plain logits": (Answers("network", "logits", 1), Z[:, [1, 0]], "plain", both(ONE)),
    "one plain probability": (Answers("network"), ONE, "plain", both(ONE)),
    "one of several plain probabilities": (Answers("network", unit=0), ONE.repeat(2, 1), "plain", both(ONE)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_softmax_of_the_logits_is_what_the_network_says(form):
    answers, columns, activation, expected = FORMS[form]
    logits = answers.logits(columns, activation)
    np.testing.assert_allclose(softmax(logits), expected, atol=1e-6)
    names = answers.first_names(columns.shape[1], None)
    assert answers.names((), logits.shape[1]) == names
    assert len(answers.names(names, logits.shape[1])) == expected.shape[1]


def test_one_sigmoid_is_two_classes_that_lie_symmetrically():
    logits = Answers("network").logits(Z[:, :1], "sigmoid")
    assert np.array_equal(logits, np.concatenate([-Z[:, :1] / 2, Z[:, :1] / 2], axis=1))


def test_probabilities_are_clipped_before_their_logarithm():
    sure = np.float32([[1, 0], [0, 1]])
    assert Answers("function").logits(sure).min() == pytest.approx(np.log(1e-7))
    one = Answers("network").logits(sure[:, :1])
    assert one[0, 1] - one[0, 0] == pytest.approx(np.log(1 / 1e-7 - 1), rel=0.02)  # in single precision


@pytest.mark.parametrize(
    ("answer", "outputs", "rows"),
    [
        ([0.25, 0.5], "probabilities", [[0.75, 0.25], [0.5, 0.5]]),
        ([[0.25], [0.5]], "probabilities", [[0.75, 0.25], [0.5, 0.5]]),
        ([1, 2], "logits", [[1], [2]]),
        (((0.1, 0.9), (0.3, 0.7)), "probabilities", [[0.1, 0.9], [0.3, 0.7]]),
    ],
)
def test_rows_are_read_from_whatever_numbers_there_are(answer, outputs, rows):
    found = Answers("function", outputs).rows(answer, 2)
    np.testing.assert_allclose(found, rows, rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([[0.5, np.nan]], r"one finite row of class scores per image, got shape \(1, 2\) for 1 images"),
        (0.5, r"got shape \(\) for 1 images"),
        ([0.1, 0.2, 0.7], r"got shape \(3,\) for 1 images"),
        ([[]], r"got shape \(1, 0\) for 1 images"),
        (np.ones((1, 2, 2)), r"got shape \(1, 2, 2\)"),
        ([["a", "b"]], "must give numbers, one row of class scores per image"),
    ],
)
def test_what_are_no_rows_is_told(answer, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        FunctionClassifier(lambda images: answer).logits(np.ones((1, 4, 5, 1), np.float32))


@pytest.mark.parametrize(
    ("answers", "columns", "activation", "sentence"),
    [
        (Answers("network", "logits"), 3, "softmax", 'leave `outputs="logits"` away'),
        (Answers("network", "logits"), 1, "sigmoid", 'leave `outputs="logits"` away'),
        (Answers("network"), 1, "softmax", "1 whatever the image"),
        (Answers("network", unit=1), 3, "softmax", "leave `unit` away"),
        (Answers("network"), 3, "sigmoid", r"pick the one to explain by `unit=`, in 0\.\.2"),
        (Answers("network", unit=3), 3, "sigmoid", r"`unit` must be in 0\.\.2, got 3"),
        (Answers("network", "logits", -1), 2, "plain", r"`unit` must be in 0\.\.1, got -1"),
    ],
)
def test_what_leaves_open_which_class_is_meant_is_told(answers, columns, activation, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        answers.logits(np.zeros((2, columns), np.float32), activation)


def test_what_is_no_probability_is_told_by_who_gave_it():
    with pytest.raises(InvalidInput, match=r"the function's outputs are not probabilities \(the first row"):
        Answers("function").check_rows(Z)
    with pytest.raises(
        InvalidInput, match=r"the network's outputs are not probabilities \(off by .*pass outputs"
    ):
        Answers("network").check(Answers("network").logits(np.abs(Z)), Z)
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        Answers("network", "logits").check(Z, Z * np.nan)
    Answers("function", "logits").check_rows(Z)
    Answers("network").check(np.log(P), P)
    Answers("network", unit=1).check(Answers("network", unit=1).logits(ONE.repeat(2, 1)), ONE.repeat(2, 1))


def test_names_are_one_per_class():
    assert Answers("network").first_names(None, None) == ()
    assert Answers("network").first_names(1, None) == ("class_0", "class_1")
    assert Answers("network", unit=2).first_names(4, ["no", "yes"]) == ("no", "yes")
    with pytest.raises(InvalidInput, match="`classes` must be 3 different names, one per output, got 2"):
        Answers("network").first_names(3, ["no", "yes"])
    with pytest.raises(
        InvalidInput, match="the function gives 3 scores per image, and `classes` has 2 names"
    ):
        Answers("function").names(("no", "yes"), 3)
    with pytest.raises(InvalidInput, match="the network tells 3 classes apart, and `classes` has 2 names"):
        Answers("network").names(("no", "yes"), 3)


@pytest.mark.parametrize("unit", [True, 1.0, "first"])
def test_a_unit_is_an_index(unit):
    with pytest.raises((InvalidInput, TypeCheckError), match="unit"):
        Answers("network", unit=unit)


def test_only_a_model_that_hands_out_nothing_else_is_saturated():
    sure, open_ = np.float32([[1, 0]]), np.float32([[0.6, 0.4]])
    assert [caveat.name for caveat in Answers("function").doubts(sure)[0]] == ["saturated"]
    assert Answers("function").doubts(open_) == ((),)
    assert Answers("function", "logits").doubts(sure) == ((),)
    assert Answers("network").doubts(sure, "softmax") == ((),)
