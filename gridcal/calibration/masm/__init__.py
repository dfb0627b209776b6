"""MASM: adaptive surrogate search of one pixel."""
