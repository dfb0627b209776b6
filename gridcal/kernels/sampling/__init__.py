"""Chains on an emulated posterior, their proposals, moments and random streams."""
