"""What is done to images before a network, said in words: a name of `keras.applications`, or a function."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import cast

from xaimri.adapters.options import Preprocess
from xaimri.errors import InvalidInput
from xaimri.names import known_name

APPLICATIONS = (
    "convnext", "densenet", "efficientnet", "efficientnet_v2", "inception_resnet_v2", "inception_v3",
    "mobilenet", "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16",
    "vgg19", "xception",
)  # fmt: skip
"""The families of `keras.applications` that have a ``preprocess_input``."""


def preparation_of(words: str) -> Preprocess:
    """Return the function that is named: ``xception``, or ``module:function`` of a module near by.

    Raises
    ------
    InvalidInput
        If there is no such name, module or function.
    """
    if ":" not in words:
        family = known_name(words, APPLICATIONS, "preprocessing")

        def prepare(images: object) -> object:
            return importlib.import_module(f"keras.applications.{family}").preprocess_input(images)

        return prepare
    module, _, name = words.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        function = getattr(importlib.import_module(module), name)
    except ImportError as failure:
        raise InvalidInput(f"--preprocess: the module `{module}` can't be loaded ({failure}).") from failure
    except (AttributeError, ValueError) as failure:
        raise InvalidInput(f"--preprocess: `{module}` has no function `{name}`.") from failure
    finally:
        sys.path.remove(here)
    if not callable(function):
        raise InvalidInput(f"--preprocess: `{words}` is no function.")
    return cast(Preprocess, function)
