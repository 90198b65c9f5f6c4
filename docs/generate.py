"""Writes the reference pages of docs/ from what the code declares: `make docs`.

Each page is a function without arguments that returns its text, so that a test can hold the committed page
against it. Nothing on these pages is written by hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Table

from expectations.contract import contract, feeds, structure
from warehouse import views
from warehouse.tables import metadata

ROOT = Path(__file__).parent.parent
ROOMS = (
    "words", "deliveries", "pull", "read", "validate", "load", "count", "indicators", "one_stop_shop", "ask", "report",
    "open_data", "keep",
)  # fmt: skip
"""Packages of tasks/ in the order in which a row goes through them: each may know those before it."""
NOTE = "<!-- Written by `make docs` from the code; a test fails when it is stale. -->\n\n"


def data_dictionary() -> str:
    """Every table and column of the warehouse, with type, meaning and reference, and every view with its columns, in both languages."""
    lines = ["# Data dictionary\n"]
    for table in _tables():
        lines += [f"\n## {table.fullname}\n", f"{table.comment}\n", "| column | type | null | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{column.name}` | {str(column.type).lower()} | {'yes' if column.nullable else ''} | {column.comment} |"
            for column in table.columns
        ]
    shown = views.complete()
    for schema, title in (("mart", "Views of the mart: what is published"), ("star", "Views of the star: the facts without persons")):
        lines += [f"\n# {title}\n", "| view | mỗi dòng | one row |", "|---|---|---|"]
        lines += [f"| `{schema}.{view.name}` | {view.row.vi} | {view.row.en} |" for view in shown if view.schema == schema]
    lines += ["\nA column means the same in every view:\n", *_explained(views.meanings())]
    for view in shown:
        if view.columns:
            lines += [f"\nColumns that only `{view.schema}.{view.name}` has:\n", *_explained(view.columns)]
    return NOTE + "\n".join(lines) + "\n"


def _explained(columns: Mapping[str, views.Words]) -> list[str]:
    head = ["| column | nghĩa | meaning |", "|---|---|---|"]
    return head + [f"| `{column}` | {words.vi} | {words.en} |" for column, words in columns.items()]


def entity_relationships() -> str:
    """The star as a Mermaid diagram, drawn from foreign keys and from the references the column comments name."""
    lines = ["# The star\n", "```mermaid", "erDiagram"]
    for table in _tables("warehouse"):
        for column in table.columns:
            targets = {key.column.table.name for key in column.foreign_keys}
            targets |= set(re.findall(r"\(((?:dim|fact)_\w+)\)", column.comment or ""))
            lines += [f"    {target} ||--o{{ {table.name} : {column.name}" for target in sorted(targets)]
    for table in _tables("warehouse"):
        lines.append(f"    {table.name} {{")
        lines += [f"        {_word(column.type)} {column.name}{' PK' if column.primary_key else ''}" for column in table.columns]
        lines.append("    }")
    return NOTE + "\n".join([*lines, "```"]) + "\n"


def architecture() -> str:
    """Which package uses which, measured from the imports: the rooms of tasks/ in the order in which a row goes through them."""
    lines = ["# Who uses whom\n", "Packages, measured from the imports; a test holds that arrows go one way.\n"]
    lines += ["```mermaid", "flowchart LR", "    desk", "    flows", "    subgraph tasks", "        direction LR"]
    lines += [f"        {room}" for room in ROOMS]
    lines += ["    end", "    expectations[(expectations)]", "    warehouse[(warehouse)]"]
    arrows = set()
    for top in ("desk", "flows", "tasks"):
        for path in (ROOT / top).rglob("*.py"):
            own = _room(path.relative_to(ROOT).with_suffix("").parts)
            used = {_room(tuple(name.split("."))) for name in imports(path)}
            arrows |= {f"    {own} --> {other}" for other in used - {own, None}}
    lines += [*sorted(arrows), "```", "\n| package of tasks/ | holds |", "|---|---|"]
    for room in ROOMS:
        sentence = ast.get_docstring(ast.parse((ROOT / "tasks" / room / "__init__.py").read_text("utf-8")))
        lines.append(f"| `{room}` | {sentence} |")
    return NOTE + "\n".join(lines) + "\n"


def _room(parts: tuple[str, ...]) -> str | None:
    if parts[0] == "tasks":
        return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None
    return parts[0] if parts[0] in ("desk", "flows", "expectations", "warehouse") else None


def rules() -> str:
    """Every rule a delivery is checked by, as data stewards see it."""
    lines = ["# Rules\n", "What holds for every feed:\n", *_rule_table(structure())]
    for feed in feeds():
        declared = contract(feed)
        lines += [
            f"\n## {feed}: {declared.title_vi}\n",
            f"{declared.grain}. Layouts: {', '.join(f'`{name}`' for name in declared.layouts)}.\n",
        ]
        lines += _rule_table(declared.rules)
    return NOTE + "\n".join(lines) + "\n"


def imports(path: Path) -> set[str]:
    """Modules a source file imports, anywhere in it, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


PAGES = {
    "data-dictionary.md": data_dictionary,
    "erd.md": entity_relationships,
    "modules.md": architecture,
    "rules.md": rules,
}
"""File in docs/ → function that writes it."""


def _rule_table(entries: tuple[object, ...] | list[object]) -> list[str]:
    head = ["| code | severity | scope | message to the supplier | laid down in |", "|---|---|---|---|---|"]
    return head + [
        f"| {rule.code} | {rule.severity} | {rule.scope} | {rule.message_vi} | {'; '.join(map(str, rule.source))} |"  # type: ignore[attr-defined]
        for rule in entries
    ]


def _tables(schema: str | None = None) -> list[Table]:
    every = sorted(metadata.tables.values(), key=lambda table: table.fullname)
    return [table for table in every if schema in (None, table.schema)]


def _word(kind: object) -> str:
    return re.sub(r"\W+", "_", str(kind).lower()).strip("_")


if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), "utf-8")
