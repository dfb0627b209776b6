"""Carbon by the day and the year: leaves, growth, respiration, roots, soil."""
