"""The OpenAPI document describes the intake as it is."""

import json
from typing import Any

import pytest
from fastapi import FastAPI

from app.intake.examples import EXAMPLES
from app.intake.openapi import describe_intake
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    api = FastAPI(title="t", version="1")
    describe_intake(api, asks_for_token=True)
    return api.openapi()


def test_every_body_that_is_read_is_described(document: dict[str, Any]) -> None:
    """A client finds its type, the form with files among them."""
    content = document["paths"]["/alerts"]["post"]["requestBody"]["content"]
    assert set(content) == {
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "*/*",
    }


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_understood(document: dict[str, Any], name: str) -> None:
    """What the document shows can be sent, and makes alerts."""
    content = document["paths"]["/alerts"]["post"]["requestBody"]["content"]
    body = json.dumps(content["application/json"]["examples"][name]["value"]).encode()
    reading = read_alerts(incoming(body, "application/json"), SizeLimits(1 << 20, 1 << 20))
    assert reading.alerts
    assert (reading.understood, reading.warnings) == (True, ())


def test_the_formats_of_the_url_are_listed(document: dict[str, Any]) -> None:
    """A client can choose among them."""
    parameter = document["paths"]["/alerts/{format}"]["put"]["parameters"][0]
    assert {"native", "alertmanager", "raw"} <= set(parameter["schema"]["enum"])


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
