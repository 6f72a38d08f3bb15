"""What a folder's name says: a part of a split, a wrapper around the data, or anything else."""

from __future__ import annotations

import re

_SURE = r"train(?:ing)?s?|test(?:ing)?s?|val|validat(?:ion|e|ing)|(?:hold|held)out|k?folds?[a-e]?"
_WEAK = r"valid|dev(?:elopment)?|eval(?:uation)?|pred(?:ict(?:ions?|ed)?)?|infer(?:ence)?|unseen|cv"
_BESIDE = (
    r"(?:data|image|sub|split|file|scan)?sets?|data(?:base|sets?)?|daten(?:satz)?|images?|imgs?|pics?|pictures?|"
    r"files?|folders?|split|parts?|scans?|slices?|samples?|cases?|mri|raw|original|external|internal|final|full"
)
_PART = re.compile(rf"(?:{_BESIDE})*(?:(?:{_SURE}|{_WEAK})(?:{_BESIDE})*)+")
_SURE_PART = re.compile(rf"(?:{_BESIDE})*(?:{_SURE})(?:{_BESIDE}|{_SURE}|{_WEAK})*")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_NUMBERED = re.compile(r"(?:split|part|subset)s?")
_WRAPPER = re.compile(
    r"(?:my|all|the|new|old)?(?:archives?|downloads?|root|kaggle|input|content|unzipped|extracted)"
)
_WRAPPER_WORDS = re.compile(rf"(?:{_BESIDE})+")
_COLLECTION = re.compile(r"(?:data(?:sets?|base)?|daten(?:satz)?|archive)$")


def is_part(name: str) -> bool:
    """Return whether a folder's name is one of a split's parts, in whatever spelling.

    Examples
    --------
    >>> [is_part(name) for name in ("Train_set", "fold1", "01_train", "Pred", "test_negative")]
    [True, True, True, True, False]
    """
    letters = _letters(name)
    numbered = _NUMBERED.fullmatch(letters) is not None and any(c.isdigit() for c in name)
    return numbered or _PART.fullmatch(letters) is not None


def is_surely_part(name: str) -> bool:
    """Return whether a name is a part's even beside names of classes: ``"valid"`` and ``"pred"`` are not.

    Examples
    --------
    >>> is_surely_part("val"), is_surely_part("valid")
    (True, False)
    """
    return is_part(name) and _SURE_PART.fullmatch(_letters(name)) is not None


def mentions_part(name: str) -> bool:
    """Return whether one of a name's words is a part's, such as ``"train"`` in ``"seg_train"``.

    Examples
    --------
    >>> [mentions_part(name) for name in ("seg_train", "AlzheimerTest", "glioma", "contest")]
    [True, True, False, False]
    """
    return any(_SURE_PART.fullmatch(word.casefold()) for word in _WORD.findall(name))


def is_wrapper(name: str) -> bool:
    """Return whether a folder's name says no more than that data lie in it.

    Examples
    --------
    >>> is_wrapper("Brain_Tumor_Dataset"), is_wrapper("archive (1)"), is_wrapper("glioma")
    (True, True, False)
    """
    letters = _letters(name)
    words = _WRAPPER_WORDS.fullmatch(letters) or _WRAPPER.fullmatch(letters)
    return words is not None or _COLLECTION.search(letters) is not None


def _letters(name: str) -> str:
    """Return the letters of a name alone, in lower case."""
    return "".join(c for c in name.casefold() if c.isalpha())
