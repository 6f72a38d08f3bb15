"""The bar shows what is seen: a value has one colour on it and on the image, over the same ground."""

import dataclasses

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure

from stripes import pixelwise, texts
from xaimri.errors import InvalidInput
from xaimri.render import Scale, figure, grid, plot, sheet
from xaimri.render.colour import GROUNDS, as_rgb

STEPS = np.array([0.0, 0.2, 0.5, 0.8, 1.0], np.float32)


def known(values, grounds=(0.0, *GROUNDS, 1.0)):
    """Return a map of these values in columns, over an image of these greys in rows."""
    image = np.repeat(np.array(grounds, np.float32)[:, None], len(values), 1)[..., None]
    rows = np.repeat(np.asarray(values, np.float32)[None], len(grounds), 0)
    return dataclasses.replace(pixelwise(), values=rows, image=image, errors=None)


def seen(ax, x, y):
    """Return the colour at a place of an axes, as it is drawn."""
    drawn = ax.figure
    column, row = ax.transData.transform((x, y))
    picture = np.asarray(drawn.canvas.buffer_rgba())
    return picture[picture.shape[0] - 1 - int(row), int(column), :3].astype(int)


@pytest.mark.parametrize("colours", [None, "coolwarm", "viridis"])
@pytest.mark.parametrize("values", [STEPS * 3, np.concatenate([-STEPS, STEPS])], ids=["positive", "signed"])
def test_a_value_has_one_colour_on_the_image_and_on_its_bar(values, colours):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = Figure(figsize=(8, 8), dpi=150, layout="constrained")
    FigureCanvasAgg(drawn)
    ax = plot(known(values), drawn.subplots(), colours=colours)
    drawn.canvas.draw()
    bar = drawn.axes[1]
    for row, half in ((1, 0.25), (2, 0.75)):
        for column, value in enumerate(values):
            if abs(value) not in (0, np.abs(values).max()):  # where the bar has its edge, and its line
                np.testing.assert_allclose(seen(ax, column, row), seen(bar, half, value), atol=4)
    scale = Scale.of([values], colours=colours)
    red, green, blue, opacity = scale.colours(scale.norm(values[3]))
    for row in (1, 2):
        blended = (1 - opacity) * GROUNDS[row - 1] + opacity * np.array([red, green, blue])
        np.testing.assert_allclose(seen(ax, 3, row), 255 * blended, atol=3)


def test_any_map_of_matplotlib_gives_its_hue_and_the_value_its_opacity():
    values = np.linspace(-2, 2, 9)
    ours, theirs = Scale.of([values]), Scale.of([values], colours="coolwarm")
    found = theirs.colours(theirs.norm(values))
    np.testing.assert_allclose(found[:, 3], ours.colours(ours.norm(values))[:, 3], atol=0.01)
    np.testing.assert_allclose(found[:, :3], colormaps["coolwarm"]((values + 2) / 4)[:, :3], atol=0.02)
    with pytest.raises(InvalidInput, match="matplotlib colour map"):
        plot(known(values), colours="no such map")


def test_a_limit_of_ones_own_is_kept_and_told():
    found = known([-1.0, 3.0])
    assert Scale.of([found.values], limit=2) == Scale(2.0, True, None, True)
    assert Scale.of([found.values], limit=3) == Scale(3.0, True, None, False)
    pictures = [figure(found, limit=2), grid([found], limit=2), sheet({"one": found}, limit=2)]
    for drawn in pictures:
        assert {ax.images[1].norm.vmax for ax in drawn.axes if len(ax.images) == 2} == {2}
    with pytest.raises(InvalidInput, match="`scale` has its own"):
        plot(found, limit=2, scale=Scale(1.0, True))


@pytest.mark.parametrize("style", ["overlay", "contours"])
def test_an_empty_map_has_no_bar_and_says_so(style):
    drawn = figure(known(np.zeros(4)), style=style)
    assert [texts(ax) for ax in drawn.axes] == [["every value is 0"]]
    assert len(sheet({"one": known(np.zeros(4))}, style=style).axes) == 1


def test_photographs_are_grey_under_a_map():
    photograph = np.array([[[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.float32)
    grey = as_rgb(photograph, 0, 255, grey=True)
    np.testing.assert_allclose(grey[0, :, 0], [0, 0.2126, 0.7152, 0.0722, 1])
    np.testing.assert_array_equal(grey, grey[..., [1, 2, 0]])
    found = dataclasses.replace(known(STEPS, [0, 1]), image=np.repeat(photograph, 2, 0))
    image, overlay, contours = (
        np.asarray(plot(found, style=style).images[0].get_array())
        for style in ("image", "overlay", "contours")
    )
    np.testing.assert_array_equal(image[:1], photograph / 255)
    np.testing.assert_array_equal(overlay[:1], grey)
    np.testing.assert_array_equal(contours[1:], grey)


def test_contours_of_both_signs_differ_in_grey_print_and_are_explained():
    rows, columns = np.mgrid[:24, :35]
    hills = [np.exp(-((rows - 12) ** 2 + (columns - x) ** 2) / 20) for x in (9, 25)]
    ax = plot(
        dataclasses.replace(pixelwise(), values=(hills[0] - hills[1]).astype(np.float32)), style="contours"
    )
    dashes = [lines.get_linestyle()[0][1] is not None for lines in ax.collections]
    assert dashes == [False, True]
    (words,) = texts(ax)
    assert words == "solid: for the class; dashed: against the class; at 0.25, 0.5, 0.75 (logit)"
