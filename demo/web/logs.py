"""Log lines: JSON for machines, plain for a terminal; never a name, an address or an image."""

import json
import logging
import sys
import time
from typing import Any

from demo.models.checkpoint import NoWeights

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Collect what a call gave as ``extra``."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the call's own fields.

    The values of a message with named places, such as ``%(address)s``, are fields as well.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Encode one record."""
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(record.args if isinstance(record.args, dict) else {}),
            **fields_of(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """The message, followed by the call's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record for a reader at a terminal."""
        fields = "".join(f" {key}={value}" for key, value in fields_of(record).items())
        message, newline, rest = super().format(record).partition("\n")
        return message + fields + newline + rest


def start_log() -> None:
    """Send log lines of level INFO and above to standard error."""
    handler = logging.StreamHandler()
    if sys.stderr.isatty():
        handler.setFormatter(PlainLines())
        leave_weights_to_one_sentence()
    else:
        handler.setFormatter(JsonLines())
        handler.addFilter(is_first_mention)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # OpenVINO raises the level of the root logger while it converts a network.
    logging.getLogger("demo").setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def leave_weights_to_one_sentence() -> None:
    """Silence why each source of weights was passed over: a person reads it in one sentence."""
    logging.getLogger("demo.models.hub").setLevel(logging.ERROR)
    logging.getLogger("demo.models.loading").setLevel(logging.WARNING)


def is_first_mention(record: logging.LogRecord) -> bool:
    """Tell whether a line says something new about a lack of weights, and any other line.

    A lack that another error caused was logged with that error, where it arose.
    """
    values = record.args if isinstance(record.args, tuple) else ()
    lacks = (value for value in values if isinstance(value, NoWeights))
    return all(lack.__cause__ is None for lack in lacks)
