"""What a network uses: Shapley values, layer-wise relevance, partial dependence."""
