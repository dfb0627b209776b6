"""SPIE: a network that learns parameters through the process model."""
