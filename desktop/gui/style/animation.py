"""A fade of 120 ms for what comes up beside the work; none where the desktop asks for no motion."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QVariantAnimation
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QStyle, QWidget

FADE_MS = 120
# Qt's fade raises and lowers a window, which these can only warn about.
_WITHOUT_STACKING = ("offscreen", "minimal")


def motion_wanted(widget: QWidget) -> bool:
    """Whether the desktop lets things move."""
    return animation_ms(widget.style(), widget) > 0


def animation_ms(style: QStyle, widget: QWidget | None = None) -> int:
    """How long the desktop wants things to move; 0 where it wants no motion."""
    return style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, widget)


def let_popups_fade(application: QApplication) -> None:
    """Menus and tool tips come up with Qt's own short fade, where the desktop lets things move.

    Qt's takes 150 ms. One of exactly 120 would need a filter on every event of the application.
    """
    wanted = (
        animation_ms(application.style()) > 0
        and QGuiApplication.platformName() not in _WITHOUT_STACKING
    )
    effect = Qt.UIEffect
    # Without the first one the others mean nothing.
    for kind in (effect.UI_General, effect.UI_FadeMenu, effect.UI_FadeTooltip):
        application.setEffectEnabled(kind, wanted)


class FadeIn(QObject):
    """Brings a painted widget up once; it reads ``opacity`` while it paints."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self.opacity = 1.0
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(FADE_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.valueChanged.connect(self._step)

    @property
    def running(self) -> bool:
        return self._animation.state() == QVariantAnimation.State.Running

    def start(self) -> None:
        """Begin from nothing, or be there at once."""
        if motion_wanted(self._widget):
            self._animation.start()

    def _step(self, opacity: float) -> None:
        self.opacity = opacity
        self._widget.update()
