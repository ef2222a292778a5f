"""What makes a document, or a directive in it, impossible to read; found by the parser and the schemas."""

from __future__ import annotations

from lesson_runner.model import Rule

RULES = (
    Rule("unreadable", "error", "The file cannot be read."),
    Rule("not-utf-8", "error", "The file is not UTF-8 text."),
    Rule("too-large", "error", "The file is larger than any lesson."),
    Rule("frontmatter", "error", "The document does not begin with a mapping between two '---' lines."),
    Rule("yaml-syntax", "error", "YAML that cannot be read."),
    Rule("yaml-too-large", "error", "YAML that is too long, or grows too long through aliases."),
    Rule("yaml-too-deep", "error", "YAML that is nested too deeply, or uses too many aliases."),
    Rule("unknown-key", "error", "A key that means nothing (in the frontmatter a warning)."),
    Rule("missing-key", "error", "A key that has to be there."),
    Rule("wrong-value", "error", "A value that is not allowed where it stands."),
    Rule("unknown-directive", "error", "A comment that looks like a directive, but for its first word."),
    Rule("unclosed-directive", "error", "A directive's comment that never ends."),
    Rule("directive-not-mapping", "error", "A directive whose YAML is not 'key: value' lines."),
    Rule("orphan-directive", "error", "A directive with no code block below it."),
    Rule("text-after-directive", "error", "Text on the line on which a directive ends."),
    Rule("run-without-block", "error", "A 'run' directive without its hidden code block."),
    Rule("unclosed-hidden-block", "error", "A hidden code block that does not end inside its comment."),
    Rule("duplicate-step", "error", "Two steps with one id."),
    Rule("expect-without-step", "error", "An 'expect' directive with no step above it."),
    Rule("expect-nothing", "error", "An 'expect' directive that any output would satisfy."),
)
