"""Made brains with a known answer: subjects in stages of atrophy, from a seed."""

from xaimri.data.phantom.anatomy import anatomy
from xaimri.data.phantom.scanner import STAGES, TRAINED_SEEDS, Change, make, voxel_edge

__all__ = ["STAGES", "TRAINED_SEEDS", "Change", "anatomy", "make", "voxel_edge"]
