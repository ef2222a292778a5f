"""Text that was encoded twice: turned back where it can be, listed where not, and nothing else touched."""

# ruff: noqa: RUF001  # signs that look like others are what this is about

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lesson_ct4.corpus import published_lesson

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Diagnostic, Scope
from lesson_runner.testing import lesson_text
from lesson_runner.validate.fix import apply_edits
from lesson_runner.validate.rules.encoding import check_double, check_lost

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```\n\n"
CODE_PAGES = ("cp1252", "cp1254", "latin-1")

# What lessons are full of; each piece is rightly written, and may stand next to any other.
PIECES = (
    "Plain text, with (brackets), 100 % & #1: “quotes” ‘single’ — dashes – and … dots•",
    "✅ ❌ ⚠️ ⭐ ⏳ ⚡ 🎓 📦 🚀 🖥️ 🌡️ 👩‍💻 🇹🇷 1️⃣ ©️ ™ ® © § ¶",
    "→ ← ↔ ⇒ ↳ × ÷ ± ≈ ≤ ≥ ≠ ∞ √ ∑ ∂ ∆ µ ° ² ³ ½ ¼ € £ ¥ ¢",
    "┌──┬──┐ │ ├ ═ ║ ╔ █ ▓ ░ ▶ ■ ● ◆ ✓ ✗ ❯ ☃",
    "Ağaç, ışık, şöyle: İstanbul’da hâlâ kâğıt var; ĞÜŞİÖÇ “hâlâ”",
    "Une âme, « déjà » : voilà… l’été, où ? cœur ; ŒUVRE — ÉCOLE À NOËL",
    "Größe, „Straße“, Übung; ‚einfach‘ »anders« Füße, ÄÖÜ, naïve café†",
    "São João, ação: MAÇÃ e NÃO… coração. ¿Qué? ¡Sí! niño, pingüino, 1.ª 2.º",
    "România: când, Â și â, înțeles. Việt Nam: nhân dân, chữ “quốc ngữ”, đường",
    "Příští zvlášť žluťoučký kůň, Łódź, źdźbło, ćma, ąę; ő ű; šķiet ārā",
    "Íslenska: það “já” þær ð, Ðetta; blåbærgrød, ærlig, ÆØÅ, Å",
    "中文，日本語「です」。한국어 العربية، עברית हिन्दी ไทย",
    "Привет, мир! «Ёлка»… Україна: її, єдність, ґава. Србија, љубав, вђ, Њ",
    "Ελληνικά: ναι; άλλο. β€ Ω ΑΒΓ",
)
TEXTS = st.lists(
    st.sampled_from(sorted({word for piece in PIECES for word in piece.split()})), min_size=1, max_size=12
).map(" ".join)


def found(text: str, folder: Path) -> list[Diagnostic]:
    path = folder / "a.md"
    path.write_text(text, "utf-8")
    lesson, _ = load_lesson(path)
    return [*check_double(lesson, Scope()), *check_lost(lesson, Scope())]


def repaired(text: str, diagnostics: list[Diagnostic]) -> str:
    edits = [edit for item in diagnostics for edit in item.edits]
    new, done = apply_edits(text, edits)
    assert done == set(edits)
    return new


def as_bytes_look(text: str, page: str) -> str:
    """Return UTF-8 read as a code page by a browser: what means nothing there becomes a control character."""
    return "".join(bytes([byte]).decode(page, "ignore") or chr(byte) for byte in text.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoding")


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.split()[0])
def test_text_as_it_should_be(piece: str, folder: Path) -> None:
    assert found(piece, folder) == []


@pytest.mark.slow
@given(TEXTS)
def test_correct_text_is_not_reported(folder: Path, text: str) -> None:
    assert found(text, folder) == []


@pytest.mark.parametrize("page", CODE_PAGES)
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.split()[0])
def test_text_that_lost_nothing_is_repaired(piece: str, page: str, folder: Path) -> None:
    twice = as_bytes_look(piece, page)
    assert repaired(twice, found(twice, folder)) == piece


@pytest.mark.slow
@given(text=TEXTS, page=st.sampled_from(CODE_PAGES))
def test_any_text_that_lost_nothing_is_repaired(folder: Path, text: str, page: str) -> None:
    # Beside one sure sign, what could be either is what it would be everywhere else.
    text = f"✅ {text}"
    twice = as_bytes_look(text, page)
    [finding] = found(twice, folder)
    assert finding.rule == "double-encoded"
    assert repaired(twice, [finding]) == text


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(text=TEXTS, page=st.sampled_from(CODE_PAGES), instead=st.sampled_from(["ignore", "replace"]))
def test_no_text_is_invented_where_bytes_were_lost(folder: Path, text: str, page: str, instead: str) -> None:
    text = f"✅ {text}\n"
    twice = text.encode().decode(page, instead)
    once = repaired(twice, found(twice, folder))
    new = set(once) - set(twice)
    assert new <= set(text)
    assert not any(item.edits for item in found(once, folder)), "a second repair changes something"


def test_text_that_was_encoded_three_times(folder: Path) -> None:
    text = "✅ naïve → “done”"
    thrice = as_bytes_look(as_bytes_look(text, "cp1252"), "cp1252")
    assert repaired(thrice, found(thrice, folder)) == text


@pytest.mark.parametrize("page", ["cp1250", "cp1251", "cp1253", "cp1257", "mac_roman", "cp437"])
def test_other_code_pages(page: str, folder: Path) -> None:
    text = "“One” → two ✅ — 📦…"
    twice = as_bytes_look(text, page)
    assert repaired(twice, found(twice, folder)) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("❌ no", "âŒ"),
        ("🎓 more", "ğŸ“"),
        ("⏳ soon", "â³"),
        ("the 🏁", "ğŸ"),
        ("🎉 done", "ğŸ‰"),
        ("⚠️ a", "ï¸"),
    ],
)
def test_broken_characters_are_listed(text: str, left: str, folder: Path) -> None:
    twice = "ok ✅ " + text
    twice = twice.encode().decode("cp1254", "ignore")
    lost = [item for item in found(twice, folder) if item.rule == "lost-bytes"]
    assert [item.message.replace("1252", "1254") for item in lost] == [
        "line 1: broken characters, encoded twice through Windows-1254 with bytes lost"
    ]
    assert f"'{left}'" in str(lost[0].fix)
    assert twice.startswith(left, lost[0].location.column - 1)
    assert lost[0].edits == ()


def test_candidates_for_broken_characters_are_listed(folder: Path) -> None:
    [lost] = found("❌ ⏳ 🎯 🎓".encode().decode("cp1254", "ignore"), folder)
    assert lost.fix == (
        "type them again: 'âŒ' was ❌; 'â³' was ⏳; 'ğŸ¯' was 🍯 or 🎯 or 🏯 or 🐯; "
        "'ğŸ“' was one of many emoji"
    )


def test_a_space_is_not_a_lost_byte(folder: Path) -> None:
    """ftfy alone would write ⌠ for the rest of ❌ here."""
    twice = "âœ… yes\nâŒ no, ğŸ¨ paint"
    assert repaired(twice, found(twice, folder)) == "✅ yes\nâŒ no, ğŸ¨ paint"


def test_one_diagnostic_for_all_of_it(lesson: Lesson, tmp_path: Path) -> None:
    twice = as_bytes_look("✅", "cp1254")
    rows = [f"{twice} row" if n not in (3, 7, 8) else "row" for n in range(40)]
    text = lesson_text(STEP).replace("title: ", f"title: # {twice}\n  ") + "\n".join(rows)
    (tmp_path / "a.md").write_text(text, "utf-8")
    [said] = lesson("validate", "a.md", "--json").json["findings"]
    assert (said["rule"], said["severity"], said["line"], said["column"]) == (
        "double-encoded",
        "error",
        3,
        10,
    )
    assert said["message"] == (
        f"38 lines (3, 18-20, 22-24, 27-57): encoded twice, through Windows-1252: '{twice}' was '✅'"
    )
    assert "'lesson validate --fix'" in said["fix"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_fix_repairs_the_file_once(lesson: Lesson, tmp_path: Path, end: str) -> None:
    body = "## Étape ✅ → naïve\n\n| a “b” | ⚠️ |\n|---|---|\n\n- ⭐ 📦 Größe\n\n```text\n≈ 4 × 200\n```\n"
    body += '\n[📦 Install](command:tenstorrent.install)\n\n<!-- skip\nreason: "“not” ✅"\n-->\n'
    body += "```bash\necho ✅\n```\n"
    path, right = tmp_path / "a.md", lesson_text(STEP, title="x") + body
    right = right.replace('"x"', '"Ready ✅"').replace("\n", end)
    path.write_bytes(("\ufeff" + as_bytes_look(right, "cp1254")).encode())
    assert lesson("validate", "a.md").code == 1
    said = lesson("validate", "a.md", "--fix", "--json")
    assert said.json["findings"] == []
    assert path.read_bytes() == ("\ufeff" + right).encode()
    assert lesson("validate", "a.md", "--fix", "--json").json["findings"] == []
    assert path.read_bytes() == ("\ufeff" + right).encode()


def test_text_that_is_broken_on_purpose(lesson: Lesson, tmp_path: Path) -> None:
    twice = as_bytes_look("✅", "cp1252")
    ignore = "<!-- ignore {rules: [double-encoded], reason: it shows what that looks like} -->\n"
    text = f"{ignore}```text\n{twice} {twice}\n```\n"
    path = tmp_path / "a.md"
    path.write_text(lesson_text(STEP) + text, "utf-8")
    assert lesson("validate", "a.md", "--json").json["findings"] == []
    path.write_text(lesson_text(STEP) + text + f"\nBut {twice} here\n", "utf-8")
    [said] = lesson("validate", "a.md", "--json").json["findings"]
    assert said["line"] == path.read_text("utf-8").count("\n")
    lesson("validate", "a.md", "--fix")
    assert path.read_text("utf-8") == lesson_text(STEP) + text + "\nBut ✅ here\n"


def test_the_published_lesson(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(published_lesson().read_bytes())
    before = {f["rule"]: f["message"] for f in lesson("validate", "a.md", "--json").json["findings"]}
    assert before["double-encoded"].startswith("113 lines (32, 43, 46-49, ")
    assert before["lost-bytes"].startswith("36 lines (53, 57, 97, ")
    lesson("validate", "a.md", "--fix")
    after = {f["rule"]: f["message"] for f in lesson("validate", "a.md", "--json").json["findings"]}
    assert "double-encoded" not in after
    assert after["lost-bytes"] == before["lost-bytes"]
    assert "structure → vocabulary → fluency" in path.read_text("utf-8")
