"""Folds of samples and of sites."""
