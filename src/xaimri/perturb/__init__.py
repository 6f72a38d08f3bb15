"""Perturbing an image region by region: regions, coalitions, what is hidden, responses, surrogate."""
