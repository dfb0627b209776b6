"""Scores of extrapolated parameters at sites, and the likelihood of being the best way."""
