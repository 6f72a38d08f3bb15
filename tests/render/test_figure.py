"""Pictures: no global state, zero pinned, both signs of one weight, files whole or not at all."""

import dataclasses
import re
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import stripes
from xaimri import LIME, GradCAM, LinearClassifier, compare
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput, StorageFault
from xaimri.render import Scale, colour, figure, plot
from xaimri.render.panel import headline

SHAPES = {"2d": (16, 20, 1), "3d": (8, 12, 10, 1)}


def explained(method=None, rank="2d"):
    model = LinearClassifier.random(SHAPES[rank], classes=3, seed=0, patch=2)
    image = np.random.default_rng(0).random((1, *SHAPES[rank]), dtype=np.float32)
    (found,) = (method or GradCAM(relu=False)).explain(model, image, 1)
    return found


REGIONS = LIME(samples=40, regions=6)


@pytest.mark.slow
def test_drawing_changes_no_global_state(tmp_path):
    kept = dict(mpl.rcParams)
    found = explained(REGIONS)
    for style in ("overlay", "contours", "superpixels", "chart", "image", "side_by_side"):
        found.save(tmp_path / f"{style}.png", style=style, dpi=40)
    found._repr_html_()
    assert dict(mpl.rcParams) == kept
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_drawing_needs_no_pyplot():
    code = (
        "import sys, numpy as np, xaimri;"
        "e = xaimri.explain(xaimri.LinearClassifier(np.ones((2, 6, 8, 1))), np.random.rand(6, 8));"
        "e.figure(); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_files_are_written_whole(tmp_path, suffix):
    path = explained().save(tmp_path / "new" / f"x.{suffix}", dpi=50)
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix]
    assert path.read_bytes().startswith(start)
    assert path.stat().st_size > 1000
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_failure_while_drawing_leaves_the_old_file(tmp_path, monkeypatch):
    path = explained().save(tmp_path / "x.png", dpi=40)
    before = path.read_bytes()

    def fail(self, partial, **_):
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(StorageFault, match="No space left"):
        explained().save(path, dpi=40)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]


def test_zero_is_pinned_and_transparent():
    signed, positive = Scale.of([np.array([-1.0, 4.0])]), Scale.of([np.array([0.0, 4.0])])
    assert (signed.norm.vmin, signed.norm.vmax) == (-4, 4)
    assert (positive.norm.vmin, positive.norm.vmax) == (0, 4)
    for scale in (signed, positive):
        assert scale.colours(scale.norm(0.0))[3] < 0.02
        assert scale.colours(scale.norm(4.0))[3] > 0.8
    assert positive.colours(positive.norm(0.0))[3] == 0


def test_both_signs_have_one_lightness():
    warm, cool = (colour._ramp(warm=side) for side in (True, False))
    np.testing.assert_array_equal(warm[:, 3], cool[:, 3])

    def lightness(rgb):
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
        to_lms.append([0.0883024619, 0.2817188376, 0.6299787005])
        return np.cbrt(linear @ np.array(to_lms).T) @ [0.2104542553, 0.7936177850, -0.0040720468]

    a, b = lightness(warm[:, :3]), lightness(cool[:, :3])
    assert np.abs(a - b).max() < 0.03
    assert (np.diff(a) > 0).all()
    assert (np.diff(b) > 0).all()


def test_nan_is_not_drawn_and_does_not_break_the_scale():
    scale = Scale.of([np.array([np.nan, 2.0, -np.inf])])
    assert scale.limit == 2.0
    assert Scale.of([np.full(3, np.nan)]).limit == 1.0
    assert Scale.of([np.zeros(3)]).limit == 1.0


def test_compared_panels_of_one_method_share_one_scale():
    found = compare(
        LinearClassifier.random(SHAPES["2d"], classes=3, patch=2),
        np.random.default_rng(0).random((16, 20)),
        [GradCAM(relu=False), GradCAM(), LIME(samples=30, regions=4)],
        target=1,
    )
    drawn = found.figure()
    panels = [ax for ax in drawn.axes if len(ax.images) == 2]
    limits = [ax.images[1].norm.vmax for ax in panels]
    assert len(limits) == 3
    assert limits[0] == limits[1] == max(np.abs(e.values).max() for e in found[:2])
    assert limits[2] != limits[0]


@pytest.mark.parametrize("style", ["overlay", "contours", "image", "side_by_side"])
@pytest.mark.parametrize("rank", SHAPES)
def test_every_style_draws(style, rank):
    assert isinstance(explained(rank=rank).figure(style=style), Figure)


@pytest.mark.slow
@pytest.mark.parametrize("rank", SHAPES)
def test_superpixels_draw_where_there_are_regions(rank):
    drawn = explained(REGIONS, rank).figure()
    drawn.draw_without_rendering()
    assert len([ax for ax in drawn.axes if ax.images]) == (1 if rank == "2d" else 3)
    assert len(drawn.axes) == (2 if rank == "2d" else 4)


def test_the_numbers_of_regions_are_those_of_their_chart():
    drawn = stripes.explained().figure()
    drawn.draw_without_rendering()
    picture, chart = drawn.axes
    assert {text.get_text() for text in picture.texts} >= {
        label.get_text() for label in chart.get_yticklabels()
    } - {""}


def test_a_heading_and_caveats_stand_around_the_panels():
    found = dataclasses.replace(explained(), caveats=(Caveat("poor_fit", "Use $more$ samples."),))
    plain, headed = found.figure(footnote=False), found.figure(heading="a$b$.png")
    assert headed.get_suptitle() == "a$b$.png"
    assert headed.get_supxlabel() == "poor_fit: Use $more$ samples."
    assert (plain.get_suptitle(), plain.get_supxlabel()) == ("", "")
    assert headed.get_size_inches()[1] > plain.get_size_inches()[1]


@pytest.mark.parametrize("style", ["side_by_side", "overlay", "contours", "superpixels", "chart"])
def test_words_of_the_user_are_no_formulas(style):
    """A dollar sign would begin a formula, and a wrong one would end the drawing."""
    found = stripes.explained(classes=("$\\frac$", "b"))
    found.figure(style=style, heading="$\\frac$.png").draw_without_rendering()
    assert "$\\frac$" in headline(found)


def test_contours_of_a_line_of_pixels_are_refused():
    found = explained()
    thin = dataclasses.replace(found, values=found.values[:1], image=found.image[:1])
    with pytest.raises(InvalidInput, match="at least 2 x 2 pixels, and there are 1 x 20"):
        plot(thin, style="contours")
    plot(thin)


def test_the_map_is_drawn_as_it_is():
    found = explained()
    ax = plot(found)
    np.testing.assert_array_equal(np.asarray(ax.images[1].get_array()), found.values)
    assert "Grad-CAM" in ax.get_title()
    assert "class_1" in ax.get_title()


def test_a_given_axes_is_used():
    ax = Figure().subplots()
    assert plot(explained(), ax) is ax
    assert explained().plot(ax) is ax


def test_errors_are_one_sentence(tmp_path):
    with pytest.raises(InvalidInput, match="gives no regions") as refusal:
        figure(explained(), style="superpixels")
    assert "\n" not in str(refusal.value)
    with pytest.raises(InvalidInput, match=r"`style` must be .* or 'mosaic' or 'glass', got 'heatmap'"):
        explained().figure(style="heatmap")
    with pytest.raises(InvalidInput, match="must end in"):
        explained().save(tmp_path / "x.docx")
    for name, way in (("x.html", "view"), ("x.nii.gz", "to_nifti"), ("x.dcm", "to_dicom")):
        with pytest.raises(InvalidInput, match=f"drawn into: a .* is written by `explanation.{way}\\("):
            explained().save(tmp_path / name)
    with pytest.raises(InvalidInput, match="inside the volume"):
        explained(rank="3d").figure(plane=(0, 99))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_notebooks_get_a_picture_with_words():
    told = explained()._repr_html_()
    assert re.search(r'<img style="[^"<>]+" alt="[^"<>]+" src="data:image/png;base64,[A-Za-z0-9+/=]+">', told)
    assert "class_1" in told


def test_a_machine_without_a_viewer_is_told_in_one_sentence_what_to_do(monkeypatch, capfd):
    from PIL import ImageShow

    found = explained()
    monkeypatch.setattr(ImageShow, "show", lambda image: False)
    for displays in ("", ":0"):
        monkeypatch.setenv("DISPLAY", displays)
        monkeypatch.setenv("WAYLAND_DISPLAY", "")
        found.show()
        assert capfd.readouterr().err == (
            "There is no image viewer here: use save(path), or show() in a notebook.\n"
        )
    monkeypatch.setattr(ImageShow, "show", lambda image: True)
    monkeypatch.setenv("DISPLAY", ":0")
    found.show()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shape", [(400, 40), (40, 400)], ids=["tall", "wide"])
def test_tall_and_wide_images_keep_their_bar_and_their_titles(shape):
    found = explained()
    values = np.linspace(-1, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    drawn = dataclasses.replace(found, values=values, image=np.ones((*shape, 1), np.float32)).figure()
    drawn.draw_without_rendering()
    image, overlay, bar = drawn.axes
    assert bar.get_window_extent().height / drawn.dpi > 1
    assert image.title.get_window_extent().x1 < overlay.title.get_window_extent().x0
