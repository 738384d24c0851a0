"""Pages of lists: which one is asked for, and the links and figures around it (B-185 to B-188). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.api.dialects.crm.answers import LinksBody, MetaBody
from services.api.dialects.crm.wire import PageQuery


@dataclass(frozen=True, slots=True)
class Asked:
    """One page."""

    path: str
    """The whole URL of the list, without a query."""
    number: int
    """From 1."""
    size: int
    size_given: bool
    """Then the links carry it on."""

    @classmethod
    def of(cls, query: PageQuery, path: str) -> Asked:
        return cls(path, int(query.page), int(query.limit), "limit" in query.model_fields_set)

    @property
    def skip(self) -> int:
        """How many items stand before it."""
        return (self.number - 1) * self.size

    def last(self, total: int) -> int:
        """The number of the last page; there is one of an empty list too."""
        return max(1, -(-total // self.size))

    def links(self, total: int) -> LinksBody:
        """From beyond the end, the one before is the last that there is."""
        last = self.last(total)
        return {
            "first": self._url(1),
            "last": self._url(last),
            "prev": self._url(min(self.number - 1, last)) if self.number > 1 else None,
            "next": self._url(self.number + 1) if self.number < last else None,
        }

    def meta(self, total: int, found: int) -> MetaBody:
        """`found` is how many items the page has."""
        return {
            "current_page": self.number,
            "from": self.skip + 1 if found else None,
            "last_page": self.last(total),
            "path": self.path,
            "per_page": self.size,
            "to": self.skip + found if found else None,
            "total": total,
        }

    def _url(self, number: int) -> str:
        size = f"&limit={self.size}" if self.size_given else ""
        return f"{self.path}?page={number}{size}"
