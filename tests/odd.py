"""Every argument of every public function replaced by what it can't be, one at a time.

Run as a program, without the type checks of the test suite: users don't have them either.

    python tests/odd.py        all of them, in about ten minutes
    python tests/odd.py 40     each fortieth
    python tests/odd.py 1 metrics.road nan
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from xaimri import LinearClassifier
from xaimri.errors import XaimriError

Warned: TypeAlias = Literal["error", "ignore"]
LONGEST, SECONDS = 300, 120
"""Of a sentence in letters, and of a call."""


def generated() -> Iterator[int]:
    """Yield what a list is often made of."""
    yield from (0, 1)


ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "numpy True": lambda: np.bool_(True),
    "2.5": lambda: 2.5,
    "-1": lambda: -1,
    "0": lambda: 0,
    "numpy 1": lambda: np.int64(1),
    "numpy .5": lambda: np.float32(0.5),
    "huge": lambda: 10**30,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "complex": lambda: 1j,
    "letters": lambda: "ab",
    "no letters": lambda: "",
    "many letters": lambda: "x" * 5000,
    "NUL": lambda: "a\0b",
    "bytes": lambda: b"ab",
    "numpy letters": lambda: np.str_("gradcam"),
    "path": lambda: Path("nowhere"),
    "empty list": list,
    "list of two": lambda: [1, "a"],
    "names alike": lambda: ["a", "a"],
    "many": lambda: list(range(100)),
    "nested": lambda: [[1.0], [2.0, 3.0]],
    "dict": lambda: {"a": 1},
    "set": lambda: {1, 2},
    "generator": generated,
    "array of words": lambda: np.array(["gradcam"]),
    "array of numbers": lambda: np.ones(3),
    "empty array": lambda: np.zeros((0, 3)),
    "array of NaN": lambda: np.full((40, 40), np.nan),
    "array of objects": lambda: np.array([None, {}], dtype=object),
    "object": object,
    "class": lambda: LinearClassifier,
    "function of none": lambda: lambda: None,
    "function of any": lambda: lambda *given, **named: None,
    "module": lambda: np,
}
"""What nobody should give, or only to some arguments."""


def words_of(message: str) -> str | None:
    """Tell what is wrong with a sentence."""
    if len(message) > LONGEST:
        return f"{len(message)} letters"
    if "\n" in message or not message:
        return "not one line"
    if "array([" in message or "object at 0x" in message or "<function" in message:
        return "quotes what it was given"
    return None


def state(arguments: dict[str, Any]) -> list[object]:
    """Return what a call may not change."""
    bytes_of = [each.tobytes() for each in arguments.values() if isinstance(each, np.ndarray)]
    drawn = np.random.get_state()  # noqa: NPY002 - the very state that must not change
    lists = [repr(each) for each in arguments.values() if isinstance(each, list | dict)]
    return [bytes_of, lists, str(drawn), random.getstate(), np.geterr(), list(warnings.filters), Path.cwd()]


def finite(found: Any, name: str) -> bool:
    """Tell whether a number, or all of an array, is one; where a metric has none, its page says so."""
    if name.startswith(("metrics.", "Window.apply")):
        return True
    if isinstance(found, float | np.ndarray) and np.asarray(found).dtype.kind == "f":
        return bool(np.isfinite(found).all())
    return True


class TooLong(BaseException):
    """A call took too long."""


def late(*_: object) -> None:
    """Stop a call."""
    raise TooLong


def outcome(
    call: Callable[[], Any], name: str = "", seconds: int = SECONDS, warned: Warned = "error"
) -> tuple[str, str]:
    """Return how a call ended, "computed", "refused" or "fault", and what was said."""
    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(warned)
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                found = call()
        return ("computed", "") if finite(found, name) else ("fault", f"gives {str(found)[:80]}")
    except XaimriError as refusal:
        message = str(refusal)
        wrong = words_of(message)
        return ("refused", message) if wrong is None else ("fault", f"{wrong}: {message[:400]}")
    except TooLong:
        return "fault", f"takes more than {seconds} s"
    except BaseException as raw:
        return "fault", f"{type(raw).__name__}: {' '.join(str(raw).split())[:200]}"
    finally:
        signal.alarm(0)


def sweep(
    folder: Path, only: str = "", values: str = "", stride: int = 1
) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the function, the parameter, the value, how it ended and what was said, of each so many."""
    from calls import FREE, calls, signature

    number = 0
    for name, call in calls(folder).items():
        if only and only not in name:
            continue
        kind, said = outcome(call.given, name)
        yield name, "", "valid", "fault" if kind != "computed" else kind, said
        free = any(each.kind in FREE for each in signature(call.function).values())
        for parameter in [*call.arguments, "no_such_argument"]:
            for word, make in ODD.items():
                if (values and word != values) or (parameter == "no_such_argument" and word != "2.5"):
                    continue
                if parameter == "no_such_argument" and not free:
                    continue
                number += 1
                if number % stride:
                    continue
                value = make()
                given = {**call.arguments, parameter: value}
                before = state(given)
                kind, said = outcome(partial(call.given, **{parameter: value}), name)
                if state(given) != before:
                    kind, said = "fault", "changes what it is given, or the state of the process"
                yield name, parameter, word, kind, said


def main() -> None:
    """Print what of so many calls went wrong, and how all of them ended, as lines of JSON."""
    import matplotlib as mpl
    from PIL import Image

    mpl.use("Agg")
    Image.Image.show = lambda *_, **__: None  # type: ignore[method-assign]
    stride, only, values = [*sys.argv[1:], *["1", "", ""][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        ended: Counter[str] = Counter()
        for name, parameter, word, kind, said in sweep(Path(folder), only, values, int(stride)):
            ended[kind] += 1
            if kind == "fault":
                print(json.dumps([name, parameter, word, said]), flush=True)
        print(json.dumps(ended))
        os.chdir("/")


if __name__ == "__main__":
    main()
