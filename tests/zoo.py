"""Every way in which people build a classifier with Keras, small, with random weights.

Each entry makes a model, the options with which it is passed to `xaimri.explain`, an image for it and the
probabilities that the model itself gives of that image.
"""

import contextlib
import functools
from dataclasses import dataclass, field

import numpy as np

from frameworks import on_first_use

with on_first_use():
    import keras
    from keras import layers, ops

SHAPE = (22, 29, 3)
SEED = 3


@dataclass
class Specimen:
    model: object
    options: dict = field(default_factory=dict)
    shape: tuple = SHAPE
    own: object = None
    """A function of a batch that gives the probabilities; None where the model itself does."""
    refuses: dict = field(default_factory=dict)
    """Capabilities that are refused, and the sentence."""
    tolerance: float = 1e-5

    def images(self, count=2):
        return np.random.default_rng(0).uniform(0, 1, (count, *self.shape)).astype(np.float32)

    def probabilities(self, images):
        answer = self.model(images, training=False) if self.own is None else self.own(images)
        said = np.asarray(answer, np.float32)
        return np.concatenate([1 - said, said], axis=1) if said.shape[1] == 1 else said


def bias():
    return {"bias_initializer": keras.initializers.RandomNormal(0, 0.3, seed=1)}


KEPT: list[object] = []
"""One entry a body, so that its layers have names of their own."""


def body(x, rank=2):
    """Two convolutions, the last with an activation of its own."""
    convolution = {2: layers.Conv2D, 3: layers.Conv3D}[rank]
    x = convolution(6, 3, strides=2, padding="same", name=f"first_{len(KEPT)}", **bias())(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    KEPT.append(x)
    return convolution(7, 3, padding="same", activation="relu", name=f"last_{len(KEPT)}", **bias())(x)


def pooled(x):
    return layers.GlobalAveragePooling2D()(x)


def dense(classes=3, activation="softmax", **options):
    scaled = keras.initializers.RandomNormal(0, 1.5, seed=2)
    return layers.Dense(classes, activation=activation, kernel_initializer=scaled, **bias(), **options)


def functional(make, shape=SHAPE):
    image = keras.Input(shape)
    return keras.Model(image, make(image))


def base(shape=SHAPE, name="backbone"):
    image = keras.Input(shape)
    return keras.Model(image, body(image), name=name)


def flat():
    return Specimen(functional(lambda x: dense()(pooled(body(x)))))


def nested():
    return Specimen(functional(lambda x: dense()(pooled(base()(x)))))


def nested_twice():
    inner = functional(lambda x: base()(layers.Rescaling(2.0)(x)))
    return Specimen(functional(lambda x: dense()(pooled(inner(x)))))


def sequential():
    return Specimen(
        keras.Sequential(
            [
                keras.Input(SHAPE),
                layers.Conv2D(5, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                dense(),
            ]
        )
    )


def sequential_lazy():
    convolution = layers.Conv2D(5, 3, activation="relu")
    return Specimen(keras.Sequential([convolution, layers.GlobalAveragePooling2D(), dense()]))


def sequential_nested():
    return Specimen(keras.Sequential([keras.Input(SHAPE), base(), layers.GlobalAveragePooling2D(), dense()]))


def called_twice():
    """One backbone on the image and on its mirror image, side by side."""
    shared = base()

    def make(x):
        both = layers.Concatenate()([shared(x), shared(layers.Rescaling(0.5)(x))])
        return dense()(pooled(both))

    return Specimen(functional(make))


def frozen():
    model = nested().model
    model.trainable = False
    return Specimen(model)


def softmax_layer():
    return Specimen(functional(lambda x: layers.Softmax()(dense(activation=None)(pooled(body(x))))))


def softmax_activation_layer():
    last = layers.Activation("softmax")
    return Specimen(functional(lambda x: last(dense(activation=None)(pooled(body(x))))))


def logits():
    model = functional(lambda x: dense(activation=None)(pooled(body(x))))
    return Specimen(model, own=lambda x: keras.activations.softmax(model(x)))


def sigmoid():
    return Specimen(functional(lambda x: dense(1, "sigmoid")(pooled(body(x)))))


def one_logit():
    model = functional(lambda x: dense(1, None)(pooled(body(x))))
    return Specimen(model, {"outputs": "logits"}, own=lambda x: keras.activations.sigmoid(model(x)))


def independent_sigmoids():
    model = functional(lambda x: dense(4, "sigmoid")(pooled(body(x))))
    return Specimen(model, {"unit": 2}, own=lambda x: model(x)[:, 2:3])


def several_outputs():
    def make(x):
        shared = pooled(body(x))
        return [dense(2, name="sex")(shared), dense(3, name="stage")(shared)]

    model = functional(make)
    return Specimen(model, {"output": "stage"}, own=lambda x: model(x)[1])


def outputs_by_name():
    def make(x):
        shared = pooled(body(x))
        return {"sex": dense(1, "sigmoid")(shared), "stage": dense(3)(shared)}

    model = functional(make)
    return Specimen(model, {"output": "sex"}, own=lambda x: model(x)["sex"])


def several_inputs():
    image, age = keras.Input(SHAPE, name="image"), keras.Input((1,), name="age")
    site = keras.Input((4,), name="site")
    x = layers.Concatenate()([pooled(body(image)), age, site])
    model = keras.Model([image, age, site], dense()(x))
    site_of = [0.0, 1.0, 0.0, 0.0]

    def own(x):
        return model([x, np.full((len(x), 1), 0.7, "float32"), np.tile(np.float32(site_of), (len(x), 1))])

    return Specimen(model, {"inputs": {"age": 0.7, "site": site_of}}, own=own)


def inputs_by_name():
    image, age = keras.Input(SHAPE, name="scan"), keras.Input((1,), name="years")
    x = layers.Concatenate()([pooled(body(image)), age])
    model = keras.Model({"scan": image, "years": age}, dense()(x))

    def own(x):
        return model({"scan": x, "years": np.full((len(x), 1), 0.7, "float32")})

    return Specimen(model, {"inputs": {"scan": ..., "years": [0.7]}}, own=own)


def preprocessing_inside():
    def make(x):
        x = layers.Rescaling(1 / 127.5, offset=-1)(x)
        x = layers.RandomRotation(0.1)(layers.RandomFlip()(x))
        return dense()(layers.Dropout(0.5)(pooled(base()(x))))

    found = Specimen(functional(make))
    found.images = lambda count=2: Specimen.images(found, count) * 255
    return found


def grey():
    def make(x):
        return dense()(pooled(base()(layers.Concatenate()([x, x, x]))))

    return Specimen(functional(make, (22, 29, 1)), shape=(22, 29, 1))


@contextlib.contextmanager
def policy(name):
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(kept)


def mixed(name):
    with policy(name):
        model = functional(lambda x: dense(dtype="float32")(pooled(base()(x))))
    return Specimen(model, tolerance=2e-2)


def attention_head():
    """Cells as tokens through attention with a residual, then pooled."""

    def make(x):
        x = body(x)
        tokens = layers.Reshape((-1, 7))(x)
        tokens = layers.Add()([tokens, layers.MultiHeadAttention(2, 4)(tokens, tokens)])
        return dense()(layers.GlobalAveragePooling1D()(tokens))

    return Specimen(functional(make))


def spatial_attention_head():
    """A map of weights multiplied with the features, which executes after them."""

    def make(x):
        x = body(x)
        return dense()(pooled(layers.Multiply()([x, layers.Conv2D(1, 1, activation="sigmoid")(x)])))

    return Specimen(functional(make))


def attention_of_maps():
    """Attention over the cells of a map, whose output is a map again."""

    def make(x):
        x = body(x)
        mixed = layers.MultiHeadAttention(2, 4, attention_axes=(1, 2))(x, x)
        return dense()(pooled(layers.Add()([x, mixed])))

    return Specimen(functional(make))


def flatten_head():
    return Specimen(functional(lambda x: dense()(layers.Dense(8, "relu")(layers.Flatten()(body(x))))))


@functools.cache
def own_class():
    """A class of networks with a `call` of its own."""

    @keras.saving.register_keras_serializable("xaimri_zoo")
    class Own(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.backbone = base()
            self.head = dense()

        def call(self, x):
            return self.head(ops.mean(self.backbone(x), axis=(1, 2)))

    return Own


def subclassed():
    model = own_class()()
    model(np.zeros((1, *SHAPE), np.float32))
    return Specimen(model)


def subclassed_not_built():
    return Specimen(own_class()())


def tf_function_call():
    import tensorflow as tf

    class Compiled(own_class()):
        @tf.function
        def call(self, x):
            if tf.reduce_sum(x) > 1e9:
                tf.print("bright")
            return self.head(ops.mean(self.backbone(x), axis=(1, 2)))

    return Specimen(Compiled())


def any_size():
    return Specimen(functional(lambda x: dense()(pooled(body(x))), (None, None, 3)))


def volumes():
    def make(x):
        return dense()(layers.GlobalAveragePooling3D()(body(x, 3)))

    shape = (8, 11, 9, 1)
    return Specimen(functional(make, shape), shape=shape)


def channels_first():
    """Converted from another framework."""
    model = functional(lambda x: dense()(pooled(body(layers.Permute((2, 3, 1))(x)))), (3, *SHAPE[:2]))
    return Specimen(model, own=lambda images: model(np.moveaxis(images, -1, 1), training=False))


def slices():
    """Encoded one by one."""

    def make(x):
        image = keras.Input((11, 13, 1))
        encoder = keras.Model(image, pooled(body(image)), name="encoder")
        return dense()(layers.GlobalAveragePooling1D()(layers.TimeDistributed(encoder)(x)))

    return Specimen(functional(make, (4, 11, 13, 1)), shape=(4, 11, 13, 1))


def squeeze_and_excitation():
    def make(x):
        x = body(x)
        squeezed = layers.Dense(3, "relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        gate = layers.Dense(7, "sigmoid")(squeezed)
        return dense()(pooled(layers.Multiply()([x, gate])))

    return Specimen(functional(make))


def branches():
    """Inception-like: the branch that executes last is not the last map on the way."""

    def make(x):
        x = body(x)
        parts = [layers.Conv2D(3, k, padding="same", activation="relu")(x) for k in (1, 3, 5)]
        return dense()(pooled(layers.Concatenate(name="all_branches")(parts)))

    return Specimen(functional(make))


def vision_transformer():
    def make(x):
        x = layers.Conv2D(8, 6, strides=6)(x)
        tokens = layers.Reshape((-1, 8))(x)
        tokens = layers.Embedding(12, 8)(ops.arange(12)) + tokens
        for _ in range(2):
            y = layers.LayerNormalization()(tokens)
            tokens = tokens + layers.MultiHeadAttention(2, 4)(y, y)
            y = layers.Dense(16, "gelu")(layers.LayerNormalization()(tokens))
            tokens = tokens + layers.Dense(8)(y)
        return dense()(layers.LayerNormalization()(tokens)[:, 0])

    return Specimen(functional(make))


def no_map():
    def make(x):
        return dense()(layers.Dense(9, "tanh")(layers.Flatten()(x)))

    return Specimen(functional(make), refuses={"maps": "no spatial map"})


ZOO = {
    "flat": flat,
    "nested": nested,
    "nested twice": nested_twice,
    "sequential": sequential,
    "sequential, lazily built": sequential_lazy,
    "sequential, nested": sequential_nested,
    "one backbone called twice": called_twice,
    "frozen": frozen,
    "Softmax layer": softmax_layer,
    "Activation layer": softmax_activation_layer,
    "logits": logits,
    "single sigmoid": sigmoid,
    "single logit": one_logit,
    "independent sigmoids": independent_sigmoids,
    "several outputs": several_outputs,
    "outputs by name": outputs_by_name,
    "several inputs": several_inputs,
    "inputs by name": inputs_by_name,
    "preprocessing inside": preprocessing_inside,
    "grey": grey,
    "mixed float16": lambda: mixed("mixed_float16"),
    "mixed bfloat16": lambda: mixed("mixed_bfloat16"),
    "attention head": attention_head,
    "spatial attention head": spatial_attention_head,
    "attention of maps": attention_of_maps,
    "flatten head": flatten_head,
    "subclassed": subclassed,
    "subclassed, not built": subclassed_not_built,
    "tf.function inside": tf_function_call,
    "any size": any_size,
    "volumes": volumes,
    "channels first": channels_first,
    "slices": slices,
    "squeeze and excitation": squeeze_and_excitation,
    "branches": branches,
    "vision transformer": vision_transformer,
    "no map": no_map,
}


def make(name):
    keras.utils.set_random_seed(SEED)
    return ZOO[name]()
