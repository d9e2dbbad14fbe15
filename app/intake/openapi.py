"""Describes `POST /alerts` in the OpenAPI document: the endpoint stands before FastAPI, which cannot know it."""

import json
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.httpkit import problems
from app.intake.attachments import MAX_ATTACHMENTS
from app.intake.formats.native import MAX_ALERTS
from app.intake.schema import NativeAlert

ACCEPTED_ONE = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": "string", "description": "Sorts by time"},
        "status": {"const": "accepted"},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
ACCEPTED_MANY = {
    "type": "object",
    "required": ["accepted", "ids"],
    "properties": {
        "accepted": {"type": "integer"},
        "ids": {"type": "array", "items": {"type": "string"}},
        "warnings": {"type": "array", "items": {"type": "string"}},
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
    "400": "Broken JSON or multipart/form-data, or a request that cannot be understood",
    "401": "The token is missing or wrong",
    "403": "A page of another origin sent this",
    "408": "The request did not come in time",
    "413": "The body, or the attachments of an alert, are over the limit that the answer names",
    "415": "A type of body that no alert is read from",
    "421": "The Host is not one of this daemon's",
    "422": "No alert follows from the body; `errors` names each bad field",
    "503": "The journal, or the memory for large bodies, cannot take more just now; post again after Retry-After",
}
REFUSAL_EXAMPLES = {
    "413": problems.content_too_large(10 << 20, what="The attachments of one alert", setting="http.attachments_limit"),
    "503": problems.service_unavailable(
        "Too many large bodies are coming in at once.", retry_after=timedelta(seconds=1)
    ),
}
FORM_WITH_FILES = {
    "type": "object",
    "description": "The fields of a native alert; whatever has a file name becomes an attachment",
    "required": ["subject"],
    "properties": {
        "subject": {"type": "string"},
        "content": {"type": "string"},
        "severity": {"type": "string"},
        "file": {"type": "array", "maxItems": MAX_ATTACHMENTS, "items": {"type": "string", "format": "binary"}},
    },
}
WITH_ATTACHMENT = {
    "subject": "Backup failed on db1",
    "attachments": [{"name": "backup.log", "content_type": "text/plain", "content": "ZGlzayBmdWxsCg=="}],
}
TEXT_PARAMETERS = {
    "subject": "Subject of a text body; else the Title header, else the first line",
    "severity": "Severity of a text body: info, warning, error or critical",
    "source": "Source of a text body",
    "key": "Key of a text body",
    "status": "Status of a text body: firing or resolved",
}


def describe_intake(api: FastAPI) -> None:
    """Put the operation into the document that `api` serves."""
    generate = api.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        native = NativeAlert.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(native.pop("$defs", {}), NativeAlert=native, Problem=PROBLEM)
        document["paths"].setdefault("/alerts", {})["post"] = _operation()
        return document

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _operation() -> dict[str, Any]:
    native = {"$ref": "#/components/schemas/NativeAlert"}
    many = {"type": "array", "minItems": 1, "maxItems": MAX_ALERTS, "items": native}
    return {
        "tags": ["alerts"],
        "summary": "Post one alert or many; answered once they are on the disk",
        "operationId": "post_alerts",
        "parameters": [
            {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
            for name, text in TEXT_PARAMETERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": [native, many]}, "example": WITH_ATTACHMENT},
                "text/plain": {"schema": {"type": "string"}, "example": "backup failed on db1"},
                "application/x-www-form-urlencoded": {"schema": native},
                "multipart/form-data": {"schema": FORM_WITH_FILES},
            },
        },
        "responses": {"202": _accepted()} | {code: _refusal(code) for code in REFUSALS},
    }


def _accepted() -> dict[str, Any]:
    return {
        "description": "Committed and fsynced",
        "headers": {"Location": {"schema": {"type": "string"}, "description": "Of a single alert"}},
        "content": {"application/json": {"schema": {"oneOf": [ACCEPTED_ONE, ACCEPTED_MANY]}}},
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
