"""Atlases: label images of named regions, brought to scans, and what a map holds in each region."""

from xaimri.atlas.atlas import Atlas
from xaimri.atlas.names import names_of
from xaimri.atlas.table import RegionRow, RegionTable

__all__ = ["Atlas", "RegionRow", "RegionTable", "names_of"]
