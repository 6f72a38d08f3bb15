"""What is read off features, against features of which it is known what they hold."""

import numpy as np
import pytest

import xaimri
from frameworks import on_first_use
from xaimri import FunctionClassifier, InvalidInput, LinearClassifier
from xaimri.audit.covariates import columns_of, target_of
from xaimri.audit.probes import probe, reading_of, thinned
from xaimri.classifier import Readout
from xaimri.data import Case, Dataset
from xaimri.evaluation import Bootstrap

PEOPLE, SLICES = 40, 3
OWNER = np.repeat(np.arange(PEOPLE), SLICES)
LABELS = OWNER % 2
BOOTSTRAP = Bootstrap(resamples=200)


def features_of(seed=0, **columns):
    """Noise, and columns that hold something exactly."""
    noise = np.random.default_rng(seed).normal(size=(len(OWNER), 6))
    return np.concatenate([noise, *(np.asarray(c, float)[:, None] for c in columns.values())], axis=1)


def probed(features, values, deals=99):
    return probe(features, LABELS, OWNER, target_of("it", values, OWNER), BOOTSTRAP, deals)


def test_what_is_in_the_features_is_read_and_what_is_not_is_not():
    generator = np.random.default_rng(1)
    age, level = generator.uniform(60, 90, PEOPLE)[OWNER], np.tile(np.arange(SLICES), PEOPLE)
    sex = np.array(["F", "M"])[generator.permutation(PEOPLE)[OWNER] % 2]
    site = np.array(["a", "b", "c"])[generator.permutation(PEOPLE)[OWNER] % 3]
    features = features_of(age=age, level=level, sex=sex == "F", a=site == "a", b=site == "b")
    for values, measure in ((age, "R2"), (level, "R2"), (sex, "AUROC"), (site, "balanced accuracy")):
        inside, outside = (probed(one, values.tolist()) for one in (features, features_of(seed=2)))
        assert inside.measure == outside.measure == measure
        assert inside.value.value > 0.95
        assert inside.p == 0.01
        assert outside.p > 0.05
        assert outside.value.value < outside.chance + 0.2
    assert probed(features, age.tolist()).chance == 0
    assert probed(features, site.tolist()).chance == pytest.approx(1 / 3)


@pytest.mark.parametrize("kind", ["int64", "int16", "float32"])
def test_numbers_of_numpy_are_a_quantity_as_those_of_python_are(kind):
    cases = tuple(Case(f"{n}", 0, f"S{one}", np.zeros((2, 2))) for n, one in enumerate(OWNER))
    columns = columns_of({"age": np.arange(PEOPLE).astype(kind)[OWNER]}, Dataset(("a",), cases))
    target = target_of("age", columns["age"], OWNER)
    assert target.groups == ()
    np.testing.assert_array_equal(target.values, OWNER)
    with pytest.raises(InvalidInput, match="without end"):
        target_of("age", [np.inf, *range(9)], np.arange(10))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("who,age\nS0,70\nS1,71\nS0,75\n", "two rows for 'S0'"),
        ("who,age,age\nS0,70,71\n", "several columns called 'age'"),
        ("who,age,sex\nS0,70\n", "row 2 .* has 2 cells"),
        ("who,age\nS0,70,F\n", "row 2 .* has 3 cells"),
    ],
)
def test_a_table_that_says_two_things_is_refused(tmp_path, text, sentence):
    cases = Dataset(("a",), (Case("x", 0, "S0", np.zeros((2, 2))),))
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        columns_of(tmp_path / "people.csv", cases)


@pytest.mark.parametrize("text", ["who;age\r\nS0;70\r\n", 'who,age,\n\nS0,70,\nS0,70\n"S\n9",3\n'])
def test_a_table_as_spreadsheets_write_it_is_read(tmp_path, text):
    cases = Dataset(("a",), (Case("x", 0, "S0", np.zeros((2, 2))),))
    (tmp_path / "people.csv").write_text(text, encoding="utf-8-sig", newline="")
    assert columns_of(tmp_path / "people.csv", cases) == {"age": [70.0]}


def test_a_value_of_a_person_counts_once_a_person_and_its_images_are_averaged():
    age = np.arange(PEOPLE)[OWNER].astype(float)
    features = features_of(age=age)
    reading = reading_of(features, LABELS, OWNER, target_of("age", age.tolist(), OWNER))
    assert reading.features.shape == (PEOPLE, 7)
    np.testing.assert_allclose(reading.features[3], features[OWNER == 3].mean(axis=0))
    level = np.tile(np.arange(SLICES), PEOPLE)
    assert len(reading_of(features, LABELS, OWNER, target_of("level", level.tolist(), OWNER)).owner) == len(
        OWNER
    )
    kept = thinned(OWNER, 50)
    assert np.bincount(OWNER[kept]).tolist() == [1] * PEOPLE


def test_by_the_class_alone_what_follows_the_class_is_read_too():
    """Of the spread of 10 between the classes and 1 within, the class tells 100/4 of 100/4 + 1/12."""
    follows = 10 * LABELS + np.random.default_rng(0).uniform(0, 1, PEOPLE)[OWNER]
    found = probed(features_of(follows=follows), follows.tolist())
    assert found.by_class == pytest.approx(25 / (25 + 1 / 12), abs=0.01)
    apart = probed(features_of(), np.random.default_rng(3).normal(size=PEOPLE)[OWNER].tolist())
    assert apart.by_class < 0.1


def test_chance_is_kept_where_there_is_nothing_also_of_what_runs_along_the_slices():
    generator = np.random.default_rng(5)
    drift = np.repeat(generator.normal(size=(PEOPLE, 1, 6)), SLICES, axis=1)
    features = (drift + np.cumsum(generator.normal(size=(PEOPLE, SLICES, 6)), axis=1)).reshape(-1, 6)
    found = 0
    for _ in range(20):
        values = np.cumsum(generator.normal(size=(PEOPLE, SLICES)), axis=1) + generator.normal(
            size=(PEOPLE, 1)
        )
        found += probed(features, values.ravel().tolist(), deals=39).p < 0.05
    assert found <= 3


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([1.0] * len(OWNER), "the same for all"),
        (["a"] * 117 + ["b"] * 3, "the same for all but for groups of fewer than 5 subjects: b"),
        ([None] * len(OWNER), "not known of any case"),
        ([70.0, 80.0, 75.0] * 9 + [None] * 93, "known of 9 subjects, and a probe needs 10"),
    ],
)
def test_what_can_not_be_read_says_why(values, note):
    found = probed(features_of(), values)
    assert note in found.note
    assert np.isnan(found.p)
    assert not found.found


def image_of(label, site, seed):
    """Two pixels: one holds the site, one the class; the others are noise."""
    pixels = np.random.default_rng(seed).uniform(0, 1, (6, 6))
    pixels[0, 0], pixels[5, 5] = 10 * site, 10 * label
    return pixels


def sited(people=40):
    """Four of five of the ill come from site B, and one of five of the well."""
    cases = []
    for n in range(people):
        label, odd = n % 2, n // 2 % 5 == 0
        site = label ^ odd
        cases.append(
            Case(
                f"{n}",
                label,
                f"S{n}",
                image_of(label, site, n),
                covariates={"site": "AB"[site], "age": 60 + n % 7},
            )
        )
    return Dataset(("well", "ill"), tuple(cases))


def reading_pixel(place):
    weights = np.zeros((2, 6, 6, 1))
    weights[1][place] = 1
    return LinearClassifier(weights, bias=[5, 0], classes=["well", "ill"])


def test_a_decision_by_the_site_is_lost_where_the_site_is_held_and_one_by_the_class_is_not():
    settings = {"interventions": ["blurred"], "maps": 0, "resamples": 200}
    by_site = xaimri.audit_model(reading_pixel((0, 0)), sited(), **settings)
    by_class = xaimri.audit_model(reading_pixel((5, 5)), sited(), **settings)
    site, other = ({one.name: one for one in audit.probes}["site"] for audit in (by_site, by_class))
    assert by_site.plain.value == pytest.approx(0.8)
    assert min(site.value.value, other.value.value) > 0.9  # it is in the features of both
    assert site.drop.value == pytest.approx(0.3)
    assert site.used
    assert by_class.plain.value == 1.0
    assert other.drop.value == 0.0
    assert not other.used
    age = {one.name: one for one in by_site.probes}["age"]
    assert not age.used
    assert "site is read off the features" in " ".join(by_site.findings).lower()
    assert "held fixed, balanced accuracy falls by 0.30" in " ".join(by_site.findings)


@pytest.mark.tensorflow
def test_a_keras_network_is_audited_as_the_linear_one_that_it_is():
    from xaimri.adapters.keras import KerasClassifier

    with on_first_use():
        import keras
    linear = reading_pixel((0, 0))
    kernel = linear.weights.reshape(2, -1).T
    network = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    )
    network.layers[-1].set_weights([kernel, linear.bias])
    settings = {"interventions": ["blurred"], "maps": 0, "resamples": 50}
    wanted = xaimri.audit_model(linear, sited(), **settings)
    found = xaimri.audit_model(KerasClassifier(network, ["well", "ill"]), sited(), **settings)
    assert found.unprobed == ""
    assert found.effects[0].after.value == wanted.effects[0].after.value
    for one, other in zip(found.probes, wanted.probes, strict=True):
        assert one.drop.value == pytest.approx(other.drop.value, nan_ok=True)
        assert one.value.value == pytest.approx(other.value.value, abs=1e-3, nan_ok=True)


class Otherwise(LinearClassifier):
    """Its last layer, applied to its features, does not give its own answers."""

    def readout(self, images):
        found = super().readout(images)
        return Readout(found.weights, found.bias + np.array([0, 3]))


def test_that_nothing_could_be_held_fixed_is_told():
    told = "What the decision loses where these are held fixed: the last layer is not known"
    linear = reading_pixel((0, 0))
    other = Otherwise(linear.weights, linear.bias, classes=linear.classes)
    for network, untold in ((linear, 0), (other, 1), (linear.tempered(3.0), 0)):
        audit = xaimri.audit_model(network, sited(), interventions=["blurred"], maps=0, resamples=50)
        assert sum(line.startswith(told) for line in audit.untold) == untold
        assert np.isnan(audit.probes[0].drop.value) == bool(untold)


def test_a_model_without_features_says_so_and_is_audited_by_interventions():
    model = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), ["well", "ill"])
    audit = xaimri.audit_model(model, sited(), interventions=["blurred"])
    assert audit.probes == ()
    assert "FunctionClassifier hands out no features: pass the Keras network itself" in " ".join(audit.untold)
    assert any(line.startswith("Maps: ") for line in audit.untold)  # nor has it a gradient


def test_a_table_is_read_by_ids_or_by_subjects(tmp_path):
    cases = sited(12)
    file = tmp_path / "people.csv"
    file.write_text("subject,sex,weight\nS0,F,61.5\nS1,M,n/a\nS5,F,70\n")
    found = columns_of(file, cases)
    assert found["sex"][:6] == ["F", "M", None, None, None, "F"]
    assert found["weight"][:2] == [61.5, None]
    with pytest.raises(InvalidInput, match="tells nothing of these cases"):
        columns_of(file, Dataset(("a",), (Case("x", 0, "nobody", np.ones((3, 3))),)))
    numbered = [Case(f"{n}", n % 2, f"{n // 4}", np.ones((3, 3))) for n in range(12)]
    file.write_text("subject,age\n0,61\n1,72\n2,83\n")  # and 1 and 2 are ids of cases of 0
    with pytest.raises(InvalidInput, match="has a row `1` and a row `0` that differ, and the case `1` is of"):
        columns_of(file, Dataset(("a", "b"), tuple(numbered)))
    file.write_text("subject,age\n4,72\n8,83\n")  # by ids alone
    assert columns_of(file, Dataset(("a", "b"), tuple(numbered)))["age"][3:6] == [None, 72.0, None]
    with pytest.raises(InvalidInput, match="3 values for 12 cases"):
        columns_of({"age": [1, 2, 3]}, cases)
