"""The planner's costs as a tuned file has them, and as the measuring program names them."""

from __future__ import annotations

import re
from typing import Any

import space
from measuring import Program


def of(kernels: dict[str, Any], costs: dict[str, Any]) -> dict[str, Any]:
    """The costs of these sizes and rows alone."""
    made: dict[str, Any] = {}
    for model, members in costs.items():
        made[model] = {}
        for member, value in members.items():
            if (model, member) in space.BY_ROW:
                # A row with constants costs what the same one for any extents does; one that was not measured, what is usual.
                general = {row: re.sub(r"( \w+=\d+)+$", "", row) for row in kernels[space.BY_ROW[model, member]]}
                made[model][member] = {row: value.get(row, value.get(other, 1.0)) for row, other in general.items()}
            elif isinstance(value, dict):
                made[model][member] = {str(size): value[str(size)] for size in kernels["fft_sizes"]}
            else:
                made[model][member] = value
    return made


def names(kernels: dict[str, Any], costs: dict[str, Any]) -> dict[tuple[str, str, str | None], str]:
    """{(model, member, size or row): name in the measuring program} of the rows that are built."""
    found: dict[tuple[str, str, str | None], str] = {}
    for model, members in of(kernels, costs).items():
        for member, value in members.items():
            if not isinstance(value, dict):
                found[model, member, None] = f"{model}.{member}"
                continue
            rows = kernels[space.BY_ROW[model, member]] if (model, member) in space.BY_ROW else None
            for key in value:
                found[model, member, key] = f"{model}.{member}.of({rows.index(key) if rows else key})"
    return found


def send(program: Program, kernels: dict[str, Any], costs: dict[str, Any]) -> None:
    for (model, member, key), name in names(kernels, costs).items():
        value = costs[model][member]
        program.ask("cost", name, repr(value if key is None else value[key]))


def read(program: Program, kernels: dict[str, Any], costs: dict[str, Any]) -> None:
    """What the program has, into `costs`."""
    values = {name: float(f"{float(value):.4g}") for _, name, value in program.ask("costs")}
    for (model, member, key), name in names(kernels, costs).items():
        if key is None:
            costs[model][member] = values[name]
        else:
            costs[model][member][key] = values[name]
