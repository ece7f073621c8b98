"""The page, by its text and as Chromium shows it."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from prune_rnn.analyse.finished import Finished
from prune_rnn.analyse.rows import Library
from prune_rnn.report.base import Table
from prune_rnn.report.figures.catalogue import FIGURES
from prune_rnn.report.page import Section, page, provenance, spent
from prune_rnn.report.report import report

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def written(sample: Path) -> Path:
    report([f"results={sample}"])
    return sample / "report.html"


def figures(written: Path) -> int:
    """The number of figures beside the page: those of every report, and the intervals of its tables."""
    return len(list((written.parent / "figures").glob("*_small.svg")))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everything_is_there_and_nothing_overflows(
    browser: webdriver.Chrome, written: Path, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(written.as_uri())
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    images = browser.find_elements(By.TAG_NAME, "img")
    assert len(images) == figures(written) > len(FIGURES) and all(
        image.get_property("naturalWidth") > 0 for image in images
    )
    assert all(image.size["width"] <= width for image in images)
    table = browser.find_element(By.TAG_NAME, "table")
    assert table.is_displayed() and "GRU Sparse Big" in table.text
    assert len(table.find_elements(By.CSS_SELECTOR, "tbody tr")) == 11
    ground = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert (int(re.findall(r"\d+", ground)[0]) < 60) == (scheme == "dark")
    assert browser.execute_script("return performance.getEntriesByType('resource').length") <= len(images)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


class Reader(HTMLParser):
    """Collects what a page would load, and checks that its elements close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe")
        self.sources += [value or "" for name, value in attributes if name in ("src", "srcset", "style")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.slow
def test_the_page_needs_nothing_else(written: Path) -> None:
    text = written.read_text()
    reader = Reader()
    reader.feed(text)
    assert reader.open == [] and len(reader.sources) == figures(written)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in reader.sources)
    assert "url(" not in text and "@import" not in text and 'name="viewport"' in text
    assert "GRU Sparse Medium: <code>prune-rnn train model=gru_sparse_medium" in text  # has no run yet
    assert "0123456789ab+changes" in text and "prune-rnn train model=gru_sparse_big seed=1" in text


def test_text_is_escaped() -> None:
    table = Table(
        name="<a>",
        title="<b>a & b",
        caption="<i>",
        rows=[{"Model": "1 < 2"}],
        notes=["<u>"],
        missing=[("<s>", "<c>")],
        findings=["<em>"],
    )
    text = page("report 'x=<y>'", [Section([table], [])], [], [])
    assert "&lt;b&gt;a &amp; b" in text and "1 &lt; 2" in text
    assert not any(tag in text for tag in ('id="<a>', "<b>", "<i>", "<u>", "<s>", "<c>", "<em>", "<y>"))
    assert text.index("&lt;em&gt;") < text.index("&lt;b&gt;a &amp; b")  # findings lead


def test_what_training_took_is_counted_in_cores_and_on_a_gpu_in_hours(sample: Path) -> None:
    """Two processes of two threads for 900 s are one core-hour; one hour of a GPU is one hour."""
    run = Library([f"results={sample}"]).comparable()[0]

    def took(**changed: object) -> Finished:
        return replace(run, result=replace(run.result, **changed))  # type: ignore[arg-type]

    two = took(train_seconds=900.0, threads=2, processes=[1, 2], device="x86_64 CPU")
    assert spent([two, two]) == "Training these 2 runs took 2.0 core-hours."
    gpu = took(train_seconds=3600.0, threads=8, processes=1, device="NVIDIA H200")
    assert spent([two, gpu]) == "Training these 2 runs took 1.0 core-hours, 1.0 hours on a GPU."


def test_provenance_has_a_row_a_run(sample: Path) -> None:
    runs = Library([f"results={sample}"]).comparable()
    rows = provenance(runs).rows
    assert {row["Sparsity %"] for row in rows if row["Run"].startswith("gru_dense-")} == {"0.0"}
    assert len(rows) == 7 and {row["Versions"] for row in rows} == {"prune-rnn 0.1.0, torch 2.11.0"}
    big = [row for row in rows if row["Run"].startswith("gru_sparse_big")]
    assert sorted(row["Seed"] for row in big) == ["0", "1"] and {row["q from"] for row in big} == {"calibrated"}
