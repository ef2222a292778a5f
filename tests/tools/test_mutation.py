"""The areas of mutation testing name modules and tests that exist."""

from __future__ import annotations

import pytest
from tools.mutation import AREAS, ROOT


@pytest.mark.parametrize("name", AREAS)
def test_modules_and_tests_of_an_area_exist(name: str) -> None:
    area = AREAS[name]
    paths = [ROOT / "runner" / "lesson_runner" / f"{module}.py" for module in area.modules]
    paths += [ROOT / "tests" / "lesson_runner" / test for test in area.tests]
    assert [path for path in paths if not path.is_file()] == []
