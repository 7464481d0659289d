"""Tests with a real Ray cluster, from the environment of requirements-ray.txt."""
