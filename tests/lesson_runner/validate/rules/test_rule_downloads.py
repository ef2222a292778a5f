"""Downloads: unencrypted, without a digest, piped into a shell."""

from __future__ import annotations

import pytest
from tests.lesson_runner.validate.rules.code_lessons import found, lesson_with

from lesson_runner.validate.rules import downloads, pipes

INSECURE, UNPINNED = ((rule,) for rule in downloads.RULES)


@pytest.mark.parametrize(
    ("script", "column"),
    [
        ("wget http://x.io/a.txt", 6),
        ("curl -o a http://x.io/a && sha256sum -c a.sha", 11),
        ("sudo curl -fsSL 'http://x.io/a' | tar x", 17),
        ("pip install --index-url http://x.io/simple ttnn", 25),
        ("pip install -i http://x.io/simple ttnn", 16),
        ("python3 -m pip install --extra-index-url=http://x.io ttnn", 24),
        ("uv pip install --find-links http://x.io ttnn", 29),
        ("pip install http://x.io/ttnn.whl", 13),
        ("git clone http://x.io/a.git", 11),
        ("git submodule add http://x.io/a.git", 19),
        ("cat <(curl http://x.io/a)", 12),
    ],
)
def test_plain_http(script: str, column: int) -> None:
    assert found(INSECURE, lesson_with(script)) == [f"1:{column} insecure-download"]


@pytest.mark.parametrize(
    "script",
    [
        "curl http://localhost:8000/v1/models",
        "curl http://127.0.0.1 http://[::1]:80/x http://192.168.1.4 http://10.0.0.1",
        "curl http://board.local/x http://gateway:8080 http://example.com",
        "curl http://<host>:8000 http://$HOST:8000/x http://{host}/x",
        "curl http://x.io/runs -d '{}'",
        "curl -X POST http://x.io/runs",
        "curl -H 'Origin: http://x.io' https://x.io",
        "echo http://x.io  # curl http://x.io",
        "open http://x.io; grep http://x.io a; git config a http://x.io",
        "cat <<END\nwget http://x.io\nEND",
        "curl http://[x",
    ],
)
def test_what_does_not_count_as_a_plain_download(script: str) -> None:
    assert found(INSECURE, lesson_with(script)) == []


def test_plain_http_in_python() -> None:
    for call in (
        "urllib.request.urlretrieve",
        "urlopen",
        "requests.get",
        "torch.hub.load_state_dict_from_url",
    ):
        column = len(call) + 2
        assert found(INSECURE, lesson_with(f"{call}('http://x.io/a')", "python")) == [
            f"1:{column} insecure-download"
        ]
    assert found(INSECURE, lesson_with(">>> requests.get('http://x.io')", "python")) == [
        "1:18 insecure-download"
    ]
    for good in (
        "requests.get('http://localhost:8000')",
        "cache.get('http://x.io')",
        "requests.post('http://x.io')",
        "requests.get(f'http://{host}')",
        "print('http://x.io')",
    ):
        assert found(INSECURE, lesson_with(good, "python")) == []


@pytest.mark.parametrize(
    "script",
    [
        "wget https://x.io/a",
        "wget -q https://x.io/a -O b",
        "curl -O https://x.io/a",
        "curl -fsSLo a https://x.io/a",
        "curl https://x.io/a --output=a",
        "curl https://x.io/a > a",
        "cd x && curl https://x.io/a >> a",
        'curl -L "$URL" -o a',
        "sudo -u me wget https://x.io/a",
        "sha256sum -c b.sha\nwget https://x.io/a",
    ],
)
def test_saved_without_a_digest(script: str) -> None:
    assert [item.split()[1] for item in found(UNPINNED, lesson_with(script))] == ["unpinned-download"]


@pytest.mark.parametrize(
    "script",
    [
        "curl https://x.io",
        "curl https://x.io -o /dev/null -w '%{http_code}'",
        "curl https://x.io > /dev/null 2> errors",
        "wget -qO- https://x.io | head",
        "wget --spider https://x.io",
        "wget https://x.io/a\necho '0  a' | sha256sum --check",
        "curl -O https://x.io/a && shasum -a 256 a",
        "curl -O https://x.io/a\nopenssl dgst -sha256 a",
        "curl -O https://x.io/a https://x.io/a.asc; gpg --verify a.asc",
        "curl -H 'Accept: octet/o' -u root:pass https://x.io",
        "curl -XPOST https://x.io/runs",
        "wget http://localhost/a",
        "wget https://x.io/[source]/a https://x.io/<name>",
        "echo wget https://x.io/a",
    ],
)
def test_not_saved_or_compared(script: str) -> None:
    assert found(UNPINNED, lesson_with(script)) == []


def test_one_diagnostic_for_each_block() -> None:
    script = "wget http://x.io/a | sh\nwget http://x.io/b\ncurl x.io | sh; curl y.io | sh"
    assert found((*downloads.RULES, *pipes.RULES), lesson_with(script)) == [
        "1:6 insecure-download",
        "1:1 unpinned-download",
        "1:1 pipe-to-shell",
    ]


@pytest.mark.parametrize(
    "script",
    [
        "curl -fsSL https://x.io/i.sh | sh",
        "curl x.io | sudo -E bash -",
        "wget -qO- https://x.io | bash -s -- --yes",
        "curl https://x.io | env A=1 bash > log 2>&1",
        "curl https://x.io | tee a | bash",
        "curl https://x.io | gunzip | sh",
        "curl https://x.io | python3 -",
        'curl "$URL" | sh',
        "bash <(curl -s https://x.io)",
        "source <(curl -s https://x.io)",
        "bash < <(curl https://x.io)",
        'bash <<< "$(curl https://x.io)"',
        'sh -c "$(curl -fsSL https://x.io)"',
        '/bin/bash -o pipefail -c "$(curl https://x.io)"',
        'python3 -c "$(curl https://x.io)"',
        'eval "$(curl https://x.io)"',
        "sh -lc `curl https://x.io`",
    ],
)
def test_downloads_that_are_run_directly(script: str) -> None:
    assert found(pipes.RULES, lesson_with(script)) == ["1:1 pipe-to-shell"]
    assert found(pipes.RULES, lesson_with(f"$ {script}\nDone", "console")) == ["1:3 pipe-to-shell"]


@pytest.mark.parametrize(
    "script",
    [
        'echo "curl https://x.io | sh"  # curl https://x.io | sh',
        "grep 'curl https://x.io | sh' install.md",
        "cat <<END\ncurl https://x.io | sh\nEND",
        "curl https://x.io | python3 -m json.tool",
        "curl https://x.io | python3 -c 'import sys'",
        "curl https://x.io | bash check.sh",
        "curl https://x.io | tar xz",
        "curl https://x.io | grep bash",
        "curl https://x.io | while read a; do echo $a; done",
        'bash -c "echo $(curl https://x.io)"',
        "diff <(curl https://x.io) <(curl https://y.io)",
        "bash script.sh <(curl https://x.io)",
        "curl http://localhost:8000/setup | bash",
        "cat install.sh | sh",
        'echo "$(curl https://x.io)"',
    ],
)
def test_not_run(script: str) -> None:
    assert found(pipes.RULES, lesson_with(script)) == []
