"""How a data set was made, as a record, and the way from the record to the data set again."""

from __future__ import annotations

import os

from xaimri.arguments import check_arguments
from xaimri.data.case import Dataset, Origin
from xaimri.errors import InvalidInput

ARGUMENTS = {
    "phantom": ("subjects", "slices", "size", "seed", "change", "stages"),
    "anatomy": ("subjects", "spacing", "seed", "change", "stages"),
    "folder": ("subject", "classes", "series"),
    "bids": ("label", "suffix", "classes", "table", "entities", "repeats"),
    "alzheimer": (),
}
"""What `Dataset.origin` may name, `phantom.make`, `read_folder`, ..., and their arguments."""


@check_arguments()
def remake(origin: Origin, folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Make a data set as the record says that one was made before: phantoms to the last byte.

    Parameters
    ----------
    origin
        ``dataset.origin``, or that of a bundle: the maker's name and its arguments.
    folder
        Where the images lie now; not for phantoms, which lie nowhere.

    Returns
    -------
    Dataset
        All of it, where the record is of a part.

    Raises
    ------
    InvalidInput
        If the maker is unknown or doesn't take these arguments, or a folder is missing.

    Examples
    --------
    >>> from xaimri.data import phantom
    >>> made = phantom.make(subjects=4, slices=1, size=(26, 22), seed=3)
    >>> again = remake(made.origin)
    >>> [case.id for case in again] == [case.id for case in made]
    True
    """
    from xaimri.data import alzheimer, phantom
    from xaimri.data.bids import read_bids
    from xaimri.data.folder import read_folder

    maker = origin.get("maker")
    arguments = {name: value for name, value in origin.items() if name != "maker"}
    if maker not in ARGUMENTS:
        raise InvalidInput(f"data made by {maker!r} can't be made again: only by {', '.join(ARGUMENTS)}.")
    unknown = [name for name in arguments if name not in ARGUMENTS[maker]]
    if unknown:
        raise InvalidInput(
            f"the record of how the data were made names `{unknown[0]}`, which {maker} doesn't take: use the "
            "version of xaimri that wrote it."
        )
    if maker in ("phantom", "anatomy"):
        return phantom.make(**arguments) if maker == "phantom" else phantom.anatomy(**arguments)
    if folder is None:
        raise InvalidInput(f"the data were read by {maker}: give the folder where they lie now.")
    if maker == "bids":
        return read_bids(folder, **arguments)
    return alzheimer.load(folder) if maker == "alzheimer" else read_folder(folder, **arguments)
