"""Small tasks of KerasHub with random weights, and one whose answer is known."""

from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
import pytest

from frameworks import on_first_use

with on_first_use():
    import keras
    import keras_hub

MISSING = pytest.mark.skipif(
    find_spec("keras_hub") is None, reason='KerasHub is not installed: pip install "xaimri[keras-hub]"'
)
SCALE, OFFSET = [1 / 60, 1 / 50, 1 / 70], [-2.0, -1.9, -1.7]


def preprocessor(**settings):
    """What a preset's preprocessor is made of; scale and offset are those of no network's images."""
    given = {"scale": SCALE, "offset": OFFSET, **settings}
    return keras_hub.models.ImageClassifierPreprocessor(keras_hub.layers.ImageConverter(**given))


def bright(prepare=None, shape=(24, 20, 3)):
    """A task that counts brightness: its logits are 3 and -3 times the mean of the first channel above 0."""
    image = keras.Input(shape)
    count = keras.layers.Conv2D(2, 1, use_bias=False, name="count")
    backbone = keras.Model(image, keras.layers.ReLU(name="cells")(count(image)))
    task = keras_hub.models.ImageClassifier(
        backbone, num_classes=2, preprocessor=prepare, activation="softmax"
    )
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[..., 0, 0], kernel[..., 0, 1] = 1, -1
    count.set_weights([kernel])
    task.output_dense.set_weights([np.array([[3.0, -3.0], [0.0, 0.0]]), np.zeros(2)])
    return task


def small(prepare=None, activation="softmax", shape=(None, None, 3)):
    """A task of two convolutions, which is traced in a moment."""
    keras.utils.set_random_seed(0)
    image = keras.Input(shape)
    x = keras.layers.Conv2D(5, 3, strides=2, activation="relu")(image)
    backbone = keras.Model(image, keras.layers.Conv2D(6, 3, activation="relu")(x))
    task = keras_hub.models.ImageClassifier(
        backbone, num_classes=3, preprocessor=prepare, activation=activation
    )
    return spread(task)


def resnet(prepare=None, activation="softmax"):
    """A task of KerasHub's own classes, which can be kept as a preset."""
    return made("ResNet", prepare, activation=activation)


def spread(task, width=2.0):
    """Draw the last layer's weights wide, so that the classes are told apart."""
    last = [layer for layer in task._flatten_layers() if isinstance(layer, keras.layers.Dense)][-1]
    draw = np.random.default_rng(5)
    last.set_weights([draw.normal(0, width, w.shape).astype(np.float32) for w in last.get_weights()])
    return task


def photograph(*size, seed=0):
    """An image of 0 to 255, smooth, so that an odd pixel more or less is no great matter."""
    noise = np.random.default_rng(seed).uniform(0, 255, (4, 5, 3)).astype(np.float32)
    return np.asarray(keras.ops.image.resize(noise, size), np.float32)


def said(task, image):
    """What `predict` says of one image, as probabilities."""
    answer = task.predict(image[None], verbose=0)[0].astype(np.float64)
    if getattr(task, "activation", None) in ("softmax", keras.activations.softmax):
        return answer
    powers = np.exp(answer - answer.max())
    return powers / powers.sum()


SHAPE = (64, 64, 3)


@dataclass(frozen=True)
class Kind:
    """One of KerasHub's classifiers, small.

    Attributes
    ----------
    backbone
        Settings of its backbone.
    settings
        Of the classifier itself.
    layer
        The map, or the tokens, that are opened by default.
    cells
        How many they have.
    width
        How far its last weights are drawn apart: features that nothing normalises need less.
    """

    backbone: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    layer: str = ""
    cells: tuple[int, int] = (0, 0)
    width: float = 2.0


TRANSFORMER = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16}
VGG = {"stackwise_num_repeats": [1, 1, 1], "stackwise_num_filters": [6, 8, 10]}
KINDS = {
    "ResNet": Kind(
        {
            "input_conv_filters": [64],
            "input_conv_kernel_sizes": [7],
            "stackwise_num_filters": [64, 16],
            "stackwise_num_blocks": [1, 1],
            "stackwise_num_strides": [1, 2],
            "block_type": "basic_block",
        },
        layer="stack1_block0_out",
        cells=(8, 8),
    ),
    "DenseNet": Kind({"stackwise_num_repeats": [2, 2], "growth_rate": 8}, layer="relu", cells=(8, 8)),
    "VGG": Kind(VGG, {"pooling_hidden_dim": 16}, layer="block3_pool", cells=(8, 8), width=0.02),
    "VGG, flattened": Kind(
        VGG,
        {"pooling": "flatten", "pooling_hidden_dim": 16},
        layer="block3_pool",
        cells=(8, 8),
        width=0.02,
    ),
    "Xception": Kind(
        {
            "stackwise_conv_filters": [[6, 8], [10, 10], [12, 12]],
            "stackwise_pooling": [True, True, False],
        },
        layer="block3_sepconv2_act",
        cells=(8, 8),
    ),
    "EfficientNet": Kind(
        {
            "stackwise_kernel_sizes": [3, 3],
            "stackwise_num_repeats": [1, 2],
            "stackwise_input_filters": [8, 8],
            "stackwise_output_filters": [8, 16],
            "stackwise_expansion_ratios": [1, 4],
            "stackwise_squeeze_and_excite_ratios": [0.0, 0.25],
            "stackwise_strides": [2, 2],
            "stackwise_block_types": ["fused", "unfused"],
            "stackwise_force_input_filters": [0, 0],
            "stackwise_nores_option": [False, False],
            "width_coefficient": 1.0,
            "depth_coefficient": 1.0,
            "num_features": 24,
        },
        layer="top_activation",
        cells=(8, 8),
    ),
    "MobileNet": Kind(
        {
            "stackwise_expansion": [[8, 12]],
            "stackwise_num_blocks": [2],
            "stackwise_num_filters": [[8, 8]],
            "stackwise_kernel_size": [[3, 3]],
            "stackwise_num_strides": [[1, 1]],
            "stackwise_se_ratio": [[None, 0.25]],
            "stackwise_activation": [["relu", "hard_swish"]],
            "stackwise_padding": [[1, 1]],
            "output_num_filters": 24,
            "input_activation": "hard_swish",
            "output_activation": "hard_swish",
            "input_num_filters": 8,
            "depthwise_filters": 8,
            "depthwise_stride": 2,
            "depthwise_residual": False,
            "squeeze_and_excite": 0.5,
            "last_layer_filter": 24,
        },
        {"num_features": 16},
        layer="activation",
        cells=(16, 16),
    ),
    "MobileNetV5": Kind(
        {
            "stackwise_block_types": [["er"], ["uir", "uir"]],
            "stackwise_num_blocks": [1, 2],
            "stackwise_num_filters": [[8], [12, 12]],
            "stackwise_strides": [[2], [2, 1]],
            "stackwise_act_layers": [["relu"], ["relu", "relu"]],
            "stackwise_exp_ratios": [[4.0], [6.0, 6.0]],
            "stackwise_exp_kernel_sizes": [[3], [0, 0]],
            "stackwise_dw_kernel_sizes": [[0], [5, 5]],
            "stackwise_pw_kernel_sizes": [[1], [0, 0]],
            "stackwise_use_cpe": [[False], [False, False]],
            "use_msfa": False,
            **{f"stackwise_{name}": [[0.0], [0.0, 0.0]] for name in ("se_ratios",)},
            **{
                f"stackwise_{name}": [[0], [0, 0]]
                for name in (
                    "dw_start_kernel_sizes",
                    "dw_end_kernel_sizes",
                    "num_heads",
                    "key_dims",
                    "value_dims",
                    "kv_strides",
                )
            },
        },
        {"head_hidden_size": 16},
        layer="universal_inverted_residual_1",
        cells=(8, 8),
    ),
    "CSPNet": Kind(
        {
            "stem_filters": 8,
            "stem_kernel_size": 3,
            "stem_strides": 2,
            "stackwise_depth": [1, 1],
            "stackwise_strides": [2, 2],
            "stackwise_num_filters": [8, 12],
            "block_type": "dark_block",
            "stage_type": "dark",
        },
        layer="",
        cells=(8, 8),
    ),
    "HGNetV2": Kind(
        {
            "depths": [1, 1],
            "embedding_size": 8,
            "hidden_sizes": [16, 24],
            "stem_channels": [3, 8, 8],
            "hidden_act": "relu",
            "use_learnable_affine_block": False,
            "stackwise_stage_filters": [(8, 8, 16, 1, 1, 3), (16, 8, 24, 1, 1, 3)],
            "apply_downsample": [False, True],
            "use_lightweight_conv_block": [False, False],
        },
        layer="head_last_relu",
        cells=(8, 8),
    ),
    "ViT": Kind({**TRANSFORMER, "mlp_dim": 24}, layer="ln_1", cells=(8, 8), width=0.3),
    "ViT, pooled": Kind(
        {**TRANSFORMER, "mlp_dim": 24}, {"pooling": "gap"}, layer="ln", cells=(8, 8), width=0.3
    ),
    "DeiT": Kind({**TRANSFORMER, "intermediate_dim": 24}, layer="ln_1", cells=(8, 8), width=0.3),
    "SwinTransformer": Kind(
        {"embed_dim": 12, "depths": (2, 2), "num_heads": (2, 2), "window_size": 4},
        layer="norm",
        cells=(8, 8),
        width=0.5,
    ),
    "MiT": Kind(
        {
            "layerwise_depths": [1, 1],
            "num_layers": 2,
            "layerwise_num_heads": [1, 2],
            "layerwise_sr_ratios": [2, 1],
            "max_drop_path_rate": 0.1,
            "layerwise_patch_sizes": [7, 3],
            "layerwise_strides": [4, 2],
            "hidden_dims": [8, 16],
        },
        layer="output_level_1",
        cells=(8, 8),
    ),
}
"""Every classifier of images that KerasHub has."""


def made(name, prepare=None, **settings):
    """Build one of the kinds, for images of `SHAPE`, with random weights."""
    keras.utils.set_random_seed(0)
    kind, family = KINDS[name], name.split(",")[0]
    shape = {"input_shape" if family == "EfficientNet" else "image_shape": SHAPE}
    backbone = getattr(keras_hub.models, f"{family}Backbone")(**kind.backbone, **shape)
    build = getattr(keras_hub.models, f"{family}ImageClassifier")
    task = build(backbone=backbone, num_classes=3, preprocessor=prepare, **kind.settings, **settings)
    return spread(task, kind.width)
