"""A page to read the document: one file without scripts, so that nothing is loaded and nothing runs."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any, Final

from services.api.openapi.example import example
from services.api.openapi.schemas import Json
from services.api.openapi.style import STYLE

_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"
"""The page's Content-Security-Policy: its own style and nothing else."""


def page(document: Json) -> str:
    """HTML with every operation, its parameters, bodies, answers and a curl line, and every schema."""
    info = document["info"]
    doors = "".join(_door(tag, document) for tag in document["tags"])
    links = "".join(f'<li><a href="#{escape(tag["name"])}">{escape(tag["name"])}</a></li>' for tag in document["tags"])
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_text(info['description'])}</p>"
        f'<p>As <a href="/openapi.json">openapi.json</a>, OpenAPI {escape(document["openapi"])}.</p>'
        f'<nav><ul>{links}<li><a href="#schemas">schemas</a></li></ul></nav>'
        f'{doors}<h2 id="schemas">Schemas</h2>{schemas}</body></html>\n'
    )


def _door(tag: Json, document: Json) -> str:
    operations = [
        _operation(method, path, operation, document)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    ]
    name = escape(tag["name"])
    return f'<h2 id="{name}">{name}</h2><p>{_text(tag["description"])}</p>{"".join(operations)}'


def _operation(method: str, path: str, operation: Json, document: Json) -> str:
    parts = [f"<p>{_text(operation['description'])}</p>", _parameters(operation["parameters"])]
    if "requestBody" in operation:
        parts.append(f"<h4>Body</h4>{_reference(_content(operation['requestBody']))}")
    parts += [
        f"<h4>Answers</h4>{_answers(operation['responses'], document)}",
        f"<h4>For example</h4><pre>{escape(_curl(method, path, operation, document))}</pre>",
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b class="{method}">{method.upper()}</b> '
        f"<code>{escape(path)}</code> <span>{_text(operation['summary'])}</span></summary>{''.join(parts)}</details>"
    )


def _parameters(parameters: list[Json]) -> str:
    rows = [
        f"<tr><td><code>{escape(one['name'])}</code>{' *' if one['required'] else ''}</td><td>{one['in']}</td>"
        f"<td>{_reference(one['schema'])}</td><td>{_text(one.get('description', ''))}</td></tr>"
        for one in parameters
    ]
    return f"<h4>Parameters</h4><table>{''.join(rows)}</table>" if rows else ""


def _answers(responses: Json, document: Json) -> str:
    rows = []
    for status, given in responses.items():
        response = document["components"]["responses"][_name(given)] if "$ref" in given else given
        shape = _reference(_content(response)) if "content" in response else "no body"
        headers = ", ".join(escape(name) for name in response.get("headers", {}))
        rows.append(f"<tr><td>{status}</td><td>{_text(response['description'])}</td><td>{shape}</td><td>{headers}</td>")
    return f"<table>{'</tr>'.join(rows)}</tr></table>"


def _schema(name: str, schema: Json) -> str:
    told = f"<p>{_text(schema['description'])}</p>" if "description" in schema else ""
    rest = {key: value for key, value in schema.items() if key != "description"}
    written = escape(json.dumps(rest, indent=2, ensure_ascii=False))
    title = f"<summary><code>{escape(name)}</code></summary>"
    return f'<details id="schema-{escape(name)}">{title}{told}<pre>{written}</pre></details>'


def _reference(schema: Json) -> str:
    """A link to a schema that has a name, else what it says."""
    if "$ref" in schema:
        name = escape(_name(schema))
        return f'<a href="#schema-{name}">{name}</a>'
    return f"<code>{escape(json.dumps(schema, ensure_ascii=False))}</code>"


def _curl(method: str, path: str, operation: Json, document: Json) -> str:
    """A line that a reader can paste once the key is theirs."""
    schemas = document["components"]["schemas"]
    for one in operation["parameters"]:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(_in_path(one, schemas)))
    lines = [f'curl -X {method.upper()} "$BELLTOWER{path}"']
    proofs = [next(iter(proof)) for proof in operation.get("security", [])]
    lines += [_proof(document["components"]["securitySchemes"][name]) for name in proofs[:1]]
    if "requestBody" in operation:
        body = json.dumps(example(_content(operation["requestBody"]), schemas), ensure_ascii=False)
        lines += ['-H "Content-Type: application/json"', "-d '" + body.replace("'", "'\\''") + "'"]
    return " \\\n  ".join(lines)


def _in_path(parameter: Json, schemas: Json) -> Any:
    value = example(parameter["schema"], schemas)
    return parameter["name"] if value == "…" else value


def _proof(scheme: Json) -> str:
    match scheme:
        case {"in": "header", "name": name}:
            return f'-H "{name}: $KEY"'
        case {"in": "query", "name": name}:
            return f'--url-query "{name}=$KEY"'
    return '-H "Authorization: Bearer $KEY"'


def _content(part: Json) -> Json:
    schema: Json = next(iter(part["content"].values()))["schema"]
    return schema


def _name(reference: Json) -> str:
    name: str = reference["$ref"].rpartition("/")[2]
    return name


def _text(text: str) -> str:
    """Text with `code` in backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
