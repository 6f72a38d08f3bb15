"""Audits of a split, whether people are apart in it, and of a network, what it goes by."""

from xaimri.audit.clusters import Clusters
from xaimri.audit.controls import Controls
from xaimri.audit.effect import Effect
from xaimri.audit.interventions import INTERVENTIONS, Intervention
from xaimri.audit.model import audit_model
from xaimri.audit.model_audit import ModelAudit
from xaimri.audit.pair import Pair
from xaimri.audit.probe import Probe
from xaimri.audit.relevance import MeanMap, Relevance, Share
from xaimri.audit.split import audit_split
from xaimri.audit.split_audit import SplitAudit
from xaimri.audit.telltales import Telltale

__all__ = [
    "INTERVENTIONS",
    "Clusters",
    "Controls",
    "Effect",
    "Intervention",
    "MeanMap",
    "ModelAudit",
    "Pair",
    "Probe",
    "Relevance",
    "Share",
    "SplitAudit",
    "Telltale",
    "audit_model",
    "audit_split",
]
