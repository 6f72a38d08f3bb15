"""Names that may be of one person."""

from xaimri.data.alike_names import alike_names


def test_case_strokes_and_zeros_alone_make_no_other_person():
    train = ["S001", "sub-02", "p_7", "000", "S1-1", "same", "A1", "patient"]
    test = ["s1", "02", "P-07", "0", "S11", "same", "B1", "sub"]
    assert alike_names(train, test) == [("S001", "s1"), ("sub-02", "02"), ("p_7", "P-07"), ("000", "0")]
    assert alike_names(train, train) == []
    assert alike_names(["--"], ["__"]) == []
