"""The errors that a user can cause or meet; the message of each is one plain sentence."""

import reprlib

shorten = reprlib.repr
"""Shows a value that somebody sent, shortened to about thirty characters."""


class DemoError(Exception):
    """Base of all errors whose message is written for the user."""


class InvalidImage(DemoError):
    """The input cannot be used as an image."""


class InvalidOption(DemoError):
    """A variant, framing, side or other option is not one of those offered."""


class WeightsUnavailable(DemoError):
    """A variant cannot be loaded: no source has usable weights."""


class Busy(DemoError):
    """All places are taken for now.

    Attributes:
        wait_s: after how many seconds to try again.
    """

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class InvalidVideo(DemoError):
    """The input cannot be used as a video."""
