#!/usr/bin/env python3
"""Checks every rendering against the schemas of several Kubernetes versions, which come with Kubernetes' Go module: no field
that a version does not know, none of a wrong type, none missing.

usage: schema_test.py           exit 77: this machine lacks go, kubectl, helm or PyYAML
"""

import copy
import json
import os
import shutil
import subprocess
import sys
import unittest
import zipfile

from renderings import VARIANTS, objects, of_chart, of_overlay, skip

VERSIONS = ["1.31.14", "1.34.4", "1.37.2"]  # the oldest that the chart is for, and later ones
OPERATORS_GROUPS = ("monitoring.coreos.com", "keda.sh")  # not Kubernetes' own
QUANTITY = "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"
PYTHON_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


class Schemas:
    """One version's."""

    def __init__(self, version):
        asked = subprocess.run(["go", "mod", "download", "-json", f"k8s.io/kubernetes@v{version}"], capture_output=True, text=True,
                               env={**os.environ, "GOFLAGS": "-mod=mod"})
        if asked.returncode != 0:
            skip(f"k8s.io/kubernetes {version} cannot be had: {asked.stderr or asked.stdout}")
        with zipfile.ZipFile(json.loads(asked.stdout)["Zip"]) as module:
            text = module.read(f"k8s.io/kubernetes@v{version}/api/openapi-spec/swagger.json")
        self._definitions = json.loads(text)["definitions"]
        self._kinds = {
            (kind["group"], kind["version"], kind["kind"]): name
            for name, schema in self._definitions.items() for kind in schema.get("x-kubernetes-group-version-kind", [])
        }

    def problems(self, one):
        group, _, version = one["apiVersion"].rpartition("/")
        name = self._kinds.get((group, version, one["kind"]))
        if name is None:
            return [f"there is no {one['apiVersion']} {one['kind']}"]
        return list(self._check(one, {"$ref": f"#/definitions/{name}"}, one["kind"]))

    def _check(self, value, schema, where):
        is_quantity = schema.get("$ref") == QUANTITY
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        kind = schema.get("type")
        if is_quantity or schema.get("format") == "int-or-string":
            if not isinstance(value, (str, int, float)) or isinstance(value, bool):
                yield f"{where} is {value!r}: wanted a number or a text"
        elif kind is not None and (not isinstance(value, PYTHON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{where} is {value!r}: wanted {kind}"
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from self._check(each, schema.get("items", {}), f"{where}[{number}]")
        elif isinstance(value, dict):
            yield from self._check_fields(value, schema, where)

    def _check_fields(self, value, schema, where):
        properties, others = schema.get("properties"), schema.get("additionalProperties")
        for field in schema.get("required", []):
            if field not in value:
                yield f"{where} lacks {field}"
        for field, each in value.items():
            if properties and field in properties:
                yield from self._check(each, properties[field], f"{where}.{field}")
            elif isinstance(others, dict):
                yield from self._check(each, others, f"{where}.{field}")
            elif properties is not None:
                yield f"{where} has {field}, which is unknown"


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schemas = {version: Schemas(version) for version in VERSIONS}
        cls.renderings = {
            f"{variant}, {name}": [
                one for one in objects(render(variant)) if one["apiVersion"].partition("/")[0] not in OPERATORS_GROUPS
            ]
            for variant in VARIANTS for name, render in (("chart", of_chart), ("overlay", of_overlay))
        }

    def test_every_version_takes_every_object(self):
        for version, schemas in self.schemas.items():
            for name, found in self.renderings.items():
                self.assertGreater(len(found), 2, name)
                for one in found:
                    self.assertEqual(schemas.problems(one), [], f"{version}: {name}: {one['kind']}")

    def test_what_is_wrong_is_found(self):
        found = self.renderings[f"{VARIANTS[0]}, chart"]
        workload = next(one for one in found if one["kind"] in ("Deployment", "StatefulSet"))

        def edited(edit):
            copied = copy.deepcopy(workload)
            edit(copied)
            return copied

        def container(one):
            return one["spec"]["template"]["spec"]["containers"][0]

        faults = {
            "has colour, which is unknown": edited(lambda one: container(one).update(colour="red")),
            "wanted integer": edited(lambda one: one["spec"].update(replicas="two")),
            "wanted boolean": edited(lambda one: container(one).update(tty="yes")),
            "lacks selector": edited(lambda one: one["spec"].pop("selector")),
            "there is no apps/v1beta1": {**workload, "apiVersion": "apps/v1beta1"},
        }
        for schemas in self.schemas.values():
            for fault, one in faults.items():
                self.assertIn(fault, " ".join(schemas.problems(one)))


if __name__ == "__main__":
    if shutil.which("go") is None:
        skip("no go here")
    unittest.main(argv=sys.argv[:1])
