"""The checklists' numbers: 44 items of CLAIM 2024; 27 items, in 52 parts, of TRIPOD+AI."""

import re

from xaimri.card import CHECKLISTS, CLAIM, TRIPOD


def numbers(checklist):
    return [item.number for item in checklist.items()]


def test_claim_has_44_items_in_order():
    assert numbers(CLAIM) == [str(number) for number in range(1, 45)]


def test_tripod_has_27_items_in_52_parts_in_order():
    parts = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc",
             23: "ab", 27: "abc"}  # fmt: skip
    told = [f"{number}{part}" for number in range(1, 28) for part in parts.get(number, [""])]
    assert numbers(TRIPOD) == told
    assert len(told) == 52


def test_where_some_items_stand():
    """Numbers that a reader of the guidelines looks up first."""
    named = {each.key: {item.number: item.name for item in each.items()} for each in CHECKLISTS}
    assert "sampl" in named["claim"]["21"].lower()
    assert "Acquisition" in named["claim"]["13"]
    assert "external" in named["claim"]["33"]
    assert "Funding" in named["claim"]["44"]
    assert "Registration" in named["tripod"]["18d"]
    assert "Fairness" in named["tripod"]["14"]
    assert named["tripod"]["26"] == "Limitations"


def test_each_cites_its_paper():
    assert "10.1148/ryai.240300" in CLAIM.citation
    assert "10.1136/bmj-2023-078378" in TRIPOD.citation
    assert all(
        re.fullmatch(r"[a-z_]+", name) for each in CHECKLISTS for i in each.items() for name in i.facts
    )
