"""Code that several tests or benchmarks share."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
"""The root folder of the repository."""
