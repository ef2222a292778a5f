"""
A test kit for authors of plugins.

Run, plan or check a lesson in one line, with only your plugin loaded. Check that the plugin follows the rules
that lesson-runner and other plugins rely on.

::

    from lesson_runner.testing import assert_conforms, lesson_text, run_lesson
    from my_lessons import plugin

    BODY = '''
    <!-- step
    id: hello
    uses: my_lessons.greet
    expect: [{contains: hello}]
    -->
    ```text
    greet
    ```
    '''

    def test_greet(tmp_path):
        record = run_lesson(lesson_text(BODY), tmp_path, plugins=[plugin])
        assert record["status"] == "passed"

    def test_the_plugin_conforms():
        assert_conforms("my_lessons.plugin")

Lessons get every permission that they ask for, without a prompt.
"""

from lesson_runner.testing.actions import check_action
from lesson_runner.testing.conformance import assert_conforms, check_plugin
from lesson_runner.testing.loading import (
    HEAVY,
    ImportResult,
    ModuleEntryPoint,
    import_in_subprocess,
    load_plugins,
)
from lesson_runner.testing.running import check_lesson, lesson_text, plan_lesson, run_lesson

__all__ = [
    "HEAVY",
    "ImportResult",
    "ModuleEntryPoint",
    "assert_conforms",
    "check_action",
    "check_lesson",
    "check_plugin",
    "import_in_subprocess",
    "lesson_text",
    "load_plugins",
    "plan_lesson",
    "run_lesson",
]
