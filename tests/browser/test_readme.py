"""The README's snippets, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["from Python", "over the API"])
def test_python_snippets(server: str, snippet: str, tmp_path: Path) -> None:
    code = snippet.replace("http://127.0.0.1:7860", server)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "person" in done.stdout and "background" in done.stdout


def test_the_command_line(tmp_path: Path) -> None:
    (line,) = re.findall(r"^    \.venv/bin/python (-m demo segment .*)$", README, re.MULTILINE)
    arguments = line.replace("assets/examples/*.jpg", "assets/examples/cat.jpg").split()
    arguments[arguments.index("--out") + 1] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "They do not know bottle" in done.stderr
    assert (tmp_path / "cat.overlay.png").exists()


DOCUMENTS = ("README.md", "BENCHMARKS.md", "SECURITY.md", "training/README.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_points_to_is_there(document: str) -> None:
    content = (ROOT / document).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", content, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for link in re.findall(r"\]\((?!http)([^)]+)\)", content):
        path, _, anchor = link.partition("#")
        assert (ROOT / document).parent.joinpath(path).exists(), link
        assert path or anchor in anchors, link


def test_the_contents_name_every_section() -> None:
    contents = README.partition("**Contents**")[2].partition("\n\n")[0]
    sections = re.findall(r"^## (.*)$", README.partition("**Contents**")[2], re.MULTILINE)
    assert re.findall(r"\[([^]]+)\]", contents) == sections
