"""Tables of names in the forms in which atlases bring them along."""

import pytest

from xaimri import Atlas, InvalidInput
from xaimri.atlas.names import names_of, table_of


@pytest.mark.parametrize(
    "text",
    [
        "1 Left_Hippocampus 2001\n2 Pons 2002\n",
        "1 Left_Hippocampus 2^M\r\n2 Pons 3^M\r\n".replace("^M", ""),
        "1\tLeft_Hippocampus\r\n2\tPons\r\n",
        "1,Left_Hippocampus\n2,Pons",
        "index\tname\tcolor\n1\tLeft_Hippocampus\t#ff0000\n2\tPons\t#00ff00",
        "name;label\nLeft_Hippocampus;1\nPons;2",
        "region name,label id\nLeft_Hippocampus,1\nPons,2.0",
        "#No. Label Name: R G B A\n\n1 Left_Hippocampus 220 216 20 0\n2   Pons  1 2 3 0",
        '\ufeff1,"Left_Hippocampus"\n2,"Pons"',
    ],
)
def test_the_forms_that_atlases_come_with_are_read(text, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text(text, encoding="utf-8")
    assert names_of(path) == {1: "Left_Hippocampus", 2: "Pons"}


def test_names_of_several_words_are_whole():
    assert table_of("17 Left Hippocampus 220 216") == [(17, "Left Hippocampus")]
    assert table_of('17,"Gyrus, left, upper"\n18,"b"') == [(17, "Gyrus, left, upper"), (18, "b")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"a": "b"}, "must take whole numbers to names"),
        ({1: 2}, "must take whole numbers to names"),
        ({True: "b"}, "must take whole numbers to names"),
        ("missing.csv", "check the path of `names`"),
    ],
)
def test_what_are_no_names_is_refused(given, told):
    with pytest.raises(InvalidInput, match=told):
        names_of(given)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "got nothing"),
        (b"<atlas><label index='0'>Pole</label></atlas>", "a whole number and a name in each line"),
        (b"1 a\n1 b", "calls the label 1 both 'a' and 'b'"),
        (b"1 a\nb\n", "got a line with 'b'"),
        (b"\0\1", "is no table of names"),
    ],
)
def test_a_file_without_names_is_refused(content, told, tmp_path):
    (tmp_path / "names").write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        names_of(tmp_path / "names")


def test_names_of_another_atlas_are_refused_and_odd_ones_told():
    labels = [[0, 1], [2, 3]]
    for names in ({7: "a"}, {0: "a", 1: "b", 2: "c"}):  # the latter count from 0
        with pytest.raises(InvalidInput, match="names are of the labels"):
            Atlas.read(labels, names)
    whole = Atlas.read(labels, {0: "Unclassified", 1: "a", 2: "b", 3: "c"})
    assert (dict(whole.names), whole.notes) == ({1: "a", 2: "b", 3: "c"}, ())
    some = Atlas.read(labels, {1: "a", 9: "z"})
    assert [some.name_of(label) for label in (1, 2, 3)] == ["a", "2", "3"]
    assert some.notes == (
        "2 regions of the atlas have no name, and are called by their number: 2, 3.",
        "1 names are of labels that the atlas hasn't: z.",
    )
    assert Atlas.read(labels, {1: "a\nb", 2: "c", 3: "d"}).names[1] == "a b"
