"""Compare xaimri's metrics with independent implementations, on the same maps, masks, networks and draws.

    python benchmarks/peers/run_metrics.py [--peer quantus|captum|grad-cam|xplique|all] [--envs FOLDER]

The environments are those of ``run.py``, and one more for Quantus.
Exits with 1 if an agreement that is claimed does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from compare_metrics import METRICS, SPECIALS
from network import Arrays
from ours_metrics import given, results
from run import attributed, environment

HEADER = "| metric | compared | difference | claim |\n|---|---|---|---|"
SPECIAL = "| metric | map | ours | theirs |\n|---|---|---|---|"
TRIED = "| tried | what came back |\n|---|---|"


def main() -> None:
    """Print the tables of each peer."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peer", choices=[*METRICS, "all"], default="all")
    options.add_argument("--envs", type=Path, default=Path(tempfile.gettempdir()) / "xaimri-peers")
    chosen = options.parse_args()
    arrays = given()
    ours = results(arrays)
    peers = list(METRICS) if chosen.peer == "all" else [chosen.peer]
    hold = [compared(peer, chosen.envs, arrays, ours) for peer in peers]
    sys.exit(0 if all(hold) else 1)


def compared(peer: str, envs: Path, arrays: Arrays, ours: Arrays) -> bool:
    """Print the tables of one peer; return whether everything that is claimed holds."""
    theirs = attributed(peer, environment(peer, envs), arrays, "measure.py")
    rows = [measured.row(ours, theirs) for measured in METRICS[peer]]
    print(f"\n{theirs['version']}\n\n{HEADER}", *(line for line, _ in rows), sep="\n")
    print(f"\n{SPECIAL}", *(special.row(ours, theirs) for special in SPECIALS[peer]), sep="\n")
    tried = [f"| {key.split('/', 1)[1]} | {theirs[key]} |" for key in theirs if key.startswith("tried/")]
    if tried:
        print(f"\n{TRIED}", *tried, sep="\n")
    sys.stdout.flush()
    return all(holds for _, holds in rows)


if __name__ == "__main__":
    main()
