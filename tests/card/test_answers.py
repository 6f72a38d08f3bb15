"""The author's own answers: by the items' numbers, and no others."""

import pytest

from xaimri.card.answers import read_answers
from xaimri.errors import InvalidInput


def test_answers_are_read_by_checklist_and_item(tmp_path):
    file = tmp_path / "answers.toml"
    file.write_text(
        '[card]\ntitle = "T"\n[claim]\n3 = "Why."\n[tripod]\n18a = "None."\n', encoding="utf-8-sig"
    )
    assert read_answers(file) == {"card": {"title": "T"}, "claim": {"3": "Why."}, "tripod": {"18a": "None."}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[claim]\n45 = "x"', "item 45 of .claim., which has none"),
        ('[claim]\n3a = "x"', "item 3a"),
        ('[tripod]\n18 = "x"', "item 18 of"),
        ('[clain]\n3 = "x"', "clain"),
        ('3 = "x"', "`3`"),
        ("[claim]\n3 = 4", "needs words"),
        ('[claim]\n3 = " "', "needs words"),
        ('[card]\nname = "x"', "item name"),
        ("[claim\n", "can't be read"),
    ],
)
def test_what_is_no_answer_is_refused(tmp_path, text, words):
    file = tmp_path / "answers.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        read_answers(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="can't be read"):
        read_answers(file)
    with pytest.raises(InvalidInput, match="is not there"):
        read_answers(tmp_path / "nowhere.toml")
