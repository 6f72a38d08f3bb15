"""What a method is: a frozen record of settings with one hook to write; the rest is final."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Generic, TypeVar, cast, final, get_args

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Images
from xaimri.atlas import Atlas
from xaimri.attribution import Attribution as Attribution  # what whoever writes a method imports from here
from xaimri.attribution import explanations_of
from xaimri.classifier import Classifier, Convolutional, Differentiable, Shareable
from xaimri.doubts.alone import say_alone
from xaimri.doubts.constancy import settle
from xaimri.errors import InvalidInput, MissingCapability, UnusableImage
from xaimri.explanation import Explanation
from xaimri.kinds import Anything
from xaimri.objective import Objective, Of
from xaimri.record import arrays_of, from_json, to_json
from xaimri.settings import check, document
from xaimri.targets import Target, refuse_prediction, resolve_against, resolve_targets

ModelT = TypeVar("ModelT", bound=Classifier)

FAMILIES = {Convolutional: "class activation map", Differentiable: "gradient", object: "perturbation"}
"""What methods are called that need such a model."""


class Explainer(ABC, Generic[ModelT]):
    """A method with its settings.

    Derive a frozen dataclass, name the capability it needs in the brackets, and write
    :meth:`attribute`. Its settings are fields made by :func:`xaimri.settings.setting`, each with the
    rule for it beside it. An explainer holds no model and no data, so it is equal, hashable, picklable,
    and runs unchanged on another model. Inheritance is one deep: vary a method by wrapping it.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from xaimri.adapters.linear import LinearClassifier
    >>> @dataclass(frozen=True)
    ... class Brightness(Explainer[Classifier]):
    ...     name: ClassVar[str] = "brightness"
    ...
    ...     def attribute(self, model, images, objective, /):
    ...         return Attribution(images.sum(axis=-1), model.logits(images))
    >>> model = LinearClassifier.random((5, 6, 2), classes=3, seed=0)
    >>> Brightness().explain(model, np.ones((1, 5, 6, 2), "float32"))[0].values.shape
    (5, 6)
    """

    name: ClassVar[str]
    """The method's name in code, such as ``"gradcam"``: what records and ``method=`` call it."""
    title: ClassVar[str] = ""
    """How the method is written in figures, such as ``"Grad-CAM"``; the class's own name if left out."""
    family: ClassVar[str] = ""
    """``"class activation map"``, ``"gradient"`` or ``"perturbation"``; told from `needs` if left out."""
    cost: ClassVar[str] = "not stated"
    """What one image costs, such as ``"1 forward pass"``."""
    of: ClassVar[Of] = "logit"
    """The score that is explained unless the caller says otherwise."""
    needs: ClassVar[type]
    """The capability of :mod:`xaimri.classifier` that the method needs; read from the brackets."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        bases = getattr(cls, "__orig_bases__", ())
        named = [a for base in bases for a in get_args(base) if isinstance(a, type)]
        cls.needs = named[0] if named else Classifier
        if cls.attribute is not Explainer.attribute and not hasattr(cls, "name"):
            raise InvalidInput(
                f"{cls.__name__} has no name: add the line "
                f'`name: ClassVar[str] = "{cls.__name__.lower()}"` to the class.'
            )
        cls.title = cls.title or cls.__name__
        cls.family = cls.family or next(FAMILIES[kind] for kind in cls.needs.__mro__ if kind in FAMILIES)
        document(cls)

    def __post_init__(self) -> None:
        """Hold every setting to its rule; a check across settings comes after ``super().__post_init__()``."""
        check(self)

    @abstractmethod
    def attribute(self, model: ModelT, images: Images, objective: Objective, /) -> Attribution:
        """Attribute the objective of every image to its pixels. The one hook to write."""

    @final
    @check_arguments(model=Anything(), targets=Anything(), against=Anything())
    def explain(
        self,
        model: Classifier,
        images: Images,
        /,
        targets: Target | Sequence[Target] = None,
        *,
        of: Of | None = None,
        against: Target | Sequence[Target] = None,
    ) -> tuple[Explanation, ...]:
        """Explain a batch of images on the model's own grid.

        Parameters
        ----------
        model
            Any classifier with the capability that this method needs.
        images
            ``(batch, *space, channels)``, finite, as the model takes them.
        targets
            A class for all images, or one per image; None is each image's predicted class.
        of
            The score to explain; None takes the method's default.
        against
            The class that the target is held against: explained is the difference of their logits. For all
            images, or one per image; beside predicted targets it costs one more forward pass.

        Returns
        -------
        tuple of Explanation
            One per image.

        Raises
        ------
        MissingCapability
            If the model cannot do what the method needs.
        InvalidInput
            If an image is not finite, a target is not one of the classes, or it is held against itself.
        UnusableImage
            If the predicted class of an image is the one that it is held against.
        """
        require(self, model)
        batch = checked(images)
        if not model.classes:
            model.logits(batch[:1].copy())  # a function tells the number of its classes by its first answer
        chosen = resolve_targets(targets, model.classes, len(batch))
        others = resolve_against(against, chosen, model.classes)
        given = None if None in chosen else tuple(t for t in chosen if t is not None)
        if given is None and (others is not None or any(t is not None for t in chosen)):
            predicted = model.logits(batch.copy()).argmax(axis=1)
            refuse_prediction(chosen, predicted, others, model.classes)
            given = tuple(int(p) if t is None else t for t, p in zip(chosen, predicted, strict=True))
        default: Of = self.of if others is None else "logit"
        objective = Objective(given, default if of is None else of, others)
        attribution = self.attribute(cast(ModelT, model), batch.copy(), objective)
        made = explanations_of(attribution, model, batch, objective, self.record(), self.arrays())
        return say_alone(model, settle(model, made, attribution.still))

    @final
    def record(self) -> dict[str, Any]:
        """Return name, title and every setting as JSON types; arrays stand as their SHA-256."""
        settings = {f.name: to_json(getattr(self, f.name)) for f in fields(cast(Any, self))}
        return {"name": self.name, "title": self.title, "settings": settings}

    @final
    def arrays(self) -> dict[str, Array]:
        """Return the settings that are arrays, by the SHA-256 under which the record names them."""
        given = [getattr(self, f.name) for f in fields(cast(Any, self))]
        return {sha: array for value in given for sha, array in arrays_of(value).items()}

    @final
    @classmethod
    @check_arguments()
    def from_record(
        cls, record: Mapping[str, Any], arrays: Mapping[str, Array] | None = None
    ) -> Explainer[ModelT]:
        """Rebuild the explainer that wrote the record; equal to the first. Its title is not read."""
        if record.get("name") != cls.name:
            raise InvalidInput(f"this is a record of `{record.get('name')}`, not of `{cls.name}`.")
        try:
            return cls(**{k: _from_record(v, arrays or {}) for k, v in record["settings"].items()})
        except (KeyError, AttributeError, TypeError) as damage:
            raise InvalidInput(
                f"this is no whole record of `{cls.name}` ({damage}): give what `Explainer.record` wrote."
            ) from damage


def _from_record(value: object, arrays: Mapping[str, Array]) -> Any:
    """Return a setting from its record, an atlas among them."""
    if isinstance(value, Mapping) and "atlas" in value:
        return Atlas.from_record(value, arrays)
    return from_json(value, arrays)


def checked(images: Images) -> Images:
    """Return the batch as float32, or say what is wrong with it."""
    batch = np.asarray(images, dtype=np.float32)
    if batch.ndim < 3 or 0 in batch.shape:
        raise InvalidInput(
            "a batch of images has the axes (batch, *space, channels), none of them empty, got "
            f"{batch.shape}."
        )
    if not np.isfinite(batch).all():
        raise UnusableImage(
            "the images hold NaN or infinite values: replace them, for instance with np.nan_to_num."
        )
    return batch


def at_once(explainer: Explainer[Any], classifier: Classifier) -> int:
    """Return how many batches threads may explain at once, so that the network need not wait for Python.

    Two by a class activation map, which holds little beside the network, where threads may share the model.
    """
    shared = isinstance(classifier, Shareable) and classifier.shareable
    return 2 if shared and explainer.family == "class activation map" else 1


def require(explainer: Explainer[Any], model: object) -> None:
    """Raise MissingCapability unless the model has the capability that a method needs."""
    if isinstance(model, type) or not isinstance(model, explainer.needs):
        raise MissingCapability(_lack(explainer, model))


def _lack(explainer: Explainer[Any], model: object) -> str:
    needed = explainer.needs.__name__
    if isinstance(model, type) or not isinstance(model, Classifier):
        return (
            f"{type(explainer).__name__} takes a classifier, and a {type(model).__name__} is none: use "
            "xaimri.open_model(model).classifier, or let xaimri.explain open it."
        )
    other = "a perturbation method such as LIME"
    if needed != "Differentiable" and isinstance(model, Differentiable):
        other = f"a gradient method such as Saliency, or {other}"
    return (
        f"{type(explainer).__name__} needs a {needed} model, and {type(model).__name__} is not one: "
        f"give the Keras network itself, or use {other}."
    )
