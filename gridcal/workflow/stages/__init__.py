"""The stages of a two-step study, one file each, in the order in which they run."""

from gridcal.study.stage import Stage
from gridcal.workflow.stages.calibration import CALIBRATION
from gridcal.workflow.stages.fluxes import FLUXES
from gridcal.workflow.stages.headline import HEADLINE
from gridcal.workflow.stages.learning import LEARNING
from gridcal.workflow.stages.parameters import PARAMETERS
from gridcal.workflow.stages.samples import SAMPLES, TRUTH
from gridcal.workflow.stages.screening import RECOMMENDATION, SCREENING
from gridcal.workflow.stages.skill import SKILL

STAGES: tuple[Stage, ...] = (
    SAMPLES, SCREENING, RECOMMENDATION, TRUTH, CALIBRATION, LEARNING, PARAMETERS, FLUXES, SKILL, HEADLINE
)  # fmt: skip
"""A new stage is one file here and one entry in this list."""
