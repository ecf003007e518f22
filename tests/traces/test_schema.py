"""Schemas that cannot be used: each is refused with the place, and nothing is fetched."""

import json
from pathlib import Path

import pytest

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.traces.schema import read_schema


def refused(folder: Path, text: str) -> str:
    path = folder / "schema.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_schema(path)
    assert caught.value.path == str(path)
    return caught.value.message


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "nothing"}, "$"),
        ({"properties": {"a": {"items": {"type": "nothing"}}}}, "$.properties.a.items"),
        ({"oneOf": [{}, {"required": 3}]}, "$.oneOf[1]"),
        ({"properties": {"a": {"pattern": "("}}}, "$.properties.a"),
        ({"properties": {"a": {"$ref": "#/nowhere"}}}, "$.properties.a"),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "$"),
        ({"$ref": "file:///etc/hostname"}, "$"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "$.properties.a"),
    ],
)
def test_the_place_that_makes_no_sense_is_named(tmp_path: Path, schema: object, place: str) -> None:
    said = refused(tmp_path, json.dumps(schema))
    assert said.startswith("The schema makes no sense: ")
    assert said.endswith(f" @ {place}")


def test_a_draft_whose_rules_would_be_passed_over_is_refused(tmp_path: Path) -> None:
    later = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": []}'
    assert "$.$schema" in refused(tmp_path, later)
    (tmp_path / "schema.json").write_text('{"$schema": "http://json-schema.org/draft-07/schema#"}')
    read_schema(tmp_path / "schema.json")


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    assert "line 2 column 1" in refused(tmp_path, '{"a":\n}')


def test_a_schema_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_schema(tmp_path / "none.json")
