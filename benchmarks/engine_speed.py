"""TensorFlow and OpenVINO side by side: warm, and cold with everything that is compiled first.

    python benchmarks/engine_speed.py [--networks ResNet50] [--sizes 96 224] [--counts 50 200 1000 3000]
                                      [--warm 1000] [--rounds 3]

Run it with nothing else running: OpenVINO suffers more than TensorFlow where it must share the cores. The
ratio of the processor's time, of all cores together, depends less on that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import psutil
from ratio import medians

from xaimri.adapters.keras import KerasClassifier, clear_cache
from xaimri.perturb.responses import fastest, streamed


def main() -> None:
    """Print the ratios TensorFlow / OpenVINO and TensorFlow / auto, and what a converted network holds."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--sizes", type=int, nargs="*", default=[96, 224])
    options.add_argument("--counts", type=int, nargs="*", default=[50, 200, 1000, 3000])
    options.add_argument("--warm", type=int, default=1000)
    options.add_argument("--networks", nargs="*", default=["ResNet50"], help="of keras.applications")
    given = options.parse_args()
    networks: dict[str, tuple[Callable[..., keras.Model], int]] = {
        f"{name}, {size} px": (getattr(keras.applications, name), size)
        for name in given.networks
        for size in given.sizes
    }
    networks["small network, 96 px"] = (small, 96)
    for name, (make, size) in networks.items():
        shape = (size, size, 3)
        model = make(weights=None, classes=4, input_shape=shape)
        ways = _ways(model, shape, given.warm, ("tensorflow", "openvino"))
        _print(f"{name}: warm, {given.warm} images: TensorFlow / OpenVINO", ways, given.rounds)
        print(f"{name}: a converted network holds {_held(model, shape):.0f} MB", flush=True)
        for count in given.counts:
            ways = _ways(model, shape, count, ("tensorflow", "auto"), cold=True)
            ran = KerasClassifier(model).accelerated(count, shape).engine
            what = f"{name}: cold, {count} images: TensorFlow / auto (which takes {ran})"
            _print(what, ways, given.rounds, warm=False)
        clear_cache()


def _print(what: str, ways: dict[str, Callable[[], object]], rounds: int, warm: bool = True) -> None:
    """Run two ways in turn, and print the ratio of their times and of their processor times."""
    used: dict[str, list[float]] = {name: [] for name in ways}

    def counted(name: str) -> Callable[[], object]:
        def run() -> None:
            start = time.process_time()
            ways[name]()
            used[name].append(time.process_time() - start)

        return run

    seconds = medians({name: counted(name) for name in ways}, rounds, warm)
    first, second = ways
    processor = statistics.median(used[first][-rounds:]) / statistics.median(used[second][-rounds:])
    ratio = seconds[first] / seconds[second]
    print(f"{what}: {ratio:.2f}, processor time {processor:.2f}", flush=True)


def small(weights: None, classes: int, input_shape: tuple[int, ...]) -> keras.Model:
    """Make a network of three convolutions."""
    layers = keras.layers
    body = [
        part for n in (16, 32, 64) for part in (layers.Conv2D(n, 3, activation="relu"), layers.MaxPool2D())
    ]
    head = [layers.GlobalAveragePooling2D(), layers.Dense(classes, "softmax")]
    return keras.Sequential([keras.Input(input_shape), *body, *head])


def _ways(
    model: keras.Model, shape: tuple[int, ...], count: int, engines: tuple[str, ...], cold: bool = False
) -> dict[str, Callable[[], object]]:
    image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)

    def run(engine: str) -> object:
        if cold:
            clear_cache()
        classifier = fastest(KerasClassifier(model, engine=engine), count, shape)  # type: ignore[arg-type]
        return streamed(classifier, shape, count, lambda buffer, _: np.copyto(buffer, image))

    return {engine: lambda engine=engine: run(engine) for engine in engines}


def _held(model: keras.Model, shape: tuple[int, ...]) -> float:
    """Return by how many MB the process grows when a network whose TensorFlow functions ran is converted."""
    clear_cache()
    run = _ways(model, shape, 64, ("tensorflow", "openvino"))
    run["tensorflow"]()
    before = psutil.Process().memory_info().rss
    run["openvino"]()
    return (psutil.Process().memory_info().rss - before) / 2**20


if __name__ == "__main__":
    main()
