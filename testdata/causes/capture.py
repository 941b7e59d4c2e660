"""Writes a Host as the directory that contract/host-tree.md describes."""

import datetime
import hashlib
import json
import os
import posixpath
import struct

import host as model
import ollama_log
import systemd_text

BOOT_ID = "3334ef818b62f9b5a58c56a88921dcf1"
MACHINE_ID = "e44ceeb10dfd956f678547165b4b1642"
MOUNTS = (
    "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro",
    "25 24 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=1965796k,mode=755",
    "26 25 0:24 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw",
    "27 24 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw",
    "28 27 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw",
    "29 24 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw",
    "30 24 0:25 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,mode=755",
)


def wall(host, seconds):
    moment = datetime.datetime.fromtimestamp(host.boot + seconds, host.zone)
    return moment.strftime("%a %Y-%m-%d %H:%M:%S ") + ("UTC" if host.zone.utcoffset(
        None) == datetime.timedelta(0) else "EST")


def invocation(host, number=0):
    return hashlib.md5(("%s %d %d" % (host.unit, host.pid, number)).encode()).hexdigest()


def scratch():
    """Where trees that are thrown away belong: in memory, where the machine has a place for it."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Writer:
    def __init__(self, host, root):
        self.host, self.root = host, root
        self.made = set()

    def put(self, path, content):
        if path in self.host.omitted:
            return
        where = self.root + path
        folder = os.path.dirname(where)
        if folder not in self.made:
            os.makedirs(folder, exist_ok=True)
            self.made.add(folder)
        with open(where, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())

    def link(self, path, target):
        if path in self.host.omitted:
            return
        where = self.root + path
        os.makedirs(os.path.dirname(where), exist_ok=True)
        os.symlink(target, where)


def write(host, root):
    out = Writer(host, root)
    _units(out)
    _files(out)
    _proc(out)
    _systemctl(out)
    _journal(out)
    _ollama(out)
    captured = datetime.datetime.fromtimestamp(host.boot + host.now, host.zone)
    out.put("/.vgpu-capture/manifest.json", json.dumps(
        {"schema": "vgpu-doctor.capture/1", "captured_at": captured.isoformat(),
         "hostname": host.hostname, "unit": host.unit, "tool_version": "0.1.0",
         "not_observed": host.not_observed}, indent=1) + "\n")


# Unit files.

def fragment_text(host):
    if host.fragment_text is not None:
        return host.fragment_text
    return ("[Unit]\nDescription=Ollama Service\nAfter=network-online.target\n\n[Service]\n"
            "ExecStart=%s\nUser=%s\nGroup=%s\nRestart=always\nRestartSec=3\n"
            'Environment="PATH=%s"\n\n[Install]\nWantedBy=default.target\n' %
            (host.exec_start, host.user, host.user, host.base_path))


def dropin_text(host):
    if host.dropin_text is not None:
        return host.dropin_text
    lines = [host.dropin_lines.get(name, 'Environment="%s=%s"' % (name, value))
             for name, value in host.env.items()]
    for name, values in host.settings.items():
        lines += ["%s=%s" % (name, value) for value in values]
    return "[Service]\n" + "".join(line + "\n" for line in lines) if lines else ""


def _units(out):
    host = out.host
    if host.fragment and host.real(host.fragment) is None:
        host.file(host.fragment, fragment_text(host), mtime=host.time(-700000))
        host.link(model.SYSTEM + "/default.target.wants/" + host.unit, host.fragment)
    text = dropin_text(host) if host.dropin else ""
    if text and host.dropin not in host.files:
        host.file(host.dropin, text, mtime=host.time(host.t_written))


def _files(out):
    host = out.host
    lines = []
    for path in sorted(host.files):
        entry = dict(host.files[path])
        text = entry.pop("text", None)
        if text is not None:
            out.put(path, text)
            if not path.startswith("/sys/"):
                entry["sha256"] = hashlib.sha256(text.encode()).hexdigest()
                entry["size"] = len(text.encode())
        elif entry["type"] == "file" and "elf" in entry:
            entry.setdefault("sha256", hashlib.sha256(
                str(entry["elf"].get("build_id")).encode()).hexdigest())
        if entry["type"] == "symlink":
            out.link(path, entry["target"])
        if path.startswith(("/sys/", "/dev/")):
            for key in ("dev", "ino", "caps", "nlink"):
                entry.pop(key, None)
        lines.append(json.dumps(entry))
    out.put("/.vgpu-capture/files.jsonl", "\n".join(lines) + "\n")


# /proc.

def _maps(host, objects):
    lines, at = [], 0x7f2736000000
    for path in objects:
        entry = host.files[path]
        inode, suffix = entry["ino"], ""
        if path in host.replaced:
            inode, suffix = host.replaced[path], " (deleted)"
        for flags, offset in (("r--p", 0), ("r-xp", 0x1000), ("r--p", 0x5000), ("rw-p", 0x6000)):
            lines.append("%x-%x %s %08x 08:01 %d%s%s%s" % (
                at, at + 0x1000, flags, offset, inode, " " * 21, path, suffix))
            at += 0x1000
        at += 0x3000
    return lines, at


def _auxv(secure, base, uid):
    pairs = [(33, 0x7f2736e28000), (16, 0x178bfbff), (6, 4096), (17, 100), (3, 0x55cf66000040),
             (4, 56), (5, 11), (7, 0x7f2736e2a000 if base else 0), (8, 0), (9, 0x55cf662c51c0),
             (11, uid), (12, uid), (13, uid), (14, uid), (23, 1 if secure else 0),
             (25, 0x7ffd3a1c4a19), (31, 0x7ffd3a1c5fd6), (0, 0)]
    return b"".join(struct.pack("<QQ", key, value) for key, value in pairs)


def _process(out, process):
    host, where = out.host, "/proc/%d" % process.pid
    if process.env is not None:
        out.put(where + "/environ",
                "".join("%s=%s\0" % item for item in process.env.items()))
    comm = process.comm or posixpath.basename(process.exe.split(" ")[0])[:15]
    started = process.started if process.started is not None else host.started
    out.put(where + "/cmdline", "".join(word + "\0" for word in process.cmdline))
    out.put(where + "/comm", comm + "\n")
    out.put(where + "/stat", (
        "{0.pid} ({1}) S {0.ppid} {0.pid} {0.pid} 0 -1 4194560 5204 9731 41 0 19 13 31 18 20 0 10 "
        "0 {2} 1887096832 11264 18446744073709551615 1 1 0 0 0 0 0 0 2143420159 0 0 0 17 1 0 0 0 "
        "0 0 0 0 0 0 0 0 0 0\n").format(process, comm, started * 100 + 20))
    identity = "\t".join([str(process.uid)] * 4)
    out.put(where + "/status", (
        "Name:\t{1}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{0.pid}\nPid:\t{0.pid}\n"
        "PPid:\t{0.ppid}\nTracerPid:\t0\nUid:\t{2}\nGid:\t{2}\nFDSize:\t64\n"
        "Groups:\t44 106 998 \nThreads:\t10\nCapInh:\t0000000000000000\n"
        "CapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t{0.seccomp}\n"
        "Seccomp_filters:\t0\n").format(process, comm, identity))
    out.put(where + "/cgroup", "0::%s\n" % (process.cgroup or host.cgroup))
    out.put(where + "/mountinfo", "\n".join(list(MOUNTS) + process.mounts) + "\n")
    out.put(where + "/auxv", _auxv(process.secure, process.base, process.uid))
    out.link(where + "/exe", process.exe)
    out.link(where + "/cwd", "/")
    if process.root:
        out.link(where + "/root", process.root)
    for number, target in process.fds.items():
        out.link(where + "/fd/%d" % number, target)
    lines = ["c000000000-c000800000 rw-p 00000000 00:00 0 "]
    plain = process.exe.replace(" (deleted)", "")
    inode = host.replaced.get(plain, host.files.get(plain, {}).get("ino", 262001))
    for number, flags in enumerate(("r--p", "r-xp", "r--p", "rw-p")):
        lines.append("%x-%x %s %08x 08:01 %d%s%s" % (
            0x55cf66000000 + number * 0x100000, 0x55cf66100000 + number * 0x100000, flags,
            number * 0x100000, inode, " " * 21, process.exe))
    lines.append("55cff1000000-55cff1021000 rw-p 00000000 00:00 0" + " " * 26 + "[heap]")
    objects, _ = _maps(host, process.objects)
    lines += objects + ["7f2736e28000-7f2736e2a000 r-xp 00000000 00:00 0" + " " * 26 + "[vdso]",
                        "7ffd3a1a5000-7ffd3a1c6000 rw-p 00000000 00:00 0" + " " * 26 + "[stack]"]
    out.put(where + "/maps", "\n".join(lines) + "\n")


def main_process(host):
    """The server's own process, as systemd started it."""
    env = {"LANG": "en_US.UTF-8", "HOME": "/usr/share/ollama", "LOGNAME": host.user,
           "USER": host.user, "SHELL": "/bin/false", "INVOCATION_ID": invocation(host),
           "JOURNAL_STREAM": "8:88410", "SYSTEMD_EXEC_PID": str(host.pid)}
    given = host.process_env
    env["PATH"] = host.base_path
    env.update((key, value) for key, value in given.items() if value is not None)
    if host.environ is not None:
        env = dict(host.environ)
    libc = [model.LIBDIR + "/" + name for name in (
        "libc.so.6", "libgcc_s.so.1", "libm.so.6", "libstdc++.so.6", "libdl.so.2",
        "libpthread.so.0", "libresolv.so.2", "ld-linux-x86-64.so.2")]
    objects = [] if host.static else list(reversed(host.mapped())) + libc
    return model.Process(
        host.pid, host.server_exe or host.program, host.cmdline or host.exec_start.split(), env,
        uid=0 if host.user == "root" else 998, cgroup=host.cgroup, objects=objects,
        secure=host.secure, base=not host.static, mounts=host.mounts,
        started=host.started, comm="ollama" if not host.server_exe else None,
        fds={0: "/dev/null", 1: "socket:[88410]", 2: "socket:[88410]", 3: "socket:[88433]"})


def _proc(out):
    host = out.host
    if not host.crash and not host.stopped and host.pid:
        _process(out, main_process(host))
    for process in host.processes:
        _process(out, process)
    out.put("/proc/stat", "cpu  541071 412 270535 34267852 3120 0 911 402 0 0\nbtime %d\n"
            "processes 60213\n" % host.boot)
    out.put("/proc/uptime", "%d.12 %d.24\n" % (host.now, host.now * 2 - 300))
    out.put("/proc/modules", "".join(
        "%s 24576 0 - Live 0x0000000000000000\n" % name for name in host.modules))
    out.put("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"
            "model\t\t: 106\nmodel name\t: Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz\n"
            "flags\t\t: %s\n\n" % host.cpu_flags)
    out.put("/proc/sys/kernel/random/boot_id", "3334ef81-8b62-f9b5-a58c-56a88921dcf1\n")
    out.put("/proc/version", "Linux version 6.1.0-42-amd64 (builder@buildhost)\n")
    header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  " \
             "timeout inode\n"
    serves = host.serves if host.serves is not None else \
        host.listens and not host.crash and not host.stopped
    out.put("/proc/net/tcp", header + (
        "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998"
        "        0 88433 1 0000000000000000 100 0 0 10 0\n" if serves else ""))
    out.put("/proc/net/tcp6", header)
    for path, text in host.proc_files.items():
        out.put("/proc/" + path, text)


# systemctl.

def _quoted(value):
    special = any(c in value for c in " \"'\n\t\\$")
    if not special:
        return value
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace(
        "$", "\\$")


def loaded_environment(host):
    loaded = {"PATH": host.base_path}
    loaded.update(host.loaded_env if host.loaded_env is not None else host.env)
    return " ".join(_quoted("%s=%s" % item) for item in loaded.items() if item[1] is not None)


def dropins(host):
    if host.dropin_paths is not None:
        return host.dropin_paths
    return sorted((p for p in host.files
                   if p.startswith(model.SYSTEM + "/" + host.unit + ".d/") and
                   p.endswith(".conf")), key=posixpath.basename)


def _systemctl(out):
    host = out.host
    running = not host.crash and not host.stopped
    micro = int(host.started * 1e6 + 236792)
    argv = host.exec_start
    state = {
        "MainPID": str(host.pid) if running else "0", "ExecMainPID": str(host.pid),
        "UID": "998", "GID": "998", "NRestarts": "0", "Result": "success",
        "ExecMainStartTimestamp": wall(host, host.started),
        "ExecMainStartTimestampMonotonic": str(micro),
        "ExecMainExitTimestampMonotonic": "0", "ExecMainCode": "0", "ExecMainStatus": "0",
        "ExecStart": "{ path=%s ; argv[]=%s ; ignore_errors=no ; start_time=[%s] ; "
                     "stop_time=[n/a] ; pid=%d ; code=(null) ; status=0/0 }" %
                     (argv.split()[0], argv, wall(host, host.started), host.pid),
        "ControlGroup": "/system.slice/" + host.unit,
        "Environment": loaded_environment(host), "StandardOutput": "journal",
        "StandardError": "inherit", "User": host.user, "Group": host.user, "Id": host.unit,
        "Names": host.unit, "Description": "Ollama Service", "LoadState": "loaded",
        "ActiveState": "active", "SubState": "running", "FragmentPath": host.fragment,
        "DropInPaths": " ".join(dropins(host)), "UnitFileState": "enabled",
        "NeedDaemonReload": "yes" if host.need_reload else "no",
        "InvocationID": invocation(host),
        "ActiveEnterTimestamp": wall(host, host.started),
        "ActiveEnterTimestampMonotonic": str(micro + 400),
        "InactiveExitTimestampMonotonic": str(micro + 400),
        "StateChangeTimestampMonotonic": str(micro + 400)}
    if not state["DropInPaths"]:
        del state["DropInPaths"]
    for name, values in host.settings.items():
        state[name] = host.show_settings.get(name, " ".join(values))
    state.update({k: v for k, v in host.show_settings.items() if k not in state})
    if host.crash:
        status = host.crash["status"]
        state.update({"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "41",
                      "Result": host.crash["result"], "ExecMainCode": "1" if
                      host.crash["code"] == "exited" else "3" if host.crash["code"] == "dumped"
                      else "2", "ExecMainStatus": status.split("/")[0]})
    elif host.stopped:
        state.update({"ActiveState": host.stopped["state"], "ExecMainCode": "1", "SubState": {
            "inactive": "dead", "failed": "failed"}[host.stopped["state"]],
            "Result": host.stopped.get("result", "success")})
    state.update(host.show)
    if not host.fragment:
        state = {"Id": host.unit, "Names": host.unit, "LoadState": "not-found",
                 "LoadError": 'org.freedesktop.systemd1.NoSuchUnit "Unit %s not found."' %
                 host.unit, "ActiveState": "inactive", "SubState": "dead", "MainPID": "0",
                 "Result": "success", "NeedDaemonReload": "no"}
        out.put("/.vgpu-capture/systemctl/show-%s.txt" % host.unit,
                "".join("%s=%s\n" % item for item in state.items()))
    else:
        base = dict(line.split("=", 1) for line in systemd_text.SERVICE.splitlines())
        base.update({k: v for k, v in state.items() if v is not None})
        out.put("/.vgpu-capture/systemctl/show-%s.txt" % host.unit,
                "".join("%s=%s\n" % item for item in base.items()))
    manager_env = {"LANG": "en_US.UTF-8", "PATH": model.SERVICE_PATH}
    manager_env.update(host.manager_env)
    manager = {"UnitsLoadTimestamp": wall(host, host.t_reload),
               "UnitsLoadTimestampMonotonic": str(int(host.t_reload * 1e6 + 429234)),
               "Environment": " ".join(_quoted("%s=%s" % item) for item in manager_env.items()),
               "UnitPath": systemd_text.UNIT_PATH}
    manager.update(host.manager)
    out.put("/.vgpu-capture/systemctl/show-manager.txt",
            systemd_text.MANAGER + "".join("%s=%s\n" % item for item in manager.items()))
    out.put("/.vgpu-capture/systemctl/show-environment.txt",
            "".join("%s=%s\n" % (k, "$'%s'" % v if " " in v else v)
                    for k, v in manager_env.items()))
    units = {"cron.service": "loaded active running Regular background program processing daemon",
             "dbus.service": "loaded active running D-Bus System Message Bus",
             "ssh.service": "loaded active running OpenBSD Secure Shell server",
             "systemd-journald.service": "loaded active running Journal Service"}
    if host.fragment:
        units[host.unit] = "loaded %s %s Ollama Service" % (
            state.get("ActiveState"), state.get("SubState"))
    units.update(host.list_units)
    out.put("/.vgpu-capture/systemctl/list-units.txt",
            "".join("%s %s\n" % item for item in sorted(units.items())))


# The journal.

def record(host, number, at, message, **more):
    entry = {"__CURSOR": "s=5e79506d4a4e28365758d7c4c4c7a83e;i=%x;b=%s" % (0x1b47b + number,
                                                                           BOOT_ID),
             "__REALTIME_TIMESTAMP": str(int((host.boot + at) * 1e6)),
             "__MONOTONIC_TIMESTAMP": str(int(at * 1e6)), "_BOOT_ID": BOOT_ID,
             "_MACHINE_ID": MACHINE_ID, "_HOSTNAME": host.hostname, "PRIORITY": "6",
             "MESSAGE": message}
    entry.update(more)
    return entry


def _from_systemd(host, number, at, message, which=0, **more):
    return record(host, number, at, message, _PID="1", _COMM="systemd", _UID="0",
                  SYSLOG_IDENTIFIER="systemd", _SYSTEMD_UNIT="init.scope", UNIT=host.unit,
                  INVOCATION_ID=invocation(host, which), _TRANSPORT="journal", **more)


def _from_service(host, number, at, message, which=0, pid=None):
    return record(host, number, at, message, _PID=str(pid or host.pid), _UID="998", _GID="998",
                  _COMM=host.identifier, SYSLOG_IDENTIFIER=host.identifier, _TRANSPORT="stdout",
                  _SYSTEMD_UNIT=host.unit, _SYSTEMD_SLICE="system.slice",
                  _SYSTEMD_INVOCATION_ID=invocation(host, which),
                  **({} if host.crash and not host.server_exe else {"_EXE": host.program}))


def _journal(out):
    host, records = out.host, []

    def systemd(at, message, which=0, priority="6"):
        records.append(_from_systemd(host, len(records), at, message, which,
                                     **({"PRIORITY": priority} if priority != "6" else {})))

    def service(at, message, which=0, pid=None):
        records.append(_from_service(host, len(records), at, message, which, pid))

    for at, who, message in host.journal_prefix:
        (systemd if who == "systemd" else service)(at, message, 99)
    if not host.fragment:
        pass
    elif host.crash:
        status = host.crash["status"]
        for attempt in range(4):
            at = host.now - 20 + attempt * 5
            pid = host.pid + attempt
            systemd(at, "Started %s - Ollama Service." % host.unit, attempt)
            if "exec" in host.crash:
                records.append(record(
                    host, len(records), at + 0.02, host.crash["exec"], _PID=str(pid), PRIORITY="3",
                    _COMM="(ollama)", SYSLOG_IDENTIFIER="(ollama)", UNIT=host.unit, _UID="0",
                    _SYSTEMD_UNIT=host.unit, INVOCATION_ID=invocation(host, attempt)))
                records.append(record(
                    host, len(records), at + 0.03, "%s: Failed at step %s spawning %s: %s" % (
                        host.unit, status.split("/")[1], host.exec_start.split()[0],
                        host.crash["exec"].rsplit(": ", 1)[1]), _PID=str(pid), PRIORITY="3",
                    _COMM="(ollama)", SYSLOG_IDENTIFIER="(ollama)", UNIT=host.unit, _UID="0",
                    _SYSTEMD_UNIT=host.unit, INVOCATION_ID=invocation(host, attempt)))
            for line in host.loader_lines:
                service(at + 0.05, line, attempt, pid)
            systemd(at + 0.3, "%s: Main process exited, code=%s, status=%s" % (
                host.unit, host.crash["code"], status), attempt, "5")
            systemd(at + 0.3, "%s: Failed with result '%s'." % (
                host.unit, host.crash["result"]), attempt, "4")
            systemd(at + 3.4, "%s: Scheduled restart job, restart counter is at %d." % (
                host.unit, 38 + attempt), attempt)
    elif host.stopped:
        for at, who, message in host.stopped.get("journal", ()):
            (systemd if who == "systemd" else service)(at, message)
    else:
        if host.started >= host.journal_from:
            systemd(host.started + 0.24, "Started %s - Ollama Service." % host.unit)
        lines = [line for line in ollama_log.start(host) if line[0] >= host.journal_from]
        if host.output_file:
            out.put(host.output_file, "".join(text + "\n" for _, text in lines))
        else:
            for at, text in lines:
                service(at, text)
            at = max(host.now - 100, host.started + 5)
            moment = datetime.datetime.fromtimestamp(host.boot + at, host.zone)
            service(at, moment.strftime("[GIN] %Y/%m/%d - %H:%M:%S") +
                    ' | 200 |      44.1µs |       127.0.0.1 | HEAD     "/"')
    for at, who, message in host.journal_suffix:
        (systemd if who == "systemd" else service)(at, message)
    out.put("/.vgpu-capture/journal/%s.jsonl" % host.unit,
            "".join(json.dumps(r) + "\n" for r in records))
    kernel = [(0, "Linux version 6.1.0-42-amd64 (builder@buildhost)")] + host.kernel
    out.put("/.vgpu-capture/journal/kernel.jsonl", "".join(json.dumps(record(
        host, number, at, message, SYSLOG_IDENTIFIER="kernel", _TRANSPORT="kernel")) + "\n"
        for number, (at, message) in enumerate(kernel)))


def _ollama(out):
    host = out.host
    if host.crash or host.stopped or not host.listens:
        return
    out.put("/.vgpu-capture/ollama/version.json", json.dumps({"version": host.version}))
    if host.ps is not None:
        out.put("/.vgpu-capture/ollama/ps.json", json.dumps(host.ps))
