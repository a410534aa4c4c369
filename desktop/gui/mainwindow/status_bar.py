"""The bottom row: progress, rate, time left, the device that really runs, research use."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLocale, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from desktop.core.review.queue import Pace
from desktop.gui.formatting import duration, grouped
from desktop.gui.style import theme
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.layout import row
from desktop.gui.widgets.progress_bar import ProgressBar

HEIGHT = 28
NOTICE_MS = 12_000


class StatusBar(QWidget):
    """Shows what the app is doing, and notices, without interrupting.

    Signals:
        device_details_asked(): The reader wants to know why this device runs.
    """

    device_details_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._progress: tuple[int, int, float, str] | None = None  # as given to show_progress
        self._ran = False
        self._review: tuple[int, int, Pace | None] | None = None
        self._count = QLabel()
        self._count.setAccessibleName(self.tr("Progress"))
        self._bar = ProgressBar()
        self._bar.setFixedSize(120, 4)
        self._rate = QLabel()
        self._notice = ElidedLabel(role="secondary")
        self.notice_button = Button("", kind="link")
        self.notice_button.hide()
        self.notice_button.clicked.connect(lambda: self._notice_action())
        self._notice_action: Callable[[], object] = lambda: None
        self._device = Button("", "device")
        self._device.clicked.connect(self.device_details_asked)
        self._reason = ElidedLabel(role="secondary", tone="text3")
        self._rule = QFrame()
        self._rule.setFixedSize(1, 14)
        self._research = QLabel(self.tr("Research use. Not a diagnosis."))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear_notice)
        row(
            self._count,
            self._bar,
            self._rate,
            (self._notice, 2),
            self.notice_button,
            self._device,
            self._reason,
            self._rule,
            self._research,
            of=self,
            margins=(12, 1, 12, 0),
            spacing=theme.GAP_M,
        )
        theme.notifier().theme_changed.connect(self._on_theme_changed)
        self._on_theme_changed(theme.current())
        self.show_no_folder()

    def show_no_folder(self) -> None:
        """Show that nothing is open."""
        self._progress = self._review = None
        self._ran = False
        self._count.setText(self.tr("No folder open"))
        self._bar.hide()
        self._rate.hide()

    def show_scan(self, count: int) -> None:
        """Show how many images the running scan has found."""
        self._progress = None
        self._count.setText(self.tr("Listing, {count} images so far").format(count=grouped(count)))
        self._bar.hide()
        self._rate.hide()

    def show_progress(self, done: int, total: int, rate: float, state: str) -> None:
        """Show how far the models are.

        Args:
            done: Images with a result.
            total: Images in the folder.
            rate: Images a second over the last seconds, 0 where nothing runs.
            state: ``running``, ``paused``, ``stopped`` or ``idle``.
        """
        self._progress = (done, total, rate, state)
        if self._review is not None and done >= total:
            # The models are through: from here on it is the reader who makes progress.
            self._show_review(*self._review)
            return
        self._show_count(done, total, self.tr("of {total} images"))
        text = ""
        if state == "paused":
            text = self.tr("Paused")
        elif state == "stopped" and done < total:
            text = self.tr("Stopped")
        elif state == "running" and done < total:
            # Between two slow images the rate is 0 too, and nothing is loading then.
            text = self.tr("Models are working") if self._ran else self.tr("Models are loading")
            if rate > 0:
                self._ran = True
                text = self.tr("{rate} images/s, {left} left").format(
                    rate=QLocale().toString(rate, "f", 1), left=duration((total - done) / rate)
                )
        self._show_rate(text)

    def show_review(self, reviewed: int, total: int, pace: Pace | None) -> None:
        """Show how far the reader is, once the models are through.

        Args:
            reviewed: Images with a label or marked unsure.
            total: Images that can be reviewed.
            pace: Of the latest decisions, None where it is not known yet.
        """
        self._review = (reviewed, total, pace)
        if self._progress is not None:
            self.show_progress(*self._progress)

    def _show_review(self, reviewed: int, total: int, pace: Pace | None) -> None:
        self._show_count(reviewed, total, self.tr("of {total} reviewed"))
        text = ""
        if pace is not None and reviewed < total:
            text = self.tr("{pace} images an hour, {left} left").format(
                pace=grouped(round(pace.images_per_hour)), left=duration(pace.seconds_left)
            )
        self._show_rate(text)

    def _show_count(self, done: int, total: int, of_total: str) -> None:
        style = f"color:{theme.current().text1};font-weight:600"
        rest = of_total.format(total=grouped(total))
        self._count.setText(f"<b style='{style}'>{grouped(done)}</b>&nbsp; {rest}")
        self._bar.setVisible(done < total)
        self._bar.set_share(done / total if total else 0.0)

    def _show_rate(self, text: str) -> None:
        self._rate.setText(text)
        self._rate.setVisible(bool(text))

    def show_device(self, device: str, reason: str) -> None:
        """Show what really runs, and why nothing better does; empty before a model is loaded."""
        self._device.setText(device)
        self._device.setVisible(bool(device))
        self._reason.set_text(reason)
        self._reason.setVisible(bool(reason))
        self._device.setToolTip(f"{device}\n{reason}" if reason else device)

    def show_notice(
        self,
        text: str,
        action: str = "",
        *,
        chosen: Callable[[], object] | None = None,
        lasting: bool = False,
    ) -> None:
        """Show one sentence; it disappears after a while unless ``lasting``.

        Args:
            text: What happened, what it means, what to do.
            action: Text of a button beside it, empty for none.
            chosen: What the button does.
            lasting: Stay until the next notice.
        """
        self._notice.set_text(text)
        self._notice_action = chosen or (lambda: None)
        self.notice_button.setText(action)
        self.notice_button.setVisible(bool(action))
        self._timer.stop()
        if not lasting:
            self._timer.start(NOTICE_MS)

    def clear_notice(self) -> None:
        """Remove the sentence."""
        self._notice.set_text("")
        self.notice_button.hide()

    @property
    def notice(self) -> str:
        """The sentence on show."""
        return self._notice.text

    @property
    def progress_text(self) -> str:
        """Rate and time left as shown."""
        return self._rate.text()

    @property
    def device_text(self) -> str:
        """Device and reason as shown."""
        return f"{self._device.text()} {self._reason.text}".strip()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._reason.setMaximumWidth(max(80, self.width() // 4))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.bg))
        painter.fillRect(0, 0, self.width(), 1, theme.colour(tokens.line))

    def _on_theme_changed(self, tokens: theme.Tokens) -> None:
        self.setFixedHeight(theme.dp(HEIGHT))
        for label in (self._count, self._rate, self._research):
            label.setFont(theme.font(12))
            label.setStyleSheet(f"color: {tokens.text2};")
        self._rule.setStyleSheet(f"background: {tokens.border};")
        if self._progress is not None:
            # The count carries a colour of the theme in its text.
            self.show_progress(*self._progress)
        self.update()
