"""Regression of calibrated parameters on features."""
