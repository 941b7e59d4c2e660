"""Hosts for the tests of baselines: those of testdata/causes, and the three days of one machine.

A Host is a healthy machine in memory; `tree(host)` writes it as a captured host.
"""

import contextlib
import datetime
import os
import shutil
import sys
import tempfile

import doctor_testing as testing

sys.path.insert(0, os.path.abspath("testdata/causes"))
import capture  # noqa: E402
import host as model  # noqa: E402

LD_PRELOAD = ["/usr/lib64/libvgpu-%s.so" % kind for kind in ("exec", "cuda", "nvml", "cudart")]
LIBRARY_PATH = "/usr/local/lib/ollama:/usr/local/lib/ollama/cuda_v12"
LINK = "/usr/local/lib/ollama/libggml-cuda.so"
WRAPPER = "/usr/local/bin/force_load_shim"
DAY = 86400


@contextlib.contextmanager
def tree(host):
    root = tempfile.mkdtemp(dir=testing.temporary())
    try:
        capture.write(host, root)
        yield root
    finally:
        shutil.rmtree(root)


def _machine(days):
    """The machine, so many days after it was booted on 2026-02-24."""
    host = model.Host(version="0.16.2", shims=("exec", "cuda", "nvml", "cudart"), debug=True)
    host.boot = 1771920000
    host.file("/etc/machine-id", "e44ceeb10dfd956f678547165b4b1642\n")
    host.started += days * DAY
    host.now = host.started + 1200
    return host


def works():
    """February 25: the GPU is found in 302 ms."""
    host = _machine(1)
    host.env["OLLAMA_LIBRARY_PATH"] = LIBRARY_PATH
    host.link(LINK, "cuda_v12/libggml-cuda.so")
    return host


def crashes():
    """February 26: the list names a file that is not there, a wrapper loads copies of two shims
    that the list loads too, and every start dies."""
    host = _machine(2)
    host.t_written = host.started - 600
    host.t_reload = host.started - 300
    host.env["LD_PRELOAD"] = ":".join(
        "/usr/lib64/libvgpu-%s.so" % kind for kind in ("exec", "syscall", "cuda", "nvml"))
    for kind in ("cuda", "nvml"):
        host.copy(host.shim(kind), "/opt/vgpu/lib/libvgpu-%s.so.1" % kind)
    host.file(WRAPPER, "#!/bin/sh\n"
              "LD_PRELOAD=/opt/vgpu/lib/libvgpu-cuda.so.1:/opt/vgpu/lib/libvgpu-nvml.so.1"
              ":$LD_PRELOAD exec \"$@\"\n", mode="0755")
    host.exec_start = WRAPPER + " /usr/local/bin/ollama serve"
    host.extra_loader_lines = []
    host.die("11/SEGV")
    return host


def lost():
    """February 26, later: no wrapper, the list in another order, no crash; and the journal at hand
    begins after the start, so that nothing shows what discovery said."""
    host = works()
    host.started += DAY
    host.now = host.started + 1200
    host.t_written = host.started - 600
    host.t_reload = host.started - 300
    host.env["LD_PRELOAD"] = ":".join([LD_PRELOAD[0], *LD_PRELOAD[2:], LD_PRELOAD[1]])
    host.journal_from = host.started + 60
    return host


def story():
    """The machine of `lost`, whose journal goes back to the day on which it worked."""
    host = lost()
    result = ('time=2026-02-25T04:00:00.000-05:00 level=INFO source=types.go:42 msg="inference '
              'compute" id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b filter_id="" library=CUDA '
              'compute=9.0 name=CUDA0 description="NVIDIA H100 80GB HBM3" libdirs=ollama,cuda_v12 '
              'driver=12.8 pci_id=0000:00:05.0 type=discrete total="79.6 GiB" '
              'available="79.1 GiB"')
    worked = host.started - DAY + 3
    crashed = host.started - 3600
    host.journal_prefix = [
        (worked - 2, "systemd", "Started ollama.service - Ollama Service."),
        (worked - 1, "service", 'time=2026-02-25T04:00:00.000-05:00 level=INFO source=routes.go:1718 '
         'msg="Listening on 127.0.0.1:11434 (version 0.16.2)"'),
        (worked, "service", result)]
    for number in range(3):
        host.journal_prefix += [
            (crashed + 5 * number, "systemd",
             "ollama.service: Main process exited, code=dumped, status=11/SEGV"),
            (crashed + 5 * number + 1, "systemd",
             "ollama.service: Failed with result 'core-dump'.")]
    host.file("/var/log/dpkg.log", "".join(
        _local(host, crashed - 900 + number, "%Y-%m-%d %H:%M:%S") + text for number, text in
        enumerate((" upgrade libc6:amd64 2.36-9 2.36-10\n", " upgrade tzdata:all 2025a 2026a\n",
                   " install vim:amd64 <none> 9.1\n"))))
    host.files["/usr/lib64/libvgpu-cuda.so"]["ctime"] = host.time(crashed - 600)
    host.kernel.append((crashed, "ollama[57290]: segfault at 0 ip 00007f2736001a2b sp "
                        "00007ffd3a1c4a10 error 4 in libvgpu-cuda.so[7f2736001000+9000]"))
    return host


def _local(host, seconds, form):
    return datetime.datetime.fromtimestamp(host.boot + seconds, host.zone).strftime(form)
