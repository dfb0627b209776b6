"""Results beside observations: one file a question asked of them."""

from gridcal.evaluation.scores import evaluate, period_mask, summarise

__all__ = ["evaluate", "period_mask", "summarise"]
