"""Learning curves as a small PNG: loss and validation scores over the epochs."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

_COLUMNS = ("loss", "val_log_loss", "val_macro_auc", "val_balanced_accuracy")


def draw_curves(history: list[dict[str, float]]) -> bytes:
    """PNG bytes: each column of the history as a line on one axis from 0; NaN leaves a gap."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in _COLUMNS:
        axes.plot(range(1, len(history) + 1), [row[name] for row in history], ".-", label=name)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(_COLUMNS), frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
