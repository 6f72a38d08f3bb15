"""The table of methods: a line each, in the order in which they are listed everywhere."""

# ruff: isort: off
from xaimri.explainers.cam import GradCAM as GradCAM
from xaimri.explainers.cam import GradCAMPlusPlus as GradCAMPlusPlus
from xaimri.explainers.cam import HiResCAM as HiResCAM
from xaimri.explainers.cam import LayerCAM as LayerCAM
from xaimri.explainers.scorecam import ScoreCAM as ScoreCAM
from xaimri.explainers.eigencam import EigenCAM as EigenCAM
from xaimri.explainers.gradient import Saliency as Saliency
from xaimri.explainers.gradient import InputXGradient as InputXGradient
from xaimri.explainers.integrated import IntegratedGradients as IntegratedGradients
from xaimri.explainers.expected import ExpectedGradients as ExpectedGradients
from xaimri.explainers.gradient_shap import GradientSHAP as GradientSHAP
from xaimri.explainers.smoothgrad import SmoothGrad as SmoothGrad
from xaimri.explainers.smoothgrad import VarGrad as VarGrad
from xaimri.explainers.lime import LIME as LIME
from xaimri.explainers.shap import SHAP as SHAP
from xaimri.explainers.partition_shap import PartitionSHAP as PartitionSHAP
from xaimri.explainers.occlusion import Occlusion as Occlusion
from xaimri.explainers.rise import RISE as RISE
