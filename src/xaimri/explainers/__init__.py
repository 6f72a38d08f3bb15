"""The methods, and the one table that names them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from xaimri.explainer import Explainer
from xaimri.explainers import lookup, table
from xaimri.explainers.lookup import as_explainer as as_explainer
from xaimri.explainers.lookup import build as build
from xaimri.explainers.lookup import from_record as from_record
from xaimri.explainers.lookup import setting_of as setting_of
from xaimri.explainers.lookup import settings_of as settings_of
from xaimri.explainers.table import *  # noqa: F403  # the names of the table, and nothing else

for _kind in vars(table).values():
    if isinstance(_kind, type) and issubclass(_kind, Explainer):
        lookup.KNOWN[_kind.name] = _kind

EXPLAINERS: Mapping[str, type[Explainer[Any]]] = MappingProxyType(lookup.KNOWN)
"""The methods by name. Other packages add theirs by the entry-point group ``xaimri.explainers``."""
