"""The words and numbers beside a result, as HTML."""

from html import escape

from demo.areas import ClassArea, class_areas, count_not_seen
from demo.classes import CLASSES
from demo.segmentation import Segmentation, WeightsSource


def render_status(sentence: str, weights: WeightsSource | None = None) -> str:
    """One line of what happened, and one of which weights made it and what they know."""
    origin = f"<p>{escape(weights.describe())}</p>" if weights else ""
    return f'<div class="status"><p>{escape(sentence)}</p>{origin}</div>'


def render_error(sentence: str) -> str:
    """One line of what went wrong and what to do."""
    return f'<div class="status error" role="alert"><p>{escape(sentence)}</p></div>'


def render_summary(segmentation: Segmentation) -> str:
    """The legend of the classes present and the table of their areas."""
    areas = class_areas(segmentation)
    not_seen = count_not_seen(segmentation)
    return _render_legend(areas, not_seen) + _render_table(areas, not_seen, segmentation)


def _render_legend(areas: list[ClassArea], not_seen: int) -> str:
    entries = [_swatch(area.class_id) + escape(area.class_name) for area in areas]
    if not_seen:
        entries.append('<span class="swatch not-seen"></span>not seen')
    items = "".join(f"<li>{entry}</li>" for entry in entries)
    return f'<ul class="legend" aria-label="Classes present">{items}</ul>'


def _swatch(class_id: int) -> str:
    # background is shown as it is in the picture: not painted
    colour = CLASSES[class_id].hex_colour if class_id else "transparent"
    return f'<span class="swatch" style="background:{colour}"></span>'


def _render_table(areas: list[ClassArea], not_seen: int, segmentation: Segmentation) -> str:
    height, width = segmentation.image_hw
    rows = "".join(_render_row(area) for area in areas)
    if not_seen:
        rows += (
            '<tr><th scope="row"><span class="swatch not-seen"></span>not seen</th>'
            f"<td>{not_seen:,}</td><td></td><td></td></tr>"
        )
    share = "% of seen" if not_seen else "% of image"
    return (
        f'<div class="scroll"><table class="areas"><caption>{width} × {height} pixels</caption>'
        '<thead><tr><th scope="col">Class</th><th scope="col">Pixels</th>'
        f'<th scope="col">{share}</th><th scope="col">% of foreground</th></tr></thead>'
        f"<tbody>{rows}</tbody>"
        f'<tfoot><tr><th scope="row">Sum</th><td>{width * height:,}</td><td></td><td></td></tr>'
        "</tfoot></table></div>"
    )


def _render_row(area: ClassArea) -> str:
    foreground = "" if area.foreground_fraction is None else _percent(area.foreground_fraction)
    return (
        f'<tr><th scope="row">{_swatch(area.class_id)}{escape(area.class_name)}</th>'
        f"<td>{area.pixels:,}</td><td>{_percent(area.fraction)}</td><td>{foreground}</td></tr>"
    )


def _percent(fraction: float) -> str:
    return "< 0.01" if 0 < fraction < 0.0001 else f"{fraction * 100:.2f}"
