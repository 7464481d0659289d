"""Builds the page and launches it: ``python app.py``, here and on Hugging Face Spaces."""

from demo.server import serve
from demo.ui.page import build_page
from demo.web.logs import start_log

page = build_page()

if __name__ == "__main__":
    start_log()
    serve(page)
