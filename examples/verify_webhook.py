"""How a receiver checks that a delivery is genuine. Standard library only; copy it.

    from verify_webhook import verify
    if not verify(request.body, request.headers["X-Remindlo-Signature"], secret): answer 401

Try it: python examples/verify_webhook.py SECRET 't=…,v1=…' < body
"""

from __future__ import annotations

import hashlib
import hmac
import sys
import time

TOLERANCE = 300
"""Seconds that a signature stays good: an older one may be a replay by somebody who listened."""


def verify(body: bytes, header: str, secret: str, *, now: float | None = None) -> bool:
    """Whether `header` signs exactly these bytes with this secret, not long ago.

    `body` must be the bytes as received, before any JSON reader. Only the first `v1` is looked at: while a secret
    is being rotated there are two, and the first is made with the old one until the rotation is promoted.
    """
    parts = header.split(",")
    if len(parts) < 2:
        return False
    (t_name, _, timestamp), (v_name, _, signature) = (part.partition("=") for part in parts[:2])
    if t_name != "t" or v_name != "v1" or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if len(signature) != len(expected) or not signature.isascii():
        return False
    genuine = hmac.compare_digest(signature, expected)
    return genuine and abs((time.time() if now is None else now) - int(timestamp)) <= TOLERANCE


if __name__ == "__main__":
    good = verify(sys.stdin.buffer.read(), sys.argv[2], sys.argv[1])
    print("genuine" if good else "not genuine, or too old")
    sys.exit(0 if good else 1)
