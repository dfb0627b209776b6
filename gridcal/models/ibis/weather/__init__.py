"""Hours from days, and hourly tower records."""
