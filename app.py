"""Builds the page and launches it: ``python app.py``, here and on Hugging Face Spaces."""

from demo.ui.blocks import build_page
from demo.ui.serving import serve
from demo.web.logs import start_log

page = build_page()

if __name__ == "__main__":
    start_log()
    serve(page)
