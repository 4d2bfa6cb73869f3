"""The command that measures everything: it has all tables of the page, and no others."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "benchmarks"


def test_the_page_shows_what_the_command_writes() -> None:
    commands = runpy.run_path(str(FOLDER / "all_tables.py"))["COMMANDS"]
    shown = re.findall(r"{include} benchmarks/(\w+)\.md", (ROOT / "docs" / "benchmarks.md").read_text())
    assert sorted(shown) == sorted(commands)
    for name in commands:
        assert (FOLDER / f"{name}.py").is_file()
        assert (ROOT / "docs" / "benchmarks" / f"{name}.md").is_file()
