"""Learners from features to parameters, in scikit-learn's manner."""
