"""The author's own answers: what no program can know, in a TOML file, item by item."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from xaimri.card.items import CHECKLISTS
from xaimri.errors import InvalidInput, first_line
from xaimri.regular_file import open_regular, path_of, quoted

REMEDY = 'give a TOML file with tables such as [claim], and lines such as 44 = "No funding."'

AUTHOR = "stated by the author"
"""What stands beside an answer."""


def read_answers(path: str | Path) -> dict[str, dict[str, str]]:
    """Read answers by checklist and item.

    Parameters
    ----------
    path
        A TOML file: a table ``[card]`` with a ``title``, and tables ``[claim]`` and ``[tripod]`` whose keys
        are the items' numbers.

    Raises
    ------
    InvalidInput
        If it is no such file, or names an item that there is not.
    """
    file = path_of(path)
    with open_regular(file, REMEDY) as stream:
        try:
            given: dict[str, Any] = tomllib.loads(stream.read().decode("utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{quoted(file)} can't be read ({first_line(error)}): {REMEDY}") from error
    known = {checklist.key: {item.number for item in checklist.items()} for checklist in CHECKLISTS}
    known["card"] = {"title"}
    for table, answers in given.items():
        if table not in known or not isinstance(answers, dict):
            raise InvalidInput(
                f"{quoted(file)} has {quoted(table)}, and tables are {', '.join(known)}: {REMEDY}"
            )
        for number, answer in answers.items():
            if number not in known[table]:
                raise InvalidInput(
                    f"{quoted(file)} answers item {number} of [{table}], which has none: {REMEDY}"
                )
            if not isinstance(answer, str) or not answer.strip():
                raise InvalidInput(f"{quoted(file)}: item {number} of [{table}] needs words: {REMEDY}")
    return {table: dict(answers) for table, answers in given.items()}
