"""Describes the intake in the OpenAPI document: the endpoint stands before FastAPI, which cannot know it."""

import json
from typing import Any

from fastapi import FastAPI

from app.httpkit import problems
from app.httpkit.scopes import ALERTS, BELOW_ALERTS
from app.intake.attachments import MAX_ATTACHMENTS
from app.intake.examples import EXAMPLES, REFUSAL_EXAMPLES
from app.intake.formats.native import MAX_ALERTS
from app.intake.registry import all_formats
from app.intake.schema import NativeAlert

ID = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{13}$", "description": "Sorts by time"}
WARNINGS = {"type": "array", "items": {"type": "string"}, "description": "What was changed on the way in"}
ACCEPTED_ONE = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {"id": ID, "status": {"const": "accepted"}, "warnings": WARNINGS},
}
ACCEPTED_MANY = {
    "type": "object",
    "required": ["accepted", "ids"],
    "properties": {
        "accepted": {"type": "integer"},
        "ids": {"type": "array", "items": ID},
        "warnings": WARNINGS,
    },
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
REFUSALS = {
    "400": "A request that cannot be understood; at the strict URL also broken JSON or multipart/form-data",
    "401": "The token is missing or wrong, or the signature of the body is that of no token",
    "403": "The token's scopes do not hold `send`, or a page of another origin sent this",
    "404": "There is no format of this name",
    "408": "The request did not come in time",
    "413": "The body, or the attachments of an alert, are over the limit that the answer names",
    "421": "The Host is not one of this daemon's",
    "422": "An empty body, a native alert with wrong fields (`errors` names each), or an idempotency key used before",
    "429": "The rate of this token is used up, or too many wrong tokens came from this address; wait for Retry-After",
    "431": "The header of the request is longer than the server reads",
    "503": "The journal, or the memory for large bodies, cannot take more just now; post again after Retry-After",
}
FORM_WITH_FILES = {
    "type": "object",
    "description": "The fields of a native alert; whatever has a file name becomes an attachment",
    "properties": {
        "subject": {"type": "string"},
        "content": {"type": "string"},
        "severity": {"type": "string"},
        "file": {"type": "array", "maxItems": MAX_ATTACHMENTS, "items": {"type": "string", "format": "binary"}},
    },
}
QUERY = {
    "subject": "Subject of a text body; else the Title header, else the first line",
    "severity": "Severity of a text body: info, warning, error or critical",
    "source": "Source of a text body",
    "key": "Key of a text body",
    "status": "Status of a text body: firing or resolved",
    "receiver": "The receiver who gets the alerts, whatever the routes say; may come several times",
    "token": "The token, for tools that cannot set a header; it stands in no log of this daemon",
}
IDEMPOTENCY = (
    "What names this request: one with the same name, body and URL within 24 hours gets the first answer and makes no"
    " second mail. It belongs to the token."
)


# Any one of them will do; with a signature the body itself is the proof.
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The token as the password"},
    "gotify": {"type": "apiKey", "in": "header", "name": "X-Gotify-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "token"},
    "sentry": {"type": "apiKey", "in": "header", "name": "Sentry-Hook-Signature", "description": "Of alerts only"},
    "grafana": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Grafana-Alerting-Signature",
        "description": "Of alerts only",
    },
}


def describe_intake(api: FastAPI, *, asks_for_token: bool) -> None:
    """Put the operations into the document that `api` serves, and how a client proves who it is."""
    generate = api.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        document["security"] = [{name: []} for name in SECURITY_SCHEMES] + ([] if asks_for_token else [{}])
        native = NativeAlert.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(native.pop("$defs", {}), NativeAlert=native, Problem=PROBLEM)
        alerts = document["paths"].setdefault(ALERTS, {})
        named = document["paths"].setdefault(BELOW_ALERTS + "{format}", {})
        for method in ("post", "put"):
            alerts[method] = _operation(f"{method}_alerts", "Any body that a tool sends; recognised by its shape")
            named[method] = _operation(
                f"{method}_alerts_of_format",
                "A body of a format that the URL names; `native` is strict",
                [{"name": "format", "in": "path", "required": True, "schema": {"enum": sorted(all_formats())}}],
            )
        return document

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _operation(name: str, summary: str, path: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    tools = ", ".join(known.tool for known in all_formats().values() if known.tool)
    return {
        "tags": ["alerts"],
        "summary": summary,
        "description": f"Answered once the alerts are on the disk. Understood are: {tools}; native JSON, text and"
        " forms. Any other body is mailed as it came, with a warning.",
        "operationId": name,
        "parameters": [*(path or []), *_parameters()],
        "requestBody": {"required": True, "content": _bodies()},
        "responses": {"202": _accepted()} | {code: _refusal(code) for code in REFUSALS},
    }


def _parameters() -> list[dict[str, Any]]:
    query = [
        {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in QUERY.items()
    ]
    key = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
    return [*query, key | {"description": IDEMPOTENCY}]


def _bodies() -> dict[str, Any]:
    native = {"$ref": "#/components/schemas/NativeAlert"}
    many = {"type": "array", "minItems": 1, "maxItems": MAX_ALERTS, "items": native}
    anything = {"description": "What any tool sends"}
    return {
        "application/json": {"schema": {"anyOf": [native, many, anything]}, "examples": EXAMPLES},
        "text/plain": {"schema": {"type": "string"}, "example": "backup failed on db1"},
        "application/x-www-form-urlencoded": {"schema": native},
        "multipart/form-data": {"schema": FORM_WITH_FILES},
        "*/*": {"schema": {"description": "Anything else is attached to the mail"}},
    }


def _accepted() -> dict[str, Any]:
    return {
        "description": "Committed and fsynced",
        "headers": {"Location": {"schema": {"type": "string"}, "description": "Of a single alert"}},
        "content": {
            "application/json": {
                "schema": {"oneOf": [ACCEPTED_ONE, ACCEPTED_MANY]},
                "example": {"id": "0146KBZ9XG000", "status": "accepted"},
            }
        },
    }


def _refusal(code: str) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    refusal: dict[str, Any] = {
        "description": REFUSALS[code],
        "content": {problems.CONTENT_TYPE.decode(): content},
    }
    example = REFUSAL_EXAMPLES.get(code)
    if example:
        content["example"] = json.loads(problems.body(example))
        refusal["headers"] = {name: {"schema": {"type": "string"}, "example": value} for name, value in example.headers}
    return refusal
