"""What each block of documents of many kinds is, as their authors would say it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import BlockRole
from lesson_runner.roles import MOST_BLOCKS, RULES, roles_of

SAMPLES = Path(__file__).parents[2] / "samples" / "roles"
ROLES = {
    "compose": "file service run service interactive reference run reference",
    "git-guide": "run output run run file run run output run interactive placeholder reference reference "
    "illustration",
    "go-tool": "run file run run output system output output illustration reference",
    "kubernetes": (
        "run file run output run output placeholder service run interactive output illustration run"
    ),
    "node-readme": "run alternative placeholder service run output illustration output run"
    " system interactive",
    "notebook": "run run run output run illustration reference",
    "python-readme": "run alternative alternative run output output run file reference"
    " illustration reference",
    "python-session": "interactive run run file run run output illustration illustration",
    "rust-readme": "run alternative run file illustration output reference",
    "server-admin": "system system file run output system service interactive illustration",
    "sql-shell": "system alternative file run run output alternative illustration reference reference",
    "tabs": "run alternative run alternative file run",
    "ansible": "run file file run output interactive",
    "cmake-project": "run system illustration run illustration output",
    "maven": "run run file run output illustration illustration",
    "rails-guide": "system run service run file interactive illustration run",
    "rest-reference": "illustration illustration placeholder placeholder output illustration output",
    "terraform": "file run output run output placeholder interactive illustration",
    "windows": "illustration illustration illustration illustration illustration illustration run",
    "web-service": "run file illustration service output run output file file run alternative alternative",
}


def recognised(name: str) -> tuple[BlockRole, ...]:
    return roles_of(load_lesson(SAMPLES / f"{name}.md")[0])


def of(text: str, path: Path) -> tuple[BlockRole, ...]:
    path.write_text(text, "utf-8")
    return roles_of(load_lesson(path)[0])


@pytest.mark.parametrize("name", ROLES)
def test_the_roles_of_a_document(name: str) -> None:
    found = recognised(name)
    wrong = {
        item.block.location.line - 1: (item.role, item.rule, wanted)
        for item, wanted in zip(found, ROLES[name].split(), strict=True)
        if item.role != wanted
    }
    assert wrong == {}


def test_every_sample_is_tried() -> None:
    assert {path.stem for path in SAMPLES.glob("*.md")} == set(ROLES)


def test_the_names_of_files() -> None:
    files = {name: [item.file for item in recognised(name) if item.role == "file"] for name in ROLES}
    assert files["web-service"] == ["app.py", ".env", "test_app.py"]
    assert files["server-admin"] == ["/etc/nginx/sites-available/site"]  # the editor above names it
    assert files["go-tool"] == ["main.go"]
    assert files["tabs"] == ["src/main.ts"]


def test_what_prints_an_output() -> None:
    found = recognised("web-service")
    assert {item.number: item.printed_by for item in found if item.role == "output"} == {5: 4, 7: 6}
    assert [item.printed_by for item in recognised("git-guide") if item.role == "output"] == [1, None]


def test_what_to_fill_in(tmp_path: Path) -> None:
    (found,) = of(
        "Replace `shop.example` with your host:\n\n```bash\nexport TOKEN=<your-token> KEY=YOUR_API_KEY\n"
        "scp path/to/file shop.example: < in.txt  # <no-placeholder>\ncurl -H 'X: xxxx' $HOST [user]\n```\n",
        tmp_path / "a.md",
    )
    assert (found.role, found.placeholders) == (
        "placeholder",
        ("<your-token>", "YOUR_API_KEY", "path/to/file", "shop.example", "xxxx", "[user]"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "cat < in.txt > out.txt",
        "echo '<b>bold</b>' | sed 's/[a-z]//'",
        'echo "$VAR ${YOUR} [0-9]" # <name>',
        "ls file[0-9].txt && [ -f my_file ] && sort <(ls) >(cat)",
    ],
)
def test_what_is_not_to_fill_in(tmp_path: Path, text: str) -> None:
    (found,) = of(f"```bash\n{text}\n```\n", tmp_path / "a.md")
    assert (found.role, found.placeholders) == ("run", ())


def test_the_names_of_choices() -> None:
    named = [(item.role, item.group, item.option) for item in recognised("python-readme") if item.group]
    assert named == [
        ("run", "installation", "pip-install-tidyup"),
        ("alternative", "installation", "pipx-install-tidyup"),
        ("alternative", "installation", "install-from-source"),
    ]
    named = [(item.role, item.group, item.option) for item in recognised("tabs") if item.group]
    assert named == [
        ("run", "install", "npm"),
        ("alternative", "install", "pnpm"),
        ("run", "install", "npm"),
        ("alternative", "install", "pnpm"),
    ]


def test_all_that_rules_said_is_kept(tmp_path: Path) -> None:
    (found,) = of("## Troubleshooting\n\n```bash\nsudo reboot now\n```\n", tmp_path / "a.md")
    assert [(item.rule, item.role) for item in found.opinions] == [
        ("troubleshooting", "reference"),
        ("changes-the-machine", "system"),
        ("shell", "run"),
    ]
    order = [rule.name for rule in RULES]
    assert (
        found.rule == found.opinions[0].rule == min((item.rule for item in found.opinions), key=order.index)
    )


def test_a_command_link_has_no_number(tmp_path: Path) -> None:
    link, block = of("[Install](command:my.install)\n\n```bash\nls\n```\n", tmp_path / "a.md")
    assert (link.number, link.block.language, link.block.text) == (0, "command-link", "my.install")
    assert (link.role, block.number) == ("illustration", 1)


@pytest.mark.slow
def test_more_blocks_than_rules_look_at(tmp_path: Path) -> None:
    started = time.process_time()
    found = of("```bash\nls\n```\n" * (MOST_BLOCKS + 10), tmp_path / "a.md")
    assert [item.role for item in (found[0], found[-1])] == ["run", "illustration"]
    assert time.process_time() - started < 5


PARTS = st.sampled_from(
    ["Or, run:", "**Output:**", "## Option B", "# Next", "<details><summary>x</summary>", '=== "npm"', "1. a"]
    + [
        f"```{language}\n{text}\n```"
        for language in ("", "bash", "python", "json title=a.json")
        for text in ("ls", "$ ls", ">>> f(", "x = <a", "{", "'", "def f(): ...")
    ]
)


@settings(max_examples=30)
@given(parts=st.lists(PARTS, max_size=12))
def test_any_document_has_roles(parts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    found = of("\n\n".join(parts), path)
    assert found == of("\n\n".join(parts), path)
    assert [item.number for item in found] == list(range(1, len(found) + 1))
    assert all(item.reason and item.role == item.opinions[0].role for item in found if item.opinions)
    assert all(bool(item.group) == bool(item.option) for item in found)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ('{% tab title="One" %}', "{% endtab %}"),
        ('{{% tab tabName="One" %}}', "{{% /tab %}}"),
        ('{{< tab name="One" >}}', "{{< /tab >}}"),
        ('<Tab title="One">', "</Tab>"),
        ('=== "One"', "# Next"),
    ],
)
def test_marks_of_tabs(tmp_path: Path, begin: str, end: str) -> None:
    fence = "```bash\nls\n```"
    inside, after = of(f"{begin}\n\n{fence}\n\n{end}\n\n{fence}\n", tmp_path / "a.md")
    assert (inside.block.tab, after.block.tab) == ("One", "")


def test_marks_of_folds(tmp_path: Path) -> None:
    fence = "```bash\nls\n```"
    folds = ("<details>\n<summary><b>More</b></summary>", "</details>", "::: details Log", ":::")
    text = "\n\n".join(f"{mark}\n\n{fence}" for mark in folds)
    assert [item.block.fold for item in of(text, tmp_path / "a.md")] == ["More", "", "Log", ""]


def test_the_text_below_a_block(tmp_path: Path) -> None:
    fence = "```bash title=x\nls\n```"
    first, second = of(
        f"- one\n\n  {fence.replace(chr(10), chr(10) + '  ')}\n- *two*\n\n{fence}\n\n## Next\n\nlast\n",
        tmp_path / "a.md",
    )
    assert (first.block.below, second.block.below, first.block.info) == ("*two*", "", "bash title=x")


def test_a_fold_that_the_page_opens_is_no_other_way(tmp_path: Path) -> None:
    fold = "<details{}>\n<summary>{}</summary>\n\n```bash\nmake {}\n```\n\n</details>\n\n"
    found = of(f"{fold.format(' open', 'Source', 'a')}{fold.format('', 'Other', 'b')}", tmp_path / "a.md")
    assert [item.role for item in found] == ["run", "alternative"]


def test_a_section_that_asks_the_program_is_no_exercise(tmp_path: Path) -> None:
    text = "## {}\n\n```bash\nmake ask\n```\n\n"
    found = of(
        "".join(map(text.format, ("Start", "Ask questions", "Questions", "Discussion questions"))),
        tmp_path / "a.md",
    )
    assert [item.role for item in found] == ["run", "run", "illustration", "illustration"]


def test_what_no_command_prints_is_not_compared(tmp_path: Path) -> None:
    console = "```console\n$ make\ndone\n```\n\n"
    usage, tree = "```\nmake [OPTIONS]\n```\n\n", "It has parts:\n\n```\na\n├── b\n```\n\n"
    printed = "It prints:\n\n```\ndone\n```\n\n"
    found = of(f"{console}{usage}```bash\nmake\n```\n\n{printed}{tree}", tmp_path / "a.md")
    assert [(item.number, item.printed_by) for item in found if item.role == "output"] == [
        (2, None),
        (4, 3),
        (5, None),
    ]
