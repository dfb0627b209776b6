"""Snow and soil: water and heat."""
