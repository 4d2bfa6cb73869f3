"""What a page says, read back with the parser of the standard library."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "link", "source", "img"}


class Page(HTMLParser):
    """Tags with their attributes, the text of each, and whether tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[int] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in _VOID:
            self._open.append(len(self.tags) - 1)

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self.tags[self._open.pop()]
        assert tag == opened

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.texts[index] += data

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of each such tag."""
        return [
            (attrs, " ".join(text.split()))
            for (name, attrs), text in zip(self.tags, self.texts, strict=True)
            if name == tag
        ]

    def text(self, tag: str = "body") -> str:
        """Text of the first such tag."""
        return self.all(tag)[0][1]
