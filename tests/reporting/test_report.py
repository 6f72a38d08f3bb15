"""The report in a browser: nothing is fetched or run, the table tells the cohort, a case what is known."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import browser as driven
import reported as cohorts
import xaimri
from xaimri.data import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.reporting.words import signed

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.dataset")

ROOT = Path(__file__).parents[2]
WHERE_AXE = (os.environ.get("XAIMRI_AXE"), ROOT / "node_modules" / "axe-core" / "axe.min.js")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reported")


@pytest.fixture(scope="module")
def cohort(folder):
    return cohorts.cohort(folder)


@pytest.fixture(scope="module")
def written(folder, cohort):
    return xaimri.report(
        cohort, folder / "report.html", model=cohorts.named(), training=cohorts.training(folder), neighbours=2
    )


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    found = driven.program()
    if found is None:
        pytest.skip("no Chromium here: the report was not tried in a browser")
    made = driven.Browser(found, tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def page(chromium, written):
    chromium.open(written)
    return chromium


def shown(page):
    """The cases of the rows that are in the table, in their order."""
    return page.evaluate("[...document.querySelectorAll('#rows a')].map(e => e.textContent)")


def told(page):
    return page.evaluate("document.getElementById('told').textContent")


def choose(page, name, value):
    page.evaluate(
        f"(e => {{ e.value = {json.dumps(value)}; e.dispatchEvent(new Event('input', {{bubbles: true}}));"
        f"e.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.getElementById('{name}'))"
    )


def opened(page, case):
    """Open the panel of a case, and wait until its maps are drawn."""
    number = page.evaluate(
        "JSON.parse(document.getElementById('index').textContent)"
        f".findIndex(row => row.case === {json.dumps(case)})"
    )
    if page.evaluate("location.hash") != f"#case-{number}":
        go(page, f"location.hash = '#case-{number}'")
    page.until(DRAWN)
    return page.evaluate("document.getElementById('panel').innerText")


DRAWN = """[...document.querySelectorAll('canvas.plane')].every(
    (each) => each.getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255
) && [...document.images].every((each) => each.complete)"""
"""Every map and picture of a case is there; a canvas that nothing was drawn on is transparent."""

ROWS_IN_VIEW = """((frame) => {
    const { top, bottom } = frame.getBoundingClientRect(), middle = (top + bottom) / 2;
    return [...document.querySelectorAll('#rows tr:not(.space)')].some((row) => {
        const own = row.getBoundingClientRect();
        return own.top <= middle && middle <= own.bottom;
    });
})(document.getElementById('window'))"""
"""The rows at which the table was scrolled to are drawn."""


def go(page, script):
    """Do what leads to another place of the page, and wait until the page, which hears it first, is there."""
    heard = "addEventListener('hashchange', () => done(0), {once: true})"
    page.evaluate(f"new Promise((done) => {{ {heard}; {script}; }})")


def seen(name):
    return name.replace("\u202e", "\\u202e")


def test_nothing_is_fetched_and_no_name_is_run(page, written, cohort):
    for name in cohorts.HOSTILE:
        assert seen(name) in page.evaluate(
            "JSON.parse(document.getElementById('index').textContent).map(row => row.case)"
        )
        words = opened(page, seen(name))
        assert re.sub(r"\s+", " ", seen(name)) in re.sub(r"\s+", " ", words)
    own = [each for each in page.requests if not each.startswith("data:image/")]
    assert own == [written.as_uri()]
    assert not page.complaints
    assert page.evaluate("document.documentElement.dataset.run") is None
    assert page.evaluate("document.querySelectorAll('script').length") == written.read_text().count("<script")
    assert page.evaluate("document.querySelectorAll('i, u, #panel img[src=x]').length") == 0
    text = written.read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http://" not in text
    assert "\u202e" not in text


def test_its_policy_runs_no_other_script(chromium, written, tmp_path):
    file = tmp_path / "report.html"
    planted = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x'>"
    file.write_text(written.read_text().replace("<header>", f"<header>{planted}"))
    chromium.open(file)
    assert chromium.evaluate("document.title") != "run"
    assert len(chromium.complaints) >= 2


def test_the_table_has_failures_and_doubts_first_and_can_be_searched_and_sorted(page, cohort):
    assert told(page) == "41 cases."
    assert shown(page)[0] == "broken.png"
    rows = cohort.filter(method="gradcam").table(["case", "label", "predicted", "probabilities"]).to_pylist()
    wrong = {seen(row["case"]) for row in rows if row["predicted"] not in (None, row["label"])}
    assert 0 < len(wrong) < 41
    choose(page, "kind", "wrong")
    assert set(shown(page)) == wrong
    assert told(page) == f"{len(wrong)} of 41 cases."
    choose(page, "kind", "failures")
    assert shown(page) == ["broken.png"]
    choose(page, "kind", "all")
    choose(page, "label", "1")
    assert set(shown(page)) == {seen(row["case"]) for row in rows if row["label"] == cohorts.CLASSES[1]}
    choose(page, "predicted", "0")
    both = {
        row["case"]
        for row in rows
        if row["predicted"] == cohorts.CLASSES[0] and row["label"] == cohorts.CLASSES[1]
    }
    assert set(shown(page)) == {seen(each) for each in both}
    choose(page, "label", "")
    choose(page, "predicted", "")
    choose(page, "search", "CASE 000")
    assert set(shown(page)) == {f"case {n:04}.png" for n in range(10)}
    choose(page, "search", "nobody is called so")
    assert (shown(page), told(page)) == ([], "0 of 41 cases.")
    choose(page, "search", "")
    for way, name in ((False, "ascending"), (True, "descending")):
        page.evaluate("document.querySelectorAll('#heads button')[4].click()")
        assert page.evaluate("document.querySelectorAll('#heads th')[4].getAttribute('aria-sort')") == name
        values = page.evaluate(
            "[...document.querySelectorAll('#rows tr:not(.space)')].map(e => e.children[4].textContent)"
        )
        known = [float(each) for each in values if each]
        assert known == sorted(known, reverse=way)
        assert len(known) > 10
    choose(page, "search", "case")
    choose(page, "order", "case")
    assert shown(page) == [f"case {n:04}.png" for n in range(33)]


def test_a_case_tells_what_the_cohort_holds(page, cohort):
    rows = cohort.filter(method="lime", failed=False).table().to_pylist()
    row = next(each for each in rows if any(each["region_values"]) and each["subject"] is not None)
    words = opened(page, row["case"])
    assert f"Predicted: {row['predicted']}, probability {max(row['probabilities']):.3f}" in words
    assert f"Own class: {row['label']}" in words
    assert f"Subject: {row['subject']}" in words
    titles = page.evaluate("[...document.querySelectorAll('.maps h4')].map(e => e.textContent)")
    assert titles == ["Image", "Grad-CAM", "LIME", "Saliency"]
    regions = cohort.explanation(row["case"], "lime").regions
    (place,) = regions.strongest(1)
    value = signed(float(regions.values[place]), float(regions.errors[place]))
    assert re.search(rf"region {place} \(.* of the picture\), {re.escape(value)}", words)
    assert "The method tells no errors" in words
    for each in row["caveats"]:
        assert f"{each['name']}: {each['text']}" in words
    assert page.evaluate("document.activeElement.id") == "panel-title"
    assert page.evaluate("document.title").startswith(row["case"])
    assert "can't be read" in opened(page, "broken.png")


def test_maps_are_drawn_in_their_colours(page, cohort):
    case = "case 0003.png"
    opened(page, case)
    one = cohort.explanation(case, "saliency")
    width, height, pixels = page.evaluate(
        "(c => [c.width, c.height, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]])"
        "(document.querySelectorAll('canvas.plane')[3])"
    )
    assert (height, width) == one.values.shape
    drawn = np.array(pixels).reshape(height, width, 4)[..., :3]
    from xaimri.render.colour import Scale

    scale = Scale.of([one.values])
    grey = one.image[..., 0] - one.image.min()
    over = scale.colours(scale.norm(one.values))
    wanted = (grey / grey.max())[..., None] * (1 - over[..., 3:]) + over[..., :3] * over[..., 3:]
    assert np.abs(drawn / 255 - wanted).mean() < 0.09, "WebP of noise loses something"
    assert np.corrcoef(drawn.ravel(), wanted.ravel())[0, 1] > 0.9
    slider = "document.querySelector('.tools input')"
    page.evaluate(f"({slider}.value = 0, {slider}.dispatchEvent(new Event('input')))")
    plain = page.evaluate(
        "[...document.querySelectorAll('canvas.plane')[3].getContext('2d').getImageData(0, 0, 22, 26).data]"
    )
    without = np.array(plain).reshape(26, 22, 4)[..., :3]
    assert (without[..., 0] == without[..., 2]).all()


def test_similar_cases_are_those_that_are_near(page, folder, cohort):
    near = xaimri.nearest_cases(
        cohorts.named(), {"one": folder / "images" / "case 0003.png"}, cohorts.training(folder),
        subjects={"one": None}, k=2,
    )["one"]  # fmt: skip
    row = cohort.filter(method="saliency").table(["case", "predicted"]).to_pylist()
    predicted = next(each["predicted"] for each in row if each["case"] == "case 0003.png")
    words = opened(page, "case 0003.png")
    other = next(name for name in cohorts.CLASSES if name != predicted)
    names = "[...e.querySelectorAll('bdi.faint')].map(n => n.textContent)"
    listed = page.evaluate(f"[...document.querySelectorAll('.alike')].map(e => {names})")
    listed = [[each for each in names if each.endswith(".png")] for names in listed]
    assert listed == [[one.case.id for one in near[name]] for name in (predicted, other)]
    assert page.evaluate(
        "[...document.querySelectorAll('.alike img')].every(e => e.complete && e.naturalWidth > 0)"
    )
    assert "The nearest of 12 training cases" in words
    assert "The subject is not known of 4 cases here" in words
    first = opened(page, seen(cohorts.HOSTILE[1]))
    assert "S0<i>" not in re.sub(r"Subject: S0<i>", "", first), "of his own subject nobody is shown"


def test_without_training_data_one_sentence_says_so(chromium, cohort, tmp_path):
    chromium.open(xaimri.report(cohort, tmp_path / "plain.html"))
    assert "Not shown: the training data was not given." in opened(chromium, "case 0000.png")
    words = chromium.evaluate("document.body.innerText")
    assert "No evaluation was given" not in words, "it stands on the page of all cases"
    go(chromium, "location.hash = ''")
    words = chromium.evaluate("document.body.innerText")
    for sentence in ("No evaluation was given", "Not audited here", "No card:", "41 cases of 20 subjects"):
        assert sentence in words


@pytest.fixture(scope="module")
def judged(folder):
    made = cohorts.cohort(folder / "judged", count=30)
    made.judge(["deletion", "sparseness"], model=cohorts.named(), independent=True)
    return made


def test_a_judged_cohort_has_its_means_with_intervals_and_each_cases_values(chromium, judged, tmp_path):
    chromium.open(xaimri.report(judged, tmp_path / "report.html"))
    heads, *rows = chromium.evaluate(
        "[...document.querySelector('[aria-labelledby=judged] table').rows]"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert heads == ["method", "deletion (lower is better)", "sparseness (higher is better)"]
    known = judged.filter(pyarrow.dataset.field("subject").is_valid()).judgement(["deletion", "sparseness"])
    for (title, *cells), name in zip(rows, ("gradcam", "lime", "saliency"), strict=True):
        assert title == {"gradcam": "Grad-CAM", "lime": "LIME", "saliency": "Saliency"}[name]
        for metric, cell in zip(("deletion", "sparseness"), cells, strict=True):
            mean = known.mean(name, metric).estimate
            interval = "" if np.isnan(mean.low) else f" [{mean.low:.3g}, {mean.high:.3g}]"
            assert re.sub(r" \(\d+ failed\)", "", cell) == f"{mean.value:.3g}{interval}"
    assert "[" in rows[1][1]
    assert "failed)" in rows[1][2]
    words = chromium.evaluate("document.querySelector('[aria-labelledby=judged]').innerText")
    assert "Left out of these means, as they have no subject: 4 cases." in words
    assert "95% intervals, by 2000 resamples of subjects" in words
    told = judged.table(["case", "method", "deletion", "sparseness"]).to_pylist()
    (row,) = (each for each in told if (each["case"], each["method"]) == ("case 0003.png", "saliency"))
    said = f"Judged: deletion {row['deletion']:.3g}, sparseness {row['sparseness']:.3g}."
    assert said in opened(chromium, "case 0003.png")
    everyone = judged.judgement(["deletion"], independent=True).mean("lime", "deletion").estimate
    page = xaimri.report(judged, tmp_path / "all.html", independent=True).read_text()
    assert f"{everyone.value:.3g} [{everyone.low:.3g}, {everyone.high:.3g}]" in page
    assert "Left out of these means" not in page


def test_where_nothing_was_judged_or_no_subject_is_known_it_says_so(judged, cohort, tmp_path):
    assert "Not judged: how faithful these maps are" in xaimri.report(cohort, tmp_path / "a.html").read_text()
    nobody = judged.filter(~pyarrow.dataset.field("subject").is_valid(), failed=False)
    page = xaimri.report(nobody, tmp_path / "b.html").read_text()
    assert "Judged by deletion, sparseness, without means here: " in page
    assert "give `independent=True`" in page


def test_own_classes_that_are_none_of_the_networks_are_not_called_wrong(chromium, tmp_path):
    files = cohorts.drawn(tmp_path / "images", ["a.png", "b.png"])
    data = Dataset(("<i>x", "y"), tuple(Case(f.name, n, f"S{n}", f) for n, f in enumerate(files)))
    made = xaimri.explain_cohort(cohorts.named(), data, ["saliency"], out=tmp_path / "cohort")
    chromium.open(xaimri.report(made, tmp_path / "report.html"))
    choose(chromium, "kind", "wrong")
    assert shown(chromium) == []
    assert "can't be told. Name the network's classes" in chromium.evaluate("document.body.innerText")
    assert "The prediction is wrong" not in opened(chromium, "a.png")


def test_keys_alone_reach_a_case_and_come_back(page):
    page.evaluate("document.querySelector('#rows a').focus()")
    first = page.evaluate("document.activeElement.textContent")
    for _ in range(25):
        page.key("ArrowDown")
    place = page.evaluate("document.activeElement.closest('tr').getAttribute('aria-rowindex')")
    assert place == "27"
    page.key("ArrowUp")
    name = page.evaluate("document.activeElement.textContent")
    assert name != first
    go(page, "document.activeElement.click()")
    assert page.evaluate("document.getElementById('panel-title').textContent") == name
    go(page, "history.back()")
    assert page.evaluate("document.activeElement.textContent") == name
    assert page.evaluate("document.getElementById('panel').hidden")


def test_a_table_of_thousands_holds_few_rows_and_every_one_can_be_reached(chromium, written, tmp_path):
    text = written.read_text()
    rows = json.loads(re.search(r'id="index">(.*?)</script>', text)[1])
    many = [{**rows[n % 41], "case": f"copy {n:05}", "failures": 0, "caveats": []} for n in range(5000)]
    file = tmp_path / "many.html"
    new = json.dumps(many).replace("<", "\\u003c")
    file.write_text(re.sub(r'(id="index">).*?(</script>)', lambda m: m[1] + new + m[2], text, count=1))
    chromium.open(file)
    assert told(chromium) == "5,000 cases."
    choose(chromium, "order", "case")
    assert chromium.evaluate("document.getElementById('table').getAttribute('aria-rowcount')") == "5001"
    assert len(shown(chromium)) < 100
    frame = "document.getElementById('window')"
    found = set(shown(chromium))
    for share in (0.3, 0.6, 1.0):
        chromium.evaluate(f"{frame}.scrollTop = {share} * {frame}.scrollHeight")
        chromium.until(ROWS_IN_VIEW)
        assert len(shown(chromium)) < 100
        found |= set(shown(chromium))
    assert "copy 04999" in found
    chromium.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(shown(chromium)) == 300
    assert "The first 300 of 5,000" in chromium.evaluate("document.getElementById('printed').innerText")


def test_a_phone_shows_it_without_scrolling_sideways(chromium, written):
    chromium.open(written, width=390, height=844)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 390
    opened(chromium, seen(cohorts.HOSTILE[5]))
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_bars_whoever_reads_by_ear_or_keyboard(chromium, written, dark, width):
    axe = next((Path(each) for each in WHERE_AXE if each and Path(each).is_file()), None)
    if axe is None:
        pytest.skip("axe-core is not here: `npm install axe-core`, or set XAIMRI_AXE to its axe.min.js")
    chromium.open(written, width=width, dark=dark)
    chromium.evaluate(axe.read_text(encoding="utf-8") + "; 0")
    ask = "axe.run(document).then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].target))"
    assert chromium.evaluate(ask) == []
    for case in ("case 0003.png", "broken.png"):
        opened(chromium, case)
        assert chromium.evaluate(ask) == []


def test_what_cannot_be_reported_is_refused(cohort, folder, tmp_path):
    with pytest.raises(InvalidInput, match=r"must end in \.html"):
        xaimri.report(cohort, tmp_path / "report.pdf")
    with pytest.raises(InvalidInput, match="is neither a cohort"):
        xaimri.report(tmp_path, tmp_path / "report.html")
    with pytest.raises(InvalidInput, match="has class_0, class_1"):
        xaimri.report(cohort, tmp_path / "report.html", model=cohorts.network())
    other = xaimri.LinearClassifier(2 * cohorts.network().weights, None, 2, cohorts.CLASSES)
    with pytest.raises(InvalidInput, match="is another one than explained this cohort"):
        xaimri.report(cohort, tmp_path / "report.html", model=other)
    with pytest.raises(InvalidInput, match="no rows"):
        xaimri.report(cohort.filter(label="nobody's"), tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_an_image_that_changed_is_not_shown_but_its_map_is(chromium, tmp_path):
    made = cohorts.cohort(tmp_path, count=9)
    (tmp_path / "images" / "case 0000.png").unlink()
    cohorts.drawn(tmp_path / "images", ["case 0001.png"])
    chromium.open(xaimri.report(made, tmp_path / "report.html"))
    for name, why in (("case 0000.png", "no file"), ("case 0001.png", "is another one than was explained")):
        words = opened(chromium, name)
        assert "The image is not shown" in words
        assert why in words
        titles = chromium.evaluate("[...document.querySelectorAll('.maps h4')].map(e => e.textContent)")
        assert titles == ["Grad-CAM", "LIME", "Saliency"]
        assert chromium.evaluate("document.querySelectorAll('canvas.plane').length") == 3
