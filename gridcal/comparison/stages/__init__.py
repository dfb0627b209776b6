"""The stages of a comparison, one file each, in the order in which they run."""

from gridcal.comparison.stages.assessment import ASSESSMENT
from gridcal.comparison.stages.calibration import CALIBRATION
from gridcal.comparison.stages.headline import HEADLINE
from gridcal.comparison.stages.importance import IMPORTANCE
from gridcal.comparison.stages.predictions import PREDICTIONS
from gridcal.comparison.stages.scores import SCORES
from gridcal.comparison.stages.sites import SITES
from gridcal.study.stage import Stage

STAGES: tuple[Stage, ...] = (SITES, CALIBRATION, PREDICTIONS, SCORES, ASSESSMENT, IMPORTANCE, HEADLINE)
"""A new stage is one file here and one entry in this list."""
