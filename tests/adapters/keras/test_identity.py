"""What a network is made of: every change is seen, and without one nothing is gone through again."""

import sys
import threading

import numpy as np
import pytest

import networks
from frameworks import on_first_use

with on_first_use():
    import keras
    from keras import layers

    from xaimri.adapters.keras import clear_cache, identity
    from xaimri.adapters.keras.identity import identity_of
    from xaimri.adapters.keras.trace import layers_by_path

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def walked(monkeypatch):
    """Every layer that was gone through, in order."""
    clear_cache()
    seen, traits = [], identity.traits

    def counted(layer):
        seen.append(layer.name)
        return traits(layer)

    monkeypatch.setattr(identity, "traits", counted)
    yield seen
    clear_cache()


def scaled():
    class Scaled(layers.Layer):
        """Has a variable, a number and a tuple."""

        def __init__(self):
            super().__init__()
            self.factor, self.steps = 2.0, (1, 2)
            self.shift = self.add_weight(shape=(), initializer="zeros")

        def call(self, x):
            return self.factor * x + self.shift

    return Scaled()


def nested():
    image = keras.Input((8, 9, 1))
    x = layers.Conv2D(2, 3, name="first")(image)
    inner = keras.Sequential([keras.Input((6, 7, 2)), layers.Conv2D(3, 3, name="deep"), scaled()])
    inner._trainable_variables.append(keras.Variable(0.0))
    x = layers.GlobalAveragePooling2D()(inner(x))
    return keras.Model(image, layers.Dense(2, activation="softmax", name="head")(x)), inner


def another_variable(layer):
    layer._trainable_variables[-1] = keras.Variable(0.0)  # equal, and yet another


CHANGES = {
    "a number": lambda model, inner: setattr(inner.layers[1], "factor", 3.0),
    "a tuple": lambda model, inner: setattr(inner.layers[1], "steps", (1, 3)),
    "a stride": lambda model, inner: setattr(inner.layers[0], "strides", (2, 2)),
    "an activation": lambda model, inner: setattr(model.get_layer("head"), "activation", keras.ops.relu),
    "a policy": lambda model, inner: setattr(inner.layers[1], "dtype_policy", keras.DTypePolicy("float16")),
    "another variable of equal value": lambda model, inner: another_variable(inner.layers[1]),
    "weights of low rank": lambda model, inner: model.get_layer("head").enable_lora(1),
    "a layer less": lambda model, inner: inner.pop(),
    "another variable beside layers": lambda model, inner: another_variable(inner),
    "an array": lambda model, inner: setattr(inner.layers[1], "table", np.zeros(2)),
    "a flag that is new": lambda model, inner: setattr(model.get_layer("first"), "quiet", True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change, walked):
    model, inner = nested()
    before = identity_of(model)
    assert identity_of(model) is before
    CHANGES[change](model, inner)
    after = identity_of(model)
    assert after.key != before.key
    assert identity_of(model) is after


def test_what_is_run_or_set_to_other_values_stays_what_it_is(walked):
    model, _ = nested()
    model(np.ones((1, 8, 9, 1), np.float32))
    before = identity_of(model)
    count = len(walked)
    assert count == len(layers_by_path(model)) + 1
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model(np.ones((1, 8, 9, 1), np.float32))
    assert identity_of(model) is before
    assert len(walked) == count
    clear_cache()
    assert identity_of(model).key == before.key
    assert len(walked) == 2 * count


@pytest.mark.parametrize("name", ["layers", "mean", "activation"])
def test_what_a_class_of_the_users_computes_is_asked_every_time(name, walked):
    class Own(keras.Model):
        hidden = ()

        def __init__(self):
            super().__init__()
            self.head = layers.Dense(2, activation="softmax")

        def call(self, x):
            return self.head(x)

    setattr(Own, name, property(lambda self: list(Own.hidden)))
    model = Own()
    before = identity_of(model)
    Own.hidden = (scaled(),) if name == "layers" else (1.0,)
    assert identity_of(model).key != before.key


def test_asking_while_a_trace_adds_attributes_gives_no_error():
    model = networks.twins(networks.backbone())["nested"]
    every, stop, errors, keys = list(layers_by_path(model).values()), threading.Event(), [], set()

    def trace():
        while not stop.is_set():
            for layer in every:
                object.__setattr__(layer, "call", layer.call)
            for layer in every:
                object.__delattr__(layer, "call")

    def ask():
        try:
            for _ in range(60):
                keys.add(identity_of(model).key)
        except Exception as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        tracing, asking = threading.Thread(target=trace), [threading.Thread(target=ask) for _ in range(3)]
        for thread in (tracing, *asking):
            thread.start()
        for thread in asking:
            thread.join()
    finally:
        stop.set()
        tracing.join()
        sys.setswitchinterval(interval)
    assert errors == []
    assert len(keys) == 1
