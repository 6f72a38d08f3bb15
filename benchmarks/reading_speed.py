"""How fast OpenCV reads image files beside Pillow, bare and within the reader.

python benchmarks/reading_speed.py [--rounds 15]

Ratios of Pillow's time to OpenCV's: both decoders bare, to the float32 that a network takes, then the whole
reader, `xaimri.images.read_image`, without OpenCV and with it. Above 1 OpenCV is faster. Of 16-bit colour the
bare Pillow keeps 8 bits. The last column is what the reader costs beside the bare OpenCV.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import tifffile
from PIL import Image
from ratio import medians
from scipy import ndimage

from xaimri.images import decoders, opencv, read_image
from xaimri.images.headers import content_of, header_of

SIZES = {"small": (208, 176), "large": (2200, 3000)}


def main() -> None:
    """Print a row for each kind of file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=15)
    rounds = options.parse_args().rounds
    print(f"{'file':24} {'decoders':>9} {'reader':>8} {'reader, ms':>11} {'beside OpenCV, ms':>18}")
    for name, shape in SIZES.items():
        for channels in (1, 3):
            for kind, bits in (("JPEG", 8), ("PNG", 8), ("PNG", 16), ("TIFF", 8), ("TIFF", 16)):
                content = encoded(picture((*shape, channels), bits), kind)
                row = medians(ways(content), rounds if name == "large" else 20 * rounds)
                colour = "grey" if channels == 1 else "colour"
                print(
                    f"{name} {colour} {kind} {bits:2} bits".ljust(24),
                    f"{row['Pillow'] / row['OpenCV']:9.2f} {row['before'] / row['reader']:8.2f}",
                    f"{1e3 * row['reader']:11.3f} {1e3 * (row['reader'] - row['OpenCV']):18.3f}",
                )


def picture(shape: tuple[int, ...], bits: int) -> np.ndarray:
    """Return smooth noise with a little grain, as a scan has."""
    generator = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(generator.normal(size=shape), (3, 3, 0))
    smooth = (smooth - smooth.min()) / np.ptp(smooth) + 0.01 * generator.normal(size=shape)
    pixels = (np.clip(smooth, 0, 1) * (2**bits - 1)).astype(f"u{bits // 8}")
    return pixels if shape[-1] == 3 else pixels[..., 0]


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    """Return a file's bytes."""
    if kind == "PNG" and pixels.dtype == np.uint16 and pixels.ndim == 3:  # of which Pillow writes none
        return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    stream = io.BytesIO()
    if kind == "TIFF":
        colour = "rgb" if pixels.ndim == 3 else "minisblack"
        tifffile.imwrite(stream, pixels, photometric=colour, metadata=None, rowsperstrip=64)
    else:
        Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def ways(content: bytes) -> dict[str, Callable[[], object]]:
    """Return the decoders and the readers that are compared; of 16-bit colour Pillow keeps 8 bits."""
    stream = io.BytesIO(content)
    header = header_of(stream)
    assert header is not None
    given = content_of(stream, header)
    assert given is not None

    def pillow() -> np.ndarray:
        with Image.open(io.BytesIO(content)) as opened:
            return np.array(opened).astype(np.float32)

    def before() -> np.ndarray:
        with without_opencv():
            return read_image(content)

    return {
        "Pillow": pillow,
        "OpenCV": lambda: np.array(opencv.frame(given, header), np.float32),
        "before": before,
        "reader": lambda: read_image(content),
    }


@contextmanager
def without_opencv() -> Iterator[None]:
    """Leave every file to Pillow, and 16-bit colour to both."""
    kept, decoders.header_of = decoders.header_of, lambda stream: None
    try:
        yield
    finally:
        decoders.header_of = kept


if __name__ == "__main__":
    main()
