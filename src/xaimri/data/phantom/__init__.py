"""Made brains with a known answer: subjects in stages of atrophy, from a seed."""

from xaimri.data.phantom.scanner import STAGES, TRAINED_SEEDS, Change, make, voxel_edge

__all__ = ["STAGES", "TRAINED_SEEDS", "Change", "make", "voxel_edge"]
