"""The texts of a configuration, and whether a reminder fits one (B-019, B-021, B-052)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.api.core.policy import Core
from shared.domain.account import Configuration
from shared.domain.refusal import Conflict, Invalid, NotFound, Problem
from shared.domain.template import placeholders
from shared.store import templates as store
from shared.store.database import Connection
from shared.store.templates import KeptTemplate, Template

__all__ = [
    "KeptTemplate",
    "Template",
    "check_template",
    "create_template",
    "delete_template",
    "get_template",
    "hold_template",
    "list_templates",
    "update_template",
]


async def check_template(
    db: Connection, core: Core, configuration: Configuration, *, name: str, parameters: Sequence[str]
) -> None:
    """Raise `Invalid` where the configuration has templates, or must have, and `name` or the count does not fit."""
    if not configuration.has_templates and configuration.channel not in core.needs_text:
        return
    template = await store.get(db, account_id=configuration.account_id, configuration_id=configuration.id, name=name)
    if template is None:
        raise Invalid([Problem("template_name", "no template of that name is registered", "unknown_template")])
    wanted = placeholders(template.body)
    if len(parameters) != wanted:
        reason = f"the template takes {wanted}, not {len(parameters)}"
        raise Invalid([Problem("parameters", reason, "parameter_count")])


async def create_template(
    tx: Connection, configuration: Configuration, template: Template, *, now: datetime
) -> KeptTemplate:
    """Register a template. Raises `Conflict` where there is one of that name."""
    kept = await store.insert(
        tx, template, account_id=configuration.account_id, configuration_id=configuration.id, now=now
    )
    if kept is None:
        raise Conflict("template_exists", "there is a template of that name")
    return kept


async def hold_template(tx: Connection, configuration: Configuration, name: str) -> KeptTemplate:
    """The template as it is, until it is replaced. Raises `NotFound`."""
    return _known(
        await store.lock(tx, account_id=configuration.account_id, configuration_id=configuration.id, name=name)
    )


async def update_template(
    tx: Connection, configuration: Configuration, template: Template, *, now: datetime
) -> KeptTemplate:
    """Replace the template of that name. Raises `NotFound`."""
    kept = await store.update(
        tx, template, account_id=configuration.account_id, configuration_id=configuration.id, now=now
    )
    return _known(kept)


async def get_template(db: Connection, configuration: Configuration, name: str) -> KeptTemplate:
    """Raises `NotFound`."""
    return _known(
        await store.get(db, account_id=configuration.account_id, configuration_id=configuration.id, name=name)
    )


async def list_templates(db: Connection, configuration: Configuration) -> list[KeptTemplate]:
    """By name."""
    return await store.list_all(db, account_id=configuration.account_id, configuration_id=configuration.id)


async def delete_template(tx: Connection, configuration: Configuration, name: str) -> None:
    """Remove a template: reminders that name it keep the name. Raises `NotFound`."""
    if not await store.delete(tx, account_id=configuration.account_id, configuration_id=configuration.id, name=name):
        raise NotFound("template")


def _known(template: KeptTemplate | None) -> KeptTemplate:
    if template is None:
        raise NotFound("template")
    return template
