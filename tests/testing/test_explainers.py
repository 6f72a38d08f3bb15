"""Every explainer keeps every promise, in planes and in volumes, one test each."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from linear import SHAPES, model_and_images
from xaimri import EXPLAINERS
from xaimri.arrays import Stored
from xaimri.explainer import Explainer
from xaimri.explainers import (
    LIME,
    RISE,
    SHAP,
    EigenCAM,
    ExpectedGradients,
    GradCAM,
    GradCAMPlusPlus,
    GradientSHAP,
    HiResCAM,
    InputXGradient,
    IntegratedGradients,
    LayerCAM,
    Occlusion,
    PartitionSHAP,
    Saliency,
    ScoreCAM,
    SmoothGrad,
    VarGrad,
)
from xaimri.perturb.stopping import Auto
from xaimri.testing import PROMISES, ExplainerPromise


def regions(rank):
    return np.arange(np.prod(SHAPES[rank][:-1])).reshape(SHAPES[rank][:-1]) // 13


def references(rank):
    return np.random.default_rng(9).normal(size=(4, *SHAPES[rank])).astype(np.float32)


VARIANTS: dict[str, list[Explainer]] = {
    "gradcam": [GradCAM(), GradCAM(relu=False), GradCAM(layer="patches")],
    "gradcam++": [GradCAMPlusPlus(), GradCAMPlusPlus(relu=False)],
    "hirescam": [HiResCAM(), HiResCAM(relu=True)],
    "layercam": [LayerCAM(), LayerCAM(relu=False)],
    "scorecam": [ScoreCAM(), ScoreCAM(relu=False, features=3)],
    "eigencam": [EigenCAM(), EigenCAM(relu=True)],
    "saliency": [Saliency(), Saliency(signed=True)],
    "integrated_gradients": [IntegratedGradients(), IntegratedGradients(baseline=0.5, steps=3, most=6)],
    "expected_gradients": [],  # its references have the images' shape: below
    "gradient_shap": [],  # so have its
    "smoothgrad": [
        SmoothGrad(copies=3),
        SmoothGrad(inner=GradCAM(relu=False), noise=0.5, copies=2, seed=4),
        SmoothGrad(inner=IntegratedGradients(steps=2), copies=2),
    ],
    "vargrad": [VarGrad(inner=InputXGradient(), copies=3), VarGrad(inner="hirescam", copies=2)],
    "lime": [
        LIME(samples=40, regions=5),
        LIME(samples=30, regions=4, absent=0.0, features=3, seed=7),
        LIME(samples=30, regions=6, compactness=5.0, kernel_width=1.0),
        LIME(samples=40, regions=5, sampling="local", absent="blur"),
        LIME(samples=40, regions=5, sampling="stratified", absent="noise"),
        LIME(samples=40, regions=5, sampling="orthogonal", absent="blur"),
        LIME(samples=40, regions=6, shape="grid", absent="inpaint"),
        LIME(samples=Auto(floor=40, ceiling=60), regions=5),
    ],
    "shap": [
        SHAP(samples=40, regions=5),
        SHAP(samples=60, regions=14, exact=0, adjust=False, seed=3),
        SHAP(samples=40, regions=9, exact=0, adjust=False, shape="grid", absent=0.0),
        SHAP(samples=Auto(by="error", floor=40, ceiling=60), regions=8, exact=0, adjust=False),
    ],
    "partition_shap": [
        PartitionSHAP(samples=40, regions=5),
        PartitionSHAP(samples=21, regions=9, shape="grid", absent="noise", seed=6),
    ],
    "occlusion": [
        Occlusion(),
        Occlusion(window=2, stride=1),
        Occlusion(window=3, absent="noise", seed=4),
        Occlusion(regions=4),
    ],
    "rise": [
        RISE(samples=30, cells=3),
        RISE(samples=30, centred=True, absent="mean"),
        RISE(samples=Auto(by="error", floor=20, ceiling=30), cells=2, keep=0.3, seed=5),
    ],
}
VARIANTS |= {name: [kind()] for name, kind in EXPLAINERS.items() if name not in VARIANTS}
"""Settings that are cheap and differ; a method that is not named here is checked as it stands."""


def with_arrays(rank: str) -> list[Explainer]:
    """Explainers that hold arrays as settings, which have the images' shape."""
    return [
        LIME(samples=30, regions=Stored(regions(rank))),
        SHAP(samples=30, regions=Stored(regions(rank)), absent=references(rank)),
        Occlusion(regions=regions(rank), absent=references(rank)[1]),
        RISE(samples=20, cells=2, absent=references(rank)[2]),
        IntegratedGradients(baseline=references(rank)[0]),
        ExpectedGradients(references=references(rank), samples=7),
        GradientSHAP(references=references(rank), samples=7, smoothing=0.1, seed=2),
        PartitionSHAP(samples=30, regions=regions(rank), absent=references(rank)),
        SmoothGrad(inner=ExpectedGradients(references=references(rank), samples=3), copies=2),
    ]


CROSS_FITTED = [
    LIME(samples=24, regions=4, adjust=True, seed=2),
    SHAP(samples=24, regions=9, exact=0, seed=3),
]
"""They see regions and scores, no pixels, so that one rank and two images will do: fits take a while."""


def named(explainer: Explainer) -> str:
    """The method and those of its settings that are not the default's, short enough for a test's name."""
    kind = type(explainer)
    settings = explainer.record()["settings"]
    usual = kind().record()["settings"] if kind is not ExpectedGradients and kind is not GradientSHAP else {}
    return f"{kind.name}({','.join(f'{k}={v}' for k, v in settings.items() if usual.get(k, ...) != v)})"


def everything() -> Iterator[object]:
    """One of each method in a plane is quick; more settings, volumes, slow fits and imports are not."""
    for rank in SHAPES:
        for family in VARIANTS.values():
            for i, explainer in enumerate(family):
                quick = i == 0 and rank == "2d" and not isinstance(explainer, PartitionSHAP)
                marks = [] if quick else [pytest.mark.slow]
                yield pytest.param(explainer, rank, marks=marks, id=f"{rank}-{named(explainer)}")
        for explainer in with_arrays(rank):
            marks = (
                []
                if rank == "2d" and type(explainer) in (ExpectedGradients, GradientSHAP)
                else [pytest.mark.slow]
            )
            yield pytest.param(explainer, rank, marks=marks, id=f"{rank}-{type(explainer).name}-of-arrays")
    for explainer in CROSS_FITTED:
        marks = [pytest.mark.slow]
        yield pytest.param(explainer, "2d", marks=marks, id=f"cross-fitted-{type(explainer).name}")


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize(("explainer", "rank"), everything())
def test_every_explainer_keeps_its_promise(
    promise: ExplainerPromise, explainer: Explainer, rank: str
) -> None:
    model, images = model_and_images(rank)
    promise(explainer, model, images[:2] if explainer in CROSS_FITTED else images)


def test_every_method_of_the_table_is_checked() -> None:
    assert set(VARIANTS) == set(EXPLAINERS)
    checked = itertools.chain(*VARIANTS.values(), with_arrays("2d"))
    assert {type(explainer) for explainer in checked} == set(EXPLAINERS.values())
