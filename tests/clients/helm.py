"""Charts as Helm's own engine renders them: cases as JSON in the first file, what became of each in the second one."""

import json
import pathlib
import sys
import tempfile

from helm_python import chart as helm


def laid_over(below, above):
    """The user's files among themselves (helm, pkg/cli/values, MergeMaps); over the chart's own they go in Helm."""
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            laid_over(below[key], value)
        else:
            below[key] = value
    return below


def rendered(case):
    own, *users = case["values"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "templates").mkdir()
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
        (folder / "values.yaml").write_text(own)
        if case["schema"]:
            (folder / "values.schema.json").write_text(case["schema"])
        (folder / "templates" / "all.yaml").write_text(case["template"])
        values = {}
        for text in users:
            laid_over(values, helm.values_from_yaml(text))
        with helm.Chart.load(folder) as chart:
            return chart.render(values=values)["chart/templates/all.yaml"]


def answer(case):
    try:
        return {"text": rendered(case)}
    except Exception as error:
        return {"error": str(error)}


asked = json.loads(pathlib.Path(sys.argv[1]).read_text())
# Many cases have the same values, which may be long.
texts, schema = asked["texts"], asked["schema"]
cases = [{**case, "values": [texts[index] for index in case["values"]], "schema": schema} for case in asked["cases"]]
pathlib.Path(sys.argv[2]).write_text(json.dumps([answer(case) for case in cases]))
