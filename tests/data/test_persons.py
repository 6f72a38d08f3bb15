"""Whose each case is, by a name."""

from xaimri.data.persons import persons


def test_who_is_not_known_is_nobody_else():
    found = persons(["1", "case 1", "2", "3", "4"], [None, None, None, "case 1", "case 1"])
    assert found[3:] == ["case 1", "case 1"]
    assert found[2] == "case 2"
    assert len(set(found)) == 4


def test_one_name_in_two_ways_of_writing_is_one_person():
    found = persons(
        ["1", "2", "3"], ["Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", "Zoe\N{COMBINING DIAERESIS}", "Zoe"]
    )
    assert len(set(found)) == 2
    assert found[0] == found[1]
