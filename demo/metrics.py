"""What is counted while the app runs; `demo.web.health` shows it if that is switched on."""

from prometheus_client import CollectorRegistry, Counter, Histogram

COUNTED = CollectorRegistry()

REQUESTS = Counter("requests", "Requests answered.", ["route", "status"], registry=COUNTED)
REFUSALS = Counter("refusals", "Requests refused, by reason.", ["reason"], registry=COUNTED)
FORWARD_PASSES = Counter(
    "forward_passes",
    "Runs of a network on somebody's image or frame.",
    ["variant"],
    registry=COUNTED,
)
SEGMENT_SECONDS = Histogram(
    "segment_seconds",
    "Time from pixels to class map, waiting for the engine included.",
    ["variant"],
    registry=COUNTED,
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)


def mean_segment_seconds() -> float:
    """Mean of all `SEGMENT_SECONDS` so far, in seconds; 0.1 before there is any."""
    samples = [s for metric in SEGMENT_SECONDS.collect() for s in metric.samples]
    total = sum(s.value for s in samples if s.name.endswith("_sum"))
    count = sum(s.value for s in samples if s.name.endswith("_count"))
    return total / count if count else 0.1
