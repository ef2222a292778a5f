"""
A figure of matplotlib as SVG that fits into a page.

Its colours become the page's CSS variables, so that one drawing serves light and dark; its text is text in
the page's font; its ids are unique on the page; parts that only a separate file needs are removed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
SERIES = 8
"""How many colours there are for series; then they repeat, with other markers."""
# matplotlib needs real colours: these stand for the page's variables, and are used for nothing else.
INK, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#040404"
_SERIES = [f"#0501{number:02x}" for number in range(SERIES)]
VARIABLES: Mapping[str, str] = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{number + 1})" for number, colour in enumerate(_SERIES)},
}


def series_colour(number: int) -> str:
    """Return the colour of the series ``number``, counted from 0."""
    return _SERIES[number % SERIES]


def inline(figure: Figure, name: str, title: str, description: str) -> str:
    """
    Return a figure as an ``svg`` element.

    Args:
        name: the prefix of its ids; unique on the page.
        title: its name, for screen readers.
        description: what it shows, in a sentence or two, for screen readers.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):  # its style would apply to the whole page
                parent.remove(child)
    elements = list(root.iter())
    used = {reference for element in elements for reference in _references(element)}
    for element in elements:
        element.tag = _local(element.tag)
        attributes = dict(element.attrib)
        element.attrib.clear()
        for key, text in attributes.items():
            _keep(element, _local(key), text, name, used)
    _describe(root, name, title, description)
    return ElementTree.tostring(root, encoding="unicode")


def _keep(element: ElementTree.Element, key: str, text: str, name: str, used: set[str]) -> None:
    """Set an attribute as the page needs it."""
    if key == "id":
        if text in used:
            element.set("id", f"{name}-{text}")
    elif key == "href":
        element.set("href", f"#{name}-{text.removeprefix('#')}")
    elif key == "clip-path":
        element.set(key, f"url(#{name}-{_named(text)})")
    elif key == "style":
        element.set("style", "; ".join(f"{name}: {value}" for name, value in _style(text)))
    elif key == "d":
        element.set(key, " ".join(text.split()))
    else:
        element.set(key, text)


def _references(element: ElementTree.Element) -> Iterator[str]:
    for key, text in element.attrib.items():
        if _local(key) == "href":
            yield text.removeprefix("#")
        elif _local(key) == "clip-path":
            yield _named(text)


def _named(reference: str) -> str:
    """Return the id in ``url(#id)``."""
    return reference.removeprefix("url(#").removesuffix(")")


def _style(text: str) -> Iterator[tuple[str, str]]:
    """Yield the declarations that the page keeps: its own colours for ours, and its own font."""
    for declaration in text.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":  # such as "10px 'DejaVu Sans', sans-serif"
            yield "font-size", next(word for word in value.split() if word.endswith("px"))
        elif key and key != "font-family":
            yield key, VARIABLES.get(value, value)


def _describe(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(place, element)


def _local(tag: str) -> str:
    """Return a name without its namespace, which HTML does not need."""
    return tag.rpartition("}")[2]
