"""Text becomes markup here and nowhere else: cleaned, escaped, and with **bold** and `code` where allowed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

# What XML forbids, what cannot be encoded, and the marks that make later text run backwards.
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_INLINE = re.compile(r"\*\*(?P<bold>(?:[^*]|\*(?!\*))+)\*\*|`(?P<code>[^`]+)`")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def clean(text: object, longest: int | None = None) -> str:
    """Text that every format can carry, cut with "…" where it is longer than ``longest`` characters."""
    safe = _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", str(text).replace("\r\n", "\n").replace("\r", "\n"))
    return safe if longest is None or len(safe) <= longest else safe[: max(longest - 1, 0)].rstrip() + "…"


def escape(text: object, longest: int | None = None) -> str:
    """Text as content or attribute value of HTML and SVG."""
    return html.escape(clean(text, longest))


def inline(text: object, longest: int | None = None) -> str:
    """Text as HTML, where ``**bold**`` and `` `code` `` are marked up."""
    return _marked(clean(text, longest), html.escape, "<strong>{}</strong>", "<code>{}</code>")


def markdown(text: object, longest: int | None = None) -> str:
    """Text as one line of Markdown that says the same and nothing more: no markup but bold and code, no HTML."""
    line = " ".join(clean(text, longest).split())
    return _marked(line, _markdown_escape, "**{}**", "`{}`", lambda code: html.escape(code, quote=False))


def unmarked(text: object, longest: int | None = None) -> str:
    """The bare text of what :func:`inline` marks up."""
    return _INLINE.sub(lambda found: found["bold"] or found["code"], clean(text, longest))


def _markdown_escape(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", html.escape(text, quote=False))


def _marked(
    text: str, escaped: Callable[[str], str], bold: str, code: str, in_code: Callable[[str], str] | None = None
) -> str:
    """Escape a text and mark it up; ``in_code`` where code is escaped in another way, as where a backslash is shown."""
    parts, end = [], 0
    for found in _INLINE.finditer(text):
        parts.append(escaped(text[end : found.start()]))
        if found["bold"] is not None:
            parts.append(bold.format(escaped(found["bold"])))
        else:
            parts.append(code.format((in_code or escaped)(found["code"])))
        end = found.end()
    return "".join([*parts, escaped(text[end:])])
