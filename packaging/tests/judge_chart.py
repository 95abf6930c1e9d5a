"""judge_chart.py BINARY, by the Python that has Helm's engine and kubernetes-validate: the chart over a matrix of values."""

import functools
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml
from helm_python import chart as helm

CHART = pathlib.Path(__file__).resolve().parent.parent.parent / "charts" / "dibump"
CONFIG = {
    "version": 1,
    "producers": [{"registry": "oci://registry.example/dib"}],
    "targets": [{"project": "group/deployment", "files": ["values.yaml"]}],
}
# Each is laid over the chart's own values; all of their combinations are rendered.
MATRIX = [
    [{"cronJob": {"enabled": False}}, {"cronJob": {"shards": 4, "suspend": True}}],
    [{}, {"serve": {"enabled": True}}, {"serve": {"enabled": True, "triggerToken": {"secret": "trigger"}, "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}}],
    [{}, {"osImagesInfo": {"enabled": True, "valuesConfigMap": "values", "valuesFiles": ["a.yaml", "b.yaml"], "arguments": ["--plain-http"]}}],
    [{}, {"networkPolicy": {"enabled": False}}, {"networkPolicy": {"egressPorts": [], "ingressFrom": [{"podSelector": {}}]}}],
    [
        {},
        {
            "existingConfigMap": "ours",
            "secrets": [{"name": "GITLAB_TOKEN", "secret": "dibump", "key": "gitlab-token"}],
            "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
            "caBundle": {"configMap": "ca"},
            "cache": {"existingClaim": "cache"},
            "image": {"digest": "sha256:" + "0" * 64},
            "imagePullSecrets": [{"name": "pull"}],
            "podLabels": {"team": "images"},
            "podAnnotations": {"team": "images"},
            "nodeSelector": {"kubernetes.io/arch": "amd64"},
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "low",
        },
    ],
    [
        {},
        {"imageServer": {"enabled": True, "valuesConfigMap": "values"}},
        {
            "imageServer": {
                "enabled": True,
                "replicas": 2,
                "valuesConfigMap": "values",
                "valuesFiles": ["a.yaml", "b.yaml"],
                "pullArguments": ["--plain-http", "--jobs", "4"],
                "configMap": {"namespace": "sylva-system"},
                "keepUsedByCluster": True,
                "storage": {"images": 1, "imageBytes": 2067967998, "className": "fast"},
                "tlsSecret": "images-tls",
                "service": {"type": "LoadBalancer", "port": 443, "loadBalancerIP": "192.0.2.1", "annotations": {"a": "b"}},
            }
        },
    ],
]
# What values.schema.json must refuse.
WRONG = [
    {"cronjob": {"enabled": True}},
    {"cronJob": {"shards": 0}},
    {"cronJob": {"shards": "4"}},
    {"cronJob": {"schedule": "hourly"}},
    {"serve": {"every": "1 hour"}},
    {"image": {"digest": "latest"}},
    {"secrets": [{"name": "GITLAB_TOKEN", "value": "glpat-in-the-values"}]},
    {"osImagesInfo": {"enabled": True}},
    {"imageServer": {"enabled": True}},
    {"imageServer": {"storage": {"size": "20"}}},
    {"imageServer": {"replicas": 0}},
    {"networkPolicy": {"egressPorts": ["https"]}},
]
KUBERNETES = ("1.29", "1.35")


def fail(what):
    sys.exit(f"chart: {what}")


def rendered(values, name="updates"):
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values=values, name=name, namespace="images")
    return [one for path, text in texts.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text) if one]


def pods(objects):
    for one in objects:
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield one, spec["template"]


def judge(objects):
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]
    if len(set(names)) != len(names):
        fail(f"written twice: {names}")
    for one in objects:
        if one["kind"] in ("Secret", "ClusterRole", "ClusterRoleBinding"):
            fail(f"{one['kind']} is nothing that this chart may make")
        known(json.dumps(one))
    for one, template in pods(objects):
        restricted(one, template["spec"])
        referenced(objects, one, template)


@functools.cache
def known(text):
    """Kubernetes has every field. ServiceMonitor is Prometheus' and not in its schemas."""
    one = json.loads(text)
    for version in KUBERNETES if one["kind"] != "ServiceMonitor" else ():
        kubernetes_validate.validate(one, version, strict=True)


def restricted(one, pod):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, the profile Restricted."""
    context = pod["securityContext"]
    right = context["runAsNonRoot"] and context["runAsUser"] != 0 and context["seccompProfile"] == {"type": "RuntimeDefault"}
    right &= all(set(volume) <= {"name", "configMap", "emptyDir", "persistentVolumeClaim", "secret"} for volume in pod["volumes"])
    for container in pod["containers"]:
        own = container["securityContext"]
        right &= not own["allowPrivilegeEscalation"] and own["capabilities"] == {"drop": ["ALL"]} and own["readOnlyRootFilesystem"]
        right &= "limits" in container["resources"]
    right &= pod["automountServiceAccountToken"] is ("serviceAccountName" in pod)
    if not right:
        fail(f"{one['kind']} {one['metadata']['name']} is not restricted: {pod}")


def referenced(objects, one, template):
    """Every mount has its volume, and every ConfigMap of ours is there."""
    pod = template["spec"]
    claims = {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in pod["volumes"]} | claims
    mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
    maps = {one["metadata"]["name"] for one in objects if one["kind"] == "ConfigMap"} | {"ours", "ca", "values"}
    named = {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    if volumes != mounted or not named <= maps:
        fail(f"volumes {volumes}, mounted {mounted}, of {named} there are {maps}")


def rights(objects):
    """What the program says that it takes (docs/in-a-cluster.md), and nothing else."""
    [role] = [one for one in objects if one["kind"] == "Role"]
    configmaps = {"apiGroups": [""], "resources": ["configmaps"]}
    if role["rules"] != [{**configmaps, "resourceNames": ["os-images-info"], "verbs": ["get", "patch"]}, {**configmaps, "verbs": ["create"]}]:
        fail(f"the rights are {role['rules']}")


def shards(objects):
    """Each target belongs to one pod: as many are told as there are."""
    [job] = [one["spec"]["jobTemplate"]["spec"] for one in objects if one["kind"] == "CronJob"]
    [container] = job["template"]["spec"]["containers"]
    told = {variable["name"]: variable.get("value") for variable in container["env"]}["DIBUMP_SHARDS"]
    if (told, job["completions"], job["completionMode"]) != ("4", 4, "Indexed"):
        fail(f"{told} shards, {job}")


def image_server(values):
    """The volume is as large as sylva-core's own formula says, one pod is not protected from its node, several are."""
    kinds = {one["kind"]: one for one in rendered(values)}
    [claim] = kinds["StatefulSet"]["spec"]["volumeClaimTemplates"]
    server = values["imageServer"]
    size = claim["spec"]["resources"]["requests"]["storage"]
    if size != ("2137Mi" if "storage" in server else "521588Mi"):
        fail(f"the volume has {size}")
    if ("PodDisruptionBudget" in kinds) != (server.get("replicas", 1) > 1):
        fail(f"{server}: {sorted(kinds)}")
    [role] = [one for one in rendered(values) if one["kind"] == "Role"]
    if role["metadata"]["namespace"] != server.get("configMap", {}).get("namespace", "images"):
        fail(f"the role is in {role['metadata']}")
    ports = [rule["ports"] for rule in kinds["NetworkPolicy"]["spec"]["ingress"]]
    if ports != [[{"protocol": "TCP", "port": "images"}]]:
        fail(f"machines reach {ports}")


def accepted(binary, objects):
    """The program knows each flag that the chart gives it, and accepts the configuration that it is given."""
    for _, template in pods(objects):
        for container in template["spec"]["containers"]:
            args = container["args"]
            if "--" in args:
                end = args.index("--")
                ran(binary, "pull", "--into", "images", *args[end + 1 :], "--help")
                args = args[:end]
            ran(binary, *args, "--help")
    for one in objects:
        if one["kind"] == "ConfigMap":
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(one["data"]["dibump.yaml"])
                file.flush()
                ran(binary, "config", "validate", "--config", file.name)


def ran(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{command}: {done.stderr}")


def laid_over(below, above):
    return {**below, **{key: laid_over(below.get(key, {}), value) if isinstance(value, dict) else value for key, value in above.items()}}


def refuses(values, why):
    try:
        rendered(values)
    except Exception as error:
        if why not in str(error):
            fail(f"{values}: refused, but not by {why}: {error}")
    else:
        fail(f"{values} should be refused")


def main():
    binary = sys.argv[1]
    linted = helm.lint(CHART, {"config": CONFIG}, strict=True, kube_version="1.35.0")
    # Severity 1 is advice: that the chart should have an icon.
    if linted["errors"] or any(message["severity"] > 1 for message in linted["messages"]):
        fail(linted)
    count = 0
    for parts in itertools.product(*MATRIX):
        values = {"config": CONFIG}
        for part in parts:
            values = laid_over(values, part)
        objects = rendered(values)
        judge(objects)
        if parts[4] == {} and parts[3] == {}:
            accepted(binary, objects)
        count += 1
    everything = rendered(laid_over({"config": CONFIG}, laid_over(MATRIX[0][1], MATRIX[2][1])))
    rights(everything)
    for server in MATRIX[5][1:]:
        image_server({"config": CONFIG, **server})
    shards(everything)
    if not {"CronJob", "ConfigMap", "NetworkPolicy"} == {one["kind"] for one in rendered({"config": CONFIG})}:
        fail("the default is a CronJob, its configuration and its network")
    for wrong in WRONG:
        refuses({"config": CONFIG, **wrong}, "schema")
    refuses({}, "config is empty")
    judge(rendered({"config": CONFIG}, name="a-very-long-name-of-a-release-that-helm-still-allows"))
    print(f"chart: {count} renderings, {len(WRONG)} refused")


main()
