"""All changes of the session: opening, moving, deciding, closing.

Widgets send signals here and get signals from here; they never change the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.cases import CaseResult, ImageFile
from desktop.core.duplicates.search import SearchRequest
from desktop.core.errors import CxrError
from desktop.core.panels.registry import Panel
from desktop.core.review.case_table import CaseTable, SafetyRule
from desktop.core.store.decision_log import AppliedStep
from desktop.core.store.review_store import ReviewStore, SessionState
from desktop.gui.images.picture_cache import FilmLoader, Thumbnails
from desktop.gui.images.view_types import ViewChoices
from desktop.gui.panel_info import panel_facts
from desktop.gui.session.case_list import CaseList
from desktop.gui.session.decisions import DecisionController
from desktop.gui.session.duplicate_finder import DuplicateFinder
from desktop.gui.session.first_image import FirstImage
from desktop.gui.session.folder_scan import FolderScan
from desktop.gui.session.model_run import RunControl
from desktop.gui.session.session import Session
from desktop.gui.session.stored_results import StoredResults

_DWELL_MS = 400
_SAVE_MS = 500
_OTHERS_MS = 2000


class Controller(QObject):
    """Composes scan, list, films, thumbnails, models and decisions for one open folder.

    Signals:
        session_opened(): A folder is open; its list may still be empty.
        session_closed(): No folder is open.
        list_grew(int): Number of images found so far.
        scan_finished(): All files are listed.
        case_leaving(int): The image on show is about to change; finish what is being typed.
        case_shown(int): Another image is on show, -1 for none.
        film_arrived(int): Film (or the reason why there is none) of the image on show.
        case_updated(int): Votes or decision of the image on show changed.
        choices_changed(ViewChoices): Map, class or style changed.
        blind_changed(bool): Blind-first reading was switched.
        notice_raised(str): A sentence for the reader.
    """

    session_opened = Signal()
    session_closed = Signal()
    list_grew = Signal(int)
    scan_finished = Signal()
    case_leaving = Signal(int)
    case_shown = Signal(int)
    film_arrived = Signal(int)
    case_updated = Signal(int)
    choices_changed = Signal(object)
    blind_changed = Signal(bool)
    notice_raised = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.store: ReviewStore | None = None
        self.current: int | None = None
        self.choices = ViewChoices()
        # Saved with the folder beside the choices, and what was found there at opening.
        self.look: Callable[[], Mapping[str, Any]] = dict
        self.saved_view: Mapping[str, Any] = {}
        self._saved_order = ("", "")
        self.first_choices = ViewChoices()
        self.label_on_open = True
        self.keep_maps = True
        self.safety_rule = SafetyRule()
        self.blind = False
        self.device = "auto"
        self.recursive = True
        self.list = CaseList(self)
        self.films = FilmLoader(self)
        self.thumbnails = Thumbnails(self)
        self.run = RunControl(self)
        self.duplicates = DuplicateFinder(self)
        self.decisions = DecisionController(self.list, lambda: self.current, self.hidden, self)
        self._scan: FolderScan | None = None
        self._stored: StoredResults | None = None
        self._first = FirstImage(self.list, self.films, self._show)
        self._asked_again: set[int] = set()
        self._rows_in_view: Sequence[int] = ()
        self.films.arrived.connect(self._on_film)
        self.thumbnails.arrived.connect(lambda case: self.list.model.refresh([case]))
        self.run.answered.connect(self._on_answered)
        self.run.notice_raised.connect(self.notice_raised)
        self.decisions.decided.connect(self._on_decided)
        self.decisions.advance_requested.connect(self.show_case)
        self.decisions.refused.connect(self._on_refused)
        self.decisions.notice_raised.connect(self.notice_raised)
        self.list.query_refused.connect(self._on_refused)
        self.list.shown_changed.connect(self._on_list_changed)
        self._dwell = QTimer(self, singleShot=True, interval=_DWELL_MS, timeout=self._on_dwelt)
        self._save = QTimer(self, singleShot=True, interval=_SAVE_MS, timeout=self.save_session)
        self._others = QTimer(self, interval=_OTHERS_MS, timeout=self._take_others_changes)

    # opening and closing ---------------------------------------------------------------------
    def open_folder(self, root: Path, panel: Panel, *, picked: Sequence[Path] = ()) -> bool:
        """Open a folder, or single files of it.

        Returns:
            False where its review store cannot be opened; `notice_raised` says why.
        """
        self.close_folder()
        root = root.expanduser().absolute()
        try:
            store = ReviewStore.open(root, panel.manifest)
        except CxrError as problem:
            self.notice_raised.emit(str(problem))
            return False
        facts = panel_facts(panel.name, panel.title, [model.card for model in panel.models])
        table = CaseTable(panel.class_names, panel.model_names)
        table.safety_rule = self.safety_rule
        self.session = Session(root, panel, facts, table, tuple(picked))
        self.store = store
        if store.notice is not None:
            self.notice_raised.emit(store.notice.sentence)
        saved = store.session()
        self._first.begin(self.session, saved)
        self.saved_view = saved.view
        self._saved_order = (saved.query, saved.sort)
        self.choices = ViewChoices.from_json(
            saved.view, self.first_choices, models=len(facts.models), classes=len(facts.class_names)
        )
        # Taken before the decisions are read: what another window decides later is asked for.
        self.session.latest_revision = store.revision()
        self._stored = StoredResults(store)
        self.decisions.set_session(self.session, store)
        self.list.set_session(self.session, saved.query, saved.sort)
        self.run.begin(self.session, device=self.device, keep_maps=self.keep_maps)
        self.duplicates.set_session(self.session, SearchRequest(root, panel.manifest))
        self.session_opened.emit()
        self.choices_changed.emit(self.choices)
        if picked:
            self._take_files(_found_files(root, picked))
            self._on_scan_finished()
        else:
            self._start_scan()
        self._others.start()
        return True

    def rescan(self) -> None:
        """List the folder again; new files join at the end."""
        if self.session is not None and not self.session.picked and self._scan is None:
            self.session.scanned = False
            self._start_scan()

    def close_folder(self) -> None:
        """Close the open folder; everything decided is already on the disk."""
        if self.session is None:
            return
        self._first.end()
        self._leave()
        self.decisions.finish()
        self.save_session()
        for timer in (self._dwell, self._save, self._others):
            timer.stop()
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        self.duplicates.set_session(None)
        self.run.end()
        self.films.forget_all()
        self.thumbnails.forget_all()
        self.decisions.set_session(None, None)
        store, self.store = self.store, None
        self.session = None
        self.current = None
        self._stored = None
        self._asked_again.clear()
        self.list.set_session(None)
        if store is not None:
            store.close()
        self.session_closed.emit()

    def close(self) -> None:
        """Close the folder and end every worker, within about a second."""
        self.close_folder()
        self.films.close()
        self.thumbnails.close()

    # moving ----------------------------------------------------------------------------------
    def show_case(self, case: int | None) -> None:
        if self.session is None or case is None:
            return
        self._first.end()
        self._show(case)

    def move(self, step: int) -> None:
        """Next or previous listed image."""
        case = self.list.neighbour(self.current, step)
        if case is not None:
            self.show_case(case)

    def move_to_end(self, last: bool) -> None:
        """First or last listed image."""
        shown = self.list.shown
        if shown:
            self.show_case(shown[-1 if last else 0])

    def move_to_unreviewed(self, step: int = 1) -> None:
        """Next or previous image without a decision, going round the end."""
        case = self.list.unreviewed_from(self.current, step)
        if case is None or case == self.current:
            self.notice_raised.emit(self.tr("No other unreviewed image is listed."))
            return
        self.show_case(case)

    def set_rows_in_view(self, cases: Sequence[int]) -> None:
        """The rows on screen stand still: their thumbnails and votes come first."""
        session = self.session
        if session is None:
            return
        self._rows_in_view = cases
        self.thumbnails.want([(case, session.path(case)) for case in cases])
        self._order_models()

    # what is on show -------------------------------------------------------------------------
    def hidden(self, case: int) -> bool:
        """Whether the votes of a case must not be shown: blind-first, and not labelled yet."""
        return (
            self.blind and self.session is not None and not self.session.decision(case).votes_seen
        )

    def current_result(self) -> CaseResult | None:
        """Answer for the image on show with its maps as far as they are there."""
        session, case = self.session, self.current
        if session is None or case is None or not session.has_result(case):
            return None
        image = session.image(case)
        result = self.run.with_maps(image)
        if result is None and self._stored is not None:
            result = self._stored.with_maps(image)
        lacks_maps = result is None or (
            result.status == "ok" and all(item.cams is None for item in result.predictions)
        )
        if lacks_maps and case not in self._asked_again:
            self._asked_again.add(case)
            self.run.ask_again([case])
        return result

    def set_choices(self, choices: ViewChoices) -> None:
        """Change map, class or style."""
        if choices != self.choices:
            self.choices = choices
            self._save.start()
            self.choices_changed.emit(choices)

    def set_blind(self, blind: bool) -> None:
        if blind == self.blind:
            return
        if blind and self.current is not None and self.session is not None:
            # What stands on the screen now has been seen.
            self._note_seen()
        self.blind = blind
        self.list.set_blind(blind)
        self.blind_changed.emit(blind)
        if self.current is not None:
            self.case_updated.emit(self.current)
            self._dwell.start()

    def look_changed(self) -> None:
        """The film is windowed or zoomed otherwise: save that a moment later."""
        if self.current is not None:
            self._save.start()

    # inside ----------------------------------------------------------------------------------
    def save_session(self) -> None:
        """Remember where the reader is."""
        session, store = self.session, self.store
        if session is None or store is None or self.current is None:
            return
        if self.decisions.busy:
            # The store is locked for a moment; the window must not wait for it.
            self._save.start()
            return
        state = SessionState(
            current_image=session.image(self.current),
            query=self.list.query,
            sort=self.list.sort,
            view={**self.choices.to_json(), **self.look()},
        )
        self._saved_order = (state.query, state.sort)
        try:
            store.save_session(state)
        except CxrError as problem:
            self.notice_raised.emit(str(problem))

    def _start_scan(self) -> None:
        assert self.session is not None
        scan = FolderScan(self.session.root, recursive=self.recursive, parent=self)
        scan.batch_found.connect(self._take_files)
        scan.refused.connect(self._on_refused)
        scan.finished.connect(self._on_scan_finished)
        self._scan = scan
        scan.start()

    def _take_files(self, files: list[ImageFile]) -> None:
        session, stored = self.session, self._stored
        if session is None or stored is None:
            return
        added = session.add(files)
        stored.fill(session, added)
        self.list.add(added)
        if self.label_on_open:
            self.run.add(added)
        self.list_grew.emit(len(session.table))
        self._first.on_listed(last=False)

    def _on_scan_finished(self) -> None:
        session = self.session
        if session is None:
            return
        self._scan = None
        session.scanned = True
        self.list.refresh()
        self.run.recount()
        self._first.on_listed(last=True)
        if not len(session.table):
            text = self.tr("No images are in this folder.")
            if not self.recursive:
                text += " " + self.tr("Subfolders are left out; File, Include subfolders.")
            self.notice_raised.emit(text)
        self.scan_finished.emit()

    def _show(self, case: int) -> None:
        if case == self.current:
            return
        self._leave()
        self.current = case
        self._save.start()
        self.case_shown.emit(case)
        self._order_films()
        self._order_models()
        self._dwell.start()

    def _leave(self) -> None:
        if self.current is not None:
            self.case_leaving.emit(self.current)

    def _order_films(self) -> None:
        session, case = self.session, self.current
        if session is None or case is None:
            return
        around = [case]
        for step in (1, -1, 2, -2, 3):
            near = self.list.neighbour(case, step)
            if near is not None:
                around.append(near)
        self.films.want([(near, session.path(near)) for near in around])

    def _order_models(self) -> None:
        if self.current is None:
            return
        ahead = [self.list.neighbour(self.current, step) for step in range(1, 5)]
        first = [self.current, *(case for case in ahead if case is not None)]
        self.run.put_first(list(dict.fromkeys([*first, *self._rows_in_view])))

    def _on_film(self, case: int) -> None:
        if case == self.current and self._first.on_film():
            self.film_arrived.emit(case)

    def _on_answered(self, cases: list[int]) -> None:
        self.list.on_cases_changed(cases)
        if self.current in cases:
            self.case_updated.emit(self.current)
            self._dwell.start()

    def _on_decided(self, cases: list[int], applied: AppliedStep | None) -> None:
        if applied is not None and applied.kind == "reveal" and not self.blind:
            return  # the votes were on the screen already, so nothing looks different
        if applied is not None:
            self._first.end()
        self.list.on_cases_changed(cases)
        if self.current in cases:
            self.case_updated.emit(self.current)

    def _on_refused(self, problem: CxrError) -> None:
        self.notice_raised.emit(str(problem))

    def _on_list_changed(self) -> None:
        if self.current is not None:
            self._order_films()
            if (self.list.query, self.list.sort) != self._saved_order:
                self._first.end()
                self._save.start()

    def _on_dwelt(self) -> None:
        """The votes have stood on the screen for a moment: they have been seen."""
        self._note_seen()

    def _note_seen(self) -> None:
        session, case = self.session, self.current
        if session is None or case is None or self.hidden(case) or not session.voted(case):
            return
        self.decisions.note_votes_seen(case)

    def _take_others_changes(self) -> None:
        changed = self.decisions.sync_external_changes()
        if changed:
            self._on_decided(changed, None)


def _found_files(root: Path, files: Sequence[Path]) -> list[ImageFile]:
    return [
        ImageFile.found(file, file.absolute().relative_to(root).as_posix(), file) for file in files
    ]
