"""One door for developers: ``nox`` runs all, ``nox -s NAME`` one part, in its own environment."""

import shutil
import sys
import tempfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["format", "lint", "types", "layers", "tests", "doctests", "docs", "wheel"]
"""The gate. `quick`, `coverage` and `any_order` repeat parts of `tests` in other ways."""

BIN = Path(sys.executable).parent
CODE = ("src", "tests", "benchmarks", "examples", "docs", "noxfile.py")


def python(session: nox.Session, *command: str) -> None:
    """Run a module of the environment that nox itself runs in."""
    session.run(sys.executable, "-m", *command, external=True)


@nox.session(name="format")
def format_(session: nox.Session) -> None:
    """Check the formatting; ``nox -s format -- --fix`` mends it."""
    python(session, "ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), *CODE)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and likely mistakes (without ruff's cache, which does not see that a module has moved)."""
    python(session, "ruff", "check", "--no-cache", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types: the library strictly, the calls of the README as a caller sees them, the tests."""
    python(session, "mypy")
    python(session, "mypy", "--strict", "tests/typing")
    python(session, "mypy", "--config-file", "tests/mypy.ini", "tests")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that each module imports only from the rows below its own."""
    session.run(str(BIN / "lint-imports"), external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests in two processes; arguments go to pytest instead of that."""
    python(session, "pytest", *(session.posargs or ("-n", "2", "--dist", "worksteal")))


@nox.session
def quick(session: nox.Session) -> None:
    """Run the quick tests, in as many processes as there are cores: less than a minute."""
    python(session, "pytest", "-n", "auto", "-m", "quick", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the quick tests and say which lines they miss; fails below the floor in pyproject.toml."""
    measured = ("--cov", "--cov-report=term:skip-covered")
    python(session, "pytest", "-n", "auto", "-m", "quick", *measured, *session.posargs)


@nox.session
def any_order(session: nox.Session) -> None:
    """Run all but the TensorFlow tests in an order by chance; ``-p randomly`` prints its seed."""
    python(session, "pytest", "-p", "randomly", "-n", "auto", "-m", "not tensorflow", *session.posargs)


@nox.session
def doctests(session: nox.Session) -> None:
    """Run every example in a docstring."""
    session.env["CI"] = "true"  # hypothesis reads all loaded modules first: by this it takes its time
    python(session, "pytest", "--doctest-modules", "src/xaimri", "-q")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site, gallery executed, warnings as errors."""
    python(session, "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it into an empty environment, and explain something with it."""
    program = (
        "import numpy as np, xaimri; m = xaimri.LinearClassifier.random((8, 8, 1));"
        "e = xaimri.explain(m, np.ones((8, 8)), method='lime', samples=20, of='logit'); print(e)"
    )
    folder = Path(tempfile.mkdtemp())
    try:
        python(session, "pip", "wheel", "-q", "--no-deps", "-w", str(folder), ".")
        python(session, "venv", str(folder / "env"))
        inside = folder / "env" / "bin"
        session.run(str(inside / "pip"), "install", "-q", *map(str, folder.glob("*.whl")), external=True)
        session.run(str(inside / "python"), "-c", program, external=True)
        session.run(str(inside / "xaimri"), "--help", external=True, silent=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
