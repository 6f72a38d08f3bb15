"""What the audits of a split and of a network tell, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xaimri.card.evidence import is_named
from xaimri.card.fact import Fact, counted, told


def split_audit_facts(audit: Mapping[str, Any], source: str) -> dict[str, tuple[Fact, ...]]:
    """Return what an audit of a split tells; it can't say of which network's split it is."""
    images = audit["images"]
    of = f"{counted(images['train'], 'image')} of training and {images['test']:,} of test"
    counts = ", ".join(f"{kind} {count}" for kind, count in (audit.get("counts") or {}).items())
    found = [f"Audit of {of}: {audit['verdict']}. {audit['reason']}"]
    found += [f"Pairs by kind: {counts}."] if counts else []
    unsure = ["That the audited split is the one that the network was trained on is not recorded."]
    return told(source, {"split_audit": [*found, *unsure], "limitations": audit.get("notes", ())})


def model_audit_facts(audit: Mapping[str, Any], source: str) -> dict[str, tuple[Fact, ...]]:
    """Return what an audit of a network tells."""
    unnamed = [] if is_named(audit) else ["The audit does not say of which network it is."]
    found = [audit["headline"], *audit["findings"]]
    return told(source, {"model_audit": found, "limitations": [*audit["untold"], *unnamed]})
