"""Audits of a split, whether people are apart in it, and of a network, what it goes by."""

from xaimri.audit.effect import Effect
from xaimri.audit.interventions import INTERVENTIONS, Intervention
from xaimri.audit.model import audit_model
from xaimri.audit.model_audit import ModelAudit

__all__ = ["INTERVENTIONS", "Effect", "Intervention", "ModelAudit", "audit_model"]
