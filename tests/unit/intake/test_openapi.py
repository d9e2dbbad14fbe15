"""The OpenAPI document describes the intake as it is."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.intake.formats import native
from app.intake.openapi import describe_intake


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    api = FastAPI(title="t", version="1")
    describe_intake(api)
    return api.openapi()


def test_every_body_that_is_read_is_described(document: dict[str, Any]) -> None:
    """A client finds its type, the form with files among them."""
    content = document["paths"]["/alerts"]["post"]["requestBody"]["content"]
    assert set(content) == {
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }


def test_the_example_is_an_alert_with_an_attachment(document: dict[str, Any]) -> None:
    """What the document shows can be sent."""
    content = document["paths"]["/alerts"]["post"]["requestBody"]["content"]
    (alert,) = native.read(content["application/json"]["example"]).alerts
    assert [(file.name, file.data) for file in alert.attachments] == [("backup.log", b"disk full\n")]


def test_attachments_are_described(document: dict[str, Any]) -> None:
    """Name, type and content of an attachment, and that the content is base64."""
    schemas = document["components"]["schemas"]
    assert "attachments" in schemas["NativeAlert"]["properties"]
    properties = schemas["NativeAttachment"]["properties"]
    assert set(properties) == {"name", "content_type", "content"}
    assert (properties["content"]["type"], properties["content"]["contentEncoding"]) == ("string", "base64")


@pytest.mark.parametrize(("code", "headers"), [("413", {}), ("503", {"Retry-After": "1"})])
def test_refusals_of_large_bodies_have_an_example(document: dict[str, Any], code: str, headers: dict[str, str]) -> None:
    """A client can be written against what it will get."""
    response = document["paths"]["/alerts"]["post"]["responses"][code]
    example = response["content"]["application/problem+json"]["example"]
    assert example["status"] == int(code)
    assert {name: header["example"] for name, header in response["headers"].items()} == headers
