"""Free ports of 127.0.0.1, below the range that systems hand out to outgoing connections."""

from __future__ import annotations

from shared.runtime.embedded.processes import free_port

_given: set[int] = set()


def new_port() -> int:
    """A free port that no other part of this run was given, so that a restart finds it free again."""
    while (port := free_port()) in _given:
        pass
    _given.add(port)
    return port
