"""Daily series: means over periods, scores, gaps, sun."""
