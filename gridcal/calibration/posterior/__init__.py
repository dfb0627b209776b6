"""Draws: chains, their diagnostics, their export."""
