"""Numba and numpy kernels: arrays in, arrays out, no xarray."""
