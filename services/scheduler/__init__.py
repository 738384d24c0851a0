"""Watches the clock of the database: claims what is due, rings the dispatchers, rescues what was lost."""

from services.scheduler.run import run

__all__ = ["run"]
