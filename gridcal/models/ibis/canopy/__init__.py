"""Leaves and canopy air: radiation, energy, water, photosynthesis."""
