"""Builds the page and launches it: ``python app.py``, here and on Hugging Face Spaces."""

from demo.environment import mend_environment
from demo.web.logs import start_log

if __name__ == "__main__":
    start_log()
mend_environment()

from demo.server import serve  # noqa: E402 the libraries below read the environment
from demo.ui.page import build_page  # noqa: E402

page = build_page()

if __name__ == "__main__":
    serve(page)
