"""Every reason not to trust a map, with its sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from string import Formatter

from xaimri.errors import InvalidInput, shown

MANUAL = "https://xaimri.readthedocs.io/en/latest/guide/caveats.html"
"""The page that says of every caveat what it means and what to do."""

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True)
class Caveat:
    """A reason not to trust a map.

    Those of this package are made by :class:`Reason`; another package makes its own by :meth:`of_package`.

    Attributes
    ----------
    name
        A fixed name, such as ``"poor_fit"``; another package's stands before a dot:
        ``"mypackage.low_contrast"``.
    text
        A sentence that says what to do.

    Raises
    ------
    InvalidInput
        If the name is not of that form, or the text is no sentence.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        sentence = isinstance(self.text, str) and self.text.strip().endswith(".")
        if not (isinstance(self.name, str) and _NAME.fullmatch(self.name) and sentence):
            raise InvalidInput(
                "a caveat needs a name such as `poor_fit` or `mypackage.low_contrast` and a sentence that "
                f"ends with a full stop, got {shown(self.name)} and {self.text!r}."
            )

    @classmethod
    def of_package(cls, package: str, name: str, text: str) -> Caveat:
        """Make the caveat of another package, which stands before its name.

        Examples
        --------
        >>> Caveat.of_package("mypackage", "low_contrast", "The image is pale: choose a window.").name
        'mypackage.low_contrast'
        """
        return cls(f"{package}.{name}", text)

    def of_slices(self, count: int, slices: int, place: int) -> Caveat:
        """Return the same of a volume, ``count`` of whose ``slices`` have it, such as that at ``place``.

        Examples
        --------
        >>> Caveat("poor_fit", "It fits badly.").of_slices(2, 9, 4).text
        'In 2 of 9 slices, such as slice 4: It fits badly.'
        """
        return Caveat(self.name, f"In {count} of {slices} slices, such as slice {place}: {self.text}")

    @property
    def reason(self) -> Reason | None:
        """The member of :class:`Reason` that made it; None of another package's."""
        return reason_of(self.name)


class Reason(Enum):
    """Every reason of this package's own not to trust a map.

    A member's value is the caveat's name. Its sentences are templates; the names of their fields tell them
    apart.

    Examples
    --------
    >>> for reason in list(Reason)[:3]:
    ...     print(reason.value, "-", reason.when)
    saturated - a probability is explained that lies too near 0 or 1
    near_tie - the two likeliest classes are less than 5 points of probability apart
    not_finite - some values are NaN or infinite
    >>> Reason.CONSTANT_MAPS.caveat(layer="conv1").name
    'constant_maps'
    """

    _value_: str
    when: str
    """Says in one line when it appears."""
    sentences: tuple[str, ...]
    """Templates, each with other fields."""

    def __new__(cls, name: str, when: str, *sentences: str) -> Reason:  # noqa: D102
        reason = object.__new__(cls)
        reason._value_, reason.when, reason.sentences = name, when, sentences
        return reason

    SATURATED = (
        "saturated",
        "a probability is explained that lies too near 0 or 1",
        "The explained probability is {probability:.6f}: it hardly moves whatever is changed, so the map is "
        'mostly noise; explain of="log_odds" instead.',
        "The model hands out probabilities only, and leaves {rest:.1g} to all other classes: their changes "
        "are lost in rounding, so the map is mostly noise. Let the model end before its softmax or sigmoid, "
        'and pass what it gives then with outputs="logits".',
        "The model hands out probabilities only, and that of `{lost}` is less than {least:.0e}, where it is "
        "cut off: the difference changes with the other class alone. Let the model end before its softmax or "
        'sigmoid, and pass what it gives then with outputs="logits".',
    )
    NEAR_TIE = (
        "near_tie",
        "the two likeliest classes are less than 5 points of probability apart",
        "The two likeliest classes are {points:.1f} points of probability apart: look at the explanations of "
        "both, or of one against the other, with `against=`.",
    )
    NOT_FINITE = (
        "not_finite",
        "some values are NaN or infinite",
        "Some values are NaN or infinite: those pixels were not tested or overflowed.",
    )
    NO_POSITIVE_EVIDENCE = (
        "no_positive_evidence",
        "no cell of a rectified map speaks for the class",
        "No cell of `{layer}` speaks for this class, so the rectified map is empty: use relu=False to see "
        "what speaks against it.",
    )
    DEGENERATE_GRADIENT = (
        "degenerate_gradient",
        "the explained score does not change with the layer, or with any pixel",
        "The explained score does not change with any pixel, so the map is empty: explain "
        'of="logit" or "log_odds", or use a perturbation method such as LIME.',
        "The explained score does not change with `{layer}` at all, so the map is empty: "
        'explain of="logit" or "log_odds", or look at another layer.',
    )
    ASSUMED_GEOMETRY = (
        "assumed_geometry",
        "where the layer's cells lie could not be read from the network",
        "Where the cells of `{layer}` lie could not be read from the network; half-pixel resizing was "
        "assumed, so the map may be shifted, or even mirrored: compare it with a perturbation method.",
    )
    POOR_FIT = (
        "poor_fit",
        "LIME's linear surrogate explains less than half of how the score varies",
        "The linear surrogate explains {percent:.0f} % of how the score varies: the regions act together, so "
        'use more samples, other regions, or of="log_odds", and trust the order little.',
    )
    UNTESTED_REGIONS = (
        "untested_regions",
        "hiding a region changes no pixel",
        "Hiding changes no pixel in {untested} of {regions} regions: they were not tested and have no value.",
        "{lost} of {regions} regions of the atlas have no pixel on the model's grid, such as {name}: they "
        "were not tested and have no value.",
    )
    OFF_OBJECT = (
        "off_object",
        "much of an atlas' regions lies outside of the object",
        "{percent:.0f} % of the atlas' regions lie outside of the object, such as the brain: see in a viewer "
        "that atlas and image fit, and what was said of how they lie (`same_space`, `affine_to_scan`).",
    )
    ALL_UNCERTAIN = (
        "all_uncertain",
        "no region's Shapley value can be told from zero",
        "No region can be told from zero at 95 %: take more samples or fewer regions before reading "
        "anything from this map.",
    )
    NOT_CONVERGED = (
        "not_converged",
        "the samples or steps ended before the answer was settled",
        "After {samples} samples {what} is not settled: raise `ceiling` or `tolerance`, or take fewer "
        "regions, and trust only differences that are larger than their errors.",
        "With {steps} steps the values miss the difference of the scores by {gap:.3g} of {difference:.3g}: "
        "allow more steps with `most`, or take another baseline.",
        "{percent:.0f} % of the values belong to groups of regions that were not opened, and are shared "
        "evenly within each: take more samples ({needed} open all of them) or fewer regions.",
    )
    NEGATIVE_ACTIVATIONS = (
        "negative_activations",
        "Grad-CAM++ works on a layer whose activations are negative",
        "Features of `{layer}` are negative on the whole, and the weights of Grad-CAM++ are derived for "
        "positive ones: they count for nothing. Take a layer after a ReLU, or use HiResCAM.",
    )
    CLASS_INDEPENDENT = (
        "class_independent",
        "the method does not look at the class",
        "Eigen-CAM does not look at the class: the map shows what the layer responds to most, and is the "
        "same for every target.",
    )
    CONSTANT_MAPS = (
        "constant_maps",
        "every feature map is constant over the image",
        "Every feature map of `{layer}` is constant over this image, so there is nothing to make a map of: "
        "look at an earlier layer.",
    )
    CONSTANT_IMAGE = (
        "constant_image",
        "every pixel of the image has the same value",
        "Every pixel of the image has the same value, so there is nothing in it to explain: check that the "
        "right file, slice or window was taken.",
    )
    INPUT_RANGE = (
        "input_range",
        "the image lies in another range of intensities than the network scales itself, or was trained on",
        "The image's values lie in {low:.3g}..{high:.3g}, and the network was made for intensities up to "
        "about {top:.0f}, which it scales itself, so it sees next to nothing: give the image as it was "
        "stored.",
        "The image's values reach {high:.6g}, and the network was made for intensities of 0..255: say which "
        "range to show by `window=`, such as window=(0, 4000) or xaimri.Window(1, 99, percentile=True).",
        "The image's values lie in {low:.3g}..{high:.3g}, and the first batch norm, `{layer}`, gets "
        "{factor:.3g} times as large values from them as in training: prepare images as they were prepared "
        "then, such as by `preprocess=` or a window.",
    )
    OTHER_WINDOW = (
        "other_window",
        "the image is seen through another window than the network was trained with",
        "The network was trained through the window {trained}, and sees this image through {given}: leave "
        "`window` out, unless the intensities are stored on another scale than those of its training.",
    )
    OUTSIDE_WINDOW = (
        "outside_window",
        "next to nothing of the image is seen through its window",
        "The image's values reach {high:.6g}, and the window {window} spreads far larger ones, so next to "
        "nothing is seen: give the image as it was stored, or another `window`.",
        "{percent:.0f} % of what is above the lower limit lies above the window {window}, and all of it "
        "becomes the same: give the image as it was stored, or another `window`.",
    )
    OTHER_FIT = (
        "other_fit",
        "the image is brought to the network's size in another way than in its training",
        "The network was trained on images that were {trained}, and this one is {given}: leave `fit` out.",
    )
    OTHER_SPACING = (
        "other_spacing",
        "the image's pixels are of another size in mm than those of the network's training",
        "The network was trained on images of {trained}, and this one has {given}: resample it to the "
        "spacing of the training, as by nibabel.processing.resample_to_output.",
    )
    OTHER_ORIENTATION = (
        "other_orientation",
        "the image is turned otherwise than those of the network's training",
        "The axes of the training's images point to the patient's {trained}, and those of this one to "
        "{given}: turn it as these were.",
        "The axes of the training's images point to the patient's {known}, and this scan's header doesn't "
        "say where its own point, so it is taken as it is stored: set its affine.",
    )
    PREPROCESSED_TWICE = (
        "preprocessed_twice",
        "`preprocess=` does what the network does once more inside",
        "`preprocess` scales the image, and the network does so once more inside: leave `preprocess` out "
        "(of a task of KerasHub, set task.preprocessor to None), or use a network without that layer.",
    )
    UNEVEN_GRADIENT = (
        "uneven_gradient",
        "the gradient varies over the cells, and the method gives each feature one weight",
        "The gradient varies over the cells of `{layer}`, as it does before more convolutions, a maximum "
        "over the cells or a head that flattens them, and one weight per feature leaves that out: HiResCAM, "
        "which takes each cell's own gradient, differs by {percent:.0f} % of both maps; "
        'take "hirescam".',
    )
    COARSE_CELLS = (
        "coarse_cells",
        "a class activation map has fewer than six cells along an axis",
        "`{layer}` has {cells} cells, too few to tell where the evidence lies: look at the last layer before "
        'it that has more too, by "hirescam" with layer="{finer}".',
        "`{layer}` has {cells} cells, too few to tell where the evidence lies: compare the map with a "
        "gradient method or a perturbation method.",
    )
    ON_BACKGROUND = (
        "on_background",
        "most of the positive evidence lies on the uniform background, away from the object",
        "{percent:.0f} % of the positive evidence lies on the uniform background, away from the object: see "
        "by occlusion whether the score changes there, and if it does, mistrust the network, else this map.",
    )
    BURNED_IN = (
        "burned_in",
        "the DICOM file says that text is burned into its pixels",
        "The file says that text is burned into its pixels: it may name the patient, every picture shows it, "
        "and evidence that lies on it is not anatomy. Cover it before you share pictures or trust the map.",
    )
    IDENTITY_KEPT = (
        "identity_kept",
        "the DICOM file says that its patient's identity was not removed",
        "The file says that its patient's identity was not removed: none of its tags is in what is written "
        "here, but the file's name and pixels are, so see that these don't name anyone before you share it.",
    )
    PREDICT_DIFFERS = (
        "predict_differs",
        "the model's own `predict` says something else than the function that is explained",
        "The model's `{name}` says something else of the first image than what is explained, its call: "
        "probabilities differ by {gap:.2g}. Give what it does to images before by `preprocess=`, or explain "
        "`lambda images: model.{name}(images)` by a perturbation method.",
    )
    PARTIAL_WAY = (
        "partial_way",
        "the layer that was named does not carry all that reaches the output",
        "Not everything that reaches the output passes through `{layer}`, and the map leaves out what goes "
        "past it ({others}): compare it with a perturbation method, or leave `layer` out.",
    )
    CONSTANT_SCORE = (
        "constant_score",
        "nothing changes the explained score",
        "The {what} is {score:.4g} for this image and for {others} others, black, inverted and noise among "
        "them, so nothing in the image can explain it: look for units that are dead, weights that are zero, "
        "or an input that is not used.",
        "The logit of {target} is {logit:.4g} whatever the image shows, and its probability changes by the "
        'other classes alone: explain of="log_odds", or one of those classes.',
    )
    UNMOVED_SCORE = (
        "unmoved_score",
        "nothing that was hidden changes the score of this image",
        "Nothing that was hidden changes this image's score of {score:.4g}, though other images have others: "
        'hide larger regions, or otherwise (`absent`), or explain of="log_odds".',
    )
    AMBIGUOUS_GEOMETRY = (
        "ambiguous_geometry",
        "branches of the network place the layer's cells differently, and no single one carries them",
        "Branches of the network place the cells of `{layer}` differently, and more than one carries them: "
        "where they lie on the network's input is in doubt by {pixels:.0f} pixels, so compare the map with a "
        "perturbation method.",
    )
    NOT_DETERMINISTIC = (
        "not_deterministic",
        "the model answers the same image otherwise each time",
        "The model answers the same image otherwise each time: in six answers the probability of {target} "
        "differed by {probability:.2g} and its logit by {logit:.2g}. Switch off what is random in it, as "
        "dropout, noise or augmentation that runs at prediction, or let every call start from one seed.",
    )
    DEPENDS_ON_BATCH = (
        "depends_on_batch",
        "the answer depends on the images beside it in the batch",
        "The answer depends on the images beside it in the batch: the probability of {target} differed by "
        "{probability:.2g} and its logit by {logit:.2g}. Let batch normalisation use its moving averages, or "
        "explain a function that asks about one image at a time.",
    )
    ATTENTION_MIXES = (
        "attention_mixes",
        "attention before the layer mixes its cells with other places of the image",
        "Attention before `{layer}` mixes its tokens: a cell's features also come from other places, so the "
        "map tells which tokens were read, and not which pixels made them; compare it with a perturbation "
        'method such as "occlusion".',
        "Attention before `{layer}` mixes its tokens: a cell's features also come from other places, and "
        "what {extra} of the tokens, such as a class token, read of the image before is left out of the map; "
        'compare it with a perturbation method such as "occlusion".',
    )
    BARELY_HIDDEN = (
        "barely_hidden",
        "hiding hardly changes what stands out from its surroundings",
        "Hiding by {absent} hardly changes {parts}, {percent:.2g} % of the object, though they stand out "
        "from what is around them: the map is blind there. Use {remedy}.",
        "Hiding by {absent} hardly changes the places where {percent:.0f} % of the map's positive evidence "
        "lies, though they stand out from what is around them, so no number can be had by it: use {remedy}.",
    )

    SLICES_LEFT_OUT = (
        "slices_left_out",
        "slices of a volume that hold tissue were not given to the network",
        "{left} of {slices} slices were left out, {tissue} of them with tissue: there the map is 0 because "
        'nobody looked. Take more slices, such as slices="all", before reading anything from where it is '
        "empty.",
    )
    SLICES_DISAGREE = (
        "slices_disagree",
        "most slices of a volume are predicted to be of another class than the volume",
        "Only {same} of {slices} slices are by themselves predicted to be of the volume's class: look at the "
        "slices that decided, `diagnostics['slices']['strongest']`, and trust the class little.",
    )
    UNEQUAL_PIXELS = (
        "unequal_pixels",
        "a pixel of the slices cut from a volume is far from square",
        "A pixel of these slices is {high:.3g} mm high and {wide:.3g} mm wide, and networks are mostly "
        "trained on square ones: take the plane in which the scan was acquired, or resample the scan before.",
    )

    def caveat(self, **fields: float | str) -> Caveat:
        """Return the caveat, its sentence the one that has just these fields."""
        for sentence in self.sentences:
            if fields_of(sentence) == set(fields):
                return Caveat(self.value, sentence.format(**fields))
        known = " or ".join(f"({', '.join(sorted(fields_of(sentence)))})" for sentence in self.sentences)
        raise InvalidInput(f"a sentence of `{self.value}` needs the fields {known}, got {sorted(fields)}.")


def fields_of(sentence: str) -> set[str]:
    """Return the names of a template's fields."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def reason_of(name: str) -> Reason | None:
    """Return the reason that makes caveats of this name; None of another package's.

    Examples
    --------
    >>> reason_of("poor_fit"), reason_of("mypackage.low_contrast")
    (<Reason.POOR_FIT: 'poor_fit'>, None)
    """
    return Reason.__members__.get(name.upper())


def link_of(name: str) -> str | None:
    """Return where the manual tells of a caveat; None of another package's.

    Examples
    --------
    >>> link_of("poor_fit")
    'https://xaimri.readthedocs.io/en/latest/guide/caveats.html#poor-fit'
    """
    return None if reason_of(name) is None else f"{MANUAL}#{name.replace('_', '-')}"
