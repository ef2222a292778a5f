"""No directive is lost: each one is planned, or an error says where it is and why it is not read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.document.lessons import load_lesson
from lesson_runner.document.lost import MOST
from lesson_runner.model import Diagnostic, Lesson
from lesson_runner.testing import lesson_text

Run = Callable[..., Any]

FIRST = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```\n\n"
HEAD = lesson_text(FIRST)
ABOVE = HEAD.count("\n")
"""How many lines are above the part that a test adds."""
FENCE = "```bash\necho two; false\n```\n"
STEP = "<!-- step\nid: two\nexpect: [{contains: two}]\n-->\n"


def indented(text: str, by: str = "    ") -> str:
    return "".join(f"{by}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def loaded(folder: Path, body: str) -> tuple[Lesson, list[Diagnostic]]:
    path = folder / "a.md"
    path.write_text(HEAD + body, "utf-8")
    return load_lesson(path)


PLACES = [
    # inside HTML
    ("<details>\n<summary>Linux</summary>\n" + STEP + FENCE + "</details>\n", 3, 1, "empty line above"),
    ('<div class="tab">\n' + STEP + FENCE + "</div>\n", 2, 1, "empty line above"),
    ("<div><!-- step\nid: two\n-->\n</div>\n" + FENCE, 1, 6, "lines of its own"),
    ("<pre>\n" + STEP + "</pre>\n" + FENCE, 2, 1, "lines of its own"),
    ("<!-- later:\n" + STEP + FENCE, 2, 1, "end that comment"),
    ("<!-- later: --> <!-- skip {reason: x} -->\n" + FENCE, 1, 17, "end that comment"),
    # indented code and text
    ('=== "Linux"\n\n' + indented(STEP + FENCE), 3, 5, "'=== \"Linux\"'"),
    ("!!! note\n\n" + indented(STEP + FENCE), 3, 5, "'!!! note'"),
    ('??? tip "More"\n\n    Do this:\n\n' + indented(STEP + FENCE), 5, 5, "'??? tip"),
    (indented(STEP + FENCE), 1, 5, "at the margin"),
    (indented(STEP + FENCE, "\t"), 1, 2, "at the margin"),
    ("- Do this:\n\n" + indented(STEP + FENCE, " " * 6), 3, 7, "list item"),
    ("Do this:\n" + indented(STEP + FENCE), 2, 5, "lines of its own"),
    # on a line with something else
    ("Do this: " + STEP + "\n" + FENCE, 1, 10, "lines of its own"),
    ("Do this: <!-- skip -->\n\n" + FENCE, 1, 10, "lines of its own"),
    ("## A heading <!-- step: {id: two} -->\n\n" + FENCE, 1, 14, "lines of its own"),
    ("| a |\n|---|\n| <!-- step {id: two} --> |\n\n" + FENCE, 3, 3, "lines of its own"),
    # in a code block that other tools show as a note or a tab
    ("````{note}\n" + STEP + FENCE + "````\n", 2, 1, "'{note}' is a code block"),
    ("::::\n`````{tab-item} Linux\n" + STEP + FENCE + "`````\n", 3, 1, "'{tab-item}' is a code block"),
    ("~~~admonish tip\n" + STEP + FENCE + "~~~\n", 2, 1, "'admonish' is a code block"),
    # in a code block that should have ended before
    ("Run: ```bash\necho\n```\n\n" + STEP + FENCE, 5, 1, "close that code block"),
    ("Run: ```bash\necho\n```\n\n<!-- expect -->\n```\ntwo\n```\n", 5, 1, "close that code block"),
    ("```bash title=`x`\necho\n```\n\n" + STEP + FENCE, 5, 1, "close that code block"),
    ("````text\nx\n```\n\n" + STEP + FENCE, 5, 1, "close that code block with ````"),
    ("```text\nx\n``` end\n\n" + STEP + FENCE, 5, 1, "close that code block"),
]


@pytest.mark.parametrize(("body", "line", "column", "fix"), PLACES)
def test_in_a_place_where_none_is_read(lesson: Run, body: str, line: int, column: int, fix: str) -> None:
    Path("a.md").write_text(HEAD + body)
    found = [
        item for item in lesson("validate", "a.md", "--json").json["findings"] if item["severity"] == "error"
    ]
    lost = [item for item in found if item["rule"] == "lost-directive"]
    assert [(item["line"] - ABOVE, item["column"]) for item in lost] == [(line, column)]
    assert fix in lost[0]["fix"]
    assert lesson("plan", "a.md").code == lesson("run", "a.md", "--allow", "shell").code == 2


FORMS = [
    # signs that are not those of a comment
    "<!--- step\nid: two\n--->",
    "<!----- step\nid: two\n----->",
    "<! -- step\nid: two\n-->",
    "< !-- step\nid: two\n-->",
    "<!- step\nid: two\n->",
    "<!\u2014 step\nid: two\n\u2014>",
    "<!\u2013- step\nid: two\n-\u2013>",
    "<-- step\nid: two\n-->",
    "&lt;!-- step\nid: two\n--&gt;",
    "\\<!-- step\nid: two\n-->",
    "{/* step\nid: two\n*/}",
    "{# step\nid: two\n#}",
    "{{!-- step\nid: two\n--}}",
    "{% comment %} step\nid: two\n{% endcomment %}",
    "<%-- step\nid: two\n--%>",
    "<?step id: two ?>",
    "[//]: # (step id: two)\n",
    "[comment]: <> (step\nid: two\n)\n",
    '[//]: # "skip"\n',
    "{::comment}\nstep\nid: two\n{:/comment}",
    "%% step\nid: two\n%%",
    "::: step\nid: two\n:::",
    # the word
    "<!--\nstep\nid: two\n-->",
    "<!--\nid: two\nexpect: [{contains: two}]\n-->",
    "<!-- test\nid: two\nexpect: [{contains: two}]\n-->",
    "<!-- @step id: two -->",
    "<!-- # step\nid: two\n-->",
    "<!-- lesson: step\nid: two\n-->",
    "<!-- lesson:step id=two -->",
    "<!-- Step\nid: two\n-->",
    "<!-- STEP {id: two} -->",
    "<!-- Skip -->",
    "<!-- Expect -->",
    "<!-- setp {uses: a} -->",
    "<!-- SKIP\n  reason : x\n-->",
    "<!-- ignor\nrules: [a]\n-->",
    "<!-- steps\nid: two\n-->",
    # what is after the word
    "<!-- step: id -->",
    "<!-- step: two -->",
    "<!-- step:\nid: two\n-->",
    "<!-- step: {id: two} -->",
    "<!-- Expect: step: a -->",
    "<!-- skip: it takes an hour -->",
    "<!-- skip - it takes an hour -->",
    "<!-- manual: press the button -->\n",
    "<!-- setp id: two -->",
    "<!-- STEP\nID: two\n-->",
    "<!-- step\nid: two\n->\n\n<!-- skip {reason: x} -->",
    '<!-- step id="two" expect="two" -->',
    "<!-- step id=two -->",
    "<!-- step(id='two') -->",
    "<!-- step, id: two -->",
    "<!-- step number two\nid: two\n-->",
]


@pytest.mark.parametrize("comment", FORMS)
def test_in_a_form_that_is_not_read(tmp_path: Path, comment: str) -> None:
    _, found = loaded(tmp_path, f"{comment}\n{FENCE}")
    (error,) = [item for item in found if item.severity == "error"]
    assert error.rule in ("lost-directive", "unknown-directive", "unclosed-directive")
    assert (error.location.line, error.location.column) == (ABOVE + 1, 1)
    assert error.fix


BLOCKS = [
    indented(FENCE),
    indented("echo two\n"),
    f"<details>\n{FENCE}</details>\n",
    "<pre>\necho two\n</pre>\n",
    "Run: ```bash\necho two\n```\n",
    "``bash\necho two\n``\n",
    "```bash title=`x`\necho two\n```\n",
    "'''bash\necho two\n'''\n",
    "{% highlight bash %}\necho two\n{% endhighlight %}\n",
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_directive_does_not_bind_to_a_later_block(tmp_path: Path, block: str) -> None:
    found, problems = loaded(tmp_path, f"{STEP}{block}\n# Later\n\n{FENCE}")
    assert [step.id for step in found.steps] == ["one"]
    assert [item.location.line - ABOVE for item in problems if item.rule == "orphan-directive"] == [1]
    found, problems = loaded(tmp_path, f"{STEP}{block}\n```text\nlater\n```\n")
    assert [step.id for step in found.steps] == ["one"]
    assert [item.location.line - ABOVE for item in problems if item.rule == "orphan-directive"] == [1]


PROSE = [
    *(
        "Note: id is short",
        "Step 3 was moved",
        "Step 3: install",
        "Stop:",
        "Stop: it",
        "Figure:",
        "Figure: a",
    ),
    *(
        "skip this for now",
        "run the tests first",
        "expect delays",
        "step by step",
        "step-by-step: yes",
        "steps",
    ),
    *(
        "Steps to take: run it",
        "ignore the next line",
        "manual steps follow",
        "skip (for now)",
        "Run (twice)",
    ),
    *(
        "prettier-ignore",
        "TODO: id: write more",
        "xyzzy\nid: one\n",
        "a step\nid: one\n",
        "Run: make the docs",
    ),
    *("Expect: some delay here", "runs: on", "Skip the rest, see [1]", "stepping: 3", "expectations = high"),
]


@pytest.mark.parametrize("prose", PROSE)
@pytest.mark.parametrize(
    "around", ["<!-- {} -->\n", "text <!-- {} --> text\n", "<!--- {} --->\n", "{{/* {} */}}\n"]
)
def test_prose_is_no_directive(tmp_path: Path, prose: str, around: str) -> None:
    _, found = loaded(tmp_path, around.format(prose) + "```text\nx\n```\n")
    assert found == []


SHOWN = [
    f"````markdown\n{STEP}{FENCE}````\n",
    f"~~~markdown\n{STEP}{FENCE}~~~\n",
    f"```markdown\n{STEP}```\n",
    f"```\n{STEP}```\n",
    f"- Write:\n\n  ````\n{indented(STEP + FENCE, '  ')}  ````\n",
    f"```bash\ncat > a.md <<'END'\n{STEP}END\n```\n",
    f"````{{code-block}} markdown\n{STEP}{FENCE}````\n",
    "Write `<!-- step {id: two} -->` above it.\n",
    "Write `<!-- step\nid: two -->` above it.\n",
    "Write ``<!-- skip -->`` or `` `<!-- skip -->` ``.\n",
    "| `<!-- step {id: two} -->` |\n|---|\n| `<!-- skip -->` |\n",
    "## `<!-- skip -->`\n",
    "It begins with &lt;!-- step --&gt; or \\<!-- skip --> or x <-- step: id\n",
    "## A heading {#step}\n",
    "{{< step >}} {{ step }} {% step %}\n",
]


@pytest.mark.parametrize("text", SHOWN)
def test_an_example_of_a_directive_is_no_directive(tmp_path: Path, text: str) -> None:
    found, problems = loaded(tmp_path, text)
    assert [item for item in problems if item.severity == "error"] == []
    assert [step.id for step in found.steps] == ["one"]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (f"<details>\n{FENCE}</details>\n", 2, "inside the HTML"),
        (f'=== "Linux"\n\n{indented(FENCE)}', 3, "indented"),
        (f"1. Run:\n\n{indented(FENCE, ' ' * 7)}", 3, "indented"),
        ("```{.bash} `x`\necho two\n```\n\n```\n", 1, "backtick"),
        (f"Run:\n{indented(FENCE)}", 2, "indented"),
    ],
)
def test_a_fence_that_markdown_does_not_see(lesson: Run, text: str, line: int, why: str) -> None:
    Path("a.md").write_text(HEAD + text + "\n~~~text\n~~~\n")
    found = lesson("validate", "a.md", "--json").json["findings"]
    assert [(item["rule"], item["severity"]) for item in found][:1] == [("unseen-fence", "info")]
    assert found[0]["line"] - ABOVE == line
    assert why in found[0]["message"]
    if any(item["severity"] == "error" for item in found):
        return
    (item,) = lesson("plan", "a.md", "--json").json["not_run"]
    assert (item["line"] - ABOVE, item["language"]) == (line + 1, "bash")
    assert why in item["reason"]


Wrap = Callable[[str], str]
CONTAINERS: list[Wrap] = [
    lambda text: indented(text, "> "),
    lambda text: "- " + indented(text, "  ")[2:],
    lambda text: "1. a\n\n" + indented(text, "   "),
    lambda text: "- a\n\n" + indented(text, "      "),
    indented,
    lambda text: indented(text, "  "),
    lambda text: indented(text, "\t"),
    lambda text: f"<details>\n{text}</details>\n",
    lambda text: f"<details>\n\n{text}\n</details>\n",
    lambda text: f"<!-- a remark\n{text}",
    lambda text: f'=== "Tab"\n\n{indented(text)}',
    lambda text: f"Some text\n{text}",
    lambda text: f"Some text {text}",
    lambda text: f"Run: ```bash\necho\n```\n\n{text}",
    lambda text: f"# A heading\n{text}",
    lambda text: f"| a |\n|---|\n{text}",
    lambda text: f"[a]: b\n{text}",
    lambda text: f"<br>\n{text}",
    lambda text: text.replace("<!-- ", "<!--- "),
    lambda text: text.replace("<!-- step", "<!--step"),
    lambda text: text.replace("step\n", "Step\n"),
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("```", "~~~"),
    lambda text: text.replace("-->\n", "-->\n\nSome text\n\n"),
    lambda text: text.replace("-->\n", "--> \n\n\n"),
]


@given(st.lists(st.sampled_from(CONTAINERS), max_size=3))
@settings(max_examples=60)
def test_a_directive_is_planned_or_reported(
    tmp_path_factory: pytest.TempPathFactory, wraps: list[Wrap]
) -> None:
    text = STEP + FENCE
    for wrap in wraps:
        text = wrap(text)
    found, problems = loaded(tmp_path_factory.mktemp("lessons"), text)
    planned = [step for step in found.steps if step.id == "two"]
    assert planned or any(item.severity == "error" for item in problems)
    assert all(step.block and "two" in step.block.text for step in planned)


@pytest.mark.parametrize(
    "text",
    [
        "<" * 380_000,
        "<!" * 180_000,
        "<!-- step " * 38_000,
        "<!-- step by " * 28_000,
        "<!-- step\n" * 9_000,
        "`<!-- step -->` " * 22_000,
        "a `` `<!-- skip\n" * 9_000,
        "    <!-- step\n" * 9_000,
        indented("```bash\n") * 9_000,
        "<" + "\t" * 380_000,
        "[a]: # (" * 46_000,
        "run ```b\n" * 9_000,
        "<!--" + "-" * 380_000,
    ],
    ids=range(13),
)
def test_it_takes_linear_time(tmp_path: Path, text: str) -> None:
    before = time.process_time()
    _, found = loaded(tmp_path, text)
    assert time.process_time() - before < 3
    assert len(found) <= 2 * MOST
