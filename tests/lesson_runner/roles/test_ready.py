"""The port of a service is guessed from its command, its output, and the text around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.roles.ready import ready_of
from lesson_runner.testing import check_lesson, lesson_text


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("uvicorn app:app", 8000),
        ("uvicorn app:app --host 0.0.0.0 --port 8123", 8123),
        ("uvicorn app:app \\\n  --port=8123", 8123),
        ("python -m http.server", 8000),
        ("python3 -m http.server 9001 --bind 127.0.0.1", 9001),
        ("docker run -d --name web -p 8080:80 nginx", 8080),
        ("docker run -p 127.0.0.1:5433:5432 postgres", 5433),
        ("flask --app hello run", 5000),
        ("python manage.py runserver", 8000),
        ("python manage.py runserver 0.0.0.0:8001", 8001),
        ("gunicorn -w 2 -b 127.0.0.1:8002 app:app", 8002),
        ("php -S localhost:8003", 8003),
        ("PORT=3001 npm start", 3001),
        ("jupyter lab --no-browser", 8888),
        ("jupyter notebook --port 8889", 8889),
        ("streamlit run app.py --server.port 8600", 8600),
        ("redis-server", 6379),
        ("npx vite", 5173),
        ("kubectl port-forward svc/web 9090:80", 9090),
        ("vllm serve small-model", 8000),
        ("hugo server -D", 1313),
        ("npm start", None),
        ("node server.js", None),
        ("ssh -p 22 host", None),
        ("mkdir -p 2024/uvicorn-logs", None),
        ("tail -f log", None),
    ],
)
def test_from_the_command(tmp_path: Path, command: str, port: int | None) -> None:
    lesson, _ = check_lesson(lesson_text(f"# A\n\n```bash\n{command}\n```\n"), tmp_path)
    assert ready_of(lesson.blocks[0], lesson) == ({} if port is None else {"port": port})


def test_from_what_it_prints_and_the_text_below(tmp_path: Path) -> None:
    text = """# A

```console
$ npm start
Local: http://localhost:4321/
```

```bash
npm run dev
```

Open `http://127.0.0.1:4322/docs` in a browser.

Then:

```bash
cargo run
```

## Later

See http://localhost:4323 too.
"""
    lesson, _ = check_lesson(lesson_text(text), tmp_path)
    found = [ready_of(block, lesson).get("port") for block in lesson.blocks]
    assert found == [4321, 4322, None]


@pytest.mark.parametrize(
    ("sentence", "ready"),
    [
        ("Visit http://127.0.0.1:5001.", {"port": 5001}),
        ("Visit http://localhost:5001, then go on.", {"port": 5001}),
        ("Visit http://localhost.", {"port": 80}),
        ("Visit http://localhost:<port>.", {}),
        ("Visit http://localhost.example.org.", {}),
    ],
)
def test_the_address_in_a_sentence(sentence: str, ready: dict[str, int], tmp_path: Path) -> None:
    lesson, _ = check_lesson(lesson_text(f"## Run\n\n```bash\npython app.py\n```\n\n{sentence}\n"), tmp_path)

    assert ready_of(lesson.blocks[0], lesson) == ready
