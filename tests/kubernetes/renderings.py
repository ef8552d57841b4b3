"""Renders the chart and the overlays. Needs kubectl for the overlays, helm for the chart, and PyYAML."""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/rondo"
VARIANTS = sorted(path.stem for path in (ROOT / "deploy/helm/renderings").glob("*.yaml"))
HELM_MODULE = "helm.sh/helm/v3/cmd/helm@v3.19.5"
KUBE_VERSION = "1.31.0"  # what the chart is told that it renders for
SKIPPED = 77


def skip(reason):
    """Ends a test that this machine cannot run."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    import yaml
except ImportError:
    skip("PyYAML is not here")


def helm():
    """The program: $RONDO_HELM, the one on the PATH, or one built from its Go module into build/tools."""
    found = os.environ.get("RONDO_HELM") or shutil.which("helm")
    built = ROOT / "build/tools/helm"
    if found or built.exists():
        return found or str(built)
    if shutil.which("go") is None:
        skip("no helm here, and no go to build it with")
    print(f"building {HELM_MODULE} into {built.parent}, once", flush=True)
    environment = {**os.environ, "GOBIN": str(built.parent), "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    done = subprocess.run(["nice", "go", "install", HELM_MODULE], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"helm could not be built: {done.stderr.strip().splitlines()[-1:]}")
    return str(built)


def kubectl():
    if shutil.which("kubectl") is None:
        skip("no kubectl here")
    return "kubectl"


def run(*command):
    """The output of a command; its errors with it if it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def template(*arguments, release="rondo"):
    """The chart as text, with `arguments` of helm template."""
    return run(helm(), "template", release, CHART, "--kube-version", KUBE_VERSION, *arguments)


def of_chart(variant):
    return template("--values", ROOT / f"deploy/helm/renderings/{variant}.yaml")


def of_overlay(variant):
    return run(kubectl(), "kustomize", ROOT / "deploy/kubernetes/overlays" / variant)


def objects(text):
    return [one for one in yaml.safe_load_all(text) if one]
