"""Whether CycloneDX's own schema allows each of the bills that are named."""

import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

for name in sys.argv[1:]:
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(pathlib.Path(name).read_text())
    if wrong:
        sys.exit(f"{name}: {wrong}")
