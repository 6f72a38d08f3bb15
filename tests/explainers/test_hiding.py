"""Whether what is hidden is hidden: lesions of one colour, by every method that hides regions."""

import numpy as np
import pytest

import xaimri
from lesions import lesion
from xaimri import LIME, RISE, SHAP, Occlusion, PartitionSHAP
from xaimri.caveats import Reason
from xaimri.data import phantom
from xaimri.images import Picture
from xaimri.metrics import relevance_mass

CASES = {
    "bright": lesion(),
    "at the border": lesion(centre=(0.15, 0.4)),
    "dark": lesion(colour=(28.0,)),
    "hardly any noise": lesion(noise=0.1),
    "a third of the brain": lesion(radius=0.23),
    "of the same brightness, in colour": lesion(colour=(90.0, 50, 60), tissue=(50.0, 90, 60)),
    "in a volume": lesion((20, 24, 16), centre=(0.4, 0.6, 0.5), radius=0.2),
}
EXACT = {
    "lime": LIME(samples=250),
    "shap": SHAP(samples=250, adjust=False),
    "occlusion of regions": Occlusion(regions=50),
}


def mass(case, method):
    found = xaimri.explain(case.model, Picture(case.image), method, target=1)
    share = relevance_mass(found, case.lesion, within=case.brain)
    return float(np.nan_to_num(share)), {caveat.reason for caveat in found.caveats}, found


@pytest.mark.parametrize("name", CASES)
def test_the_answer_of_one_colour_is_found_and_by_its_mean_it_is_not_and_that_is_said(name):
    case = CASES[name]
    for method in EXACT.values():
        share, reasons, found = mass(case, method)
        assert share > 0.8
        assert Reason.BARELY_HIDDEN not in reasons
        assert found.diagnostics["barely_hidden"] == 0
    share, reasons, found = mass(case, Occlusion(regions=50, absent="mean"))
    assert share < 0.6
    assert Reason.BARELY_HIDDEN in reasons
    assert found.diagnostics["barely_hidden"] == pytest.approx(case.lesion.sum() / case.brain.sum(), rel=0.35)


@pytest.mark.slow
def test_the_packages_owen_values_too():
    assert mass(CASES["bright"], PartitionSHAP(samples=300))[0] > 0.9
    share, reasons, _ = mass(CASES["bright"], PartitionSHAP(samples=300, absent="mean"))
    assert share < 0.1
    assert Reason.BARELY_HIDDEN in reasons


def test_the_caveat_names_the_regions_their_share_and_what_helps():
    case = CASES["bright"]
    labels = np.where(case.brain, np.where(np.arange(64) < 32, 3, 5), -1)
    labels[case.lesion] = 9
    _, _, found = mass(case, LIME(samples=50, regions=labels, absent="mean"))
    (caveat,) = (c for c in found.caveats if c.reason is Reason.BARELY_HIDDEN)
    percent = 100 * case.lesion.sum() / case.brain.sum()
    assert caveat.text.startswith(
        f"Hiding by absent='mean' hardly changes 1 of 3 regions (9), {percent:.2g} %"
    )
    assert caveat.text.endswith("Use absent='auto'.")
    change, contrast = found.diagnostics["change"], found.diagnostics["contrast"]
    spread = case.image[case.brain].std()
    assert change[2] == pytest.approx(case.image[case.lesion].std() / spread, rel=1e-4)
    assert contrast[2] == pytest.approx(70 / spread, rel=0.05)
    assert mass(case, LIME(samples=50, regions=labels))[0] > 0.99  # the remedy


def test_a_window_that_no_other_helps_is_told():
    case = lesion(radius=0.25)  # wider than windows
    share, reasons, found = mass(case, Occlusion(absent="mean", window=8, stride=8))
    assert Reason.BARELY_HIDDEN in reasons
    assert 0 < found.diagnostics["barely_hidden"] < case.lesion.sum() / case.brain.sum()
    by_default, reasons, found = mass(case, Occlusion(window=8, stride=8))
    assert Reason.BARELY_HIDDEN not in reasons
    assert by_default > max(0.7, share)


def test_rise_says_where_black_hides_nothing_and_names_what_does():
    case = lesion(colour=(2.0,), tissue=(120.0,), radius=0.2, noise=1)
    _, reasons, found = mass(case, RISE(samples=20))
    assert Reason.BARELY_HIDDEN in reasons
    remedy = next(c.text for c in found.caveats if c.reason is Reason.BARELY_HIDDEN).split("absent=")[-1]
    _, reasons, _ = mass(case, RISE(samples=20, absent=remedy.strip(".'")))
    assert Reason.BARELY_HIDDEN not in reasons


def ordinary():
    generator = np.random.default_rng(1)
    yield from (np.asarray(c.source, np.float32)[..., None] for c in phantom.make(4, 1, (64, 64), seed=3))
    yield generator.random((48, 56, 1), dtype=np.float32)
    yield generator.random((32, 40, 3), dtype=np.float32)  # colour
    yield generator.random((12, 10, 1), dtype=np.float32)  # few pixels
    yield (100 + 0.5 * generator.standard_normal((40, 40, 1))).astype(np.float32)  # nearly flat
    yield np.ones((24, 30, 1), np.float32)
    stripes = np.zeros((48, 48, 1), np.float32)
    stripes[8:40, 8:40] = 80 + 25 * generator.standard_normal((32, 32, 1))  # all texture
    yield stripes


def test_ordinary_images_get_no_caveat_by_default():
    def model(images):
        p = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3)) / 100))
        return np.stack([1 - p, p], axis=1)

    methods = (
        LIME(samples=20),
        SHAP(samples=20, adjust=False),
        Occlusion(),
        Occlusion(regions=30),
        RISE(samples=10),
    )
    for image in ordinary():
        for method in methods:
            found = xaimri.explain(model, image, method)
            assert Reason.BARELY_HIDDEN not in {c.reason for c in found.caveats}, (image.shape, method.name)


def test_a_dark_background_is_no_alarm_though_its_mean_hides_nothing():
    case = CASES["bright"]
    labels = np.where(case.brain, 1, 0)
    labels[:, 32:] += 2
    _, reasons, found = mass(case, Occlusion(regions=labels, absent="mean"))
    assert Reason.UNTESTED_REGIONS in reasons
    assert Reason.BARELY_HIDDEN not in reasons
    grain = case.image + np.where(case.brain, 0, np.random.default_rng(0).random((64, 64)))[..., None]
    found = xaimri.explain(case.model, grain.astype(np.float32), Occlusion(regions=labels, absent="mean"))
    assert not {Reason.BARELY_HIDDEN, Reason.UNTESTED_REGIONS} & {c.reason for c in found.caveats}
    by_default = xaimri.explain(case.model, case.image, Occlusion(regions=labels))
    assert np.isnan(by_default.regions.values[[0, 2]]).all()  # never painted over by tissue
