#!/usr/bin/env python3
"""Writes deploy/grafana/rondo.json, the dashboard. Import that file into Grafana; it asks for the Prometheus to read.

usage: make_dashboard.py           writes the file
       make_dashboard.py --check   exit 1 if the file is not what would be written
"""

import json
import pathlib
import sys

FILE = pathlib.Path(__file__).with_name("rondo.json")
WHICH = 'job=~"$job",instance=~"$instance"'


def rate(metric, by, more=""):
    return f"sum by ({by}) (rate({metric}{{{WHICH}{more}}}[$__rate_interval]))"


def quantile(share, metric, by):
    buckets = rate(metric + "_bucket", f"{by}, le" if by else "le")
    return f"histogram_quantile({share}, {buckets})"


# (row, [(title, unit, what it says, [(query, legend)])]). Units are Grafana's.
ROWS = [
    ("Answers", [
        ("Requests by code", "reqps", "Messages that were answered, by model and code.",
         [(rate("rondo_request_duration_seconds_count", "model, code"), "{{model}} {{code}}")]),
        ("Time to answer", "s", "From when a message may have come to its answer: half of them, and 99 of 100.",
         [(quantile(0.5, "rondo_request_duration_seconds", "method"), "{{method}} half"),
          (quantile(0.99, "rondo_request_duration_seconds", "method"), "{{method}} 99 %")]),
        ("Refused", "reqps", "Requests and sequences that were turned away, by reason. A *_full or *_budget is a limit.",
         [(rate("rondo_rejected_total", "reason"), "{{reason}}")]),
        ("Open", "short", "Messages that are not answered yet, and open streams.",
         [(f"rondo_requests_in_flight{{{WHICH}}}", "{{instance}} messages"),
          (f"rondo_streams{{{WHICH}}}", "{{instance}} streams")]),
    ]),
    ("Load", [
        ("Busy loops", "percentunit", "The share of its time that a serving loop does not wait. At 1 it has no time left.",
         [(f"rate(rondo_loop_busy_seconds_total{{{WHICH}}}[$__rate_interval])", "{{instance}} loop {{loop}}")]),
        ("Turn of a loop", "s", "So long a message may wait before it is read.",
         [(quantile(0.5, "rondo_loop_turn_duration_seconds", "instance"), "{{instance}} half"),
          (quantile(0.99, "rondo_loop_turn_duration_seconds", "instance"), "{{instance}} 99 %")]),
        ("Sequences", "short", "Those that run and those that wait to.",
         [(f"sum by (instance) (rondo_active_sequences{{{WHICH}}})", "{{instance}} active"),
          (f"sum by (instance) (rondo_queued_sequences{{{WHICH}}})", "{{instance}} queued")]),
        ("Steps", "ops", "Timesteps computed a second.",
         [(rate("rondo_steps_total", "model"), "{{model}}")]),
        ("Batch fill", "percentunit", "How full the kernel's batches are.",
         [(f"{rate('rondo_batch_size_sum', 'model')} / {rate('rondo_batch_size_count', 'model')} "
           f"/ max by (model) (rondo_batch_size_limit{{{WHICH}}})", "{{model}}")]),
        ("Time in the queue and in the kernel", "s", "99 of 100: from the admission of a sequence to its first kernel call, and one call.",
         [(quantile(0.99, "rondo_queue_duration_seconds", "model"), "{{model}} queue"),
          (quantile(0.99, "rondo_step_duration_seconds", "model"), "{{model}} kernel call")]),
    ]),
    ("Sessions", [
        ("Sessions in memory", "short", "Live sessions by model, and the most that may be.",
         [(f"sum by (instance, model) (rondo_sessions{{{WHICH}}})", "{{instance}} {{model}}"),
          (f"rondo_max_sessions{{{WHICH}}}", "{{instance}} most")]),
        ("What happens to sessions", "ops", "Sessions that began, ended, left for the store or came back, a second.",
         [(rate("rondo_session_events_total", "event"), "{{event}}")]),
        ("Unsaved sessions", "short", "What a crash would lose, with a session store.",
         [(f"rondo_unsaved_sessions{{{WHICH}}}", "{{instance}}")]),
        ("Memory of states", "bytes", "All session state slots, used or free.",
         [(f"rondo_session_state_bytes{{{WHICH}}}", "{{instance}}")]),
        ("Session store up", "short", "1: it answers, or there is none.",
         [(f"rondo_store_up{{{WHICH}}}", "{{instance}}")]),
        ("Calls to the store", "s", "99 of 100 calls.",
         [(quantile(0.99, "rondo_store_duration_seconds", "op"), "{{op}}")]),
    ]),
    ("Models and process", [
        ("Models", "short", "1: the newest file of this version is live; 0: it could not be loaded.",
         [(f"rondo_model_loaded{{{WHICH}}}", "{{instance}} {{model}} {{version}}")]),
        ("CPU", "short", "Cores in use.",
         [(f"rate(process_cpu_seconds_total{{{WHICH}}}[$__rate_interval])", "{{instance}}")]),
        ("Memory", "bytes", "Resident memory.",
         [(f"process_resident_memory_bytes{{{WHICH}}}", "{{instance}}")]),
        ("Connections", "short", "Open connections to gRPC, and the most that may be.",
         [(f"rondo_connections{{{WHICH}}}", "{{instance}}"), (f"rondo_max_connections{{{WHICH}}}", "{{instance}} most")]),
    ]),
]


def panel(number, place, title, unit, description, queries):
    return {
        "id": number, "type": "timeseries", "title": title, "description": description,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"h": 8, "w": 8, "x": place % 3 * 8, "y": place // 3 * 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}},
                        "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [{"refId": chr(ord("A") + i), "expr": query, "legendFormat": legend,
                     **({"exemplar": True} if "rondo_request_duration_seconds_bucket" in query else {})}
                    for i, (query, legend) in enumerate(queries)],
    }


def variable(name, label, query):
    return {"name": name, "label": label, "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "query": query, "definition": query, "refresh": 2, "multi": True, "includeAll": True, "sort": 1,
            "current": {"text": "All", "value": "$__all"}}


def dashboard():
    panels, place = [], 0
    for row, members in ROWS:
        place = (place + 2) // 3 * 3
        panels.append({"id": len(panels) + 1, "type": "row", "title": row, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": place // 3 * 8}})
        for member in members:
            panels.append(panel(len(panels) + 1, place, *member))
            place += 1
    return {
        "uid": "rondo", "title": "Rondo", "tags": ["rondo"], "schemaVersion": 39, "version": 1, "editable": True,
        "refresh": "10s", "time": {"from": "now-30m", "to": "now"}, "timezone": "browser", "graphTooltip": 1,
        "templating": {"list": [
            {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1},
            variable("job", "Job", "label_values(rondo_build_info, job)"),
            variable("instance", "Server", 'label_values(rondo_build_info{job=~"$job"}, instance)'),
        ]},
        "annotations": {"list": []},
        "panels": panels,
    }


def main():
    text = json.dumps(dashboard(), indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        raise SystemExit(f"{FILE.name} is not what {pathlib.Path(__file__).name} writes: run it")


if __name__ == "__main__":
    main()
