"""The review page: list, image, votes and decision; also as 2x2 comparison."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from desktop.core.errors import CxrError
from desktop.core.imaging.decode import Radiograph
from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.compare.view import ComparePanel, CompareView
from desktop.gui.formatting import grouped
from desktop.gui.images.view_types import HudText, ViewChoices
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.badges import film_badges
from desktop.gui.presenters.maps import map_layer
from desktop.gui.review.case_list_panel import CaseListPanel
from desktop.gui.review.decision_panel import DecisionPanel
from desktop.gui.review.heatmap_controls import HeatmapControls
from desktop.gui.review.model_list import ModelRows
from desktop.gui.review.tool_bar import ToolBar
from desktop.gui.review.verdict_panel import VerdictPanel
from desktop.gui.session.controller import Controller
from desktop.gui.style import theme
from desktop.gui.viewer.image_view import ImageView
from desktop.gui.widgets.containers import SideColumn
from desktop.gui.widgets.layout import column

# At 1280x800 twelve letters of a name have room beside the votes: IM-0117-0001.
LIST_WIDTH, LIST_COMPACT, LIST_MIN, LIST_MAX = 336, 304, 280, 480
SIDE_WIDTH, SIDE_MIN, SIDE_MAX = 344, 328, 440
COMPARE_SIDE = 304
_COMPACT_BELOW = 1360
_RAIL_BELOW = 1200


class ReviewPage(QWidget):
    """Everything around one image.

    Signals:
        bulk_menu_asked(QPoint): The list's context menu.
    """

    bulk_menu_asked = Signal(QPoint)

    def __init__(self, controller: Controller, shortcuts: Shortcuts, facts: PanelInfo) -> None:
        super().__init__()
        self._controller = controller
        self._shortcuts = shortcuts
        self._facts = facts
        self._comparing = False
        self._selected = 0
        # Widths of list and panel at 100 % text, as the reader dragged them; 0 = as designed.
        self._dragged = [0, 0]
        self.list_panel = CaseListPanel(controller.list.model, controller.thumbnails.picture)
        self.tool_bar = ToolBar(shortcuts)
        self.image = ImageView()
        self.image.setObjectName("image_view")
        self.compare = CompareView(facts)
        self.verdict = VerdictPanel(facts)
        self.models = ModelRows(facts)
        self.heatmap = HeatmapControls(facts)
        self.decision = DecisionPanel(facts)
        self.compare_side = ComparePanel(facts)
        self.compare_decision = DecisionPanel(facts, stacked=True)
        self._decision_panels = (self.decision, self.compare_decision)
        self._compose()
        self._connect()
        self.set_panel(facts)

    # composition -----------------------------------------------------------------------------
    def _compose(self) -> None:
        centre = QWidget()
        column(self.tool_bar, (self.image, 1), of=centre, spacing=0)
        self._centre = QStackedWidget()
        self._centre.addWidget(centre)
        self._centre.addWidget(self.compare)
        self._centre.setMinimumWidth(480)
        self._side = QStackedWidget()
        self._side.addWidget(SideColumn([self.verdict, self.models, self.heatmap, self.decision]))
        self._side.addWidget(SideColumn([self.compare_side, self.compare_decision]))
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for widget in (self.list_panel, self._centre, self._side):
            self.splitter.addWidget(widget)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setStretchFactor(2, 0)
        self.splitter.setSizes([LIST_WIDTH, 760, SIDE_WIDTH])
        self.splitter.splitterMoved.connect(self._on_splitter_moved)
        column(self.splitter, of=self)

    def _connect(self) -> None:
        controller = self._controller
        controller.case_shown.connect(lambda _case: self._show_case())
        controller.film_arrived.connect(lambda _case: self._show_film())
        controller.case_updated.connect(lambda _case: self._show_result())
        controller.case_leaving.connect(lambda _case: self._commit_comment())
        controller.choices_changed.connect(self._on_choices)
        controller.decisions.consensus_missing.connect(self.verdict.show_no_consensus)
        controller.session_closed.connect(self._show_nothing)
        controller.list.shown_changed.connect(self._on_list_changed)
        controller.list_grew.connect(lambda _count: self._show_position())
        controller.thumbnails.arrived.connect(self._show_thumbnail)
        self.list_panel.case_chosen.connect(controller.show_case)
        self.list_panel.view_settled.connect(self._report_rows_in_view)
        self.list_panel.context_asked.connect(self.bulk_menu_asked)
        self.list_panel.selection_counted.connect(self._on_selection_counted)
        self.tool_bar.tool_chosen.connect(self.image.set_tool)
        self.tool_bar.tool_chosen.connect(self.compare.set_tool)
        self.tool_bar.presets_asked.connect(self._fill_presets)
        self.tool_bar.preset_chosen.connect(self.image.apply_preset)
        self.models.model_chosen.connect(lambda index: self._choose(model=index))
        self.models.retry_requested.connect(lambda _index: self._retry())
        self.compare.model_chosen.connect(lambda index: self._choose(model=index))
        self.heatmap.class_chosen.connect(lambda index: self._choose(map_class=index))
        self.compare.class_chosen.connect(lambda index: self._choose(map_class=index))
        self.heatmap.style_changed.connect(lambda style: self._choose(style=style))
        self.compare_side.style_changed.connect(lambda style: self._choose(style=style))
        for panel in self._decision_panels:
            panel.labelled.connect(self._on_labelled)
            panel.unsure_requested.connect(
                lambda: controller.decisions.mark_unsure(self.selection())
            )
            panel.flag_toggled.connect(
                lambda _on: controller.decisions.toggle_flag(self.selection())
            )
            panel.comment_edited.connect(controller.decisions.comment)
            panel.comment_left.connect(self.focus_image)
            panel.undo_requested.connect(controller.decisions.undo)
            panel.next_unreviewed_requested.connect(lambda: controller.move_to_unreviewed(1))
        controller.decisions.undo_changed.connect(self._on_undo_changed)
        self._shortcuts.bindings_changed.connect(self.show_keys)

    # what the window asks --------------------------------------------------------------------
    def set_panel(self, facts: PanelInfo) -> None:
        """Another panel's letters, colours and classes."""
        self._facts = facts
        self.list_panel.set_panel(facts)
        for widget in (
            self.compare,
            self.verdict,
            self.models,
            self.heatmap,
            self.compare_side,
            *self._decision_panels,
        ):
            widget.set_panel(facts)
        self.show_keys()

    def set_comparing(self, comparing: bool) -> None:
        """Show the four maps side by side, or one image."""
        if comparing == self._comparing:
            return
        self._comparing = comparing
        self._centre.setCurrentIndex(int(comparing))
        self._side.setCurrentIndex(int(comparing))
        self._fit()
        if self._controller.current is not None:
            self._show_film()
            self._show_result()

    @property
    def comparing(self) -> bool:
        """Whether the four maps are side by side."""
        return self._comparing

    def selection(self) -> list[int]:
        return self.list_panel.selected_cases()

    def set_bare(self, bare: bool) -> None:
        """Hide all overlays while a key is held."""
        self.image.set_bare(bare)
        self.compare.set_bare(bare)

    def focus_comment(self) -> None:
        """Put the keyboard into the comment on show."""
        self._decision_panels[self._comparing].focus_comment()

    def focus_image(self) -> None:
        """Put the keyboard back to the image."""
        view = self.compare if self._comparing else self.image
        view.setFocus(Qt.FocusReason.OtherFocusReason)

    def active_images(self) -> tuple[ImageView, ...]:
        return self.compare.views() if self._comparing else (self.image,)

    def snapshot(self) -> QImage:
        """What is on show with its overlays."""
        return self.compare.grab().toImage() if self._comparing else self.image.snapshot()

    def show_keys(self) -> None:
        """Print the keys as now bound."""
        caps = {name: self._shortcuts.cap(name) for name in self._shortcuts.actions}
        for panel in self._decision_panels:
            panel.set_keys(caps)
        labels = [caps.get(f"label_{n + 1}", "") for n in range(len(self._facts.class_names))]
        self.verdict.set_keys(caps["accept"], labels)
        self.heatmap.set_key(self.tr("Space"))
        self.list_panel.search.set_key(caps["find"])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # showing ---------------------------------------------------------------------------------
    def _fit(self) -> None:
        width = self.width()
        rail = self._comparing or width < theme.dp(_RAIL_BELOW)
        compact = width < theme.dp(_COMPACT_BELOW)
        if rail != self.list_panel.rail:
            self.list_panel.set_rail(rail)
            self.list_panel.show_case(self._controller.current)
        self.list_panel.search.set_narrow(compact)
        self.models.set_compact(compact)
        for panel in self._decision_panels:
            panel.set_undo_visible(not compact)
            panel.next_unreviewed.setVisible(not compact)
        if self._comparing:
            self._side.setFixedWidth(max(COMPARE_SIDE, theme.dp(COMPARE_SIDE)))
        else:
            self._side.setMinimumWidth(theme.dp(SIDE_MIN))
            self._side.setMaximumWidth(theme.dp(SIDE_MAX))
        list_width, side_width = self._dragged
        side = side_width or (SIDE_MIN if compact else SIDE_WIDTH)
        left = list_width or (LIST_COMPACT if compact else LIST_WIDTH)
        side, left = COMPARE_SIDE if self._comparing else side, 88 if rail else left
        side, left = theme.dp(side), theme.dp(left)
        self.splitter.setSizes([left, max(480, width - left - side - 2), side])

    @property
    def panel_widths(self) -> tuple[int, int]:
        """Widths that the reader gave to list and panel, at 100 % text; 0 = as designed."""
        return self._dragged[0], self._dragged[1]

    def set_panel_widths(self, list_width: int, side_width: int) -> None:
        """Widths of an earlier day; the window's own limits hold."""
        self._dragged = [
            min(LIST_MAX, max(LIST_MIN, list_width)) if list_width else 0,
            min(SIDE_MAX, max(SIDE_MIN, side_width)) if side_width else 0,
        ]
        self._fit()

    def _on_splitter_moved(self, _position: int, handle: int) -> None:
        sizes = self.splitter.sizes()
        if handle == 1 and not self.list_panel.rail:
            self._dragged[0] = round(sizes[0] / theme.text_scale())
        elif handle == 2 and not self._comparing:
            self._dragged[1] = round(sizes[2] / theme.text_scale())

    def _hud(self) -> HudText:
        controller = self._controller
        session, case = controller.session, controller.current
        if session is None or case is None:
            return HudText()
        index = controller.list.position(case)
        count = len(controller.list.shown)
        position = (
            self.tr("{number} of {count}").format(number=grouped(index + 1), count=grouped(count))
            if index is not None
            else self.tr("not in this list")
        )
        outcome = controller.films.outcome(case)
        facts = getattr(outcome, "facts", None)
        view = facts.view if facts is not None else ""
        return HudText(name=session.image(case).rsplit("/", 1)[-1], position=position, view=view)

    def _show_nothing(self) -> None:
        self.image.show_nothing()
        self.verdict.show_case(None)
        self.models.show_predictions(None)
        for panel in self._decision_panels:
            panel.show_decision(None, enabled=False)

    def _show_case(self) -> None:
        self.list_panel.show_case(self._controller.current)
        self._show_film()
        self._show_result()

    def _show_film(self) -> None:
        controller, case = self._controller, self._controller.current
        if case is None or controller.session is None:
            return
        outcome, hud = controller.films.outcome(case), self._hud()
        view = self.compare if self._comparing else self.image
        self.list_panel.facts.show_film(None if isinstance(outcome, CxrError) else outcome)
        self._show_thumbnail(case)
        if outcome is None:
            if self._comparing:  # the single image shows its thumbnail already
                self.compare.show_loading(hud)
        elif isinstance(outcome, CxrError):
            title = self.tr("{name} could not be read").format(name=hud.name)
            view.show_failure(hud, title, str(outcome))
        else:
            view.show_film(outcome, hud)
        self._show_map()

    def _show_result(self) -> None:
        controller = self._controller
        session, case = controller.session, controller.current
        if case is None or session is None:
            return
        result, blind = controller.current_result(), controller.hidden(case)
        decision = session.decision(case)
        badges = film_badges(session.table, case, controller.films.outcome(case))
        self.verdict.show_case(result, blind=blind, badges=badges)
        choices = controller.choices
        self.models.show_predictions(
            result.predictions if result is not None and result.status == "ok" else None,
            blind=blind,
            map_class=choices.map_class,
            failed=self._failed_models(result),
            unread=result is not None and result.status == "failed",
        )
        self.models.select(choices.model)
        self.heatmap.set_blind(blind)
        for panel in self._decision_panels:
            panel.show_decision(decision)
        self._show_reach()
        if self._comparing:
            self.compare.show_result(result, blind=blind)
            self.compare_side.show_result(result, blind=blind, map_class=choices.map_class)
        self._show_map()

    def _show_map(self) -> None:
        controller, case = self._controller, self._controller.current
        if case is None or self._comparing:
            return
        result = None if controller.hidden(case) else controller.current_result()
        choices = controller.choices
        self.image.show_map(map_layer(result, self._facts, choices.model, choices.map_class))

    def _failed_models(self, result: object) -> dict[str, str] | None:
        predictions = getattr(result, "predictions", None)
        reason = getattr(result, "reason", "")
        if not predictions or not reason:
            return None
        answered = {item.model for item in predictions}
        return {model.name: reason for model in self._facts.models if model.name not in answered}

    # reacting --------------------------------------------------------------------------------
    def _on_choices(self, choices: ViewChoices) -> None:
        self.heatmap.set_class(choices.map_class)
        self.heatmap.set_style(choices.style)
        self.compare.set_class(choices.map_class)
        self.compare.set_style(choices.style)
        self.compare.select(choices.model)
        self.compare_side.set_style(choices.style)
        self.image.set_heat_style(choices.style)
        self.models.select(choices.model)
        if self._controller.current is not None:
            self._show_result()

    def _retry(self) -> None:
        """Ask the models once more for the image on show."""
        if self._controller.current is not None:
            self._controller.run.ask_again([self._controller.current])

    def _choose(self, **changes: object) -> None:
        controller = self._controller
        controller.set_choices(replace(controller.choices, **changes))  # type: ignore[arg-type]

    def _on_labelled(self, class_name: str) -> None:
        index = self._facts.class_names.index(class_name)
        self._controller.decisions.label(index, self.selection())

    def _on_undo_changed(self, undo: str, _redo: str) -> None:
        for panel in self._decision_panels:
            panel.set_undo(undo)

    def _on_list_changed(self) -> None:
        self.list_panel.show_case(self._controller.current)
        self._show_position()

    def _show_position(self) -> None:
        self.image.show_position(self._hud().position)

    def _on_selection_counted(self, count: int) -> None:
        self._selected = count
        self._show_reach()

    def _show_reach(self) -> None:
        """Say beside the buttons what a press of one does, loudly where it decides many images."""
        case, many = self._controller.current, self._selected > 1
        if many:
            text = self.tr("For {count} selected images").format(count=grouped(self._selected))
        elif case is not None and self._controller.hidden(case):
            text = self.tr("Then the votes appear")
        elif self._controller.decisions.advance == "stay":
            text = self.tr("Saves at once")
        else:
            text = self.tr("Saves and moves on")
        for panel in self._decision_panels:
            panel.set_advance_text(text, strong=many)

    def _show_thumbnail(self, case: int) -> None:
        if case == self._controller.current:
            picture = self._controller.thumbnails.picture(case)
            film = self._controller.films.outcome(case)
            size = film.values.shape[::-1] if isinstance(film, Radiograph) else None
            self.models.set_thumbnail(picture, size)
            if film is None and not self._comparing:
                self.image.show_loading(self._hud(), picture)

    def _commit_comment(self) -> None:
        self._decision_panels[self._comparing].commit_comment()

    def _report_rows_in_view(self) -> None:
        rows = self.list_panel.visible_rows()
        model = self.list_panel.model
        ahead = range(rows.start, min(rows.stop + len(rows), model.rowCount()))
        cases = [case for row in ahead if (case := model.case_at(row)) is not None]
        self._controller.set_rows_in_view(cases)

    def _fill_presets(self) -> None:
        keys = [self._shortcuts.cap(f"preset_{number}") for number in range(1, 5)]
        view = self.active_images()[0]
        self.tool_bar.set_presets(view.presets(), keys, view.preset())
