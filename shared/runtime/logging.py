"""Structured logs: JSON for machines, or lines for a person. Ids only: never a number, a text or a secret."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog

from shared.runtime.settings import Settings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up_logging(settings: Settings) -> None:
    """Log to standard error from now on."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if settings.log_format == "console"
        else structlog.processors.JSONRenderer()
    )
    facts: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*facts, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries stay silent: what they say may hold an address or a URL. The bus, which knows no structlog, speaks.
    logging.basicConfig(level=logging.CRITICAL, handlers=[logging.NullHandler()], force=True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=facts))
    ours = logging.getLogger("belltower")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(_LEVELS[settings.log_level])


def where(error: BaseException) -> str:
    """The type and place of an error: its message may hold a caller's data, its place in our code cannot."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/site-packages/" not in frame.filename]
    place = (ours or list(frames))[-1:]
    return " at ".join([type(error).__name__, *(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in place)])
