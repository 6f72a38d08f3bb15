"""A model as it is to be used: the one door through which whatever the user has becomes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import signature
from operator import length_hint
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xaimri import notebook
from xaimri.adapters.bundles import open_classifier
from xaimri.adapters.options import ModelLike, Preprocess, as_preprocess
from xaimri.arguments import check_arguments
from xaimri.arrays import Scores
from xaimri.calibration import calibrate
from xaimri.classifier import Classifier, Outputs, Resizing, Sized, Temperable
from xaimri.data.case import Case, Dataset
from xaimri.data.epoch import Loader, is_loader
from xaimri.data.loader import read_loader, refuse_shuffled
from xaimri.endings import endings, explain_one, predict, with_inputs
from xaimri.errors import InvalidInput
from xaimri.explainer import require
from xaimri.explainers import settings_of
from xaimri.explanation import Explanation
from xaimri.explanations import Explanations
from xaimri.failure import Failure
from xaimri.grid import Fit
from xaimri.images.channels import Layout
from xaimri.images.intake import Intake
from xaimri.images.slices import Slices, as_slices
from xaimri.images.window import WindowSource, as_window
from xaimri.judgement import Judgement
from xaimri.kinds import Anything
from xaimri.methods import (
    Method,
    Methods,
    build_all,
    build_one,
    check_one_method,
    held_methods,
    listed_methods,
)
from xaimri.objective import Of
from xaimri.perturb.progress import Watcher, watched
from xaimri.perturb.workload import repeated
from xaimri.provenance import facts
from xaimri.questions import ask, each_inputs, require_one
from xaimri.sealed import seal, unseal
from xaimri.sources import Source, Sources, name_images, oddities, take
from xaimri.targets import Target
from xaimri.temperature import TemperatureScaling

if TYPE_CHECKING:
    from xaimri.adapters.keras.engine import Engine
    from xaimri.render import Comparison


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A classifier, how images reach it, and where it comes from; :func:`open_model` makes one.

    Attributes
    ----------
    classifier
        Scores images on its own grid.
    intake
        How images are brought there: shape, fit, window and layout.
    path
        The file or folder that it was read from; None where it was given as an object.
    split, origin
        Of a bundle: the record of the split it was trained on, and how its data were made.
    history, versions
        Of a bundle: one list per column of the training, and of xaimri, Keras and TensorFlow then.
    scaling
        What its logits are divided by, and from whom that was learned; None where they stay as they are.
    sha256
        Of a bundle: of the network's file, by which figures are known to be of this network.

    Examples
    --------
    >>> import numpy as np, xaimri
    >>> model = open_model(xaimri.LinearClassifier.random((16, 20, 1), classes=3), window=(0, 4000))
    >>> model
    <Model: 3 classes, images 16 x 20 x 1, stretched, window 0 to 4000>
    >>> model.explain(np.ones((32, 40))).values.shape
    (32, 40)
    """

    classifier: Classifier
    intake: Intake = field(default_factory=Intake)
    path: Path | None = None
    split: Mapping[str, Any] | None = None
    origin: Mapping[str, Any] | None = None
    history: Mapping[str, Sequence[Any]] | None = None
    versions: Mapping[str, str] | None = None
    scaling: TemperatureScaling | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        for name in ("split", "origin", "history", "versions"):
            object.__setattr__(self, name, seal(getattr(self, name)))

    def __getstate__(self) -> dict[str, Any]:
        return {name: unseal(value) for name, value in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; none where a function's first answer must tell how many there are."""
        return tuple(self.classifier.classes)

    @property
    def temperature(self) -> float:
        """What the logits are divided by; 1 where they stay as they are."""
        return 1.0 if self.scaling is None else self.scaling.temperature

    def __repr__(self) -> str:
        classes = f"{len(self.classes)} classes" if self.classes else "classes told by its first answer"
        origin = () if self.path is None else (f"from {self.path}",)
        sure = () if self.scaling is None else (f"temperature {self.temperature:.3g}",)
        return f"<Model: {', '.join((classes, *self.intake.describe(), *sure, *origin))}>"

    def _repr_html_(self) -> str:
        known = (self.classes, self.intake.describe(), self.path, self.split, self.history, self.versions)
        sure = [] if self.scaling is None else [("temperature", str(self.scaling))]
        return notebook.card("Model", notebook.table(("", ""), [*facts(*known), *sure]))

    @check_arguments(method=Anything(), target=Anything(), against=Anything(), progress=Anything())
    def explain(
        self,
        image: Source,
        method: Method = "gradcam",
        *,
        target: Target = None,
        of: Of | None = None,
        against: Target = None,
        progress: bool | Watcher = False,
        **settings: Any,
    ) -> Explanation:
        """Explain one image for one class; as :func:`xaimri.explain`, for this model."""
        explainer = build_one(method, self._settings(settings, check_one_method(method)))
        require(explainer, self.classifier)
        require_one(image, target, self.intake, self.classes, against)
        with watched(progress):
            return explain_one(self.classifier, explainer, take(image, self.intake), target, of, against)

    @check_arguments(method=Anything(), target=Anything(), against=Anything(), progress=Anything())
    def explain_all(
        self,
        images: Sources,
        method: Method = "gradcam",
        *,
        target: Target | Sequence[Target] = None,
        of: Of | None = None,
        against: Target | Sequence[Target] = None,
        inputs: object = None,
        progress: bool | Watcher = False,
        **settings: Any,
    ) -> Explanations:
        """Explain many images, or one for several classes; as :func:`xaimri.explain_all`, for this model."""
        explainer = build_one(method, self._settings(settings, check_one_method(method)))
        require(explainer, self.classifier)
        own = each_inputs(inputs)
        shared = self.classifier if own is not None else with_inputs(self.classifier, inputs)
        questions = ask(images, self.intake, self.classes, target, own, against)
        made: dict[str, Explanation] = {}
        failures: dict[str, Failure] = {}
        with watched(progress), repeated(length_hint(questions, 1)):
            for question, ending in endings(shared, self.intake, explainer, questions, of=of):
                if isinstance(ending, Failure):
                    failures[question.image.name] = ending
                else:
                    made[question.image.name] = ending
        return Explanations(made, failures, oddities(images, self.intake))

    @check_arguments(methods=Anything(), target=Anything(), against=Anything(), progress=Anything())
    def compare(
        self,
        image: Source,
        methods: Methods = ("gradcam", "lime"),
        *,
        target: Target = None,
        of: Of | None = None,
        against: Target = None,
        progress: bool | Watcher = False,
        **settings: Any,
    ) -> Comparison:
        """Explain one image by several methods; as :func:`xaimri.compare`, for this model."""
        from xaimri.render import Comparison

        listed = listed_methods(methods)
        explainers = build_all(listed, self._settings(settings, *listed))
        for explainer in explainers:
            require(explainer, self.classifier)
        require_one(image, target, self.intake, self.classes, against)
        one = take(image, self.intake)
        with watched(progress), repeated(len(explainers)):
            return Comparison(
                explain_one(self.classifier, each, one, target, of, against) for each in explainers
            )

    def predict(self, images: Sources) -> Scores:
        """Return the probabilities of one image or of many, ``(images, classes)``.

        Nothing is collected: an image that can't be read raises its own sentence. Costs one forward pass an
        image.

        Raises
        ------
        UnusableImage
            If an image can't be read, or not be brought to the model's grid.
        InvalidInput
            If a loader shuffles: no one could tell whose the rows are.

        Examples
        --------
        >>> import numpy as np, xaimri
        >>> model = open_model(xaimri.LinearClassifier.random((4, 5, 1), classes=3))
        >>> model.predict([np.ones((4, 5)), np.zeros((8, 10))]).shape
        (2, 3)
        """
        if is_loader(images):
            refuse_shuffled(images, "predictions")
        return predict(self.classifier, self.intake, name_images(images, self.intake))

    @check_arguments(methods=Anything(), cases=Anything())
    def judge(
        self,
        cases: Iterable[Case] | Loader,
        methods: Methods,
        metrics: Any = ("deletion", "insertion"),
        **settings: Any,
    ) -> Judgement:
        """Judge methods by metrics on cases; as :func:`xaimri.evaluate_explanations`, for this model."""
        from xaimri.judging.judge import judge

        held = held_methods(methods)
        self._settings(settings, *listed_methods(held))
        return judge(self, held, cases, metrics, **settings)

    @check_arguments(cases=Anything())
    def calibrated(self, cases: Dataset | Loader, *, independent: bool = False) -> Model:
        """Return the same model as sure as it is right: its logits divided by one number.

        Temperature scaling changes no prediction. Maps of a logit are divided by the same number;
        probabilities, log-odds and their maps are those of the new logits. The number and its error over
        subjects are in `scaling`, with what it can't tell; `xaimri.experiment.calibrate` keeps it in a
        bundle.

        Parameters
        ----------
        cases
            Labelled cases of people that the network was not trained on and is not to be tested on, such as
            those of validation. Costs one forward pass each.
        independent
            True states that every case without a subject is of a person of its own.

        Raises
        ------
        InvalidInput
            If some are of the recorded training or test part, or no temperature is the best.
        MissingCapability
            If the classifier can't be had with other logits.

        References
        ----------
        Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, arXiv:1706.04599.

        Examples
        --------
        >>> import numpy as np, xaimri
        >>> from xaimri.data import Case, Dataset
        >>> draw = np.random.default_rng(0)
        >>> images = draw.normal(size=(200, 2, 2))
        >>> p = 1 / (1 + np.exp(-images.sum(axis=(1, 2))))
        >>> cases = [Case(f"{n}", int(draw.random() < p[n]), f"S{n}", one) for n, one in enumerate(images)]
        >>> weights = 3 * np.stack([np.zeros((2, 2, 1)), np.ones((2, 2, 1))])
        >>> model = open_model(xaimri.LinearClassifier(weights))
        >>> found = model.calibrated(Dataset(model.classes, tuple(cases)))
        >>> bool(abs(found.temperature - 3) < 2 * found.scaling.error)
        True
        """
        read = cases if isinstance(cases, Dataset) else read_loader(cases, axes=len(self.intake.shape) or 3)
        known = {"split": self.split, "origin": self.origin}
        named = read.with_classes(self.classes) if self.classes else read
        classifier, found = calibrate(self.classifier, self.intake, named, **known, independent=independent)
        if self.scaling is not None:
            found = found.times(self.temperature)
        return replace(self, classifier=classifier, scaling=found)

    def with_inputs(self, inputs: object) -> Model:
        """Return the same model with other values of the network's inputs beside the image."""
        return replace(self, classifier=with_inputs(self.classifier, inputs))

    def _settings(self, settings: Mapping[str, Any], *methods: Method) -> Mapping[str, Any]:
        """Return the methods' settings, among which no option of the model may stand."""
        own = {name for method in methods if isinstance(method, str) for name in settings_of(method)}
        misplaced = [name for name in settings if name in OPTIONS and name not in own]
        if misplaced:
            raise InvalidInput(
                f"`{misplaced[0]}` belongs to the model, which is open already: give it to xaimri.open_model."
            )
        return settings


@check_arguments(classes=Anything(), window=Anything(), preprocess=Anything(), slices=Anything())
def open_model(
    model: ModelLike,
    *,
    classes: Sequence[str] | None = None,
    preprocess: Preprocess | None = None,
    outputs: Outputs | None = None,
    unit: int | None = None,
    output: str | int | None = None,
    inputs: object = None,
    engine: Engine | None = None,
    fit: Fit | None = None,
    window: WindowSource | None = None,
    layout: Layout | None = None,
    slices: Slices | str | range | slice | Sequence[int] | None = None,
) -> Model:
    """Open whatever the user has as a model; do it once where many images are explained.

    An option that is None is the bundle's own where there is one, else the default that is named here.

    Parameters
    ----------
    model
        A Keras model however built, a task of KerasHub, the path of a saved one (``.keras``, ``.h5``, a
        SavedModel, a preset), a bundle or the folder that ``xaimri.training.save`` wrote, a function of a
        batch of images, any :class:`~xaimri.classifier.Classifier`, or a `Model`, which comes back as it is.
    classes
        Names of the classes; ``class_0``, ... by default.
    preprocess
        What must be done to a batch before the model, if the model doesn't do it itself.
    outputs
        What the model gives: ``"probabilities"``, ``"logits"``, or ``"auto"`` (the default): decided by how
        the network ends, and told in ``explanation.diagnostics["outputs"]``; a function gives probabilities.
    unit
        Which of several independent sigmoids to present as two classes.
    output
        Which of several outputs to explain, by name or index.
    inputs
        The inputs beside the image, for one image and without a batch axis: by name, such as ``{"age":
        71.0}``, or as the network takes them, ``...`` where the image goes: ``[..., 71.0]``.
    engine
        What runs a Keras network where a method needs many predictions: ``"tensorflow"``, ``"openvino"``
        (extra ``openvino``), or ``"auto"`` (the default): OpenVINO where it is installed and pays off.
    fit
        How an image of another shape is brought to the model's input: ``"stretch"`` (the default) or
        ``"pad"``, which keeps the proportions. A task of KerasHub does it by its own preprocessor, unless
        this is given.
    window
        Stored intensities to spread over 0..255, such as ``(0, 4000)``, or a :class:`~xaimri.Window`, which
        can also go by percentiles. ``"header"`` is the window that each DICOM image names. The limits are
        kept in ``explanation.diagnostics["window"]``.
    layout
        ``"channels_first"`` for arrays that have their channels first.
    slices
        Gives volumes to a network of slices: ``"all"``, ``"brain"``, a range such as ``"40:120:2"``, the
        places themselves, or :class:`~xaimri.Slices`. Every slice is explained for one class, and the maps
        are stacked into one on the volume's grid; the probabilities are those of the slices, combined.

    Raises
    ------
    InvalidInput
        If it is no model, an option is none of these, or options stand beside a model that has its own.

    Examples
    --------
    >>> import numpy as np
    >>> open_model(lambda images: np.full((len(images), 2), 0.5), classes=["no", "yes"])
    <Model: 2 classes, images of any size>
    """
    given: dict[str, Any] = {
        "classes": classes, "preprocess": as_preprocess(preprocess), "outputs": outputs, "unit": unit,
        "output": output, "inputs": inputs, "engine": engine,
    }  # fmt: skip
    reach: dict[str, Any] = {"fit": fit, "window": window, "layout": layout}
    if isinstance(model, Model):
        _refuse({**given, **reach, "slices": slices})
        return model
    classifier, bundle = open_classifier(model, **given)
    if bundle is not None:
        reach = {name: getattr(bundle, name) if value is None else value for name, value in reach.items()}
    shape = tuple(classifier.input_shape) if isinstance(classifier, Sized) else ()
    window = None if reach["window"] is None else as_window(reach["window"])
    own = classifier.resize if isinstance(classifier, Resizing) and reach["fit"] is None else None
    fit = "stretch" if reach["fit"] is None else reach["fit"]
    first = bool(getattr(classifier, "channels_first", False))
    trained = None if bundle is None or bundle.window == window else bundle.window
    trained_fit = None if bundle is None or bundle.fit == fit else bundle.fit
    acquisition = None if bundle is None else bundle.acquisition
    cuts = None if slices is None else as_slices(slices)
    intake = Intake(shape, fit, window, reach["layout"], own, first, trained, trained_fit, acquisition, cuts)
    path = Path(model) if isinstance(model, str | PathLike) else None
    known = ("split", "origin", "history", "versions", "scaling", "sha256")
    if bundle is not None and bundle.scaling is not None and isinstance(classifier, Temperable):
        classifier = classifier.tempered(bundle.scaling.temperature)
    return Model(
        classifier,
        intake,
        path,
        **({} if bundle is None else {name: getattr(bundle, name) for name in known}),
    )


OPTIONS = tuple(
    name for name, each in signature(open_model).parameters.items() if each.kind is each.KEYWORD_ONLY
)
"""Names of the options that belong to a model."""


def _refuse(options: Mapping[str, object]) -> None:
    """Say that a model is open already."""
    given = [f"`{name}`" for name, value in options.items() if value is not None]
    if given:
        raise InvalidInput(
            f"{' and '.join(given)} can't stand beside a Model, which is open already: give them to "
            "xaimri.open_model, or `model.with_inputs` for other inputs."
        )
