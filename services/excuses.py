"""What can be expected to go wrong, in words. Nothing here repeats a setting's value."""

from __future__ import annotations

import errno
import socket
import traceback

import structlog

from services.dispatcher.registration import ProviderConfigurationError
from shared.bus.bus import PublishUnconfirmed
from shared.bus.link import BrokerLost
from shared.bus.topology import TopologyMismatch
from shared.domain.refusal import Refused
from shared.runtime.embedded import CannotStart
from shared.runtime.logging import where
from shared.runtime.settings import BadSettings
from shared.store import trouble

_LISTENING = {errno.EADDRINUSE: "is in use", errno.EADDRNOTAVAIL: "is not one of this machine", errno.EACCES: "is kept"}


def wrong_settings(error: BaseException) -> str | None:
    """The keys that are wrong and what is expected of each; None where it is another kind of error."""
    return str(error) if isinstance(error, (BadSettings, ProviderConfigurationError)) else None


def in_words(error: BaseException) -> str | None:
    """One line for a person; None where nobody expected this error."""
    match error:
        case CannotStart() | Refused() | TopologyMismatch():
            return str(error)
        case PublishUnconfirmed() | BrokerLost():
            return "the broker does not answer: is BUS_URL right, and is it running?"
        case socket.gaierror():
            return "a host name has no address: BELLTOWER_API_HOST, BELLTOWER_OPS_HOST or that of DATABASE_URL"
        case OSError(filename=str() as path, strerror=str() as reason):
            return f"{path}: {reason}"
        case OSError(errno=int() as number) if number in _LISTENING:
            return (
                f"an address to listen on {_LISTENING[number]}: set BELLTOWER_API_HOST and _PORT, "
                "BELLTOWER_OPS_HOST and _PORT; port 0 takes any free one"
            )
    return trouble.in_words(error)


def log_crash(error: BaseException) -> None:
    """A bug. Its message and values may hold numbers and texts, so the log gets its type and its way alone."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    way = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames]
    structlog.get_logger().critical("crashed", error=where(error), way=way)
