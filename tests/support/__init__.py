"""What several tests or benchmarks use."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
"""The repository."""
