"""Runtimes that turn pixel values into logits."""

import sys

# OpenVINO reports each conversion to its makers from a forked copy of the process. That copy can
# hang for ever and hold the app's port. Without this package OpenVINO reports nothing.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
