"""Data: cases with their subjects, from folders, the Alzheimer slices or the bundled phantom.

`read_folder` lists class-per-folder data of any kind, `read_bids` scans with their tables, `read_loader`
takes what Keras and ``tf.data`` load, `xaimri.data.alzheimer` the slices of Kaggle with their subjects, and
`xaimri.data.phantom` makes images from a seed. `split` and `folds` part them by subject, `load_images` reads
them into one array, `stack_images` those that can be read, and `remake` makes a data set as its record says.
"""

from __future__ import annotations

from xaimri.data.bids import read_bids
from xaimri.data.case import Case, Dataset
from xaimri.data.folder import read_folder
from xaimri.data.loader import read_loader
from xaimri.data.masks import attach_masks
from xaimri.data.origin import remake
from xaimri.data.splits import Split, folds, split
from xaimri.data.stack import Stack, load_images, stack_images
from xaimri.data.subject_table import read_split, with_subjects, write_split, write_subjects
from xaimri.data.subjects import subjects_from_pixels
from xaimri.data.volumes import join_slices

__all__ = [
    "Case",
    "Dataset",
    "Split",
    "Stack",
    "attach_masks",
    "folds",
    "join_slices",
    "load_images",
    "read_bids",
    "read_folder",
    "read_loader",
    "read_split",
    "remake",
    "split",
    "stack_images",
    "subjects_from_pixels",
    "with_subjects",
    "write_split",
    "write_subjects",
]
