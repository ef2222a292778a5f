"""What a step needs from the machine."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """
    Something that a step needs from the machine, as ``requires:`` names it.

    Attributes:
        kind: ``board``, ``chips``, ``network``, ``linux``, ``macos``, ``docker``, ``sudo``, ``command``,
            ``python``, ``env``, ``file`` or ``server``.
        value: the number of chips, or the name of the command, module, variable, file or host and port;
            empty for the others, and for ``network`` if the host is unknown.
        made_by: the number of the earlier block of the lesson that makes it, as in ``BlockRole.number``; 0 if
            none does, or if that is not known. It does not count in comparisons.
    """

    kind: str
    value: str = ""
    made_by: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.value}".strip()
