"""What is meant by the words after ``mlops compare``: models, each with the runs that it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops_mlflow.core.errors import MlopsError, TrackingError
from mlops_mlflow.governance.evidence import runs_of
from mlops_mlflow.governance.registration import champion
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.learning.baselines import BASELINE, SEASONAL
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import KIND, RUN_OF, STAGE, USE_CASE, Tracker, runs_by_stage

CANDIDATE, CHOSEN = "mlops.candidate", "mlops.chosen"
SHORT = 8
Part = Literal["test", "validation"]
STAGE_OF: dict[Part, str] = {"test": "validate", "validation": "evaluate"}
BASELINES = frozenset({BASELINE, SEASONAL})
ACCEPTED = "a lifecycle, a run of evaluate or validate, a candidate's run below evaluate, or a version of the registry"
_LONGEST_VERSION, _RUN_ID = 6, 32


@dataclass(frozen=True)
class Side:
    """A model that is compared.

    Attributes:
        name: Of the candidate.
        label: What it is called beside others.
        run: MLflow's run that was named; the lifecycle's where a version was.
        stages: Runs that it stands on, by stage; of ``evaluate`` and ``validate`` those whose rows it may be judged on.
        version: Its number in the registry.
        registry_stage: Where that version stands.
        is_choice: Whether the lifecycle chose it, so that the figures of ``validate`` are its own.
        is_baseline: Whether it is there to be beaten.
    """

    name: str
    label: str
    run: Any
    stages: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    registry_stage: str = ""
    is_choice: bool = True
    is_baseline: bool = False

    def judged_on(self, part: Part) -> bool:
        """Whether there may be figures of it on rows of this part. Early lifecycles do not tell their stages."""
        of = STAGE_OF[part] in self.stages
        return of if part == "validation" else self.is_choice and (of or not self.stages)

    @property
    def run_id(self) -> str:
        """Of the run that was named."""
        return str(self.run.info.run_id)


@dataclass(frozen=True)
class Finder:
    """Reads runs and versions of one use case.

    Attributes:
        tracker: Where they are.
        use_case: Its name.
    """

    tracker: Tracker
    use_case: str

    def sides(self, words: Sequence[str]) -> list[Side]:
        """The models that are meant; at least two.

        Raises:
            TrackingError: A word names nothing that can be compared, or there is nothing to compare with.
        """
        found = [self.side(word) for word in words]
        if len(found) > 1:
            return _distinct(found)
        if not found:
            return self._newest()
        return self._with_champion(found[0]) or self.candidates(found[0])

    def _newest(self) -> list[Side]:
        """The newest choice with the champion, else with the choice before it, else with what it was chosen from."""
        lifecycles = self._lifecycles()
        if not lifecycles:
            raise TrackingError(
                f"there is nothing to compare: no lifecycle of {self.use_case} came to an end",
                expected="a finished run that chose a model",
                got=f"none in {self.tracker.shown_uri}",
                hint="run one: `mlops run`; is MLFLOW_TRACKING_URI the server that others ran on?",
            )
        newest = self.of_lifecycle(lifecycles[0])
        if paired := self._with_champion(newest):
            return paired
        others = (self.of_lifecycle(run) for run in lifecycles[1:])
        before = next((other for other in others if not _same(newest, other)), None)
        return [newest, before] if before else self.candidates(newest)

    def _with_champion(self, side: Side) -> list[Side] | None:
        """The side and the version in Production; None without one, or where it is the side itself."""
        found = champion(self.tracker, self.use_case)
        if found is None or found.number == side.version or not side.judged_on("test"):
            return None
        other = self.of_version(found.number)
        return None if _same(side, other) else [side, other]

    def side(self, word: str) -> Side:
        """The model that one word names."""
        kind, _, number = word.partition(":")
        if kind == "version":
            return self.of_version(number)
        if word.isdecimal() and len(word) <= _LONGEST_VERSION and word in self._versions():
            return self.of_version(word)
        run = self._run(word)
        refuse_unfinished(run, self.use_case)
        match run.data.tags.get(KIND), run.data.tags.get(STAGE):
            case "lifecycle", _:
                return self.of_lifecycle(run)
            case "stage", ("evaluate" | "validate") as stage:
                return self._of_stage(run, stage)
            case "candidate", _:
                return self._of_candidate(run)
        told = run.data.tags.get(STAGE) or "no stage of ours"
        kind = run.data.tags.get(KIND, "run")
        raise TrackingError(f"{word} cannot be compared", expected=ACCEPTED, got=f"a {kind} of {told}")

    def of_version(self, number: str) -> Side:
        """A registered version: what its lifecycle chose, as it was last judged."""
        versions = self._versions()
        if number not in versions:
            there = ", ".join(sorted(versions, key=int)) or "none"
            raise TrackingError(f"{self.use_case} has no version {number}", expected=f"one of: {there}", got=number)
        found = versions[number]
        label = f"version {number}"
        if not found.run_id:
            raise TrackingError(
                f"{label} of {self.use_case} was registered without a run", expected="a version that `mlops run` made"
            )
        run = self._get(found.run_id, label)
        side = self.of_lifecycle(run) if run.data.tags.get(KIND) == "lifecycle" else self._of_stage(run, "validate")
        name = found.tags.get(CANDIDATE, side.name)
        stages = {**side.stages, **runs_of(found, run.data.tags)}
        return Side(name, label, run, stages, number, found.registry_stage)

    def of_lifecycle(self, run: Any) -> Side:
        """What a lifecycle chose."""
        stages = runs_by_stage(run.data.tags)
        name = run.data.params.get("chosen", "")
        if not name and "evaluate" in stages:
            name = self._get(stages["evaluate"], "evaluate").data.tags.get(CHOSEN, "")
        if not name:
            target = run.data.tags.get("mlops.target", "an early stage")
            raise TrackingError(
                f"the lifecycle {run.info.run_id[:SHORT]} chose no model",
                expected="one that came as far as evaluate",
                got=f"one that was asked for {target}",
                hint="name another, or run `mlops run`",
            )
        version = run.data.tags.get("mlops.version")
        found = self._versions().get(version) if version else None
        registry_stage = found.registry_stage if found else ""
        return Side(name, _label(name, run), run, stages, version if found else None, registry_stage)

    def candidates(self, side: Side) -> list[Side]:
        """All candidates among which the side was judged, the chosen first, and the best baseline."""
        from mlops_mlflow.core.metrics.catalogue import CATALOGUE

        evaluate = side.stages.get("evaluate")
        below = self._search(f"tags.`mlflow.parentRunId` = '{evaluate}'") if evaluate else []
        runs = [run for run in below if run.data.tags.get(KIND) == "candidate"]
        if len(runs) < 2:
            raise TrackingError(
                f"there is nothing to compare {side.label} with",
                expected="a second run, a version in Production, or the runs of the candidates below evaluate",
                hint="run `mlops run` again after a change, or name two runs",
            )
        judged = self._get(str(evaluate), "evaluate")
        metric = judged.data.params["choose_by"]
        sign = -1 if CATALOGUE[metric].higher_is_better else 1
        runs.sort(key=lambda run: sign * run.data.metrics.get(metric, float("nan")))
        plain = [run for run in runs if run.data.tags[CANDIDATE] in BASELINES]
        runs = [run for run in runs if run not in plain] + plain[:1]
        chosen = judged.data.tags.get(CHOSEN)
        stages = {stage: of for stage, of in side.stages.items() if stage != "validate"}
        sides = [
            Side(name, name, run, stages, is_choice=name == chosen, is_baseline=name in BASELINES)
            for run in runs
            for name in [str(run.data.tags[CANDIDATE])]
        ]
        return sorted(sides, key=lambda one: not one.is_choice)

    def _of_stage(self, run: Any, stage: str) -> Side:
        name = run.data.tags.get(CHOSEN) or run.data.params.get("chosen", "")
        stages = self._stood_on(stage, run.info.run_id)
        if stage == "evaluate":
            stages.pop("validate", None)
        return Side(name, _label(name, run), run, stages)

    def _of_candidate(self, run: Any) -> Side:
        name, parent = run.data.tags[CANDIDATE], run.data.tags.get("mlflow.parentRunId", "")
        stages = self._stood_on("evaluate", parent)
        stages.pop("validate", None)
        return Side(name, _label(name, run), run, stages, is_choice=False, is_baseline=name in BASELINES)

    def _stood_on(self, stage: str, run_id: str) -> dict[str, str]:
        """Runs of the newest lifecycle that stands on this run; the run itself where none does."""
        found = self._search(f"tags.`{RUN_OF}{stage}` = '{run_id}'")
        return runs_by_stage(found[0].data.tags if found else {}) | {stage: run_id}

    def _lifecycles(self) -> list[Any]:
        """Finished lifecycles that judged a model, the newest first."""
        found = self._search(f"tags.`{KIND}` = 'lifecycle' and attributes.status = 'FINISHED'")
        return [run for run in found if f"{RUN_OF}validate" in run.data.tags or "mlops.verdict" in run.data.tags]

    def _versions(self) -> dict[str, Version]:
        with translated(f"read the versions of {self.use_case}", uri=self.tracker.shown_uri):
            found = self.tracker.client.search_model_versions(f"name = '{self.use_case}'", max_results=10_000)
        return {one.number: one for one in map(Version.of, found)}

    def _run(self, word: str) -> Any:
        """The run of this id, or of the only id that begins so."""
        from mlflow.entities import ViewType

        if not word or not set(word.lower()) <= set("0123456789abcdef"):
            raise TrackingError(
                f"`{word}` names no run", expected=f"{ACCEPTED}: an id, its first digits, or `version:N`", got=word
            )
        if len(word) == _RUN_ID:
            return self._get(word, "the run")
        found = self._search(f"attributes.run_id LIKE '{word.lower()}%'", ViewType.ALL)
        if len(found) == 1:
            return found[0]
        several = ", ".join(run.info.run_id[: len(word) + 4] for run in found[:5])
        raise TrackingError(
            f"{'several runs begin' if found else 'no run begins'} with {word}",
            expected=f"the id of a run of {self.use_case}, or enough of its first digits",
            got=several,
            hint="give more digits" if found else f"look for it on {self.tracker.shown_uri}",
        )

    def _get(self, run_id: str, what: str) -> Any:
        with translated(f"read {what} ({run_id})", uri=self.tracker.shown_uri):
            return self.tracker.client.get_run(run_id)

    def _search(self, condition: str, view: Any = None) -> list[Any]:
        from mlflow.entities import ViewType

        order, view = ["attributes.start_time DESC"], view or ViewType.ACTIVE_ONLY
        with translated("look for runs", uri=self.tracker.shown_uri):
            return list(self.tracker.client.search_runs([self.tracker.experiment_id], condition, view, 1000, order))


def refuse_unfinished(run: Any, use_case: str) -> None:
    """Raise where a run cannot be compared whatever it holds.

    Raises:
        TrackingError: It is another use case's, was deleted, or did not finish.
    """
    short, owner = run.info.run_id[:SHORT], run.data.tags.get(USE_CASE)
    if owner != use_case:
        of = f"the use case {owner}" if owner else "no use case of ours"
        raise TrackingError(
            f"the run {short} is not one of {use_case}", expected=f"a run of {use_case}", got=f"of {of}"
        )
    if run.info.lifecycle_stage == "deleted":
        hint = f"`mlflow runs restore --run-id {run.info.run_id}` brings it back"
        raise TrackingError(f"the run {short} was deleted", expected="a run that is there", hint=hint)
    if run.info.status != "FINISHED":
        why = str(run.data.tags.get("mlops.error", "")).partition("\n")[0]
        raise TrackingError(
            f"the run {short} did not finish, so it has no figures to compare",
            expected="FINISHED",
            got=f"{run.info.status}{': ' if why else ''}{why}",
            hint="name another run, or run it again",
        )


def _label(name: str, run: Any) -> str:
    return f"{name} (run {run.info.run_id[:SHORT]})"


def _same(left: Side, right: Side) -> bool:
    """Whether two sides are the same model, judged once."""
    if left.name != right.name:
        return False
    shared = set(left.stages) & set(right.stages) & {"evaluate", "validate"}
    return left.run_id == right.run_id or any(left.stages[stage] == right.stages[stage] for stage in shared)


def _distinct(sides: list[Side]) -> list[Side]:
    for place, side in enumerate(sides):
        twin = next((other for other in sides[:place] if _same(side, other)), None)
        if twin:
            raise MlopsError(
                f"{twin.label} and {side.label} are the same model",
                expected="different models",
                got=f"both stand on the same run of {'validate' if 'validate' in side.stages else 'evaluate'}",
                hint="nothing that decides the result differed, so nothing ran twice; name another run",
            )
    return sides
