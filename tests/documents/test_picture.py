"""Pictures within documents."""

from base64 import b64decode

import pytest
from matplotlib.figure import Figure

from xaimri.documents.picture import picture
from xaimri.errors import InvalidInput


def test_a_figure_its_bytes_and_their_file_are_one_picture(tmp_path):
    drawn = Figure(figsize=(3, 2))
    made = picture(drawn, "An empty sheet.", dpi=40)
    assert (made.width, made.height) == (120, 80)
    png = b64decode(made.data.removeprefix("data:image/png;base64,"))
    (tmp_path / "a.png").write_bytes(png)
    assert picture(png, "An empty sheet.") == picture(tmp_path / "a.png", "An empty sheet.") == made
    assert picture(drawn, "An empty sheet.", dpi=40) == made, "the same bytes every time"


def test_what_is_no_png_and_a_picture_without_words_are_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<svg onload=...>")
    for source in (b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", tmp_path / "a.png"):
        with pytest.raises(InvalidInput, match="no PNG"):
            picture(source, "A sheet.")
    with pytest.raises(InvalidInput, match="is not there"):
        picture(tmp_path / "b.png", "A sheet.")
    with pytest.raises(InvalidInput, match="alt"):
        picture(Figure(), " ")
