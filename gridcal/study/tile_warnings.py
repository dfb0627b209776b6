"""What tiles have warned of, on whatever machine, passed on to whoever waits for them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

_NAMED = re.compile(r"(\w+): [^']*'([^']+)'")


class TileWarning(UserWarning):
    """Something that tiles have warned of while they were computed."""


def pass_on(told: Sequence[str], where: str, *, stacklevel: int = 5) -> None:
    """Warn once of each kind of thing that tiles have told.

    Parameters
    ----------
    told : sequence of str
        ``Category: text`` of each warning of each tile. Warnings of one category about one variable are one kind: their counts
        differ from tile to tile.
    where : str
        The stage, in words.
    stacklevel : int
        Of the warnings.
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for text in told:
        match = _NAMED.match(text)
        kinds.setdefault((match[1], match[2]) if match else ("", text), []).append(text)
    for texts in kinds.values():
        _, _, first = texts[0].partition(": ")
        more = f" ({len(texts)} tiles say the like)" if len(texts) > 1 else ""
        warnings.warn(f"{where}: {first}{more}", TileWarning, stacklevel=stacklevel)
