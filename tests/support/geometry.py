"""Map points between the original image and the network's input, independently of the app."""

from demo.framing import Framing


def to_network(framing: Framing, y: float, x: float) -> tuple[float, float]:
    """Map a point of the original image to the network's input, both as (y, x)."""
    top, left, bottom, right = framing.box
    height, width = framing.network_hw
    return (y - top) * height / (bottom - top), (x - left) * width / (right - left)


def to_image(framing: Framing, y: float, x: float) -> tuple[float, float]:
    """Map a point of the network's input to the original image, both as (y, x)."""
    top, left, bottom, right = framing.box
    height, width = framing.network_hw
    return top + y * (bottom - top) / height, left + x * (right - left) / width
