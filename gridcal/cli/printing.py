"""Text from files, printed: on one line, without what would move the cursor or colour the terminal."""

from __future__ import annotations


def one_line(text: object, most: int = 2000) -> str:
    """Text as one printable line; the middle of a long one is left out."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
    return line if len(line) <= most else f"{line[: most // 2]} [...] {line[-most // 2 :]}"
