#!/usr/bin/env python3
"""Checks the dashboard, the rules and the alerts' pages against a real server under load and a real Prometheus.

usage: dashboard_test.py BIN_DIR     exit 77: no Prometheus here
"""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from running_server import RunningServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules.yaml"
BIN_DIR = sys.argv[1] if len(sys.argv) > 1 else ""


def panels():
    dashboard = json.loads((ROOT / "deploy/grafana/rondo.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries():
    """(panel's title, query as Grafana would send it)."""
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "10s")
            yield panel["title"], query.replace("$job", ".*").replace("$instance", ".*")


def metrics_in(text):
    return set(re.findall(r"\b(?:rondo|process)_[a-z_]+", text))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class AgainstPrometheusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.processes = []
        cls.addClassCleanup(cls.stop)
        cls.server = server = RunningServer(BIN_DIR, f"--session_store=rocksdb:{folder}/sessions", "--sync_interval=100ms")
        cls.addClassCleanup(server.stop)
        cls.start(f"{BIN_DIR}/rondo-load", f"--server={server.address}", "--model=seattle", "--streams=8", "--rate=200",
                  "--duration=1h", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        config = pathlib.Path(folder) / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "rondo", "static_configs": [{"targets": [server.http_address]}]}]}))
        port = free_port()
        cls.prometheus = f"http://127.0.0.1:{port}"
        cls.start("prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                  f"--web.listen-address=127.0.0.1:{port}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @classmethod
    def start(cls, *command, **streams):
        cls.processes.append(subprocess.Popen(command, text=True, **streams))
        return cls.processes[-1]

    @classmethod
    def stop(cls):
        for process in reversed(cls.processes):
            process.send_signal(signal.SIGTERM)
            process.communicate()

    def ask(self, what, **parameters):
        url = f"{self.prometheus}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        return json.loads(urllib.request.urlopen(url, timeout=10).read())["data"]

    def await_data(self, query):
        """True once the query has data."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if self.ask("query", query=query)["result"]:
                    return True
            except OSError:
                pass  # Prometheus has not come up
            time.sleep(0.2)
        return False

    def test_every_query_of_the_dashboard_has_data_under_load(self):
        for title, query in queries():
            with self.subTest(title):
                self.assertTrue(self.await_data(query), f"no data: {query}")

    def test_every_record_has_data_under_load_and_no_rule_fails(self):
        names = re.findall(r"- record: (\S+)", RULES.read_text())
        for name in names:
            with self.subTest(name):
                self.assertTrue(self.await_data(name), f"no data: {name}")
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual([rule["name"] for rule in rules if rule["health"] != "ok"], [])
        self.assertEqual([rule["name"] for rule in rules if rule.get("alerts")], [], "an idle alert fires")

    def test_dashboard_and_rules_name_no_metric_that_a_server_does_not_have(self):
        page = urllib.request.urlopen(f"http://{self.server.http_address}/metrics", timeout=10).read().decode()
        known = metrics_in(page)
        self.assertLessEqual(metrics_in((ROOT / "deploy/grafana/rondo.json").read_text()), known)
        self.assertLessEqual(metrics_in(RULES.read_text()), known)


class AlertsTest(unittest.TestCase):
    def test_every_alert_has_a_page_and_a_test(self):
        alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
        pages = {page.stem for page in (ROOT / "deploy/prometheus/runbooks").glob("*.md")}
        tested = set(re.findall(r"alertname: (\w+)", (ROOT / "deploy/prometheus/rules_test.yaml").read_text()))
        self.assertEqual(pages, alerts)
        self.assertEqual(tested, alerts)
        named = set(re.findall(r"runbooks/(\w+)\.md", RULES.read_text()))
        self.assertEqual(named, alerts)

    def test_the_dashboard_is_what_its_script_writes(self):
        subprocess.run([sys.executable, ROOT / "deploy/grafana/make_dashboard.py", "--check"], check=True)


if __name__ == "__main__":
    if shutil.which("prometheus") is None:
        print("skipped: no Prometheus here (Debian package prometheus)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
