"""Says where a bug struck without repeating what was in hand."""

from __future__ import annotations

import traceback
from pathlib import Path


def where(error: BaseException) -> str:
    """The innermost place, `file.py:line function`; never the message, which may hold a caller's data."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    last = frames[-1]
    ours = next((frame for frame in reversed(frames) if "/site-packages/" not in frame.filename), last)
    return f"{Path(ours.filename).name}:{ours.lineno} {ours.name}"
