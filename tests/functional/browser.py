"""A tour of MLflow's own UI after a lifecycle, as a person would take it; with pictures where they are asked for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from lifecycles import STAGES, Lifecycle, page

CHROMIUM = "/usr/bin/chromium"
MODE = "workflowType=machine_learning"
PATIENCE = 60_000
"""Milliseconds, for a slow machine."""
# MLflow opens an assistant beside the first page that somebody visits.
SETTLED = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""


def require_chromium() -> str:
    """Path of the browser; skips the test, and says why, where there is none."""
    if not (os.path.exists(CHROMIUM) and shutil.which(CHROMIUM)):
        pytest.skip(f"no browser at {CHROMIUM}: `apt-get install chromium`")
    return CHROMIUM


@dataclass(frozen=True)
class Visitor:
    """Somebody who looks at a server's pages.

    Attributes:
        tab: Playwright's page.
        uri: Of the server.
        pictures: Folder that gets a picture of each page; None for none.
    """

    tab: Any
    uri: str
    pictures: Path | None

    def look(self, name: str, address: str, *awaited: str) -> str:
        """Open a page, wait until it shows these texts, and read it."""
        self.tab.goto("about:blank")  # from one address behind `#` to another nothing would be loaded
        self.tab.goto(f"{self.uri}{address}")
        return self.read(name, *awaited)

    def read(self, name: str, *awaited: str) -> str:
        """What the page shows once it shows these texts."""
        for text in awaited:
            self.tab.get_by_text(text).first.wait_for(timeout=PATIENCE)
        self._picture(name)
        return str(self.tab.inner_text("body"))

    def read_artifact(self, name: str) -> str:
        """What the artifact viewer shows of an HTML file."""
        frame = self.tab.frame_locator("iframe")
        frame.locator("h1").first.wait_for(timeout=PATIENCE)
        self._picture(name)
        return str(frame.locator("body").inner_text())

    def _picture(self, name: str) -> None:
        if self.pictures is not None:
            self.tab.wait_for_timeout(1000)  # charts move into place
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.tab.screenshot(path=self.pictures / f"{name}.png")


@contextmanager
def visiting(uri: str, pictures: Path | None = None) -> Iterator[Visitor]:
    """A browser for the first time on a server's pages."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = chromium.new_page(viewport={"width": 1600, "height": 1000})
        tab.add_init_script(SETTLED)
        try:
            yield Visitor(tab, uri, pictures)
        finally:
            chromium.close()


def tour(visitor: Visitor, lifecycle: Lifecycle) -> dict[str, str]:
    """Look at everything that a lifecycle left behind; the text of each page, by the name of its picture."""
    experiment, name = lifecycle.run.info.experiment_id, lifecycle.run.data.tags["mlops.use_case"]
    title, version = lifecycle.run.info.run_name, lifecycle.run.data.tags["mlops.version"]
    seen = {"runs": visitor.look("runs", f"/#/experiments/{experiment}/runs?{MODE}", title)}
    visitor.tab.locator("[data-component-id*='runnamecellrenderer']").first.click()
    visitor.tab.get_by_role("link", name="design", exact=True).wait_for(timeout=PATIENCE)
    seen["nested"] = visitor.read("nested")
    seen["lifecycle"] = visitor.look("lifecycle", f"{page(lifecycle, lifecycle.run)}?{MODE}", "Stages, each with")
    for stage in STAGES:
        visitor.look(stage, f"{page(lifecycle, lifecycle.stages[stage])}/artifacts/card.html?{MODE}", "card.html")
        seen[stage] = visitor.read_artifact(stage)
    seen["compare"] = visitor.look("compare", compare_address(lifecycle), "Parallel Coordinates Plot", "Run details")
    seen["versions"] = visitor.look("versions", f"/#/models/{name}?{MODE}", f"Version {version}")
    seen["version"] = visitor.look("version", f"/#/models/{name}/versions/{version}?{MODE}", "Staging")
    return seen


def compare_address(lifecycle: Lifecycle) -> str:
    """The page that puts the candidates side by side."""
    runs = json.dumps([run.info.run_id for run in lifecycle.children["evaluate"].values()])
    experiments = json.dumps([lifecycle.run.info.experiment_id])
    return f"/#/compare-runs?runs={quote(runs)}&experiments={quote(experiments)}&{MODE}"
