"""What a network puts out becomes logits: the softmax of them is what it says, in every form."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from xaimri import FunctionClassifier
from xaimri.adapters.answers import Answers, both
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.objective import softmax

Z = np.random.default_rng(0).normal(0, 2, (5, 3)).astype(np.float32)
P = softmax(Z)
ONE = (1 / (1 + np.exp(-Z[:, :1]))).astype(np.float32)

FORMS = {
    "logits before a softmax": (Answers("network"), Z, "softmax", P),
    "plain logits": (Answers("network", "logits"), Z, "plain", P),
    "plain probabilities": (Answers("network"), P, "plain", P),
    "logits of a linear layer": (Answers("network"), Z, "linear", P),
    "logits before the logarithm of a softmax": (Answers("network"), Z, "log_softmax", P),
    "one of several units of a linear layer": (Answers("network", unit=1), Z[:, [1, 0]], "linear", both(ONE)),
    "one mixture of sigmoids": (Answers("network"), ONE, "sigmoids", both(ONE)),
    "one sigmoid": (Answers("network"), Z[:, :1], "sigmoid", both(ONE)),
    "one of several sigmoids": (Answers("network", unit=2), Z[:, [1, 2, 0]], "sigmoid", both(ONE)),
    "one plain logit": (Answers("network", "logits"), Z[:, :1], "plain", both(ONE)),
    "one of several plain logits": (Answers("network", "logits", 1), Z[:, [1, 0]], "plain", both(ONE)),
    "one plain probability": (Answers("network", "probabilities"), ONE, "plain", both(ONE)),
    "one of several plain probabilities": (
        Answers("network", "probabilities", 0),
        ONE.repeat(2, 1),
        "plain",
        both(ONE),
    ),
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
    one = Answers("network").logits(sure[:, :1], "sigmoids")
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
        (np.ones((1, 2, 2)), r"got shape \(1, 2, 2\) for 1 images, a ndarray of shape \(1, 2, 2\), float64"),
        (None, "it returned None|got shape .*, None"),
        ([[0.5 + 1j, 0.5]], r"a list of 1 \(complex numbers are no scores\)"),
        ({"a": [0.5, 0.5]}, "it returned a dict of 'a'"),
        ([[0.5, 0.5]] * 3, r"got shape \(3, 2\) for 1 images, a list of 3: check what it returns"),
        ([["a", "b"]], "must give numbers, one row of class scores per image"),
    ],
)
def test_what_are_no_rows_is_told(answer, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        FunctionClassifier(lambda images: answer).logits(np.ones((1, 4, 5, 1), np.float32))


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (2, 1, 3), (2, 3, 1, 1), (2, 3)])
def test_axes_of_length_one_count_for_nothing(shape):
    rows = P[:2].reshape(shape)
    assert np.array_equal(Answers("function").rows(rows, 2), P[:2])


class Tensor:
    """As another framework's: it refuses to become an array."""

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on a Tensor that requires grad")

    shape, dtype = (1, 2), "float32"


def failing(images):
    raise ZeroDivisionError("the mean of nothing\nand more")


@pytest.mark.parametrize(
    ("function", "kind", "sentence"),
    [
        (failing, ZeroDivisionError, r"the function raised ZeroDivisionError \(the mean of nothing\) when it "
         r"was given a ndarray of shape \(1, 4, 5, 1\), float32"),
        (lambda images: images @ np.ones(3), ValueError, "the function raised ValueError"),
        (lambda images: Tensor(), RuntimeError, r"a Tensor of shape \(1, 2\), float32 \(Can't call numpy"),
    ],
)  # fmt: skip
def test_an_error_of_a_function_is_shown_as_its_own(function, kind, sentence):
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        FunctionClassifier(function).logits(np.ones((1, 4, 5, 1), np.float32))
    assert isinstance(refusal.value.__cause__, kind)
    assert "\n" not in str(refusal.value)
    with pytest.raises(InvalidInput, match="`preprocess` raised ZeroDivisionError"):
        FunctionClassifier(lambda x: x, preprocess=failing).logits(np.ones((1, 4, 5, 1), np.float32))


def test_a_sentence_of_our_own_is_not_wrapped():
    def refusing(images):
        raise MissingCapability("this can't be done: take another.")

    with pytest.raises(MissingCapability, match=r"^this can't be done"):
        FunctionClassifier(refusing).logits(np.ones((1, 4, 5, 1), np.float32))


@pytest.mark.parametrize(
    ("answers", "columns", "activation", "sentence"),
    [
        (Answers("network", "logits"), 3, "softmax", 'leave `outputs="logits"` out'),
        (Answers("network", "logits"), 1, "sigmoid", 'leave `outputs="logits"` out'),
        (Answers("network"), 1, "softmax", "1 whatever the image"),
        (Answers("network", unit=1), 3, "softmax", "leave `unit` out"),
        (Answers("network"), 3, "sigmoid", r"pick the one to explain by `unit=`, in 0\.\.2"),
        (Answers("network", unit=3), 3, "sigmoid", r"`unit` must be in 0\.\.2, got 3"),
        (Answers("network", "logits", -1), 2, "plain", r"`unit` must be in 0\.\.1, got -1"),
        (Answers("network", "probabilities"), 3, "log_softmax", "so its outputs are no probabilities"),
        (Answers("network", "logits"), 1, "sigmoids", "a mixture of sigmoids, so"),
        (Answers("network"), 1, "linear", "a plain unit, which may be the logit"),
        (Answers("network", "probabilities"), 1, "linear", "a plain unit, which is no probability"),
        (Answers("network"), 1, "plain", r"one number per image.*or end it in a sigmoid"),
        (Answers("function"), 1, "plain", r"one number per image.*or return one column per class"),
        (Answers("network", unit=1), 3, "plain", "does not tell what unit 1 of its outputs is"),
    ],
)
def test_what_leaves_open_which_class_is_meant_is_told(answers, columns, activation, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        answers.logits(np.zeros((2, columns), np.float32), activation)


def test_what_is_no_probability_is_told_by_who_gave_it():
    with pytest.raises(
        InvalidInput, match=r"the function's outputs are not probabilities \(one of them is -"
    ):
        Answers("function").check_rows(Z)
    with pytest.raises(
        InvalidInput, match=r"not probabilities \(a row adds up to 2\): if they are logits, pass"
    ):
        Answers("function").check_rows(2 * P)
    with pytest.raises(
        InvalidInput, match=r"the network's outputs are not probabilities \(off by .*pass outputs"
    ):
        Answers("network").check(Z, P[::-1], "softmax")
    with pytest.raises(InvalidInput, match=r"\(one of them is 6\.54\)"):
        Answers("network", unit=1).check(Z[:, :2], np.full((5, 2), 6.54, np.float32), "sigmoids")
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        Answers("network", "logits").check_finite(Z * np.nan)
    Answers("function", "logits").check_rows(Z)
    Answers("network").check(np.log(P), P)
    Answers("network").check(Z, np.log(P), "log_softmax")
    Answers("network", unit=1).check(np.log(both(ONE)), ONE.repeat(2, 1), "sigmoid")


def test_logits_that_look_like_probabilities_are_refused_unless_the_network_shows_that_they_are_none():
    for answers in (Answers("function", "logits"), Answers("network", "logits")):
        for rows in (P, P[:1], np.eye(3, dtype=np.float32)):
            with pytest.raises(InvalidInput, match=r"add up to 1, as probabilities do: leave `outputs="):
                answers.check_rows(rows)
        answers.check_rows(P + 1)  # the way out
        answers.check_rows(np.concatenate([P, Z]))
    for outputs in ("auto", "logits", "probabilities"):
        with pytest.raises(InvalidInput, match="they are percentages; divide them by 100"):
            Answers("function", outputs).check_rows(100 * P)
    Answers("network", "logits").check(P, P, "linear")
    Answers("network").check(P, P, "linear")


def test_images_whose_outputs_are_no_numbers_are_left_out_of_the_check():
    broken = P.copy()
    broken[1] = np.nan
    Answers("function").check_rows(broken)
    broken[2] *= 2
    with pytest.raises(InvalidInput, match="a row adds up to 2"):
        Answers("function").check_rows(broken)


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
    assert Answers("network").doubts(sure, "linear") == ((),)
    assert [caveat.name for caveat in Answers("network").doubts(sure, "sigmoids")[0]] == ["saturated"]
