"""Whether a network can be explained here."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.tensorflow

WITHOUT_EAGER = """
import numpy as np, tensorflow as tf
early = {early}
if early:
    tf.compat.v1.disable_eager_execution()
import keras, xaimri
layers = keras.layers
image = keras.Input((12, 12, 1))
pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(image))
network = keras.Model(image, layers.Dense(2, "softmax")(pooled))
scan = np.random.default_rng(0).random((12, 12))
for method in ("gradcam", "saliency", xaimri.LIME(samples=4, regions=2)):
    if early:
        try:
            xaimri.explain(network, scan, method)
        except xaimri.MissingCapability as refused:
            assert "eager execution is switched off here: leave tf.compat.v1.disable" in str(refused)
        else:
            raise AssertionError(method)
    else:
        tf.config.run_functions_eagerly(True)
        assert np.abs(xaimri.explain(network, scan, method).values).max() > 0
print("told")
"""


@pytest.mark.parametrize("early", [True, False])
def test_without_eager_execution_one_sentence_says_what_to_do(early):
    script = WITHOUT_EAGER.format(early=early)
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True)
    assert ran.stdout.strip().endswith("told"), ran.stderr[-2000:]
