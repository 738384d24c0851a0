"""`belltower settings`: every setting with its default and its sentence, read from the classes that read them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.api.callbacks import CALLBACKS
from services.dispatcher.providers import PROVIDERS
from shared.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as a person reads it."""

    name: str
    default: str | None
    """None where it must be given."""
    sentence: str


def sections() -> Iterator[tuple[str, list[Option]]]:
    """Every setting, under what it belongs to; one that two read is told of once."""
    told: set[str] = set()
    for title, settings in _classes():
        options = [option for option in _options(settings) if option.name not in told]
        told |= {option.name for option in options}
        yield title, options


def _classes() -> Iterator[tuple[str, type[BaseSettings]]]:
    yield "Belltower", Settings
    for provider in PROVIDERS:
        if provider.settings is not None:
            yield f"Provider {provider.name} (read only where a BELLTOWER_PROVIDER names it)", provider.settings
    for callback in CALLBACKS:
        yield f"Callbacks of {callback.name} (read by the API)", callback.settings


def as_text() -> str:
    """For a terminal."""
    parts = []
    for title, options in sections():
        parts.append(f"{title}\n{'=' * len(title)}\n")
        for option in options:
            default = "required" if option.default is None else option.default or "(empty)"
            parts.append(f"{option.name}  [{default}]\n{_wrapped(option.sentence, '    ')}\n")
    return "\n".join(parts)


def as_env() -> str:
    """For a `.env` file: everything commented out, at its default."""
    parts = ["# Every setting of Belltower at its default. Made by: belltower settings --env\n"]
    for title, options in sections():
        parts.append(f"\n# ── {title} ──\n")
        parts += [f"{_wrapped(option.sentence, '# ')}\n#{option.name}={option.default or ''}\n" for option in options]
    return "\n".join(parts)


def _wrapped(sentence: str, indent: str) -> str:
    return textwrap.fill(sentence, 100, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _options(settings: type[BaseSettings]) -> Iterator[Option]:
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        key = alias if isinstance(alias, str) else f"{prefix}{name}".upper()
        yield Option(key, _default(field), _sentence(field))


def _sentence(field: FieldInfo) -> str:
    """What it does and, where only some words will do, which."""
    choices = _choices(field.annotation)
    return " ".join(filter(None, [field.description, f"One of: {', '.join(choices)}." if choices else ""]))


def _choices(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _default(field: FieldInfo) -> str | None:
    return None if field.is_required() else _shown(field.default)


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case Enum():
            return str(value.value)
        case timedelta():
            return str(TypeAdapter(timedelta).dump_python(value, mode="json"))
    return str(value)
