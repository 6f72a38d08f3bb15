"""The page of an audit: the finding first, everything escaped, nothing fetched, what is not known said."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import xaimri
from xaimri import InvalidInput, LinearClassifier
from xaimri.audit.tables import together
from xaimri.data import Case, Dataset
from xaimri.documents.picture import picture_of

CLASSES = ("well", "<b>ill</b>")


def audited(count=24, **settings):
    weights = np.zeros((2, 20, 20, 1))
    weights[1, :2, :2] = 1
    cases = []
    for i in range(count):
        pixels = np.zeros((20, 20))
        pixels[6:14, 6:14] = np.random.default_rng(i).uniform(50, 100, (8, 8))
        pixels[:2, :2] = 200 * (i % 2)
        cases.append(Case(f"{i}", i % 2, f"S{i}", pixels, covariates={"site": "<i>A"[: 3 + i // 2 % 2]}))
    network = LinearClassifier(weights, bias=[100, 0], classes=CLASSES)
    return xaimri.audit_model(network, Dataset(CLASSES, tuple(cases)), resamples=100, **settings)


@pytest.fixture(scope="module")
def audit():
    return audited(method="input_x_gradient")


def test_the_page_says_what_the_text_says_and_fetches_nothing(audit, tmp_path):
    page = audit.save(tmp_path / "audit.html").read_text(encoding="utf-8")
    words = re.sub("<[^>]*>", "", page)
    for line in (audit.headline, *audit.findings, *audit.untold):
        assert line.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in words
    assert page.index(audit.headline) < page.index("What was found") < page.index("What could not be told")
    assert "<b>ill" not in page.replace("<b>ill</b>", "", 0) or "&lt;b&gt;ill" in page
    assert "<i>A" not in page
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert page.count("data:image/png") == 3  # figures, images, mean maps
    assert " nan" not in words
    assert "None" not in words


def test_the_json_file_keeps_the_pictures_of_the_page(audit, tmp_path):
    page = audit.save(tmp_path / "audit.html").read_text(encoding="utf-8")
    kept = json.loads(audit.save(tmp_path / "audit.json").read_text(encoding="utf-8"))["pictures"]
    assert len(kept) == 3
    assert all(picture_of(each).data in page for each in kept)
    assert "pictures" not in audit.to_dict()


def test_nothing_found_is_never_good_news(audit, tmp_path):
    quiet = replace(audit, effects=(), probes=())
    page = quiet.save(tmp_path / "quiet.html").read_text(encoding="utf-8")
    assert quiet.findings == ()
    assert "verdict unsure" in page
    assert "verdict good" not in page
    assert "No shortcut was found. That is no proof that there is none." in page
    assert "safe" not in re.sub("<[^>]*>", "", page).lower()


def test_a_mark_is_explained_where_it_stands(audit, tmp_path):
    assert any(effect.found for effect in audit.effects)
    assert "Diamonds: found." in audit.save(tmp_path / "a.html").read_text(encoding="utf-8")
    plain = replace(audit, effects=tuple(each for each in audit.effects if not each.found))
    assert "Diamonds" not in plain.save(tmp_path / "b.html").read_text(encoding="utf-8")


def test_a_page_of_too_few_subjects_says_so(tmp_path):
    few = audited(6, maps=0, interventions=["erased"])
    page = few.save(tmp_path / "few.html").read_text(encoding="utf-8")
    assert "can&#39;t be told from so few subjects" in page
    assert "not estimable" in page
    assert "Nothing could be asked of so few subjects." in page
    assert "Nothing that these questions can find" not in page
    assert '<td class="long" colspan="4">not estimable' in page, "a sentence makes no column wide"
    assert repr(few) == "<ModelAudit: 0 found, 6 images of 6 subjects>"
    with pytest.raises(InvalidInput, match=r"must end in \.html or \.json"):
        few.save(tmp_path / "few.txt")


def test_a_notebook_shows_it_escaped(audit):
    shown = audit._repr_html_()
    assert audit.headline in shown
    assert "<b>ill" not in shown


def test_one_reason_is_told_once_of_all_that_it_is_of():
    noted = [("contours alone", "too few"), ("MMSE", ""), ("slice level", "not known"), ("MMSE", "too few")]
    assert list(together(noted)) == ["Contours alone, MMSE: too few.", "Slice level: not known."]
