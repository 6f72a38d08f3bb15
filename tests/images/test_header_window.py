"""The window of a DICOM header: limits as the standard defines them, in the values that are read."""

import copy
import json

import numpy as np
import pytest

import xaimri
from scans import content, enhanced_of, file_of, placed
from xaimri import InvalidInput, UnusableImage, Window
from xaimri.images import Contrasts, Picture, read_picture, read_series
from xaimri.images.intake import Intake
from xaimri.images.scan import TakenScan
from xaimri.images.slices import Slices

pydicom = pytest.importorskip("pydicom")

STORED = np.arange(48).reshape(6, 8) * 87
HEADER = Window(0, 1, top=1.0, header=True)


def taken(source, window=HEADER):
    return Intake((6, 8, 1), window=window).take(source)


def of_pydicom(dataset):
    """Return what pydicom makes of it, brought to 0 to 1 by the range that it spreads to."""
    rescaled = pydicom.pixels.apply_modality_lut(dataset.pixel_array, dataset)
    slope, intercept = dataset.get("RescaleSlope") or 1, dataset.get("RescaleIntercept") or 0
    ends = (-2048, 2047) if dataset.PixelRepresentation else (0, 4095)
    low, high = (float(slope) * end + float(intercept) for end in ends)
    return (pydicom.pixels.apply_windowing(rescaled, dataset) - low) / (high - low)


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT"])
@pytest.mark.parametrize("kind", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("scale", [{}, {"RescaleSlope": 2, "RescaleIntercept": -1000}])
@pytest.mark.parametrize("signed", [False, True])
def test_the_image_is_seen_as_pydicom_shows_it(function, kind, scale, signed):
    made = file_of(
        STORED - 2000 * signed, bits=12, signed=signed, PhotometricInterpretation=kind,
        WindowCenter=900, WindowWidth=1500, **scale,
    )  # fmt: skip
    if function:
        made.VOILUTFunction = function
    shown = of_pydicom(made)
    wanted = 1 - shown if kind == "MONOCHROME1" else shown
    np.testing.assert_allclose(taken(made).fitted[..., 0], wanted, atol=1e-6)


def test_limits_are_those_of_the_standard():
    linear = taken(file_of(STORED, WindowCenter=40, WindowWidth=400)).window
    assert (linear.low, linear.high) == (40 - 0.5 - 399 / 2, 40 - 0.5 + 399 / 2)
    exact = file_of(STORED, WindowCenter=0.5, WindowWidth=1, VOILUTFunction="LINEAR_EXACT")
    assert taken(exact).window == Window(0, 1, top=1.0)
    first = file_of(STORED, WindowCenter=[40, 600], WindowWidth=[400, 2000])
    assert taken(first).window == linear
    half = taken(file_of(STORED, WindowCenter=40, WindowWidth=401), Window(0, 0.5, header=True)).window
    assert (half.low, half.high) == (-160.5, 39.5)


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({}, "it holds none"),
        ({"WindowCenter": 40}, "it holds none"),
        ({"WindowCenter": 40, "WindowWidth": 1}, "of no width"),
        ({"WindowCenter": 40, "WindowWidth": -3}, "of no width"),
        ({"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"}, "a curve"),
        ({"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": "SECRET"}, "a curve"),
        ({"VOILUTSequence": [pydicom.Dataset()]}, "a table of values"),
    ],
)
def test_what_is_no_range_is_a_sentence(elements, words):
    made = file_of(STORED, **elements)
    assert taken(made, None).window is None
    with pytest.raises(UnusableImage, match=words) as refusal:
        taken(made)
    assert "secret" not in str(refusal.value).lower()


def test_images_without_a_header_and_other_uses_are_a_sentence():
    for source in (np.ones((6, 8)), Picture(np.ones((6, 8)), (1.0, 1.0))):
        with pytest.raises(UnusableImage, match="it has no DICOM header"):
            taken(source)
    with pytest.raises(InvalidInput, match="is of a DICOM image that is read"):
        HEADER.apply(np.ones((6, 8, 1), np.float32))
    with pytest.raises(InvalidInput, match='"header" or a Window'):
        xaimri.images.as_window("headers")
    both = Contrasts({"a": file_of(STORED, WindowCenter=4, WindowWidth=9), "b": file_of(STORED + 1)})
    with pytest.raises(InvalidInput, match="several contrasts have several windows"):
        Intake((6, 8, 2), window=HEADER).take(both)


def series(*centres):
    made = []
    for place, centre in enumerate(centres):
        one = file_of(
            STORED + place, PixelSpacing=[1, 1], ImagePositionPatient=[0, 0, place],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], WindowCenter=centre, WindowWidth=401,
        )  # fmt: skip
        made.append(copy.deepcopy(one))
    return made


def test_a_series_has_one_window_or_none():
    same = series(40, 40, 40)
    found = Intake((8, 6, 3, 1), window=HEADER).take(same).window
    assert (found.low, found.high) == (-160.5, 239.5)
    cut = TakenScan.of(same, Slices("all"), Intake((6, 8, 1), window=HEADER))
    assert cut.take(1).window == found
    assert read_series(same).scan["window"] == read_series(same[:1]).scan["window"]
    with pytest.raises(UnusableImage, match="its 3 slices have 2 different ones"):
        Intake((8, 6, 3, 1), window=HEADER).take(series(40, 40, 50))


def test_the_limits_stand_in_the_explanation_and_in_words(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(content(file_of(STORED, WindowCenter=1000, WindowWidth=2001)))
    model = xaimri.open_model(xaimri.LinearClassifier.random((6, 8, 1), classes=2), window="header")
    assert model.intake.window.describe() == "of the header"
    explanation = xaimri.explain(model, path, "saliency")
    assert explanation.diagnostics["window"]["low"] == -0.5
    assert explanation.diagnostics["window"]["high"] == 1999.5
    assert not explanation.diagnostics["window"]["header"]
    assert "secret" not in json.dumps(explanation.to_dict()).lower()
    assert xaimri.images.as_window("header") == Window(0, 1, header=True)
    assert read_picture(path).scan["window"] == (-0.5, 1999.5)


def test_frames_of_an_enhanced_file_tell_their_own():
    made = enhanced_of(*placed((3, 6, 8)))
    assert read_series([made]).scan["window"] == "it holds none"
    for number, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        one = pydicom.Dataset()
        one.WindowCenter, one.WindowWidth = 10.5, 21
        group.FrameVOILUTSequence = [one]
        assert number or read_series([made]).scan["window"] == "it holds none"
    assert read_series([made]).scan["window"] == (0, 20)
    made.PerFrameFunctionalGroupsSequence[1].FrameVOILUTSequence[0].WindowWidth = 31
    assert "different ones" in read_series([made]).scan["window"]


def test_a_list_of_slices_is_cut_into_slices():
    cut = TakenScan.of(series(40, 40, 40), Slices("all"), Intake((6, 8, 1)))
    assert cut.places == (0, 1, 2)
