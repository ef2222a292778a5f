"""Rules about documents and directives that cannot be read; the parser and the schemas apply them."""

from __future__ import annotations

from lesson_runner.model import Rule

RULES = (
    Rule("unreadable", "error", "The file cannot be read."),
    Rule("not-utf-8", "error", "The file is not UTF-8 text."),
    Rule("too-large", "error", "The file is too large for a lesson."),
    Rule("frontmatter", "error", "Frontmatter that is not a mapping between two '---' lines."),
    Rule("no-frontmatter", "warning", "A document without frontmatter."),
    Rule("yaml-syntax", "error", "YAML that cannot be parsed."),
    Rule("yaml-too-large", "error", "YAML that is too large, or becomes too large through aliases."),
    Rule("yaml-too-deep", "error", "YAML that is nested too deeply, or uses too many aliases."),
    Rule("unknown-key", "error", "A key that does not exist (in the frontmatter, a warning)."),
    Rule("missing-key", "error", "A required key is missing."),
    Rule("wrong-value", "error", "A value that its key does not allow."),
    Rule("unknown-directive", "error", "A comment that looks like a directive with a misspelt first word."),
    Rule("lost-directive", "error", "A directive that is not read, because of its place or its form."),
    Rule("unseen-fence", "info", "A code block whose fence Markdown does not see."),
    Rule("unclosed-directive", "error", "A directive whose comment is not closed."),
    Rule("directive-not-mapping", "error", "A directive whose YAML is not 'key: value' lines."),
    Rule("orphan-directive", "error", "A directive with no code block below it."),
    Rule("text-after-directive", "error", "Text on the line where a directive ends."),
    Rule("run-without-block", "error", "A 'run' directive without its hidden code block."),
    Rule("unclosed-hidden-block", "error", "A hidden code block that does not end inside its comment."),
    Rule("duplicate-step", "error", "Two steps with the same id."),
    Rule("expect-without-step", "error", "An 'expect' directive with no step above it."),
    Rule("sidecar-changed", "error", "An entry of a sidecar whose block has changed or moved."),
    Rule("sidecar-renamed", "warning", "An entry of a sidecar whose heading was renamed."),
    Rule("sidecar-unbound", "error", "A sidecar, or an entry of one, for what does not exist."),
    Rule("sidecar-conflict", "error", "An entry of a sidecar for what has a directive already."),
    Rule("expect-nothing", "error", "An 'expect' directive that any output would match."),
)
