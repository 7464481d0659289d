"""What is installed: ranges with an end, and a lock within them."""

import re

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT

LINES = [
    line
    for name in ("requirements.txt", "requirements-dev.txt")
    for line in (ROOT / name).read_text().splitlines()
    if not line.startswith("-r")
]


def locked() -> dict[str, str]:
    pins = (line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines())
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


@pytest.mark.parametrize("line", LINES)
def test_a_range_has_an_end_and_the_lock_lies_in_it(line: str) -> None:
    requirement = Requirement(line)
    assert {each.operator for each in requirement.specifier} & {"<", "=="}
    assert requirement.specifier.contains(locked()[requirement.name])


def test_a_space_installs_no_test_tools() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"pytest|hypothesis|mypy|ruff|playwright", text)
    assert "torch==2.13.0\n" in text


def test_the_image_of_docker_has_all_that_the_app_needs() -> None:
    """What can be checked without Docker: Spaces' user and port, and every file of the app."""
    lines = (ROOT / "Dockerfile").read_text()
    assert "--uid 1000" in lines and "GRADIO_SERVER_NAME=0.0.0.0" in lines and "7860" in lines
    copied = set(re.findall(r"^COPY --chown=user (.+) \S+$", lines, re.M))
    assert {name for group in copied for name in group.split()} == {
        "requirements.txt",
        "requirements.lock",
        "app.py",
        "assets",
        "demo",
    }
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for group in copied for name in group.split()} <= set(allowed)
