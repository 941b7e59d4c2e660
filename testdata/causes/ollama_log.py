"""What Ollama logs at its start, in the wording of its releases.

Wording and source lines are those of the releases named in `RELEASES`; a release between two of
them logs as the earlier one does.
"""

import datetime

UUID = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b"
CARD = "NVIDIA H100 80GB HBM3"
PCI = "0000:00:05.0"

# source lines of: server config, Listening, discovering, starting runner, bootstrap took,
# evaluating, verifying, filtering, failure, inference compute (GPU, CPU), context or low vram
RELEASES = {
    "0.5.7": dict(config=1187, listen=1238, discover=226, none=392, gpu=131, cpu=131),
    "0.6.8": dict(config=1233, listen=1300, discover=217, none=377, gpu=130, cpu=130),
    "0.11.10": dict(config=1331, listen=1384, discover=217, none=379, gpu=131, cpu=131, vram=1477),
    "0.12.3": dict(config=1475, listen=1528, discover=217, none=396, gpu=131, cpu=131, vram=1569),
    "0.12.4": dict(config=1481, listen=1534, discover=80, took=534, evaluate=118, verify=130,
                   filter=139, failure=545, gpu=112, cpu=129, vram=1575),
    "0.13.5": dict(config=1554, listen=1607, discover=67, start=429, took=437, evaluate=124,
                   verify=146, filter=153, failure=464, gpu=42, cpu=60, vram=1648),
    "0.16.2": dict(config=1663, listen=1718, discover=67, start=431, took=437, evaluate=124,
                   verify=146, filter=153, failure=464, gpu=42, cpu=60, vram=1768),
    "0.24.0": dict(config=1807, listen=1861, discover=67, start=433, took=433, evaluate=123,
                   verify=145, filter=152, failure=462, gpu=42, cpu=60, vram=1914),
    "0.30.0": dict(config=1893, listen=1949, discover=55, took=475, evaluate=117, verify=139,
                   filter=146, failure=500, gpu=32, cpu=50, vram=1999),
    "0.33.0": dict(config=1951, listen=2008, discover=60, took=494, evaluate=131, verify=153,
                   filter=160, failure=522, gpu=32, cpu=50, vram=2058),
}


def era(version):
    number = tuple(int(part) for part in version.split("."))
    return "A" if number <= (0, 12, 3) else "B" if number <= (0, 24, 0) else "C"


def stamp(seconds, zone):
    moment = datetime.datetime.fromtimestamp(seconds, zone)
    text = moment.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _config(version, process_env):
    known = {"CUDA_VISIBLE_DEVICES": "", "GPU_DEVICE_ORDINAL": "", "HIP_VISIBLE_DEVICES": "",
             "HSA_OVERRIDE_GFX_VERSION": "", "OLLAMA_CONTEXT_LENGTH": "0",
             "OLLAMA_DEBUG": "INFO", "OLLAMA_HOST": "http://127.0.0.1:11434",
             "OLLAMA_KEEP_ALIVE": "5m0s", "OLLAMA_LLM_LIBRARY": "",
             "OLLAMA_MODELS": "/usr/share/ollama/.ollama/models", "OLLAMA_NUM_PARALLEL": "1",
             "ROCR_VISIBLE_DEVICES": ""}
    if era(version) != "A":
        known["OLLAMA_VULKAN"] = "true" if era(version) == "C" else "false"
    for key in known:
        if key in process_env and key != "OLLAMA_HOST":
            known[key] = process_env[key]
    if version in ("0.5.7", "0.6.8"):
        known["OLLAMA_DEBUG"] = "true" if process_env.get("OLLAMA_DEBUG") else "false"
    elif process_env.get("OLLAMA_DEBUG") in ("1", "true"):
        known["OLLAMA_DEBUG"] = "DEBUG"
    elif process_env.get("OLLAMA_DEBUG") == "2":
        known["OLLAMA_DEBUG"] = "TRACE"
    return "map[%s]" % " ".join("%s:%s" % item for item in sorted(known.items()))


class Log:
    """The lines of one start, each with the seconds since boot at which it was written."""

    def __init__(self, host):
        self.host = host
        self.where = RELEASES[host.version]
        self.at = host.started + 0.35
        self.lines = []

    def raw(self, text, after=0.001):
        self.at += after
        self.lines.append((self.at, text))

    def slog(self, level, source, text, after=0.001):
        self.at += after
        when = stamp(self.host.boot + self.at, self.host.zone)
        self.lines.append((self.at, "time=%s level=%s source=%s %s" % (when, level, source, text)))


def gpu_line(host, device):
    """The `inference compute` line for a device that was found."""
    values = dict(id=UUID, compute="9.0", driver="12.8", card=CARD, pci=PCI, total="80.0 GiB",
                  free="78.0 GiB", variant=host.variant, library="CUDA")
    values.update(device)
    if host.era == "A":
        variant = "v" + values["variant"].split("_v")[-1]
        return ('msg="inference compute" id=%(id)s library=cuda variant=' + variant +
                ' compute=%(compute)s driver=%(driver)s name="%(card)s" total="%(total)s" '
                'available="%(free)s"') % values
    if host.version == "0.12.4":
        ids = "id=%(id)s " % values
    elif host.era == "B":
        ids = 'id=%(id)s filter_id="" ' % values
    else:
        ids = "id=0 filter_id=0 "
    return ('msg="inference compute" ' + ids + "library=%(library)s compute=%(compute)s "
            'name=%(library)s0 description="%(card)s" libdirs=ollama,%(variant)s '
            'driver=%(driver)s pci_id=%(pci)s type=discrete total="%(total)s" '
            'available="%(free)s"') % values


def cpu_line(era_name):
    if era_name == "A":
        return ('msg="inference compute" id=0 library=cpu variant="" compute="" driver=0.0 '
                'name="" total="62.7 GiB" available="60.1 GiB"')
    return ('msg="inference compute" id=cpu library=cpu compute="" name=cpu description=cpu '
            'libdirs=ollama driver="" pci_id="" type="" total="62.7 GiB" available="60.1 GiB"')


def start(host):
    """All lines of one start of `host`, which says what discovery found."""
    log, where, env = Log(host), RELEASES[host.version], host.process_env
    for line in host.loader_lines:
        log.raw(line, 0.0005)
    if host.discovery == "none":
        return log.lines
    config = 'env="%s"' % _config(host.version, env)
    if host.version in ("0.5.7", "0.6.8"):
        when = datetime.datetime.fromtimestamp(host.boot + log.at, host.zone)
        log.raw("%s routes.go:%d: INFO server config %s" %
                (when.strftime("%Y/%m/%d %H:%M:%S"), where["config"], config))
    else:
        log.slog("INFO", "routes.go:%d" % where["config"], 'msg="server config" ' + config)
    log.slog("INFO", "images.go:473", 'msg="total blobs: 5"')
    log.slog("INFO", "images.go:480", 'msg="total unused blobs removed: 0"')
    log.slog("INFO", "routes.go:%d" % where["listen"],
             'msg="Listening on 127.0.0.1:11434 (version %s)"' % host.version)
    if host.era == "A":
        log.slog("INFO", "gpu.go:%d" % where["discover"], 'msg="looking for compatible GPUs"')
    else:
        log.slog("INFO", "runner.go:%d" % where["discover"],
                 'msg="discovering available GPUs..."')
        for key in ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HIP_VISIBLE_DEVICES"):
            if env.get(key) and host.version != "0.12.4":
                line = {"B": (485, 489), "C": (722, 726)}[host.era]
                log.slog("WARN", "runner.go:%d" % line[0],
                         'msg="user overrode visible devices" %s=%s' % (key, env[key]))
                log.slog("WARN", "runner.go:%d" % line[1],
                         'msg="if GPUs are not correctly discovered, unset and try again"')
        for directory in host.searched():
            _pass(log, host, where, directory, {})
        if host.era == "B" and host.version != "0.12.4" and host.has_variant("vulkan") and \
           env.get("OLLAMA_VULKAN") != "1" and not env.get("OLLAMA_LLM_LIBRARY"):
            log.slog("INFO", "runner.go:106",
                     'msg="experimental Vulkan support disabled.  To enable, set OLLAMA_VULKAN=1"')
    for level, source, text, wait in host.discovery_lines:
        if level:
            log.slog(level, source, text, wait)
        else:
            log.raw(text, wait)
    _result(log, host, where)
    for level, source, text, wait in host.later_lines:
        if level:
            log.slog(level, source, text, wait)
        else:
            log.raw(text, wait)
    return log.lines


def _pass(log, host, where, directory, extra):
    """One child that looks for devices, of era B or C."""
    paths = " ".join(dict.fromkeys([host.ollama_lib, directory]))
    if "start" in where:
        log.slog("INFO", "server.go:%d" % where["start"],
                 'msg="starting runner" cmd="%s runner --ollama-engine --port %d"' %
                 (host.program, 40000 + int(log.at * 1000) % 9000))
    if host.debug:
        envs = " ".join("%s:%s" % item for item in extra.items())
        log.slog("DEBUG", "runner.go:%d" % where["took"],
                 'msg="bootstrap discovery took" duration=%s OLLAMA_LIBRARY_PATH="[%s]" '
                 "extra_envs=%s" % (host.duration, paths,
                                    '"map[%s]"' % envs if extra else "map[]"),
                 host.duration_seconds())
    else:
        log.at += host.duration_seconds()


def _result(log, host, where):
    found = host.discovery == "gpu"
    first = found or host.first_pass
    if host.era != "A" and host.debug:
        log.slog("DEBUG", "runner.go:%d" % where["evaluate"],
                 'msg="evaluating which, if any, devices to filter out" initial_count=%d' %
                 (1 if first else 0))
    directory = host.ollama_lib + "/" + host.variant
    device = dict(id=UUID, pci=PCI, compute="9.0")
    device.update(host.device)
    if first and host.era == "B" and host.debug:
        log.slog("DEBUG", "runner.go:%d" % where["verify"],
                 'msg="verifying if device is supported" library=%s description="%s" compute=%s '
                 "id=%s pci_id=%s" % (directory, CARD, device["compute"], device["id"],
                                      device["pci"]))
        _pass(log, host, where, directory,
              {"CUDA_VISIBLE_DEVICES": device["id"], "GGML_CUDA_INIT": "1"})
        if not found:
            log.slog("DEBUG", "runner.go:%d" % where["filter"],
                     'msg="filtering device which didn\'t fully initialize" id=%s libdir=%s '
                     "pci_id=%s library=CUDA" % (device["id"], directory, device["pci"]))
    if host.discovery == "silent":
        return
    if found:
        log.slog("INFO", "types.go:%d" % where["gpu"], gpu_line(host, host.device), 0.3)
    else:
        if host.era == "A":
            log.slog("INFO", "gpu.go:%d" % where["none"],
                     'msg="no compatible GPUs were discovered"', 0.2)
        log.slog("INFO", "types.go:%d" % where["cpu"], cpu_line(host.era))
    vram = "80.0 GiB" if found else "0 B"
    if host.version in ("0.11.10", "0.12.3", "0.12.4", "0.13.5"):
        if not found:
            log.slog("INFO", "routes.go:%d" % where["vram"],
                     'msg="entering low vram mode" "total vram"="0 B" threshold="20.0 GiB"')
    elif host.era != "A":
        log.slog("INFO", "routes.go:%d" % where["vram"],
                 'msg="vram-based default context" total_vram="%s" default_num_ctx=%d' %
                 (vram, 262144 if found else 4096))
