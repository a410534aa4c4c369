"""The store against a model of it that fits on a page: any order of acts, windows and restarts."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from desktop.core.cases import OPEN, Decision
from desktop.core.review import decisions
from desktop.core.review.decisions import Step, make_step
from desktop.core.store.decision_log import DecisionConflict
from desktop.core.store.review_store import ReviewStore
from tests.helpers.review_cases import CLASSES, STAMP, case, content, open_store, record

IMAGES = ("a.png", "b/c.png", "d.png")
some_images = st.lists(st.sampled_from(IMAGES), min_size=1, max_size=3, unique=True)


def plain(decision: Decision) -> Decision:
    return replace(decision, revision=0)


class ReviewMachine(RuleBasedStateMachine):
    """Acts on the real store and on plain dictionaries; both must always agree."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.store = open_store(self.place)
        self.other = open_store(self.place)
        self.now: dict[str, Decision] = {}
        self.done: list[dict[str, tuple[Decision, Decision]]] = []
        self.undone: list[dict[str, tuple[Decision, Decision]]] = []
        self.decided_on: dict[str, int | None] = {}
        self.content: dict[str, int] = {}
        self.changed: set[str] = set()
        self.put_aside: dict[tuple[str, int], Decision] = {}
        self.seen = 0
        self.known: dict[str, Decision] = {}

    def teardown(self) -> None:
        self.store.close()
        self.other.close()
        shutil.rmtree(self.place)

    def act(self, store: ReviewStore, step: Step) -> None:
        store.apply(step)
        if not step.changes:
            return
        changes = {}
        for change in step.changes:
            changes[change.image] = (plain(change.before), plain(change.after))
            self.set(change.image, plain(change.after))
            self.decided_on[change.image] = self.content.get(change.image)
        if step.undoable:
            self.done.append(changes)
            self.undone.clear()

    def set(self, image: str, decision: Decision) -> None:
        self.now[image] = decision
        if decision.reviewed:
            self.changed.discard(image)

    def step(self, store: ReviewStore, images: list[str], kind: str, name: str) -> Step:
        shown = kind != "blind"
        commands = {
            "label": lambda item: decisions.label(item, name, STAMP, votes_shown=True),
            "blind": lambda item: decisions.label(item, name, STAMP, votes_shown=False),
            "unsure": lambda item: decisions.mark_unsure(item, STAMP, votes_shown=shown),
            "clear": lambda item: decisions.clear(item, STAMP),
            "flag": lambda item: decisions.set_flag(item, not item.flagged, STAMP),
            "comment": lambda item: decisions.set_comment(item, f"{item.comment}.", STAMP),
            "reveal": decisions.reveal,
        }
        return make_step(
            "reveal" if kind == "reveal" else "label",
            {image: store.decision(image) for image in images},
            lambda _, before: commands[kind](before),
        )

    @rule(
        images=some_images,
        kind=st.sampled_from(["label", "blind", "unsure", "clear", "flag", "comment", "reveal"]),
        name=st.sampled_from(CLASSES),
        second=st.booleans(),
    )
    def decide(self, images: list[str], kind: str, name: str, second: bool) -> None:
        store = self.other if second else self.store
        self.act(store, self.step(store, images, kind, name))

    @rule(image=st.sampled_from(IMAGES), name=st.sampled_from(CLASSES))
    def decide_on_what_is_no_longer_so(self, image: str, name: str) -> None:
        stale = self.step(self.store, [image], "comment", name)
        self.act(self.other, self.step(self.other, [image], "comment", name))
        try:
            self.store.apply(stale)
        except DecisionConflict:
            return
        raise AssertionError("a decision was overwritten")

    def move(self, forward: bool, store: ReviewStore) -> None:
        source, target = (self.undone, self.done) if forward else (self.done, self.undone)
        applied = store.redo() if forward else store.undo()
        if not source:
            assert applied is None
            return
        assert applied is not None
        changes = source.pop()
        target.append(changes)
        for image, (before, after) in changes.items():
            leave, reach = (before, after) if forward else (after, before)
            current = self.now[image]
            if not decisions.same_decision(current, leave):
                assert image in applied.skipped
                continue
            self.set(image, replace(reach, votes_seen=reach.votes_seen or current.votes_seen))

    @rule(second=st.booleans())
    def undo(self, second: bool) -> None:
        self.move(False, self.other if second else self.store)

    @rule(second=st.booleans())
    def redo(self, second: bool) -> None:
        self.move(True, self.other if second else self.store)

    @rule(image=st.sampled_from(IMAGES), version=st.integers(0, 2))
    def file_is_read(self, image: str, version: int) -> None:
        record(self.store, case(image, sha256=content((image, version))))
        self.content[image] = version
        if image not in self.now:
            return
        earlier = self.decided_on[image]
        if earlier is None or earlier == version:
            self.decided_on[image] = version
            return
        self.decided_on[image] = version
        back = self.put_aside.get((image, version))
        if back is None and decisions.same_decision(self.now[image], OPEN):
            return
        self.put_aside[image, earlier] = self.now[image]
        self.now[image] = OPEN if back is None else back
        if back is None:
            self.changed.add(image)
        else:
            self.changed.discard(image)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.place)
        assert self.store.notice is None

    @rule()
    def look_at_the_others_changes(self) -> None:
        self.seen, changes = self.other.changes_since(self.seen)
        self.known.update({image: plain(item) for image, item in changes.items()})
        assert self.known == self.now

    @invariant()
    def store_and_model_agree(self) -> None:
        found = {image: plain(item) for image, item in self.store.decisions().items()}
        assert found == self.now
        assert self.store.changed_files() == self.changed
        undo, redo = self.store.undo_next(), self.store.redo_next()
        assert (undo is None) == (not self.done)
        assert (redo is None) == (not self.undone)


ReviewMachine.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_any_order_of_acts_windows_and_restarts_keeps_every_decision = ReviewMachine.TestCase
