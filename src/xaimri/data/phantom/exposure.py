"""How a scanner shows a brain: the same for anatomy that is drawn and for one that is measured."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from xaimri.arrays import Array, Mask
from xaimri.data.phantom.shapes import Field, Points, Waves

MEAN = 144.0
"""Mean grey value in the brain, over subjects."""

BLUR = 0.72
"""Standard deviation of the scanner's point spread, voxels."""


def exposed(
    signal: Field,
    points: Points,
    brain: Mask,
    habit: np.random.Generator,
    rng: np.random.Generator,
) -> Array:
    """Return the image of a brain: bias field, blur, Rician noise and grey values 0 to 255.

    Parameters
    ----------
    signal
        Without noise, at the voxels of the brain; white matter is 1.
    points
        Where these voxels lie, mm.
    brain
        ``(*space)``: which voxels of the image they are, in this order.
    habit, rng
        Of what a person's scans have in common, and of one scan.
    """
    bias = Waves.draw(habit, 170.0, waves=8, spread=0.3)(points)[:, 0]
    cloud = Waves.draw(habit, 22.0, waves=40, spread=0.5)(points)[:, 0]
    bright = float(231 + 3 * habit.normal())
    mean = float(np.clip(MEAN + 7 * habit.normal() + 2 * rng.normal(), 110, 175))
    sigma = 6.6 * np.exp(0.2 * habit.normal())
    image = np.zeros(brain.shape)
    image[brain] = signal * np.exp(0.04 * bias + 0.04 * cloud)
    inside = gaussian_filter(brain.astype(float), BLUR)
    image = gaussian_filter(image, BLUR) / np.maximum(inside, 0.3)
    noise = np.stack([gaussian_filter(rng.normal(size=brain.shape), 0.55)[brain] for _ in range(2)])
    shown = np.zeros(brain.shape, dtype=np.uint8)
    shown[brain] = _toned(image[brain], 2 * sigma * noise, mean, bright)
    return shown


def _toned(signal: Array, noise: Array, mean: float, bright: float) -> Array:
    """Return grey values 1 to 255 with Rician noise and this mean.

    White matter is put at ``bright``; gamma and mid-tones are moved until the mean is right. The noise
    comes last, so neither its strength nor white matter's grey value follows from the tissue areas.

    Parameters
    ----------
    signal
        Without noise, ``(voxels,)``.
    noise
        Real and imaginary part, ``(2, voxels)``, grey values.
    mean, bright
        Wanted mean, and grey value of the 97th percentile of the signal.
    """
    values = np.minimum(signal / np.percentile(signal, 97), 1.12)
    midtones = values**2 * (1 - values)
    low, high = -3.0, 3.0
    for _ in range(16):
        step = (low + high) / 2
        curve = values ** np.exp(-0.4 * step) + 0.6 * np.tanh(2 * step) * midtones
        grey = np.clip(np.hypot(bright * curve + noise[0], noise[1]), 1, 255)
        low, high = (step, high) if grey.mean() < mean else (low, step)
    shown: Array = np.rint(grey).astype(np.uint8)
    return shown
