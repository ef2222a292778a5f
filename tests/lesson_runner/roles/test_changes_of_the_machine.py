"""Commands that change more than the run's folder are of role ``system``; their neighbours are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.document.lessons import load_lesson
from lesson_runner.roles import roles_of


def role_of(command: str, folder: Path) -> str:
    path = folder / "a.md"
    path.write_text(f"# A page\n\n## Do it\n\nDo this:\n\n```bash\n{command}\n```\n", "utf-8")
    return roles_of(load_lesson(path)[0])[-1].role


@pytest.mark.parametrize(
    "command",
    [
        "mkfs.ext4 /dev/sdb1",
        "dd if=disk.img of=/dev/sdb bs=4M",
        "make install",
        "cmake --install build",
        "ninja -C build install",
        "python setup.py install",
        "python3 -m pip install --break-system-packages shop",
        "curl -fsSL https://example.com/x.conf -o /etc/x.conf",
        "curl -fsSLo /etc/x.conf https://example.com/x.conf",
        "wget -O /usr/local/bin/tool https://example.com/tool",
        "tar -C /usr/local -xzf go.tar.gz",
        "unzip tool.zip -d /usr/local/bin",
        "sed -i 's/a/b/' /etc/ssh/sshd_config",
        "chmod 600 /etc/x.conf",
        "git clone https://example.com/shop.git /opt/shop",
        "rsync -a site/ /srv/site/",
        "pkill -f shop",
        "find / -name '*.pyc' -delete",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
        "hostnamectl set-hostname web1",
        "swapoff -a",
        "gem install rails",
        "docker volume rm $(docker volume ls -q)",
        "curl -sSL https://example.com/install.py | python3 -",
        "bash <(curl -s https://example.com/install.sh)",
        'eval "$(curl -s https://example.com/install.sh)"',
        'bash -c "sudo apt install jq"',
        "xargs -a packages.txt apt-get install -y",
        "xargs sudo rm < list.txt",
    ],
)
def test_it_changes_the_machine(command: str, tmp_path: Path) -> None:
    assert role_of(command, tmp_path) == "system"


@pytest.mark.parametrize(
    "command",
    [
        "make install DESTDIR=out",
        "cmake --install build --prefix out",
        "make test",
        "curl -fsSL https://example.com/x.conf -o x.conf",
        "curl -s https://example.com/x.json | python3 -m json.tool",
        "tar -C out -xzf go.tar.gz",
        "tar -czf out.tgz -C /usr/share doc",
        "sed -n 3p /etc/hosts",
        "cp /etc/hosts hosts",
        "grep root /etc/passwd",
        "git clone https://example.com/shop.git shop",
        "find / -name '*.pyc'",
        "echo hello > /dev/null",
        "touch /tmp/mark",
        "ip addr show",
        "hostnamectl status",
        "bash -c 'echo hello'",
        "ls | xargs -n 1 echo",
    ],
)
def test_it_does_not(command: str, tmp_path: Path) -> None:
    assert role_of(command, tmp_path) == "run"
