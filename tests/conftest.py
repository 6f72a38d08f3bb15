import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


@pytest.fixture(scope="session")
def real():
    """The folder of real slices and trained networks."""
    folder = Path(os.environ.get("XAIMRI_SHARED", Path(__file__).parents[1].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the real slices are not at {folder}: set XAIMRI_SHARED to the folder that holds them")
    return folder
