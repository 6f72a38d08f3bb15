"""Build, train, save and load a classifier. The one place beside the Keras adapter that needs TensorFlow.

>>> from xaimri.training import build_resnet50, load, save, train
"""

from xaimri.adapters.keras.bundle import Bundle, load, save
from xaimri.adapters.keras.reference import reference_images
from xaimri.training.augment import Augmentation
from xaimri.training.batched_part import BatchedPart, batches
from xaimri.training.cnn3d import build_cnn3d
from xaimri.training.fit import TrainingResult, train
from xaimri.training.recipe import Recipe
from xaimri.training.resnet import build_resnet50, unfreeze

__all__ = [
    "Augmentation",
    "BatchedPart",
    "Bundle",
    "Recipe",
    "TrainingResult",
    "batches",
    "build_cnn3d",
    "build_resnet50",
    "load",
    "reference_images",
    "save",
    "train",
    "unfreeze",
]
