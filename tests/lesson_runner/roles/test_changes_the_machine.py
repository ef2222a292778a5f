"""Commands of honest tutorials that change more than the folder and the home folder of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.document.lessons import load_lesson
from lesson_runner.roles import roles_of

CHANGES = [
    "echo 1 > /srv/x",
    "echo 1 > /proc/sys/vm/drop_caches",
    "cat x > /root/y",
    "sed -i 's/a/b/' /etc/hosts",
    "dd if=/dev/zero of=/swapfile bs=1M count=1",
    "chmod -R 777 /data",
    "tar -xzf x.tgz -C /usr/local",
    "unzip x.zip -d /srv",
    "curl -sSLo /usr/bin/x http://e.com/x",
    "wget -O /usr/local/bin/x http://e.com/x",
    "rsync -a x/ /srv/www/",
    "git clone http://e.com/x /x",
    "find / -name x -exec rm {} +",
    "bash -c 'rm -rf ~/x'",
    "ls | xargs -n 1 sudo rm",
    "hostnamectl set-hostname x",
    "./configure\nmake\nmake install",
    "cmake --install build",
    "make && PREFIX=/usr make install",
    "python3 -m pip install --break-system-packages x",
    "bash <(curl -s http://e.com/x)",
    "killall node",
    "pkill -f app.py",
    "docker rm -f $(docker ps -aq)",
]
STAYS = [
    "echo 1 > /dev/null",
    "mkdir -p /tmp/x && rm -rf /tmp/x",
    "cp /etc/hosts .",
    "ln -s /opt/x",
    "date",
    "tar -czf x.tgz -C /etc hosts",
    "tar -xf x.tgz",
    "curl -o x http://e.com/x",
    "find . -delete",
    "./configure --prefix=$PWD/out\nmake\nmake install",
    "pip install x",
    "crontab -l",
    "cmake --install build --prefix out",
    "conda create -n x\nconda activate x\nconda install numpy",
    "ssh-keygen -t ed25519 -f ./key -N ''",
    "nvm use 20",
    "rustup show",
    "python3 -m venv ~/venv",
    "sed 's/a/b/' /etc/hosts",
    "docker rm -f web",
    "cp x /path/to/y",
    "ip addr",
    "kill %1",
    "pip install --user x",
    "curl -O http://e.com/data.csv",
    "bash -c 'echo 1'",
]
PYTHON = [
    'open("/etc/x", "w").write("1")',
    'import os\nos.makedirs("/srv/x")',
    'import os\nos.system("sudo ls")',
    'import subprocess\nsubprocess.run(["apt-get", "install", "x"])',
    'import shutil\nshutil.rmtree("/var/x")',
    'from pathlib import Path\n(Path("/srv") / "x").write_text("1")',
]
PYTHON_STAYS = [
    'print(open("/etc/hosts").read())',
    'import os\nos.makedirs("/tmp/x")\nprint(1)',
    'import subprocess\nprint(subprocess.run(["ls", "/etc"]))',
]


def role(language: str, text: str, folder: Path) -> str:
    lesson = folder / "a.md"
    lesson.write_text(f"# A\n\nRun:\n\n```{language}\n{text}\n```\n", "utf-8")
    return roles_of(load_lesson(lesson)[0])[-1].role


@pytest.mark.parametrize("text", CHANGES)
def test_a_command_changes_the_machine(text: str, tmp_path: Path) -> None:
    assert role("bash", text, tmp_path) == "system"


@pytest.mark.parametrize("text", STAYS)
def test_a_command_changes_only_what_belongs_to_the_run(text: str, tmp_path: Path) -> None:
    assert role("bash", text, tmp_path) != "system"


@pytest.mark.parametrize("text", PYTHON)
def test_a_program_changes_the_machine(text: str, tmp_path: Path) -> None:
    assert role("python", text, tmp_path) == "system"


@pytest.mark.parametrize("text", PYTHON_STAYS)
def test_a_program_only_reads_or_writes_temporary_files(text: str, tmp_path: Path) -> None:
    assert role("python", text, tmp_path) == "run"
