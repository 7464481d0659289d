"""Log lines as JSON and as plain text."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from demo.models.checkpoint import NoWeights
from demo.web.logs import JsonLines, PlainLines, is_first_mention
from tests.support import ROOT


def record(message: str, exc_info: Any = None, **extra: object) -> logging.LogRecord:
    return logging.getLogger("demo.test").makeRecord(
        "demo.test", logging.INFO, "file.py", 1, message, (), exc_info, extra=extra
    )


def test_a_line_is_one_json_object() -> None:
    line = JsonLines().format(record('a "quoted"\nthing', variant="xs", elapsed_ms=7))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields.pop("at").endswith("Z")
    assert fields == {
        "level": "info",
        "logger": "demo.test",
        "message": 'a "quoted"\nthing',
        "variant": "xs",
        "elapsed_ms": 7,
    }


def test_an_error_s_traceback_is_in_its_line() -> None:
    try:
        raise ValueError("no good")
    except ValueError as error:
        line = JsonLines().format(record("failed", (ValueError, error, error.__traceback__)))
    assert "no good" in json.loads(line)["error"] and "\n" not in line


def test_a_plain_line_shows_the_fields_after_the_message() -> None:
    assert PlainLines().format(record("segmented", variant="xs")) == "segmented variant=xs"


def test_named_values_of_a_message_are_fields_for_machines_only() -> None:
    line = logging.makeLogRecord({"msg": "The page is at %(address)s", "args": {"address": "x"}})
    assert PlainLines().format(line) == "The page is at x"
    assert json.loads(JsonLines().format(line))["address"] == "x"


def test_lines_are_written_while_openvino_has_raised_the_root_s_level() -> None:
    code = (
        "import logging\n"
        "from demo.web.logs import start_log\n"
        "start_log()\n"
        "logging.getLogger().setLevel(logging.ERROR)\n"
        "logging.getLogger('demo.server').info('The page is at %s', 'here')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "The page is at here" in done.stderr


def lack(cause: Exception | None) -> NoWeights:
    error = NoWeights("the Hub could not be reached")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("args", "is_first"),
    [
        (("MobileViT-S", "the Hub", lack(OSError())), False),
        (("MobileViT-S", "the Hub", lack(None)), True),
        (("apple/s", OSError()), True),
        ((), True),
    ],
    ids=["lack with a logged cause", "lack of unknown cause", "the cause itself", "other"],
)
def test_a_lack_of_weights_is_mentioned_once(args: tuple[object, ...], is_first: bool) -> None:
    assert is_first_mention(logging.makeLogRecord({"args": args})) == is_first
