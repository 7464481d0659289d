"""Scripts that measure this app and its peers side by side in one run."""

import demo.models.engines  # noqa: F401 turns OpenVINO's telemetry off before a script imports it or NNCF
