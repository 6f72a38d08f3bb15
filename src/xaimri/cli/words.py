"""Sentences of the library, as they are right on the command line: options instead of arguments of Python."""

from __future__ import annotations

import re
from collections.abc import Collection

PHRASES = {
    "give both one name in `groups=` of `split`, or ": (
        "give both one subject by --subject or --subjects, or "
    ),
    "`subject=` of `xaimri.data.read_folder`, or `xaimri.data.with_subjects`": "--subject or --subjects",
    "read it by `xaimri.data.read_bids`, with the column that is the label, or pass `classes=`": (
        "say by --label which column of its table is the label"
    ),
    "xaimri.Window(1, 99, percentile=True)": "--window 1% 99%",
    "write the map by `to_nifti`": "write the map by --format nii.gz",
}
"""What is said in another way here."""

_PAIR = re.compile(r"`?\b(\w+)=(\"[^\"]*\"|'[^']*'|\([^()]*\)|\[[^\[\]]*\]|[\w./]+|)`?")

_NAME = re.compile(r"`(\w+)`")


def spoken(sentence: str, options: Collection[str]) -> str:
    """Return a sentence with the names of a command's options in the place of arguments.

    Examples
    --------
    >>> spoken('leave `window` out, or pass outputs="logits".', ["window", "outputs"])
    'leave --window out, or pass --outputs logits.'
    >>> spoken("say `independent=True`, or window=(0, 4000)", ["independent", "window"])
    'say --independent, or --window 0 4000'
    >>> spoken("`rate` of 5", ["window"])
    '`rate` of 5'
    >>> spoken("say `same_space=True` if so", ["regions"]), spoken("say `same_space=True`", ["same_space"])
    ('give --regions ATLAS,same-space if so', 'say --same-space')
    """
    for phrase, other in PHRASES.items():
        sentence = sentence.replace(phrase, other)
    if "regions" in options and "same_space" not in options:
        sentence = sentence.replace("say `same_space=True`", "give --regions ATLAS,same-space")

    def pair(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in options:
            return found.group()
        words = "" if value == "True" else " ".join(re.findall(r"[^\s,()\[\]\"']+", value))
        return f"--{name.replace('_', '-')} {words}".rstrip()

    def alone(found: re.Match[str]) -> str:
        name = found.group(1)
        return f"--{name.replace('_', '-')}" if name in options else found.group()

    return _NAME.sub(alone, _PAIR.sub(pair, sentence))
