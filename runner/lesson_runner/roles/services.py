"""Which commands do not end by themselves."""

from __future__ import annotations

import re
from collections.abc import Container

from lesson_runner.roles.commands import Command

_SERVERS = frozenset(
    {
        *(
            "uvicorn",
            "gunicorn",
            "hypercorn",
            "daphne",
            "waitress-serve",
            "nginx",
            "httpd",
            "caddy",
            "redis-server",
            "mongod",
        ),
        *(
            "postgres",
            "mysqld",
            "memcached",
            "etcd",
            "consul",
            "dockerd",
            "jupyter-lab",
            "jupyter-notebook",
            "tensorboard",
        ),
        *(
            "http-server",
            "live-server",
            "nodemon",
            "webpack-dev-server",
            "vite",
            "ngrok",
            "cloudflared",
            "prometheus",
        ),
        *("grafana-server", "rackup", "puma", "streamlit", "json-server", "qemu-system-x86_64"),
    }
)
_STARTS = {
    "flask": {"run"},
    "fastapi": {"run", "dev"},
    "rails": {"server", "s"},
    "jekyll": {"serve", "s"},
    "hugo": {"server", "serve"},
    "mkdocs": {"serve"},
    "ollama": {"serve"},
    "vllm": {"serve"},
    "jupyter": {"lab", "notebook", "server"},
    "streamlit": {"run"},
    "airflow": {"standalone", "webserver", "scheduler"},
    "celery": {"worker"},
    "minikube": {"dashboard", "tunnel"},
    "kubectl": {"port-forward", "proxy"},
    "ng": {"serve"},
    "gatsby": {"develop"},
    "next": {"dev", "start"},
    "artisan": {"serve"},
    "mix": {"phx.server"},
    "npm": {"start", "dev", "serve"},
    "yarn": {"start", "dev", "serve"},
    "pnpm": {"start", "dev", "serve"},
    "bun": {"dev", "start"},
    "nats": {"server"},
}
_MODULES = frozenset(
    {"http.server", "uvicorn", "gunicorn", "flask", "jupyter", "tensorboard", "SimpleHTTPServer", "notebook"}
)
_SERVING = re.compile(
    r"(?:^|[-_./:=])(?:serve|server|api_server|daemon|gateway|runserver|webserver|listen|standalone)(?:$|[-_.:])",
    re.I,
)
_RUNNERS = frozenset(
    {
        "python",
        "python3",
        "node",
        "deno",
        "ruby",
        "java",
        "go",
        "cargo",
        "php",
        "uv",
        "poetry",
        "pipenv",
        "npx",
        "bun",
        "dotnet",
    }
)
_LISTENS = re.compile(
    r"\b(?:app|server|httpd|application|srv|api)\.(?:run|listen|serve_forever|serve|start)\(|\bListenAndServe(?:TLS)?\(|\bserve_forever\("
    r"|\buvicorn\.run\(|\bHTTPServer\(|\brun_forever\(|\bcreateServer\(|\bTcpListener::bind|\bweb\.run_app\(|\bDeno\.serve\("
)
_FOLLOWING = re.compile(r"logs?$")


def why_service(command: Command, listening: Container[str]) -> str:
    """
    Return why a command runs until it is stopped; empty if it ends.

    Args:
        listening: the names of files whose content listens for connections.
    """
    program, arguments, options = command.program, command.arguments, command.options
    if {"--help", "--version"} & options or "--version" in arguments:
        return ""
    if program in _SERVERS and not {"-t", "-v", "-V", "-s"} & options:
        return f"'{program}' runs until it is stopped"
    starts = _STARTS.get(program, set())
    first, second = ([word.partition(":")[0] for word in arguments[:2]] + ["", ""])[:2]
    if first in starts or second in starts:
        return f"'{' '.join([program, *arguments[:2]])}' runs until it is stopped"
    if program in ("docker", "podman", "docker-compose", "nerdctl") and (reason := _why_container(command)):
        return reason
    if (
        "-f" in options
        and (program in ("tail", "journalctl") or any(_FOLLOWING.match(word) for word in arguments[:2]))
        and not command.piped
    ):
        return f"'{program} … -f' follows until it is stopped"
    if program == "kubectl" and {"-w", "--watch"} & options:
        return "'kubectl … --watch' follows until it is stopped"
    if program == "ssh" and "-N" in options:
        return "'ssh -N' runs until it is stopped"
    module = command.words[command.words.index("-m") + 1 :][:1] if "-m" in command.words else ()
    if program.startswith("python") and module and (module[0] in _MODULES or _SERVING.search(module[0])):
        return f"'python -m {module[0]}' runs until it is stopped"
    runs = program in _RUNNERS or "/" in command.words[0] if command.words else False
    if runs and any(_SERVING.search(word) for word in _telling(command)):
        return "it starts a server"
    if runs and (path := next((item for item in arguments if item.rpartition("/")[2] in listening), "")):
        return f"'{path}' listens until it is stopped"
    return ""


def _telling(command: Command) -> list[str]:
    """Return the words that say what a program does: its own name, words and options, not folders."""
    program = command.program
    words = [
        word.rpartition("/")[2] if word.endswith((".py", ".js", ".rb", ".sh")) else word
        for word in command.words[1:]
    ]
    stop = {
        "stop",
        "status",
        "logs",
        "kill",
        "version",
        "--print-docker-cmd",
        "benchmark",
        "test",
        "install",
        "build",
    }
    if stop & {*words}:
        return []
    return [program, *(word for word in words if "/" not in word and len(word) < 40)]


def _why_container(command: Command) -> str:
    arguments, options = command.arguments, command.options
    compose = command.program == "docker-compose" or arguments[:1] == ("compose",)
    if compose and "up" in arguments:
        return "'compose up' runs until it is stopped"
    if (
        arguments[:1] == ("run",)
        and ({"-d", "--detach", "-p", "--publish", "-P"} & options)
        and not {"-i"} & options
    ):
        return f"'{command.program} run' starts a container that runs until it is stopped"
    return ""


def service_key(command: Command) -> tuple[str, ...]:
    """Return what a service is, without its settings: the program and the script, module or image."""
    if command.program in ("docker", "podman", "docker-compose"):
        image = _image(command) if command.arguments[:1] == ("run",) else " ".join(command.arguments[:2])
        return (command.program, image)
    script = next(
        (word for word in command.words[1:] if word.endswith((".py", ".js", ".sh", ".rb", ".go"))), ""
    )
    return (command.program, script or " ".join(command.arguments[:2]))


def _image(command: Command) -> str:
    """Return the image of ``docker run``: its first argument that is not an option or an option's value."""
    words = list(command.words[command.words.index("run") + 1 :])
    while words and words[0].startswith("-"):
        alone = "=" in words[0] or re.fullmatch(
            r"-[ditP]+|--(?:rm|detach|interactive|tty|init|privileged)", words[0]
        )
        words = words[1 if alone else 2 :]
    return words[0] if words else ""


def listens(text: str) -> bool:
    """Return whether a program listens for connections until it is stopped."""
    return _LISTENS.search(text) is not None
