#!/usr/bin/env python3
"""Checks that the chart and the overlays are the same objects, and that these say what a cluster and the server need.

usage: render_test.py BIN_DIR           where rondo-server is; exit 77: this machine lacks what it needs
       render_test.py BIN_DIR --write   first copies deploy/prometheus/rules.yaml to where Kubernetes' files have it
"""

import difflib
import json
import re
import sys
import unittest

from renderings import CHART, ROOT, VARIANTS, objects, of_chart, of_overlay, run, template, yaml

RULES = ROOT / "deploy/prometheus/rules.yaml"
CHART_RULES = CHART / "rules.yaml"
OVERLAY_RULES = ROOT / "deploy/kubernetes/components/monitoring/prometheus_rule.yaml"
# Labels that say which program rendered.
BY_PROGRAM = ("app.kubernetes.io/managed-by", "helm.sh/chart")
# Each value that brings an option of the server with it.
EVERYTHING = ("--set=tls.secret=t,tokens.secret=k,tracing.endpoint=c:4317,tracing.sampling=0.5,tracing.caSecret=a,"
              "sessions.store=redis,sessions.redis.url=rediss://r/0,sessions.redis.caSecret=b,sessions.redis.passwordSecret=p")
BIN_DIR = sys.argv[1] if len(sys.argv) > 1 else ""


def prometheus_rule(rules):
    body = "".join(f"  {line}\n" if line else "\n" for line in rules.splitlines() if not line.startswith("#"))
    return ("# Written by tests/kubernetes/render_test.py --write from deploy/prometheus/rules.yaml.\n"
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: rondo\n  labels:\n"
            "    app.kubernetes.io/name: rondo\n    app.kubernetes.io/instance: rondo\nspec:\n" + body)


def named(text):
    """{(kind, name): object}, without what only says who rendered it."""
    found = {}
    for one in objects(text):
        labels = one["metadata"].get("labels", {})
        for label in BY_PROGRAM:
            labels.pop(label, None)
        found[one["kind"], one["metadata"]["name"]] = one
    return found


def pod_of(text):
    workload = next(one for one in objects(text) if one["kind"] in ("Deployment", "StatefulSet"))
    return workload["spec"]["template"]


def server_of(text):
    return pod_of(text)["spec"]["containers"][0]


def egress_of(text):
    return next(one for one in objects(text) if one["kind"] == "NetworkPolicy")["spec"]["egress"]


def ports_out(*values):
    """The ports that the server is let out to, but those of name servers, a list a destination."""
    return [[port["port"] for port in rule["ports"] if port["port"] != 53] for rule in egress_of(template(*values))]


def seconds(args, option):
    return int(next(re.fullmatch(rf"--{option}=(\d+)s", arg).group(1) for arg in args if arg.startswith(f"--{option}=")))


class SameObjectsTest(unittest.TestCase):
    maxDiff = None

    def test_the_chart_and_the_overlays_render_to_the_same_objects(self):
        overlays = sorted(path.name for path in (ROOT / "deploy/kubernetes/overlays").iterdir())
        self.assertEqual(VARIANTS, overlays)
        for variant in VARIANTS:
            with self.subTest(variant):
                chart, overlay = named(of_chart(variant)), named(of_overlay(variant))
                as_text = [json.dumps(sorted(one.items()), indent=1, sort_keys=True).splitlines(True) for one in
                           ({str(key): value for key, value in which.items()} for which in (overlay, chart))]
                self.assertEqual(chart, overlay, "".join(difflib.unified_diff(*as_text, "overlay", "chart", n=4)))

    def test_the_rules_are_the_same_everywhere(self):
        self.assertEqual(CHART_RULES.read_text(), RULES.read_text(), "write it anew with --write")
        self.assertEqual(OVERLAY_RULES.read_text(), prometheus_rule(RULES.read_text()), "write it anew with --write")
        rule = named(of_chart("replicas"))["PrometheusRule", "rondo"]
        self.assertEqual(rule["spec"], yaml.safe_load(RULES.read_text()))


class ObjectsTest(unittest.TestCase):
    def test_every_selector_finds_the_pods(self):
        for variant in VARIANTS:
            found = named(of_chart(variant))
            labels = pod_of(of_chart(variant))["metadata"]["labels"].items()
            for (kind, name), one in found.items():
                spec = one["spec"]
                selector = {"Service": lambda: spec["selector"], "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],
                            "Deployment": lambda: spec["selector"]["matchLabels"],
                            "StatefulSet": lambda: spec["selector"]["matchLabels"],
                            "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"]}.get(kind)
                if selector:
                    self.assertLessEqual(selector().items(), labels, (variant, kind, name))

    def test_the_monitor_scrapes_each_pod_once(self):
        found = named(of_chart("replicas"))
        selector = found["ServiceMonitor", "rondo"]["spec"]["selector"]["matchLabels"].items()
        scraped = [name for (kind, name), one in found.items()
                   if kind == "Service" and selector <= one["metadata"]["labels"].items()]
        self.assertEqual(scraped, ["rondo-pods"])
        ports = [port["name"] for port in found["Service", "rondo-pods"]["spec"]["ports"]]
        self.assertIn(found["ServiceMonitor", "rondo"]["spec"]["endpoints"][0]["port"], ports)

    def test_the_autoscaler_has_a_metric_that_the_adapter_gives_and_a_target_that_exists(self):
        found = named(of_chart("replicas"))
        scaler = found["HorizontalPodAutoscaler", "rondo"]["spec"]
        adapter = yaml.safe_load((ROOT / "deploy/prometheus/adapter.yaml").read_text())
        self.assertEqual(scaler["metrics"][0]["pods"]["metric"]["name"], adapter["rules"][0]["name"]["as"])
        self.assertIn((scaler["scaleTargetRef"]["kind"], scaler["scaleTargetRef"]["name"]), found)
        self.assertNotIn("replicas", found["Deployment", "rondo"]["spec"])

    def test_a_pod_has_the_time_that_its_server_takes_to_leave(self):
        for text in [of_chart(variant) for variant in VARIANTS] + [template("--set=drainTimeoutSeconds=90")]:
            args = server_of(text)["args"]
            self.assertGreaterEqual(pod_of(text)["spec"]["terminationGracePeriodSeconds"],
                                    seconds(args, "shutdown_delay") + seconds(args, "drain_timeout") + 5)

    def test_the_server_takes_every_option(self):
        known = set(re.findall(r"^  --(\w+)", run(f"{BIN_DIR}/rondo-server", "--help"), re.MULTILINE))
        texts = [of_chart(variant) for variant in VARIANTS] + [template(EVERYTHING)]
        for text in texts:
            for arg in server_of(text)["args"]:
                self.assertIn(re.match(r"--(\w+)=?", arg).group(1), known, arg)


class ValuesTest(unittest.TestCase):
    def refused(self, *values):
        with self.assertRaises(RuntimeError) as caught:
            template(*values)
        return str(caught.exception)

    def test_a_value_that_the_chart_does_not_have_is_refused(self):
        self.assertRegex(self.refused("--set=session.store=redis"), "session")
        self.assertRegex(self.refused("--set=sessions.store=mysql"), "sessions.store|/sessions/store")
        self.assertRegex(self.refused("--set=extraArgs={max_sessions=1}"), "extraArgs")

    def test_what_cannot_work_is_refused(self):
        self.refused("--set=sessions.store=rocksdb,replicas=2")
        self.refused("--set=autoscaling.enabled=true")
        self.refused("--set=models.source=volume")
        self.refused("--set=models.source=init")

    def test_secrets_are_mounted_and_named_and_probes_speak_tls(self):
        server = server_of(template("--set=tls.secret=cert,tokens.secret=keys"))
        mounts = {mount["name"]: mount["mountPath"] for mount in server["volumeMounts"]}
        for option, folder in (("tls_cert", "tls"), ("tls_key", "tls"), ("tokens_file", "tokens")):
            self.assertTrue(any(arg.startswith(f"--{option}={mounts[folder]}/") for arg in server["args"]), option)
        self.assertNotIn("--insecure", server["args"])
        self.assertIn("--insecure", server_of(template())["args"])
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(server[probe]["httpGet"]["scheme"], "HTTPS")

    def test_the_ways_to_redis_are_open(self):
        for url, ports in {
            "redis://redis:6379/0": [6379],
            "redis://redis": [6379],
            "redis://redis/3?replicas=1": [6379],
            "rediss://u:p%40:1@redis.example:7000/0?ca=/a:9/b": [7000],
            "redis://[fd00::1]/0": [6379],
            "redis://[fd00::1]:7001": [7001],
            "redis+sentinel://a:7000/main?replicas=1": [7000, 6379],
            "redis+sentinel://a,b,c/main": [26379, 6379],
            "rediss+sentinel://a:7000,b,c:7001/main/0": [7000, 26379, 7001, 6379],
        }.items():
            values = "--set=sessions.store=redis,sessions.redis.url=" + url.replace(",", "\\,")
            self.assertEqual(ports_out(values), [ports], url)
            self.assertIn(f"--session_store={url}", server_of(template(values))["args"])

    def test_the_way_to_a_collector_is_open(self):
        traced = "--set=tracing.endpoint=collector.traces.svc:4320"
        self.assertEqual(ports_out(), [])
        self.assertEqual(ports_out(traced), [[4320]])
        self.assertEqual(ports_out(traced + ",sessions.store=redis"), [[6379], [4320]])
        self.assertEqual([port["port"] for port in egress_of(template(traced))[0]["ports"]], [4320, 53, 53])
        self.assertEqual(server_of(template(traced))["args"][-1], "--otlp_endpoint=collector.traces.svc:4320")

    def test_traces_that_nobody_would_get_are_refused(self):
        self.refused("--set=tracing.sampling=0.5")
        self.refused("--set=tracing.caSecret=ca")
        self.refused("--set=tracing.endpoint=http://collector:4317")
        self.refused("--set=tracing.endpoint=collector")
        for sampling in ("2", "1.5", "-0.1", "half"):
            self.refused(f"--set=tracing.endpoint=c:4317,tracing.sampling={sampling}")

    def test_certificates_of_redis_and_the_collector_are_mounted_where_the_server_looks(self):
        pod = pod_of(template(EVERYTHING))["spec"]
        server = pod["containers"][0]
        secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"]}
        folders = {mount["mountPath"]: secrets[mount["name"]] for mount in server["volumeMounts"]}
        self.assertEqual(folders, {"/etc/rondo/tls": "t", "/etc/rondo/tokens": "k", "/etc/rondo/collector": "a", "/etc/rondo/redis": "b"})
        self.assertIn("--otlp_tls_ca=/etc/rondo/collector/ca.crt", server["args"])
        self.assertIn("--session_store=rediss://r/0?ca=/etc/rondo/redis/ca.crt", server["args"])
        self.refused("--set=sessions.store=redis,sessions.redis.caSecret=b")  # of a Redis without TLS

    def test_what_extra_options_name_can_be_mounted(self):
        pod = pod_of(template("--set=extraArgs={--jwks_file=/keys/set.json},extraVolumes[0].name=keys,extraVolumes[0].secret.secretName=k,"
                              "extraVolumeMounts[0].name=keys,extraVolumeMounts[0].mountPath=/keys"))["spec"]
        self.assertEqual(pod["volumes"], [{"name": "keys", "secret": {"secretName": "k"}}])
        self.assertEqual(pod["containers"][0]["volumeMounts"], [{"name": "keys", "mountPath": "/keys"}])

    def test_names_that_look_like_numbers_stay_names(self):
        text = template("--set-string=tls.secret=1,tokens.secret=2,sessions.redis.passwordSecret=3,networkPolicy.monitoringNamespace=4,"
                        "models.initImage=5", "--set=sessions.store=redis,models.source=init,monitoring.enabled=true", release="12")
        pod = pod_of(text)
        self.assertEqual(pod["metadata"]["labels"]["app.kubernetes.io/instance"], "12")
        self.assertEqual([volume["secret"]["secretName"] for volume in pod["spec"]["volumes"][1:]], ["1", "2"])
        self.assertEqual(pod["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"], "3")
        self.assertEqual(pod["spec"]["initContainers"][0]["image"], "5")
        self.assertIn("kubernetes.io/metadata.name: '4'", yaml.safe_dump(objects(text)))

    def test_annotations_and_labels_of_ones_own_come_before_the_charts(self):
        text = template("--set-string=podAnnotations.prometheus\\.io/scrape=false,podAnnotations.a=b,"
                        "monitoring.labels.app\\.kubernetes\\.io/name=mine", "--set=monitoring.enabled=true")
        annotations = pod_of(text)["metadata"]["annotations"]
        self.assertEqual((annotations["prometheus.io/scrape"], annotations["prometheus.io/port"], annotations["a"]), ("false", "8002", "b"))
        self.assertEqual(text.count("prometheus.io/scrape"), 1)  # a key that comes twice is refused by the API server
        self.assertEqual(named(text)["ServiceMonitor", "rondo"]["metadata"]["labels"]["app.kubernetes.io/name"], "mine")

    def test_a_redis_password_is_not_in_the_pod(self):
        server = server_of(template("--set=sessions.store=redis,sessions.redis.passwordSecret=redis"))
        self.assertIn("--session_store=redis://redis:6379/0", server["args"])
        self.assertEqual(server["env"], [{"name": "RONDO_REDIS_PASSWORD",
                                          "valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}}}])

    def test_models_come_from_a_volume_or_an_image(self):
        pod = pod_of(template("--set=models.source=volume,models.volume.persistentVolumeClaim.claimName=m"))["spec"]
        self.assertEqual(pod["volumes"], [{"name": "models", "persistentVolumeClaim": {"claimName": "m"}}])
        pod = pod_of(template("--set=models.source=init,models.initImage=models:7"))["spec"]
        self.assertEqual(pod["initContainers"][0]["image"], "models:7")
        self.assertTrue(pod["containers"][0]["volumeMounts"][0]["readOnly"])

    def test_two_releases_share_a_namespace(self):
        one, other = (named(template(release=release)) for release in ("rondo-a", "b"))
        self.assertFalse(one.keys() & other.keys())


if __name__ == "__main__":
    if "--write" in sys.argv[2:]:
        CHART_RULES.write_text(RULES.read_text())
        OVERLAY_RULES.write_text(prometheus_rule(RULES.read_text()))
    unittest.main(argv=sys.argv[:1])
