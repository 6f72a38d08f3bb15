"""What the words of an option mean."""

import numpy as np
import pytest

from xaimri.cli.meaning import regions_of
from xaimri.errors import InvalidInput


def test_an_atlas_comes_with_names_and_its_space_in_any_order(tmp_path):
    nib = pytest.importorskip("nibabel")
    atlas, names = tmp_path / "atlas.nii.gz", tmp_path / "names.txt"
    nib.save(nib.Nifti1Image(np.arange(24, dtype=np.uint8).reshape(2, 3, 4) % 3, np.eye(4)), atlas)
    names.write_text("1 one\n2 two\n")
    for words in (f"{atlas},{names},same-space", f"{atlas}, same-space, {names}"):
        found = regions_of(words)
        assert (dict(found.names), found.same_space) == ({1: "one", 2: "two"}, True)
    assert not regions_of(f"{atlas},{names}").same_space
    assert regions_of(f"{atlas},same-space").same_space
    odd = tmp_path / "a,b.nii"
    odd.touch()
    assert regions_of(str(odd)) == str(odd)


@pytest.mark.parametrize("words", ["a.nii,b.txt,c.txt", "a.nii,same-space,same-space"])
def test_a_word_too_many_is_refused(words):
    with pytest.raises(InvalidInput, match="each once and with commas between"):
        regions_of(words)
