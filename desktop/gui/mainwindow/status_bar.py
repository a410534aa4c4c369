"""The 28 px bottom row: progress, rate, time left, the device that really runs, research use."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from desktop.core.review.queue import Pace
from desktop.gui.formatting import duration, grouped
from desktop.gui.style import theme
from desktop.gui.widgets.button import Button

HEIGHT = 28
_NOTICE_MS = 12_000


class StatusBar(QWidget):
    """Where the app says what it is doing, without ever interrupting.

    Signals:
        device_details_asked: The reader wants to know why this device runs.
        notice_action_chosen: The reader clicked the button of the notice.
    """

    device_details_asked = Signal()
    notice_action_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told: tuple[int, int, float, str] | None = None
        self._ran = False
        self._review: tuple[int, int, Pace | None] | None = None
        self._count = QLabel()
        self._count.setAccessibleName(self.tr("Progress"))
        self._bar = _Bar()
        self._rate = QLabel()
        self._notice = _ElidedLabel()
        self._notice.setAccessibleName(self.tr("Notice"))
        self._notice_button = Button("", kind="link")
        self._notice_button.hide()
        self._notice_button.clicked.connect(self.notice_action_chosen)
        self._action: Callable[[], object] | None = None
        self.notice_action_chosen.connect(self._act)
        self._device = Button("", "device")
        self._device.clicked.connect(self.device_details_asked)
        self._reason = _ElidedLabel()
        self._rule = QFrame()
        self._rule.setFixedSize(1, 14)
        self._research = QLabel(self.tr("Research use. Not a diagnosis."))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear_notice)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 1, 12, 0)
        row.setSpacing(theme.GAP_M)
        row.addWidget(self._count)
        row.addWidget(self._bar)
        row.addWidget(self._rate)
        row.addWidget(self._notice, 2)
        row.addWidget(self._notice_button)
        row.addWidget(self._device)
        row.addWidget(self._reason, 0)
        row.addWidget(self._rule)
        row.addWidget(self._research)
        theme.notifier().theme_changed.connect(self._on_theme_changed)
        self._on_theme_changed(theme.current())
        self.show_no_folder()

    def show_no_folder(self) -> None:
        """Say that nothing is open."""
        self._told = self._review = None
        self._ran = False
        self._count.setText(self.tr("No folder open"))
        self._bar.hide()
        self._rate.hide()

    def show_scan(self, count: int) -> None:
        """Say how many images the running scan has found."""
        self._told = None
        self._count.setText(self.tr("Listing, {count} images so far").format(count=grouped(count)))
        self._bar.hide()
        self._rate.hide()

    def show_progress(self, done: int, total: int, rate: float, state: str) -> None:
        """Say how far the models are.

        Args:
            done: Images with a result.
            total: Images in the folder.
            rate: Images a second over the last seconds, 0 where nothing runs.
            state: ``running``, ``paused``, ``stopped`` or ``idle``.
        """
        self._told = (done, total, rate, state)
        if self._review is not None and done >= total:
            # The models are through: from here on it is the reader who makes progress.
            self._show_review(*self._review)
            return
        tokens = theme.current()
        rest = self.tr("of {total} images").format(total=grouped(total))
        self._count.setText(
            f"<b style='color:{tokens.text1};font-weight:600'>{grouped(done)}</b>&nbsp; {rest}"
        )
        self._bar.setVisible(done < total)
        self._bar.set_share(done / total if total else 0.0)
        words = ""
        if state == "paused":
            words = self.tr("Paused")
        elif state == "stopped" and done < total:
            words = self.tr("Stopped")
        elif state == "running" and done < total:
            # Between two slow images the rate is 0 too, and nothing is loading then.
            words = self.tr("Models are working") if self._ran else self.tr("Models are loading")
            if rate > 0:
                self._ran = True
                left = duration((total - done) / rate)
                words = self.tr("{rate} images/s, {left} left").format(
                    rate=QLocale().toString(rate, "f", 1), left=left
                )
        self._rate.setText(words)
        self._rate.setVisible(bool(words))

    def show_review(self, reviewed: int, total: int, pace: Pace | None) -> None:
        """Say how far the reader is, once the models are through.

        Args:
            reviewed: Images with a label or marked unsure.
            total: Images that can be reviewed.
            pace: Of the latest decisions, None where it is not known yet.
        """
        self._review = (reviewed, total, pace)
        if self._told is not None:
            self.show_progress(*self._told)

    def _show_review(self, reviewed: int, total: int, pace: Pace | None) -> None:
        rest = self.tr("of {total} reviewed").format(total=grouped(total))
        self._count.setText(
            f"<b style='color:{theme.current().text1};font-weight:600'>{grouped(reviewed)}</b>"
            f"&nbsp; {rest}"
        )
        self._bar.setVisible(reviewed < total)
        self._bar.set_share(reviewed / total if total else 0.0)
        words = ""
        if pace is not None and reviewed < total:
            words = self.tr("{pace} images an hour, {left} left").format(
                pace=grouped(round(pace.images_per_hour)), left=duration(pace.seconds_left)
            )
        self._rate.setText(words)
        self._rate.setVisible(bool(words))

    def show_device(self, words: str, reason: str) -> None:
        """Say what really runs, and why nothing better does; empty where no model is loaded yet."""
        self._device.setText(words)
        self._device.setVisible(bool(words))
        self._reason.set_full_text(reason)
        self._reason.setVisible(bool(reason))
        self._device.setToolTip(f"{words}\n{reason}" if reason else words)

    def show_notice(
        self,
        text: str,
        action: str = "",
        *,
        chosen: Callable[[], object] | None = None,
        lasting: bool = False,
    ) -> None:
        """Say one sentence quietly; it leaves by itself unless ``lasting``.

        Args:
            text: What happened, what it means, what to do.
            action: Words of a button beside it, empty for none.
            chosen: What the button does.
            lasting: Stay until the next notice.
        """
        self._notice.set_full_text(text)
        self._action = chosen
        self._notice_button.setText(action)
        self._notice_button.setVisible(bool(action))
        self._timer.stop()
        if not lasting:
            self._timer.start(_NOTICE_MS)

    def _act(self) -> None:
        if self._action is not None:
            self._action()

    def clear_notice(self) -> None:
        """Take the sentence away."""
        self._notice.set_full_text("")
        self._notice_button.hide()

    @property
    def notice(self) -> str:
        """The sentence on show."""
        return self._notice.full_text

    @property
    def progress_words(self) -> str:
        """Rate and time left as shown."""
        return self._rate.text()

    @property
    def device_text(self) -> str:
        """Device and reason as shown."""
        return f"{self._device.text()} {self._reason.full_text}".strip()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._reason.setMaximumWidth(max(80, self.width() // 4))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.bg))
        painter.fillRect(0, 0, self.width(), 1, theme.colour(tokens.line))
        painter.end()

    def _on_theme_changed(self, tokens: theme.Tokens) -> None:
        self.setFixedHeight(theme.dp(HEIGHT))
        for label in (self._count, self._rate, self._notice, self._research):
            label.setFont(theme.font(12))
            label.setStyleSheet(f"color: {tokens.text2};")
        self._notice.setStyleSheet(f"color: {tokens.text1};")
        self._reason.setFont(theme.font(12))
        self._reason.setStyleSheet(f"color: {tokens.text3};")
        self._rule.setStyleSheet(f"background: {tokens.border};")
        if self._told is not None:
            # The count carries a colour of the theme in its text.
            self.show_progress(*self._told)
        self.update()


class _Bar(QWidget):
    """A 4 px bar."""

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.setFixedSize(120, 4)

    def set_share(self, share: float) -> None:
        self._share = min(1.0, max(0.0, share))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(tokens.track))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        painter.setBrush(theme.colour(tokens.accent))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * self._share, self.height()), 2, 2)
        painter.end()


class _ElidedLabel(QLabel):
    """One line that ends in dots where the room ends; the whole sentence stays in the tip."""

    def __init__(self) -> None:
        super().__init__()
        self._full = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(0)

    @property
    def full_text(self) -> str:
        return self._full

    def set_full_text(self, text: str) -> None:
        self._full = text
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        self.updateGeometry()
        self._elide()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self._full) + 2, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics = QFontMetrics(self.font())
        self.setText(metrics.elidedText(self._full, Qt.TextElideMode.ElideRight, self.width()))
