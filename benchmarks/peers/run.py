"""Compare xaimri's methods with independent implementations, on one network and the same images.

    python benchmarks/peers/run.py [--peer captum|grad-cam|xplique|all] [--envs FOLDER]

Each peer runs in an environment of its own, made from its lock file on first use: 10 GB for all three.
Exits with 1 if an agreement that is claimed does not hold.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
from compare import PEERS, bridged
from network import Arrays
from ours import given, results

HERE = Path(__file__).parent
HEADER = "| method | compared | difference | claim |\n|---|---|---|---|"


def main() -> None:
    """Print one table per peer."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peer", choices=[*PEERS, "all"], default="all")
    options.add_argument("--envs", type=Path, default=Path(tempfile.gettempdir()) / "xaimri-peers")
    chosen = options.parse_args()
    arrays = given()
    ours = results(arrays)
    ours |= bridged(ours)
    upsample = {name: values for name, values in ours.items() if "/upsample" in name}
    peers = list(PEERS) if chosen.peer == "all" else [chosen.peer]
    hold = [compared(peer, chosen.envs, {**arrays, **upsample}, ours) for peer in peers]
    sys.exit(0 if all(hold) else 1)


def compared(peer: str, envs: Path, arrays: Arrays, ours: Arrays) -> bool:
    """Print the table of one peer; return whether everything that is claimed holds."""
    theirs = attributed(peer, environment(peer, envs), arrays)
    rows = [comparison.row(ours, theirs) for comparison in PEERS[peer]]
    print(f"\n{theirs['version']}\n\n{HEADER}", *(line for line, _ in rows), sep="\n", flush=True)
    return all(holds for _, holds in rows)


def environment(peer: str, envs: Path) -> Path:
    """Return the interpreter of the peer's environment, made anew where its lock file has changed."""
    lock = HERE / peer / "requirements.lock"
    folder = envs / peer
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made = folder / "made-from.lock"
    if not made.exists() or made.read_text() != lock.read_text():
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", lock]
        subprocess.run(install, check=True)
        made.write_text(lock.read_text())
    return python


def attributed(
    peer: str, python: Path, arrays: Arrays, script: str = "attribute.py"
) -> dict[str, np.ndarray]:
    """Run the peer's script on the arrays and return what it wrote."""
    quiet = {"PYTHONPATH": str(HERE), "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory() as exchange:
        source, out = Path(exchange, "in.npz"), Path(exchange, "out.npz")
        np.savez(source, **arrays)
        done = subprocess.run(
            [python, HERE / peer / script, source, out],
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{peer} failed:\n{done.stderr}")
        return dict(np.load(out))


if __name__ == "__main__":
    main()
