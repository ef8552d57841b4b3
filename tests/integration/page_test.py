#!/usr/bin/env python3
"""Looks at the page of a real rondo-server under load in a real Chromium, driven by Playwright from PyPI.

usage: page_test.py BIN_DIR [unittest arguments]     exit 77: no Chromium here (Debian package chromium)

Leaves pictures of the page in build/page_test/: light.png, dark.png and phone.png.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from running_server import RunningServer  # noqa: E402
from small_models import write_model  # noqa: E402

WORK = ROOT / "build/page_test"
PLAYWRIGHT = "playwright==1.65.2"
IN_VENV = "RONDO_TEST_VENV"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def run_in_venv():
    """The environment is kept: its driver is large."""
    venv = WORK / "venv"
    python = venv / "bin/python"
    if not (venv / PLAYWRIGHT).exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        if subprocess.run([python, "-m", "pip", "install", "--quiet", PLAYWRIGHT]).returncode != 0:
            sys.exit(f"cannot install {PLAYWRIGHT}: this test needs PyPI")
        (venv / PLAYWRIGHT).touch()
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:]], env=dict(os.environ, **{IN_VENV: "1"})).returncode)


if CHROMIUM is None:
    print("skipped: no Chromium here (Debian package chromium)")
    sys.exit(77)
if IN_VENV not in os.environ:
    run_in_venv()

from playwright.sync_api import sync_playwright  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1))
CONTROLS = "a[href], button, select, summary, [tabindex='0']"


def write_graph_model(repository, name):
    """Two cells beside each other: an edge of the graph passes one of them."""
    def zeros(*shape):
        count = 1
        for size in shape:
            count *= size
        return list(shape), [0.0] * count

    def cell(element, gates, inputs, units):
        return {f"{element}.weight_ih": zeros(gates * units, inputs),
                f"{element}.weight_hh": zeros(gates * units, units),
                f"{element}.bias_ih": zeros(gates * units), f"{element}.bias_hh": zeros(gates * units)}

    description = {
        "format": 2, "inputs": {"size": 2},
        "elements": [{"name": "rnn", "type": "lstm", "of": "input", "units": 3},
                     {"name": "gru", "type": "gru", "of": "rnn", "units": 2},
                     {"name": "both", "type": "concat", "of": ["rnn", "gru"]},
                     {"name": "logit", "type": "dense", "of": "both", "units": 1}],
        "output": {"of": "logit", "head": "sigmoid"}}
    write_model(repository, name, description, {
        **cell("rnn", 4, 2, 3), **cell("gru", 3, 3, 2), "logit.weight": zeros(1, 5), "logit.bias": zeros(1)})


class Server(RunningServer):
    def __init__(self, *flags, **options):
        super().__init__(BIN, *flags, **options)
        self.url = f"http://{self.http_address}/"


class Sample:
    """What a text of /metrics says."""

    def __init__(self, text):
        self.series = re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)

    def sum(self, name, *labels):
        return sum(float(value) for series, has, value in self.series
                   if series == name and all(label in has for label in labels))

    def growth(self, before, name):
        return self.sum(name) - before.sum(name)


def whole(number):
    return f"{round(number):,}"


def amount(number):
    """As the page writes a rate: three digits."""
    return whole(number) if number >= 100 else f"{float(f'{number:.3g}'):g}"


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.models = folder / "models"
        shutil.copytree(ROOT / "deploy/demo/models", cls.models)
        write_graph_model(cls.models, "two_cells")
        broken = cls.models / "broken/1/model.safetensors"
        broken.parent.mkdir(parents=True)
        broken.write_text("nonsense")
        cls.server = Server(repository=cls.models)
        cls.addClassCleanup(cls.server.kill)
        load = subprocess.Popen([BIN / "rondo-load", f"--server={cls.server.address}", "--model=seattle", "--streams=8",
                                 "--rate=200", "--duration=1h"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(load.wait)
        cls.addClassCleanup(load.terminate)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        cls.addClassCleanup(cls.browser.close)

    def open(self, url=None, width=1280, scheme="light"):
        """A page that asks every second. What it says to the console and whom it asks is kept."""
        context = self.browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(30_000)
        self.console, self.asked, self.answers = [], [], []
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"thrown: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", lambda answer: answer.url.endswith("/metrics") and self.answers.append(answer))
        self.assertEqual(page.goto(url or self.server.url).status, 200)
        page.select_option("#every", "1")
        return page

    def await_rates(self, page, columns=2):
        page.wait_for_function("(least) => state.columns.filter(({histograms}) => histograms).length >= least",
                               arg=columns)

    def row(self, page, table, name):
        cells = page.locator(f"#{table} tbody tr[data-key='{name}'] > *")
        return [cell.strip() for cell in cells.all_inner_texts()]

    def tile(self, page, name):
        return page.locator(f".tile[data-key='{name}'] b").inner_text()

    def test_light_dark_and_phone_show_all_without_an_error_or_a_foreign_request(self):
        for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 360, "light")):
            with self.subTest(name):
                page = self.open(width=width, scheme=scheme)
                self.await_rates(page, 5)
                for summary in page.locator("details summary").all():
                    summary.click()
                self.assertEqual(page.locator("#status-text").inner_text(), "Ready: takes requests")
                self.assertIn("broken, version 1: its newest file could not be loaded",
                              page.locator("#concerns").inner_text())
                self.assertGreater(page.locator("#latency tbody tr").count(), 0)
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width, "no sideways scrolling")
                red = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
                self.assertEqual(red > 128, scheme == "light")
                page.screenshot(path=WORK / f"{name}.png", full_page=True)
                self.assertEqual(self.console, [])
                self.assertEqual([url for url in self.asked if not url.startswith((self.server.url, "data:"))], [])

    def test_the_numbers_are_those_of_the_last_two_answers(self):
        page = self.open()
        self.await_rates(page, 3)
        page.click("#pause")
        before, after = [Sample(answer.text()) for answer in self.answers[-2:]]
        seconds = page.evaluate("state.change.seconds")
        self.assertAlmostEqual(seconds, 1, delta=0.9)
        for event in ("created", "deleted", "expired"):
            total = after.sum("rondo_session_events_total", f'event="{event}"')
            self.assertEqual(self.row(page, "events", event)[3], whole(total))
        steps = after.growth(before, "rondo_steps_total")
        self.assertGreater(steps, 0)
        self.assertEqual(self.tile(page, "Steps"), amount(steps / seconds))
        requests = after.growth(before, "rondo_request_duration_seconds_count")
        self.assertEqual(self.tile(page, "Requests"), amount(requests / seconds))
        for name, metric in (("Sessions", "rondo_sessions"), ("Streams", "rondo_streams"),
                             ("Connections", "rondo_connections"), ("In flight", "rondo_requests_in_flight")):
            self.assertEqual(self.tile(page, name), whole(after.sum(metric)))
        rows = after.growth(before, "rondo_batch_size_sum") / after.growth(before, "rondo_batch_size_count")
        self.assertIn(f"{amount(rows)} rows a kernel call, of 64 at most", page.locator("#batches-now").inner_text())
        busy = after.growth(before, "rondo_loop_busy_seconds_total") / seconds
        self.assertEqual(self.row(page, "loops", "0")[2], f"{amount(100 * busy)}\xa0%")
        counts = page.evaluate("state.columns.at(-1).histograms.rondo_request_duration_seconds.byModel.get('seattle')")
        self.assertEqual(sum(counts), requests)
        self.assertIn("Nothing was turned away", page.locator("#never-refused").inner_text())

    def test_tab_reaches_each_control_and_shows_where_it_is(self):
        page = self.open(width=360)
        self.await_rates(page)
        page.locator(".version[data-key^=two_cells] summary").click()
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        controls = f'[...document.querySelectorAll("{CONTROLS}")]'
        wanted = page.evaluate(f"{controls}.filter((control) => control.checkVisibility()).length")
        self.assertGreater(wanted, 15)
        reached = set()
        for _ in range(2 * wanted):
            page.keyboard.press("Tab")
            at, outline = page.evaluate(f"[{controls}.indexOf(document.activeElement), "
                                        "getComputedStyle(document.activeElement).outlineStyle]")
            if at >= 0:
                reached.add(at)
                self.assertEqual(outline, "solid")
        self.assertEqual(len(reached), wanted)

    def test_arrow_keys_read_the_heat_map(self):
        page = self.open()
        self.await_rates(page, 3)
        page.focus("#latency canvas")
        page.keyboard.press("ArrowLeft")
        first = page.locator("#latency-reading").inner_text()
        self.assertRegex(first, r"^\d\d:\d\d:\d\d, [\d.]+\s[µm]?s to [\d.]+\s[µm]?s: "
                                r"[\d.]+ requests/s, [\d.]+\s% of all$")
        page.keyboard.press("ArrowLeft")
        self.assertNotEqual(page.locator("#latency-reading").inner_text(), first)
        page.keyboard.press("Escape")
        self.assertEqual(page.locator("#latency-reading").inner_text(), "")
        page.select_option("#family", "rondo_step_duration_seconds")
        page.keyboard.press("ArrowLeft")
        page.focus("#batches canvas")
        page.keyboard.press("ArrowUp")
        self.assertRegex(page.locator("#batches-reading").inner_text(), r"rows?: [\d.]+ calls/s")

    def test_a_graph_has_each_element_and_its_table_too(self):
        page = self.open()
        version = page.locator(".version[data-key^=two_cells]")
        version.locator("summary").click()
        self.assertEqual(version.locator(".box .name").all_text_contents(), ["input", "rnn", "gru", "both", "logit"])
        self.assertEqual(version.locator(".keeps .name").all_text_contents(), ["rnn", "gru"])
        self.assertEqual(version.locator("path.edge").count(), 6, "five edges, one of which passes the gru by a bend")
        self.assertEqual([text.split("\t")[:6] for text in version.locator("tbody tr").all_inner_texts()],
                         [["rnn", "lstm", "input", "3", "84", "6"], ["gru", "gru", "rnn", "2", "42", "2"],
                          ["both", "concat", "rnn, gru", "5", "0", "0"], ["logit", "dense", "both", "1", "6", "0"]])

    def test_a_server_that_goes_and_comes_back_is_followed(self):
        server = Server(repository=self.models)
        page = self.open(server.url)
        self.await_rates(page)
        server.kill()
        page.wait_for_selector("#status[data-state=away]")
        self.assertIn("The numbers are those of", page.locator("#asked").inner_text())
        server = Server(repository=self.models, http_listen=server.http_address)
        self.addCleanup(server.kill)
        page.wait_for_selector("#status[data-state=ready]")
        self.await_rates(page)
        self.assertFalse(any("-" in text for text in page.locator(".tile b").all_inner_texts()), "no rate below 0")

    def test_a_server_that_takes_nothing_says_so(self):
        empty = self.models.parent / "none"
        empty.mkdir()
        server = Server(repository=empty)
        self.addCleanup(server.kill)
        page = self.open(server.url)
        page.wait_for_selector("#status[data-state=waiting]")
        self.assertIn("no model is live", page.locator("#status").inner_text())
        self.await_rates(page)
        self.assertEqual([line for line in self.console if line.startswith("thrown")], [])

    def test_where_calls_take_a_token_no_graph_is_told(self):
        tokens = self.models.parent / "tokens"
        tokens.write_text(f"{'0' * 64} acme admin\n")
        server = Server(f"--model={self.models}/seattle/1/model.safetensors", f"--tokens_file={tokens}", repository=None)
        self.addCleanup(server.kill)
        page = self.open(server.url)
        page.wait_for_selector("#status[data-state=ready]")
        self.assertIn("only callers with a token", page.locator("#graphs-note").inner_text())
        self.assertEqual(page.locator(".version").count(), 1)
        self.assertNotIn("acme", page.content())
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(server.url + "models.json")

    def test_the_policy_lets_nothing_foreign_run_or_be_asked(self):
        page = self.open()
        self.assertEqual(page.evaluate("""() => {
            const script = document.createElement('script');
            script.text = 'window.ran = 1';
            document.body.append(script);
            return typeof window.ran;
        }"""), "undefined")
        other = self.server.url.replace("127.0.0.1", "localhost") + "metrics"
        answer = page.evaluate("(url) => fetch(url).then(() => 'asked', () => 'refused')", other)
        self.assertEqual(answer, "refused")
        self.assertTrue(all("Content Security Policy" in line for line in self.console), self.console)
        self.assertGreaterEqual(len(self.console), 2)


if __name__ == "__main__":
    unittest.main()
