"""The page without a server, which scripts/site builds: where it lies, and how it is served."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "site"
"""Where scripts/site puts it by default."""

ADDRESS = "in-browser"
"""Under which the app serves it."""

ISOLATION = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Headers with which browsers let a page use several threads."""


def find_built_site() -> Path | None:
    """Find the built site beside the app; None if there is none."""
    return FOLDER if (FOLDER / "site.json").is_file() else None
