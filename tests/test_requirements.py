"""The requirements files, their lock, and the files that the Dockerfile installs and copies."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT

LOCKS = {
    "requirements.txt": "requirements.lock",
    "requirements-dev.txt": "requirements.lock",
    "requirements-ray.txt": "requirements.lock",
    "requirements-readers.txt": "requirements-readers.lock",
    "requirements-ultralytics.txt": "requirements.lock",
}
LINES = [
    (line, lock)
    for name, lock in LOCKS.items()
    for line in (ROOT / name).read_text().splitlines()
    if not line.startswith("-r")
]


def read_lock(name: str) -> dict[str, str]:
    pins = (line.split("==") for line in (ROOT / name).read_text().splitlines())
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


@pytest.mark.parametrize(("line", "lock"), LINES)
def test_a_range_has_an_upper_end_and_contains_the_locked_version(line: str, lock: str) -> None:
    requirement = Requirement(line)
    assert {each.operator for each in requirement.specifier} & {"<", "=="}
    assert requirement.specifier.contains(read_lock(lock)[requirement.name])


def test_a_space_installs_no_test_tools() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"pytest|hypothesis|mypy|ruff|playwright", text)
    assert "torch==2.13.0\n" in text


def docker_context(folder: Path) -> Path:
    """Copy what .dockerignore lets Docker see: it excludes all but the names after "!"."""
    folder.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            copy_item(ROOT / line[1:], folder / line[1:])
    return folder


def copy_item(source: Path, target: Path) -> None:
    """Copy a file, or a folder without compiled Python."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


USE_ALL_FILES = """
import app
from demo.models.sources import find_bundled
from demo.variants import VARIANTS

assert app.__file__.startswith({image!r})
assert all(find_bundled(variant) for variant in VARIANTS.values())
"""


def test_the_files_that_docker_copies_suffice_to_run_the_app(tmp_path: Path) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    context, image = docker_context(tmp_path / "context"), tmp_path / "image"
    image.mkdir()
    for line in re.findall(r"^COPY (?:--\S+ )*(.+)$", dockerfile, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copy_item(context / source, image / source if target == "./" else image / target)
    requirements = re.findall(r" -[rc] (\S+)", dockerfile)
    assert requirements and all((image / name).is_file() for name in requirements)
    code = USE_ALL_FILES.format(image=str(image))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": str(tmp_path / "files")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=image,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
