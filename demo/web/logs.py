"""Log lines: JSON for machines, plain for a terminal; never a name, an address or an image."""

import json
import logging
import sys
import time
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Collect what a call gave as ``extra``."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the call's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Encode one record."""
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
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
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)
