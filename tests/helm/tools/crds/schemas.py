"""JSON Schemas for kubeconform, unknown fields refused: of custom resources and of Kubernetes' own kinds."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

COMMON = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def strict(schema: Any) -> Any:
    """The schema in JSON Schema's words, with unknown fields refused unless their owner keeps them."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: strict(value) for key, value in schema.items()}
    if "properties" in kept and not schema.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        kept["type"] = ["integer", "string"]
    if schema.get("nullable") is True:
        kept["type"] = [kept["type"], "null"]
    return kept


def write_custom(definition: dict[str, Any], folder: Path) -> None:
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= COMMON
        name = f"{spec['group']}_{spec['names']['kind'].lower()}_{version['name']}.json"
        (folder / name).write_text(json.dumps(schema))


def write_own(file: Path, folder: Path) -> None:
    schema = json.loads(file.read_text().replace("/api/_definitions.json", "_definitions.json"))
    schema.pop("$id", None)
    (folder / file.name).write_text(json.dumps(schema))


def main() -> None:
    definitions, kubernetes, folder = map(Path, sys.argv[1:])
    folder.mkdir()
    for file in definitions.iterdir():
        write_custom(yaml.load(file.read_text(), yaml.CSafeLoader), folder)
    for file in kubernetes.glob("*.json"):
        write_own(file, folder)


if __name__ == "__main__":
    main()
