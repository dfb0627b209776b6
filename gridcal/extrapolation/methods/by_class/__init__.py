"""Means and medians of calibrated parameters by vegetation type or climate."""
