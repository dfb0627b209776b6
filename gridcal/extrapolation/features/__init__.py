"""Features: which there are, how they are made from forcing, how they are encoded."""
