"""Hold the phantom against real slices: grey values, power spectrum, tissue areas; and stage it by them.

``python benchmarks/phantom_realism.py --data FOLDER`` reads 176 x 208 slices from FOLDER (any depth),
makes 200 phantom slices, prints how much of each curve lies within the range of the real ones, and
draws two figures. The real slices enter as percentiles only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from xaimri.data import phantom

REAL, MADE = "#8a94a6", "#c2410c"
LEVELS = np.arange(0, 257, 8)
RANGE = (2.5, 97.5)
TISSUES = ("fluid", "grey matter", "white matter")


def brain_mask(image):
    """Return the brain: brighter than the JPEG's noise outside it."""
    return image > 10


def histogram(image):
    """Return the density of grey values within the brain."""
    return np.histogram(image[brain_mask(image)], bins=LEVELS, density=True)[0]


def spectrum(image):
    """Return the logarithm of the power at each radial frequency, in cycles per 208 pixels."""
    padded = np.zeros((208, 208))
    padded[:, 16:192] = image / image[brain_mask(image)].mean()
    power = np.abs(np.fft.fftshift(np.fft.fft2(padded))) ** 2
    y, x = np.indices(power.shape) - 104
    ring = np.hypot(x, y).astype(int)
    return np.log10(np.bincount(ring.ravel(), power.ravel())[1:104] / np.bincount(ring.ravel())[1:104])


def tissue_areas(image):
    """Return the shares of three grey-value classes in the brain, by 3-means from fixed quantiles."""
    values = image[brain_mask(image)].astype(float)
    centres = np.percentile(values, [5, 35, 80])
    for _ in range(30):
        nearest = np.abs(values[:, None] - centres).argmin(axis=1)
        centres = np.array([values[nearest == k].mean() for k in range(3)])
    return np.bincount(nearest, minlength=3) / len(values)


def measures(images):
    """Return all curves of all images."""
    return {f.__name__: np.array([f(i) for i in images]) for f in (histogram, spectrum, tissue_areas)}


def real_slices(folder, count):
    """Return evenly chosen real slices."""
    files = sorted(Path(folder).rglob("*.jpg"))
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, count).astype(int)]
    return [np.asarray(Image.open(file).convert("L")) for file in chosen]


def inside(real, made):
    """Return the shares of bins whose phantom median, and of values that, lie in the real range."""
    low, high = np.percentile(real, RANGE, axis=0)
    median = np.median(made, axis=0)
    return np.mean((median >= low) & (median <= high)), np.mean((made >= low) & (made <= high))


def staging(subjects, size, seed):
    """Return the balanced accuracy of staging by one number, with its 95 % interval over subjects."""
    data = phantom.make(subjects, 1, size, seed)
    labels = data.labels
    features = {
        "mean grey value": [case.source.mean() for case in data],
        "mean in the brain": [case.source[case.source > 0].mean() for case in data],
        "brain area": [(case.source > 0).sum() for case in data],
        "area above 10": [(case.source > 10).sum() for case in data],
    }
    model = make_pipeline(StandardScaler(), LogisticRegression())
    rng = np.random.default_rng(0)
    for name, values in features.items():
        column = np.array(values, dtype=float)[:, None]
        guess = cross_val_predict(model, column, labels, groups=np.arange(subjects), cv=GroupKFold(5))
        draws = rng.integers(0, subjects, (1000, subjects))
        scores = [balanced_accuracy_score(labels[d], guess[d]) for d in draws]
        yield name, balanced_accuracy_score(labels, guess), *np.percentile(scores, RANGE)


def band(axes, x, real, made, label):
    """Draw the real range, and the phantom's median and range over it."""
    axes.fill_between(
        x, *np.percentile(real, RANGE, axis=0), color=REAL, alpha=0.35, lw=0, label="real, 95 %"
    )
    axes.plot(x, np.median(real, axis=0), color=REAL, lw=1.5, label="real, median")
    axes.fill_between(x, *np.percentile(made, RANGE, axis=0), color=MADE, alpha=0.18, lw=0)
    axes.plot(x, np.median(made, axis=0), color=MADE, lw=1.8, label="phantom, median and 95 %")
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)


def realism_figure(real, made):
    """Draw the three comparisons side by side."""
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    one, two, three = figure.subplots(1, 3)
    band(one, LEVELS[:-1] + 4, real["histogram"], made["histogram"], "grey value in the brain")
    one.set(title="Grey values", ylabel="density", xlim=(0, 256), ylim=(0, None))
    one.legend(frameon=False, fontsize=8, loc="upper left")
    band(two, np.arange(1, 104) / 208, real["spectrum"], made["spectrum"], "cycles per pixel")
    two.set(title="Power spectrum", ylabel="log10 power", xlim=(0, 0.5))
    for shift, values, colour in ((-0.17, real, REAL), (0.17, made, MADE)):
        parts = three.violinplot(
            list(values["tissue_areas"].T),
            np.arange(3) + shift,
            widths=0.3,
            showmedians=True,
            showextrema=False,
        )
        for body in parts["bodies"]:
            body.set(facecolor=colour, alpha=0.45)
        parts["cmedians"].set_color(colour)
    three.set_xticks(range(3), TISSUES)
    three.set(title="Share of the brain", ylim=(0, None))
    three.spines[["top", "right"]].set_visible(False)
    return figure


def contact_sheet(seed):
    """Draw one subject of each stage, four slices each, and what changed."""
    data = phantom.make(4, 4, (208, 176), seed)
    figure = Figure(figsize=(10.4, 6.4), layout="constrained", facecolor="black")
    axes = figure.subplots(4, 8)
    for axis, (case, shown) in zip(
        axes.ravel(),
        [(c, s) for row in range(4) for s in (0, 1) for c in data[4 * row : 4 * row + 4]],
        strict=True,
    ):
        axis.imshow(case.source, cmap="gray", vmin=0, vmax=255)
        if shown:
            axis.imshow(np.ma.masked_equal(case.mask, 0), cmap="autumn", alpha=0.75, vmin=0, vmax=2)
        axis.axis("off")
    for row, stage in enumerate(phantom.STAGES):
        axes[row, 0].set_title(stage, color="white", fontsize=9, loc="left")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of real slices, 176 x 208")
    parser.add_argument("--figures", default="docs/figures", help="where the figures go")
    parser.add_argument("--real", type=int, default=400, help="how many real slices")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(options.figures)
    folder.mkdir(parents=True, exist_ok=True)
    real = measures(real_slices(options.data, options.real))
    made = measures([case.source for case in phantom.make(48, 4, (208, 176), options.seed)])
    for name in real:
        medians, values = inside(real[name], made[name])
        print(f"{name}: {medians:.0%} of the medians and {values:.0%} of all values in the real 95 % range")
    for name, share, low, high in zip(
        TISSUES, np.median(made["tissue_areas"], axis=0), *np.percentile(real["tissue_areas"], RANGE, axis=0),
        strict=True,
    ):  # fmt: skip
        print(f"  {name}: phantom {share:.3f}, real {low:.3f} to {high:.3f}")
    for name, score, low, high in staging(400, (52, 44), options.seed):
        print(f"staging by {name}: balanced accuracy {score:.3f} [{low:.3f}, {high:.3f}], chance 0.25")
    realism_figure(real, made).savefig(folder / "phantom_realism.png", dpi=150)
    contact_sheet(options.seed).savefig(folder / "phantom_sheet.png", dpi=150)


if __name__ == "__main__":
    main()
