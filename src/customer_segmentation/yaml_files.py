"""YAML that people write, without what is taken another way than it was meant."""

from typing import Any

import yaml


class Mistake(yaml.YAMLError):
    """What the text says can't be meant: the message names the key and the line."""


def read(text: str) -> Any:
    """Return what a YAML text says. Raises Mistake, or any other YAMLError if it is no YAML."""
    return yaml.load(text, _Loader)


class _Loader(yaml.CSafeLoader):
    """Reads YAML in which each key stands once and each day exists: of two keys it would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping; a Mistake says what is wrong with it, and in which line."""
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise Mistake(
                    f"'{name}' stands there twice, in lines {lines[name]} and {line}. Keep one of them."
                )
            lines[name] = line
            if value.tag == "tag:yaml.org,2002:timestamp":
                try:
                    self.construct_yaml_timestamp(value)
                except ValueError as error:
                    raise Mistake(
                        f"{name} is {value.value} in line {line}, and there is no such day. "
                        "Write one that is, such as 2026-06-30."
                    ) from error
        return super().construct_mapping(node, deep)
