"""Whose each case is, by a name."""

from xaimri.data.persons import persons


def test_who_is_not_known_is_nobody_else():
    found = persons(["1", "case 1", "2", "3", "4"], [None, None, None, "case 1", "case 1"])
    assert found[3:] == ["case 1", "case 1"]
    assert found[2] == "case 2"
    assert len(set(found)) == 4
