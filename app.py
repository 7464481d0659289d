"""Builds the page and launches it: ``python app.py``, here and on Hugging Face Spaces."""

import logging

from demo.registry import DEFAULT_VARIANT, default_registry
from demo.ui.blocks import build_page, build_theme, read_css
from demo.ui.live_socket import live_route

page = build_page()

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    default_registry().start(DEFAULT_VARIANT)
    page.launch(
        app_kwargs={"routes": [live_route()]},
        theme=build_theme(),
        css=read_css(),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        show_error=False,
        ssr_mode=False,
    )
