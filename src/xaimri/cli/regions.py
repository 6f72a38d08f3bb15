"""The command that adds a map up by the regions of an atlas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xaimri.cli.options import Force
from xaimri.cli.outputs import refuse_present
from xaimri.errors import InvalidInput


def regions(
    map_: Annotated[Path, typer.Argument(metavar="MAP", help="Map that `xaimri explain -f nii.gz` wrote.")],
    scan: Annotated[Path, typer.Argument(metavar="SCAN", help="The scan that it explains.")],
    atlas: Annotated[Path, typer.Argument(metavar="ATLAS", help="Label image, as NIfTI.")],
    names: Annotated[
        Path | None, typer.Option(help="Text file with a label and a name in each line.")
    ] = None,
    same_space: Annotated[
        bool, typer.Option("--same-space", help="Atlas and scan are in one space, such as MNI's.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Table to write, as .csv or .json.")] = None,
    force: Force = False,
) -> None:
    """Tell what a map holds in each region of an atlas."""
    import numpy as np

    from xaimri.atlas import Atlas
    from xaimri.atlas.sums import Measured, region_table
    from xaimri.images.read import read_picture
    from xaimri.images.suffixes import stem_of, suffix_of

    refuse_present([] if out is None else [out], force)
    found, image = read_picture(map_, 3), read_picture(scan, 3)
    stem = stem_of(map_.name)
    beside = map_.with_name(f"{stem}_errors{suffix_of(map_.name)}")
    errors = read_picture(beside, 3).pixels[..., 0] if beside.exists() else None
    for what, other in (("the scan", image.pixels), ("its file of errors", errors)):
        if other is not None and other.shape[:3] != found.pixels.shape[:3]:
            raise InvalidInput(f"`{map_}` has another shape than {what}: give those that belong together.")
    brought = Atlas.read(atlas, names, same_space=same_space)
    if found.affine is not None and image.affine is not None:
        step = float(np.linalg.norm(found.affine[:3, :3], axis=0).min())
        if not np.allclose(found.affine, image.affine, atol=0.05 * step):
            raise InvalidInput(f"`{map_}` lies elsewhere than `{scan}`: give the scan that it explains.")
    unit, question = _asked(map_.with_name(f"{stem}.json"), map_.name)
    measured = Measured(found.pixels[..., 0], image.pixels, errors, None, found.spacing, found.affine)
    table = region_table(measured, brought, unit, question)
    typer.echo(str(table))
    if out is not None:
        typer.echo(f"{map_} -> {table.save(out)}")


def _asked(record: Path, name: str) -> tuple[str, str]:
    """Return the unit of a map and what it explains, by the record beside it where there is one."""
    try:
        told: Any = json.loads(record.read_text(encoding="utf-8"))
        method = told["method"]
        return str(told["unit"]), f"{method.get('title', method['name'])} of {told['target_class']}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "the map's own unit", name
