"""Learning curves as a small PNG, drawn with Pillow: loss and validation score over the epochs."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 48
_COLOURS = {
    "loss": "#d55e00",
    "val_log_loss": "#cc79a7",
    "val_macro_auc": "#0072b2",
    "val_balanced_accuracy": "#009e73",
}


def draw_curves(history: list[dict[str, float]]) -> bytes:
    """PNG bytes: each column of the history as a line on one axis from 0 to the largest value."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    top = max([1.0, *(row[name] for row in history for name in _COLOURS if row[name] == row[name])])
    right, bottom = _WIDTH - _MARGIN, _HEIGHT - _MARGIN
    pen.line([(_MARGIN, _MARGIN), (_MARGIN, bottom), (right, bottom)], fill="black")
    for tick in range(5):
        value = top * tick / 4
        height = bottom - (bottom - _MARGIN) * tick / 4
        pen.text((8, height - 6), f"{value:.2f}", fill="black")
        pen.line([(_MARGIN, height), (right, height)], fill="#dddddd")
    pen.text((_WIDTH // 2 - 20, _HEIGHT - 24), f"epoch 1-{len(history)}", fill="black")
    for place, (name, colour) in enumerate(_COLOURS.items()):
        pen.text((_MARGIN + 150 * place, 12), name, fill=colour)
        points = [
            (
                _MARGIN + (right - _MARGIN) * (index + 0.5) / len(history),
                bottom - (bottom - _MARGIN) * row[name] / top,
            )
            for index, row in enumerate(history)
            if row[name] == row[name]
        ]
        if len(points) > 1:
            pen.line(points, fill=colour, width=2)
        for x, y in points:
            pen.ellipse([x - 2, y - 2, x + 2, y + 2], fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
