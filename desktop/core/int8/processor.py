"""Which processor this is, and what it can do with bytes."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

WeightBits = Literal[7, 8]
_INTEGER_MARKS = ("avx2", "avx512bw", "avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8")
_ARM = ("aarch64", "arm64")


@dataclass(frozen=True)
class Processor:
    """A kind of processor: equal ones compute alike.

    Attributes:
        name: As it calls itself, with family, model and stepping where they are known.
        marks: Instruction sets that int8 kernels choose by, those that it has.
    """

    name: str
    marks: tuple[str, ...]

    @property
    def weight_bits(self) -> WeightBits:
        """8, or 7 where two products of bytes are added in 16 bits and could overflow.

        x86 without VNNI has only that instruction. Where the instructions are not told (Windows and
        macOS on x86), 7 is always right.
        """
        if self.name.startswith(_ARM):
            return 8
        return 8 if {"avx512_vnni", "avx_vnni"}.intersection(self.marks) else 7

    @property
    def words(self) -> str:
        """Name and marks, for people and as the key of what was proved here."""
        return f"{self.name} ({', '.join(self.marks)})" if self.marks else self.name


def this_processor(cpu_info: Path = Path("/proc/cpuinfo")) -> Processor:
    """The processor of this machine; ``cpu_info`` is where Linux tells it."""
    machine = platform.machine().lower()
    facts: dict[str, str] = {}
    if sys.platform == "linux":
        try:
            first = cpu_info.read_text("utf-8", "replace").split("\n\n")[0]  # cores are alike
            pairs = (line.partition(":") for line in first.splitlines())
            facts = {key.strip(): value.strip() for key, _, value in pairs}
        except OSError:
            facts = {}
    name = facts.get("model name") or platform.processor() or machine or "unknown"
    if sys.platform == "win32":
        name = os.environ.get("PROCESSOR_IDENTIFIER", name)
    numbers = [facts[key] for key in ("cpu family", "model", "stepping") if key in facts]
    flags = set(facts.get("flags", "").split())
    words = " ".join([machine, name, "/".join(numbers)]).strip()
    return Processor(words, tuple(mark for mark in _INTEGER_MARKS if mark in flags))
