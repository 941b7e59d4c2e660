"""Machines on which all is well: every era and deployment shape. A report must not invent."""

import host as model
from cases import CASES, Case, label

VERSIONS = ("0.6.8", "0.11.10", "0.12.3", "0.12.4", "0.13.5", "0.16.2", "0.24.0", "0.30.0",
            "0.33.0")
DIRECTORIES = ("/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/opt/vgpu/lib",
               "/usr/lib/x86_64-linux-gnu/vgpu")
UNITS = ("ollama.service", "ollama-gpu.service", "llm@blue.service")
ALWAYS = dict(ruled_out_has=["VG302"], never=["VG704"])


def _register():
    number = 0
    for version in VERSIONS:
        for shape in (model.PRELOAD, model.PATH, model.BOUND, model.DRIVER):
            on = dict(version=version, shape=shape, shim_dir=DIRECTORIES[number % 4],
                      unit=UNITS[number // 5 % 2], pid=2000 + 37 * number,
                      debug=number % 3 == 1, prefix=("/usr/local", "/usr")[number // 2 % 2],
                      dropin=("vgpu.conf", "override.conf", "10-vgpu.conf")[number % 3],
                      hours=(-5, 0)[number % 2],
                      llm_library=("cuda_v12", None)[number // 3 % 2])
            story = "%s, shims by %s in %s" % (version, shape, on["shim_dir"])
            CASES.append(Case("HEALTHY", "healthy", lambda on=on: model.Host(**on), None,
                              label(story, **ALWAYS), on, frozenset()))
            number += 1
    for version in ("0.12.3", "0.16.2", "0.33.0"):
        on = dict(version=version, shape=model.CONTAINER, pid=3000 + number)
        CASES.append(Case("HEALTHY", "healthy", lambda on=on: model.Host(**on), None,
                          label("%s, in a container that has the GPU" % version,
                                never=["VG704", "VG202", "VG610"]), on, frozenset()))


_register()
