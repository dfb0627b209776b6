"""The experiment of Bao et al. (2023): ways to extrapolate parameters, compared at sites held out of everything."""
