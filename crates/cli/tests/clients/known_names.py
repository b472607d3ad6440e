"""Puts names that exist into the paths that Schemathesis makes up: of a thing that is not there,
only the answer that says so would ever be seen."""

import json
import os
import zlib

import schemathesis

# What is there, by the part of the path before its name: one that stays and one that may go.
KNOWN = json.loads(os.environ["TOCSIN_KNOWN"])


@schemathesis.hook
def before_call(context, case, kwargs):
    parts = case.operation.path.split("/")
    goes = case.method.upper() == "DELETE" or parts[-1] == "deactivate"
    for before, part in zip(parts, parts[1:]):
        name = part.strip("{}")
        made_up = (case.path_parameters or {}).get(name)
        # One of four stays as it was made up.
        if part == name or before not in KNOWN or zlib.crc32(repr(made_up).encode()) % 4 == 0:
            continue
        stays, may_go = KNOWN[before]
        case.path_parameters[name] = may_go if goes and part == parts[-1] else stays
