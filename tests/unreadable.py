"""Files of every kind that no image can be read from, beside images that can."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from xaimri import regular_file
from xaimri.data.case import Case, Dataset

CLASSES = ("ill", "well")
SHAPE = (12, 10)


def cut(path):
    """Write the first half of an image."""
    Image.fromarray(np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:80])


def barred(path):
    """Write an image that nobody may read; for the administrator, see `bar`."""
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(path)
    path.chmod(0)


UNREADABLE = {
    "cut": cut,
    "empty": lambda path: path.touch(),
    "text": lambda path: path.write_text("<html>404 Not Found</html>"),
    "folder": lambda path: path.mkdir(),
    "barred": barred,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to("nowhere.png"),
    "missing": lambda path: None,
}
"""Each makes a file of its kind."""


def bar(patch):
    """Have the system refuse files without permission to the administrator too."""

    def open_(path, *rest):
        if Path(path).is_file() and not Path(path).stat().st_mode & 0o444:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return os.open(path, *rest)

    patch.setattr(regular_file, "os", SimpleNamespace(**{**vars(os), "open": open_}))


def cases_of(folder, subjects, slices=2, seed=0):
    """Images in files, of as many subjects in turn of each class: dark ones are ill, bright ones well."""
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(subjects):
        for place in range(slices):
            name = f"{CLASSES[number % 2]}/{seed}p{number:02}-{place}.png"
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.clip(rng.normal(70 + 60 * (number % 2), 30, SHAPE), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(file)
            cases.append(Case(name, number % 2, f"{seed}p{number:02}", file, slice=place))
    return Dataset(CLASSES, tuple(cases))


def with_unreadable(dataset, folder, kinds=tuple(UNREADABLE)):
    """Add a case of every kind, in turn of each class: the first of somebody who has no other."""
    cases = list(dataset)
    for number, kind in enumerate(kinds):
        name = f"{CLASSES[number % 2]}/bad-{kind}.png"
        UNREADABLE[kind](folder / name)
        subject = next(case.subject for case in dataset if case.label == number % 2) if number else "nobody"
        cases.insert(3 * number, Case(name, number % 2, subject, folder / name))
    return Dataset(dataset.classes, tuple(cases))
