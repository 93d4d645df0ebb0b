"""`python -m tests.helm.chart_readme` writes values, comments and sizes into the chart's README."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node

from infra.sizing import Shop, figures
from tests.helm.chart import CHART

README = CHART / "README.md"
SHOPS = [Shop(50, 2_000), Shop(500, 20_000), Shop(5_000, 100_000), Shop(50_000, 1_000_000)]


@dataclass(frozen=True)
class Value:
    """One value of the chart: its path, its default, what its comment says."""

    path: str
    default: str
    meaning: str


def section_table(title: str, meaning: str, values: list[Value]) -> str:
    """A group of values for people."""
    rows = [f"| `{each.path}` | {each.default} | {each.meaning} |" for each in values]
    intro = [meaning, ""] if meaning else []
    head = [f"### {title}", "", *intro, "| value | default | meaning |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def values_table(text: str) -> str:
    """Every value of a values.yaml: first those that stand alone, then one table for each group."""
    lines, root = text.splitlines(), yaml.compose(text, yaml.SafeLoader)
    assert isinstance(root, MappingNode)
    groups = [(key, node) for key, node in root.value if is_group(node)]
    alone = [(key, node) for key, node in root.value if not is_group(node)]
    tables = [section_table("The whole release", "", [_value(key, node, "", lines) for key, node in alone])]
    for key, node in groups:
        found = list(_values(node, f"{key.value}.", lines))
        tables.append(section_table(f"`{key.value}`", comment_above(lines, key.start_mark.line), found))
    return "\n".join(tables)


def is_group(node: Node) -> bool:
    """Whether its values stand on lines of their own."""
    return isinstance(node, MappingNode) and not node.flow_style


def _values(group: MappingNode, path: str, lines: list[str]) -> Iterator[Value]:
    for key, node in group.value:
        if is_group(node):
            if meaning := comment_above(lines, key.start_mark.line):
                yield Value(f"{path}{key.value}", "", meaning)
            yield from _values(node, f"{path}{key.value}.", lines)
        else:
            yield _value(key, node, path, lines)


def _value(key: Node, node: Node, path: str, lines: list[str]) -> Value:
    default = json.dumps(yaml.safe_load(yaml.serialize(node)))
    return Value(f"{path}{key.value}", f"`{default}`", comment_above(lines, key.start_mark.line))


def comment_above(lines: list[str], line: int) -> str:
    """The comment that ends right above a line."""
    first = line
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    words = (each.lstrip().removeprefix("#").removeprefix(" -- ").strip() for each in lines[first:line])
    return " ".join(words)


def sizes_table(shops: list[Shop]) -> str:
    """What shops of some sizes need."""
    needs = [dict(figures(shop)) for shop in shops]
    head = ["", *(f"{shop.events_per_second:,g} events/s, {shop.skus:,} SKUs" for shop in shops)]
    rows = [head, ["---"] * len(head), *([name, *(need[name] for need in needs)] for name in needs[0])]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def between(written: str, name: str, generated: str) -> str:
    """The text with what was generated between the marks of that name."""
    before, begin, rest = written.partition(f"<!-- {name}: python -m tests.helm.chart_readme -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->\n")
    return f"{before}{begin}\n{generated}\n{end}{after}"


def readme(written: str, values: str) -> str:
    """The README with sizes, and with the table of these values."""
    return between(between(written, "sizes", sizes_table(SHOPS)), "values", values_table(values))


if __name__ == "__main__":
    README.write_text(readme(README.read_text(), (CHART / "values.yaml").read_text()))
