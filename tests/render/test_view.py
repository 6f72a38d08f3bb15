"""The interactive page: the number under the cursor is the voxel's, keys work, nothing is fetched or run."""

import dataclasses
import html
import re
import stat
from importlib import import_module

import numpy as np
import pytest

import browser as driven
from scans import of_world
from stripes import explained, pixelwise
from xaimri import Atlas
from xaimri.caveats import Caveat
from xaimri.errors import InvalidInput
from xaimri.images import Picture
from xaimri.images.planes import plane_name
from xaimri.render.colour import Scale, as_rgb
from xaimri.render.fade import PALE, certain
from xaimri.render.planes import cut

room = import_module("xaimri.render.view")
SHAPE = (7, 6, 9)
HOSTILE = (
    "</script><script>document.documentElement.dataset.run = 1</script><img src=x onerror=alert(1)>&{{facts}}"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    found = driven.program()
    if found is None:
        pytest.skip("no Chromium here: the page was not tried in a browser")
    made = driven.Browser(found, tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


def affine_of(axes=(0, 1, 2), flips=(1.0, 1.0, 1.0)):
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[world, axis] = flip * (axis + 1)
    affine[:3, 3] = (-3.25, 8.0, 1.5)
    return affine


def volume(affine, shape=SHAPE, **changes):
    """Every voxel has a value, an error and an intensity of its own."""
    values = of_world(np.eye(4) if affine is None else affine, shape) - 1
    errors = np.abs(values).astype(np.float32) * np.linspace(0.1, 0.9, values.size, dtype=np.float32).reshape(
        shape
    )
    return dataclasses.replace(
        pixelwise(), affine=affine, spacing=None if affine is None else (1.0, 2.0, 3.0),
        image=np.arange(values.size, dtype=np.float32).reshape(*shape, 1),
        **{"values": values, "errors": errors, **changes},
    )  # fmt: skip


def told(page):
    """What the page says of the voxel, by the words that stand before it."""
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#told dt')].map("
        "e => [e.textContent, e.nextSibling.textContent]))"
    )


def place_of(page, plane, row, column, shape):
    """Return where the middle of a pixel is on the screen."""
    page.evaluate(f"document.querySelectorAll('.plane')[{plane}].scrollIntoView()")
    left, top, width, height = page.evaluate(
        "(r => [r.left, r.top, r.width, r.height])"
        f"(document.querySelectorAll('canvas')[{plane}].getBoundingClientRect())"
    )
    return left + (column + 0.5) / shape[1] * width, top + (row + 0.5) / shape[0] * height


def colours(page, plane):
    """Return the pixels of a plane as they are drawn."""
    width, height, found = page.evaluate(
        f"(c => [c.width, c.height, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]])"
        f"(document.querySelectorAll('.plane canvas')[{plane}])"
    )
    return np.array(found).reshape(height, width, 4)[..., :3]


def slide(page, name, value):
    page.evaluate(
        f"(e => {{ e.value = {value}; e.dispatchEvent(new Event('input')); }})"
        f"(document.getElementById('{name}'))"
    )


def drawn(explanation, plane, *, opacity=1.0, threshold=0.0):
    """Return a plane as figures draw it."""
    values, image, sure = (
        cut(each, plane, explanation)
        for each in (explanation.values, explanation.image, certain(explanation))
    )
    grey = as_rgb(image, float(explanation.image.min()), float(explanation.image.max()))
    scale = Scale.of([explanation.values])
    over = scale.colours(scale.norm(values))
    alpha = (over[..., 3:] * np.where(sure, 1.0, PALE)[..., None]) * opacity
    alpha = np.where(np.abs(values)[..., None] >= threshold, alpha, 0)
    return 255 * (grey * (1 - alpha) + over[..., :3] * alpha)


TURNS = [None, affine_of(), affine_of((2, 0, 1), (-1.0, 1.0, -1.0)), affine_of((1, 0, 2), (1.0, -1.0, 1.0))]


@pytest.mark.parametrize("affine", TURNS, ids=["unknown", "canonical", "turned", "mirrored"])
def test_the_voxel_under_a_click_is_told(page, tmp_path, affine):
    found = volume(affine)
    page.open(found.view(at=(3, 2, 5)).save(tmp_path / "view.html"))
    assert page.requests == [(tmp_path / "view.html").as_uri()]
    assert not page.complaints
    numbers = np.arange(found.values.size).reshape(SHAPE)
    names = page.evaluate("[...document.querySelectorAll('figcaption span')].map(e => e.textContent)")
    cross = [3, 2, 5]
    assert told(page)["voxel"] == "3, 2, 5"
    for place, name in enumerate(names):
        axis = next(a for a in range(3) if name.startswith(plane_name((a, 0), affine).split(",")[0]))
        laid = cut(numbers, (axis, cross[axis]), found)
        np.testing.assert_allclose(colours(page, place), drawn(found, (axis, cross[axis])), atol=1.5)
        row, column = laid.shape[0] - 2, 1
        page.click(*place_of(page, place, row, column, laid.shape))
        cross = [int(each) for each in np.unravel_index(laid[row, column], SHAPE)]
        said = told(page)
        assert said["voxel"] == ", ".join(map(str, cross))
        assert float(said["value"]) == pytest.approx(found.values[tuple(cross)], rel=1e-4)
        assert float(said["standard error"]) == pytest.approx(found.errors[tuple(cross)], rel=1e-4)
        assert float(said["intensity"]) == laid[row, column]
        if affine is not None:
            world = (affine @ [*cross, 1])[:3]
            np.testing.assert_allclose([float(x) for x in said["x, y, z (mm)"].split(",")], world, atol=0.051)
    sides = page.evaluate("[...document.querySelectorAll('.side')].map(e => e.textContent).join('')")
    assert sides == ("" if affine is None else "RLRLAP")
    words = page.evaluate("document.body.innerText")
    assert ("Radiological convention" in words) == (affine is not None)


def test_what_is_under_the_cursor_is_told_without_a_click(page, tmp_path):
    found = volume(affine_of())
    page.open(found.view(at=(3, 2, 5)).save(tmp_path / "view.html"))
    laid = cut(np.arange(found.values.size).reshape(SHAPE), (2, 5), found)
    page.mouse("mouseMoved", *place_of(page, 0, 1, 2, laid.shape))
    assert float(told(page)["intensity"]) == laid[1, 2]
    assert page.evaluate("document.getElementById('where').textContent") == "Under the cursor"
    page.mouse("mouseMoved", 2, 2)
    assert told(page)["voxel"] == "3, 2, 5"


def test_keys_and_wheel_move_as_the_anatomy_says(page, tmp_path):
    page.open(volume(affine_of((0, 1, 2), (-1.0, 1.0, 1.0))).view(at=(3, 2, 5)).save(tmp_path / "view.html"))
    page.key("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("axial")
    for key, voxel in (
        ("PageUp", "3, 2, 6"),  # upwards
        ("PageDown", "3, 2, 5"),
        ("ArrowLeft", "2, 2, 5"),  # to the patient's right: down the first axis, which is reversed
        ("ArrowUp", "2, 3, 5"),  # to the front
        ("ArrowRight", "3, 3, 5"),
        ("ArrowDown", "3, 2, 5"),
        ("End", "3, 2, 8"),
        ("PageUp", "3, 2, 8"),  # no further
        ("Home", "3, 2, 0"),
    ):
        page.key(key)
        assert told(page)["voxel"] == voxel, key
    page.key("PageUp", modifiers=8)  # with Shift
    assert told(page)["voxel"] == "3, 2, 8"
    where = place_of(page, 0, 1, 1, (6, 7))
    page.mouse("mouseWheel", *where, deltaX=0, deltaY=120)
    assert page.evaluate("document.querySelectorAll('figcaption input')[0].value") == "7"


def test_sliders_change_what_is_drawn(page, tmp_path):
    found = volume(affine_of())
    page.open(found.view(at=(3, 2, 5)).save(tmp_path / "view.html"))
    limit = float(np.abs(found.values).max())
    slide(page, "opacity", 40)
    np.testing.assert_allclose(colours(page, 0), drawn(found, (2, 5), opacity=0.4), atol=1.5)
    slide(page, "opacity", 100)
    slide(page, "threshold", 500)
    np.testing.assert_allclose(colours(page, 0), drawn(found, (2, 5), threshold=limit / 2), atol=1.5)
    slide(page, "opacity", 0)
    grey = cut(found.image, (2, 5), found)[..., 0]
    slide(page, "width", 500)
    slide(page, "level", 250)
    top = found.image.max()
    np.testing.assert_allclose(colours(page, 0)[..., 0], 255 * np.clip(grey / (top / 2), 0, 1), atol=1.5)


def test_a_window_and_a_place_in_mm_may_be_given(page, tmp_path):
    found = volume(affine_of(), errors=None)
    shown = found.view(at_mm=(0.1, 12.2, 16.0), window=(100, 200), limit=1e9)
    page.open(shown.save(tmp_path / "view.html"))
    assert told(page)["voxel"] == "3, 2, 5"
    assert "standard error" not in told(page)
    grey = cut(found.image, (2, 5), found)[..., 0]
    np.testing.assert_allclose(colours(page, 0)[..., 0], 255 * np.clip((grey - 100) / 100, 0, 1), atol=1.5)


def test_regions_are_told_by_their_number(page, tmp_path):
    found = explained("3d")
    page.open(found.view(at=(12, 7, 5)).save(tmp_path / "view.html"))
    for column, region in ((7, 1), (23, 4), (32, 6)):
        labels = cut(found.regions.labels, (2, 5), found)
        page.click(*place_of(page, 0, 12, column, labels.shape))
        assert told(page)["region"] == str(region) == str(labels[12, column])
        value = found.regions.values[region]
        assert told(page)["value"] == ("not known" if np.isnan(value) else f"{value:g}")
        assert float(told(page)["standard error"]) == found.regions.errors[region]
    page.click(*place_of(page, 0, 1, 7, labels.shape))
    assert (told(page)["region"], told(page)["value"]) == ("none", "0")


def test_regions_of_an_atlas_are_told_by_their_name(page, tmp_path):
    labels = np.zeros(SHAPE, int)
    labels[4, 2, 5], labels[3, 2, 5] = 37, 7
    named = {37: "Hippocampus_L<b>", 7: "Amygdala_R", 9: "Thalamus"}
    atlas = Atlas.read(Picture(labels, affine=affine_of()), named)
    found, places = volume(affine_of()), [(4, 2, 5), (3, 2, 5), (0, 0, 0)]
    for at, said in zip(places, ("Hippocampus_L<b> (37)", "Amygdala_R (7)", "none"), strict=True):
        page.open(found.view(at=at, atlas=atlas).save(tmp_path / "view.html"))
        assert told(page)["atlas"] == said
    assert all(note in page.evaluate("document.body.innerText") for note in atlas.notes)
    assert atlas.notes
    with pytest.raises(InvalidInput, match="atlas"):
        found.view(atlas=np.ones((3, 4, 5), int))
    source = {"atlas": {"names": {"4": "Hippocampus_R", "5": "</script>"}}}
    hidden = dataclasses.replace(explained("3d"), diagnostics=source)
    words = {2: "in no region of the atlas (0)", 22: "Hippocampus_R (4)", 27: "</script> (5)", 12: "2"}
    for row, said in words.items():
        page.open(hidden.view(at=(12, row, 5)).save(tmp_path / "view.html"))
        assert told(page)["region"] == said


def test_words_from_outside_are_words(page, tmp_path):
    found = volume(
        affine_of(), classes=(HOSTILE, "no"), unit=HOSTILE,
        caveats=(Caveat("mine.odd", f"{HOSTILE}."), Caveat("poor_fit", "A poor fit: take more samples.")),
        method={"name": "x", "title": HOSTILE, "settings": {}},
    )  # fmt: skip
    page.open(found.view(heading=HOSTILE).save(tmp_path / "view.html"))
    assert page.evaluate("document.documentElement.dataset.run") is None
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("document.title") == f"{HOSTILE}: {HOSTILE} of {HOSTILE}"
    assert f"mine.odd: {HOSTILE}." in page.evaluate("document.body.innerText")
    assert "A poor fit: take more samples." in page.evaluate("document.body.innerText")
    assert page.requests == [(tmp_path / "view.html").as_uri()]
    assert not page.complaints


def test_its_policy_runs_no_other_script(page, tmp_path):
    text = volume(None).view().html
    file = tmp_path / "view.html"
    file.write_text(
        text.replace(
            "<header>", "<header><script>document.title = 'run'</script><img src='http://127.0.0.1:9/x'>"
        )
    )
    page.open(file)
    assert page.evaluate("document.title") != "run"
    assert len(page.complaints) >= 2


def test_a_slice_has_its_page_too(page, tmp_path):
    found = dataclasses.replace(pixelwise(), errors=None)
    page.open(found.view().save(tmp_path / "view.html"), width=390, height=800)
    row, column = np.unravel_index(np.abs(found.values).argmax(), found.values.shape)
    assert told(page)["pixel"] == f"{row}, {column}"
    page.click(*place_of(page, 0, 5, 30, found.values.shape))
    assert told(page)["pixel"] == "5, 30"
    assert float(told(page)["value"]) == pytest.approx(found.values[5, 30], rel=1e-4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_large_volumes_are_rounded_and_say_so(page, tmp_path):
    shape = (65, 64, 65)
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    values[1, 2, 3] = np.nan
    image = values[..., None] * 0 + 0.5
    image[1, 2, 3], image[0, 0, 0] = 0.25, 0.125
    found = dataclasses.replace(pixelwise(), values=values, errors=None, image=image)
    page.open(found.view(at=(4, 5, 6)).save(tmp_path / "view.html"))
    step = float(np.nanmax(np.abs(values))) / 32767
    assert float(told(page)["value"]) == pytest.approx(float(values[4, 5, 6]), abs=step)
    assert f"values by up to {step / 2:.1g}" in page.evaluate("document.body.innerText")
    page.open(found.view(at=(1, 2, 3)).save(tmp_path / "view.html"))
    assert told(page)["value"] == "not known"


def test_a_notebook_shows_small_pages_and_names_the_way_to_large_ones(monkeypatch):
    shown = volume(affine_of()).view()
    frame = shown._repr_html_()
    assert re.search(r'sandbox="allow-scripts allow-popups"', frame)
    assert html.unescape(re.search('srcdoc="(.*)"></iframe>', frame, re.DOTALL)[1]) == shown.html
    monkeypatch.setattr(room, "EMBEDDED", 100)
    assert "view().save" in shown._repr_html_()
    assert "<iframe" not in shown._repr_html_()


def test_a_volume_is_its_page_in_a_notebook_with_the_picture_folded(monkeypatch):
    found = volume(affine_of())
    card = found._repr_html_()
    assert card.count("<iframe") == card.count("<img ") == 1
    assert found.view().frame() in card
    assert card.index("As a picture") < card.index("<img ")
    assert "<iframe" not in pixelwise()._repr_html_()
    monkeypatch.setattr(room, "EMBEDDED", 100)
    large = found._repr_html_()
    assert "<iframe" not in large
    assert "more than a notebook should hold: open it by explanation.view().open()" in large


def test_a_limit_that_values_exceed_is_said_at_the_ends_of_the_bar(page, tmp_path):
    for limit, ends in ((0.5, ["≤ -0.5", "0", "≥ 0.5"]), (1e4, ["-10000", "0", "10000"])):
        page.open(volume(affine_of()).view(limit=limit).save(tmp_path / "view.html"))
        shown = "[...document.querySelectorAll('.ends span')].map(e => e.textContent)"
        assert page.evaluate(shown) == ends


def test_a_page_is_opened_from_a_file_of_ones_own(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(room.webbrowser, "open", lambda address: opened.append(address) or len(opened) < 2)
    shown = volume(None).view()
    file = shown.open()
    assert file.read_text(encoding="utf-8") == shown.html
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert opened == [file.as_uri()]
    file.unlink()
    shown.open().unlink()
    assert "There is no browser here" in capsys.readouterr().err


def test_what_cannot_be_shown_is_refused(tmp_path, monkeypatch):
    found = volume(None)
    with pytest.raises(InvalidInput, match=r"`view.png` must end in .html"):
        found.view().save(tmp_path / "view.png")
    for point, words in (
        ({"at": (7, 0, 0)}, "must lie inside the volume of 7 x 6 x 9 voxels"),
        ({"at": (-1, 0, 0)}, "must lie inside"),
        ({"at": (1, 2)}, "a list of 3"),
        ({"at_mm": (1.0, 2.0, 3.0)}, "give `at`"),
        ({"at": (0, 0, 0), "at_mm": (1.0, 2.0, 3.0)}, "give one of them"),
    ):
        with pytest.raises(InvalidInput, match=words):
            found.view(**point)
    with pytest.raises(InvalidInput, match="a slice has no planes"):
        pixelwise().view(at=(1, 2, 3))
    monkeypatch.setattr(room, "MOST", 100)
    with pytest.raises(InvalidInput, match="volumes of up to 100 voxels, and this map is 7 x 6 x 9"):
        found.view()
