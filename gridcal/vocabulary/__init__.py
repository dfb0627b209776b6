"""Names, units, days and fingerprints: what everybody speaks."""
