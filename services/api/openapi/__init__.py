"""The OpenAPI 3.1 document of every door, made from the routes and from the models that their handlers read.

`document` gathers, `schemas` asks pydantic, `operations` tells one route, `refusals` asks a dialect how its refusals
sound, `example` makes up values, `page` shows it all.
"""

from __future__ import annotations

from services.api.openapi.document import document
from services.api.openapi.page import POLICY, page

__all__ = ["POLICY", "document", "page"]
