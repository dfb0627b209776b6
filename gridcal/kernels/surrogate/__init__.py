"""Designs, Gaussian processes and the cost they emulate."""
