"""3xx: what the process has."""

import elf_facts
import host as model
from cases import (A, A_OLD, B, B_BOUND, B_DEBUG, B_LATE, B_PATH, B_REAL, C, C_PATH, fault,
                   neighbour)

# Without shims the backend does not find libcuda.so.1, which is true and follows.
NO_SHIMS = ["VG504"]


@fault("VG301", B, A, C_PATH, consequences=[], touches=["state"], ruled_out_has=["VG201"],
       never=["VG704", "VG307"])
def stopped_by_hand(h):
    """Somebody stopped the service an hour ago; it ended cleanly, and nothing serves."""
    h.stopped = {"state": "inactive", "journal": [
        (h.started + 300, "systemd", "Stopping %s - Ollama Service..." % h.unit),
        (h.started + 301, "systemd", "%s: Deactivated successfully." % h.unit),
        (h.started + 301, "systemd", "Stopped %s - Ollama Service." % h.unit)]}


@fault("VG301", B_DEBUG, consequences=[], touches=["state"], never=["VG704"])
def never_started(h):
    """The unit is not enabled, and nobody started it since the machine did."""
    h.stopped = {"state": "inactive", "journal": []}
    h.show.update({"UnitFileState": "disabled", "ExecMainPID": "0", "InvocationID": "",
                   "ExecMainStartTimestamp": "", "ExecMainStartTimestampMonotonic": "0",
                   "ActiveEnterTimestamp": "", "ActiveEnterTimestampMonotonic": "0"})


@fault("VG301", B_LATE, consequences=[], touches=["state"], never=["VG704"])
def killed_for_memory(h):
    """The kernel killed the server for memory, and the unit does not start again by itself."""
    h.fragment_text = ("[Unit]\nDescription=Ollama Service\n[Service]\nExecStart=%s\nUser=ollama\n"
                       "Group=ollama\nEnvironment=\"PATH=%s\"\n" % (h.exec_start, h.base_path))
    h.show["Restart"] = "no"
    h.stopped = {"state": "failed", "result": "oom-kill", "journal": [
        (h.started + 400, "systemd", "%s: A process of this unit has been killed by the OOM "
         "killer." % h.unit),
        (h.started + 401, "systemd", "%s: Main process exited, code=killed, status=9/KILL" %
         h.unit),
        (h.started + 401, "systemd", "%s: Failed with result 'oom-kill'." % h.unit)]}
    h.kernel.append((h.started + 400, "Out of memory: Killed process %d (ollama) "
                     "total-vm:8842868kB" % h.pid))


@fault("VG301", B, consequences=[], touches=["state", "unit"], never=["VG203", "VG704"],
       says=["systemctl unmask"])
def masked(h):
    """The unit was masked: systemd reads none of its drop-ins."""
    h.stopped = {"state": "inactive", "journal": []}
    h.remove(h.fragment)
    h.link(h.fragment, "/dev/null")
    h.file("/usr/lib/systemd/system/" + h.unit,
           "[Unit]\nDescription=Ollama Service\n[Service]\nExecStart=%s\nUser=ollama\n" %
           h.exec_start)
    h.show.update({"LoadState": "masked", "UnitFileState": "masked", "DropInPaths": "",
                   "Environment": "", "ExecStart": ""})


@neighbour("VG301", B)
def restarted_once(h):
    """The server was restarted once by systemd and runs since."""
    h.show["NRestarts"] = "1"


def _older(h, lacks):
    h.t_written, h.t_reload = h.started + 200, h.started + 260
    h.environ = {k: v for k, v in h.process_env.items() if k not in lacks}
    return h.lose()


@fault("VG302", B, B_DEBUG, A, C, may=NO_SHIMS, touches=["environ", "times"],
       ruled_out_has=["VG203"], says=["systemctl restart"], confidence={"VG302": ["certain"]})
def preload_came_later(h):
    """The drop-in with LD_PRELOAD came after the start; it was reloaded, and not restarted."""
    _older(h, ["LD_PRELOAD"])


@fault("VG302", B_PATH, may=["VG504", "VG415", "VG418"], touches=["environ", "times"],
       ruled_out_has=["VG203"])
def library_path_came_later(h):
    """LD_LIBRARY_PATH came after the start, and the links of the variant point nowhere without
    it: there are none beside the backend."""
    for name in ("libcuda.so.1", "libnvidia-ml.so.1"):
        h.remove(h.variant_dir + "/" + name)
    _older(h, ["LD_LIBRARY_PATH"])


@fault("VG302", B_BOUND, may=["VG504", "VG601", "VG602", "VG418"], touches=["environ", "times"],
       ruled_out_has=["VG203"])
def binds_came_later(h):
    """The binds are in the loaded unit; the process was started before and has none of them."""
    h.t_written, h.t_reload = h.started + 200, h.started + 260
    h.mounts = []
    h.lose()


@fault("VG302", B, may=["VG401", "VG504"], touches=["environ", "times"])
def value_changed_later(h):
    """The process still has the list of the old directory, whose files are gone."""
    h.t_written, h.t_reload = h.started + 200, h.started + 260
    h.environ = dict(h.process_env)
    h.environ["LD_PRELOAD"] = h.env["LD_PRELOAD"].replace("/usr/lib64/", "/opt/old-vgpu/")
    h.lose()


@neighbour("VG302", B, C_PATH, B_BOUND)
def reloaded_for_another_unit(h):
    """systemd was reloaded after the start, for another unit; the process lacks nothing."""
    h.t_reload = h.started + 300


@neighbour("VG302", B, A)
def drop_in_touched(h):
    """The drop-in was rewritten after the start with the same content."""
    h.t_written, h.t_reload = h.started + 200, h.started + 260


@fault("VG303", B, A, C, may=NO_SHIMS, touches=["environ"], ruled_out_has=["VG302", "VG203"])
def scrubbed(h):
    """The loaded unit has LD_PRELOAD, the process was started after it, and lacks it; nothing
    that stands between them can be seen."""
    h.environ = {k: v for k, v in h.process_env.items() if k != "LD_PRELOAD"}
    h.lose()


@fault("VG303", B_DEBUG, may=NO_SHIMS, touches=["environ"], ruled_out_has=["VG302"])
def scrubbed_to_nothing(h):
    """The process has PATH and HOME only, and its unit gives more."""
    h.environ = {"PATH": "/usr/bin:/bin", "HOME": "/usr/share/ollama"}
    h.lose()


@neighbour("VG303", B, B_LATE)
def variables_in_another_order(h):
    """The process has every variable, with others that PAM added."""
    h.extra_environ = {"XDG_SESSION_ID": "4", "MAIL": "/var/mail/ollama"}
    h.environ = dict(reversed(list(h.process_env.items())))


@fault("VG304", B, B_LATE, C, may=["VG504"], touches=["program"], says=["cap_perfmon"],
       confidence={"VG304": ["certain"]})
def file_capabilities(h):
    """The program was given cap_perfmon for Vulkan; the loader drops LD_PRELOAD, although
    /proc/PID/environ still shows it."""
    h.files[h.program]["caps"] = "cap_perfmon=ep"
    h.secure = True
    h.lose()


@fault("VG304", B_DEBUG, may=["VG504"], touches=["program"], confidence={"VG304": ["certain"]})
def set_group_id(h):
    """The program is set-group-ID of another group: secure mode."""
    h.files[h.program].update({"mode": "2755", "gid": 44})
    h.secure = True
    h.lose()


@neighbour("VG304", B, C)
def capabilities_and_root(h):
    """The program has file capabilities and runs as root: the kernel's flag is 0, and the shims
    are loaded."""
    h.files[h.program]["caps"] = "cap_perfmon=ep"
    h.user = "root"


def _make_static(h):
    elf = dict(h.files[h.program]["elf"], interp=None, needed=[], type="EXEC")
    elf.pop("pie")
    h.files[h.program]["elf"] = elf
    h.static = True


@fault("VG305", B, A, B_DEBUG, may=["VG504"], touches=["program"],
       confidence={"VG305": ["certain"]})
def static_program(h):
    """The program was linked statically: nothing can be preloaded into it."""
    _make_static(h)
    h.lose()


@neighbour("VG305", B)
def program_not_captured(h):
    """The program's ELF facts were not captured; the process has an interpreter."""
    h.files[h.program].pop("elf")


@fault("VG306", B, A, roots=[], latent=["VG306"], consequences=[], touches=["shim.cuda", "works"])
def replaced_while_it_works(h):
    """The CUDA shim was replaced after the start; the process works with the old one."""
    path = h.shim("cuda")
    h.replaced[path] = h.files[path]["ino"]
    h.files[path].update({"ino": 991001, "mtime": h.time(h.started + 300),
                          "ctime": h.time(h.started + 300)})


@fault("VG306", B_DEBUG, C, may=["VG706"], touches=["shim.cuda"])
def replaced_after_it_failed(h):
    """The CUDA shim on disk is a newer file than the one in the process, which found no GPU."""
    replaced_while_it_works(h)
    h.lose()


@neighbour("VG306", B)
def touched_after_start(h):
    """The file of the shim is newer than the process by its mtime, and it is the same file."""
    h.files[h.shim("cuda")]["mtime"] = h.time(h.started + 300)


@fault("VG307", B, C, consequences=[], touches=["state"], confidence={"VG307": ["possible"]},
       never=["VG704"])
def dies_of_segv(h):
    """Every start dies of SIGSEGV, and nothing on the machine explains it."""
    h.die("11/SEGV", "dumped", "core-dump")


@fault("VG307", A_OLD, consequences=[], touches=["state"], confidence={"VG307": ["possible"]})
def dies_of_abort(h):
    """Every start aborts, and nothing on the machine explains it."""
    h.die("6/ABRT", "dumped", "core-dump")


@neighbour("VG307", B, A)
def ran_into_trouble_once(h):
    """systemd restarted the service twice last night; it has run since."""
    h.show["NRestarts"] = "2"
    h.journal_prefix = [
        (2000, "systemd", "%s: Main process exited, code=killed, status=9/KILL" % h.unit),
        (2000, "systemd", "%s: Failed with result 'signal'." % h.unit)]


@fault("VG308", B, A, roots=[], latent=["VG308"], consequences=[], touches=["program", "works"])
def upgraded_while_it_works(h):
    """The program was replaced by a newer build after the start; the old one still runs."""
    h.replaced[h.program] = h.files[h.program]["ino"]
    newer = {"0.16.2": "0.24.0", "0.12.3": "0.13.5"}[h.version]
    h.files[h.program].update({"ino": 991077, "mtime": h.time(h.started + 200),
                               "elf": elf_facts.ollama(newer)})
    h.server_exe = h.program + " (deleted)"


@fault("VG308", B_LATE, C, may=["VG302", "VG501", "VG504", "VG508", "VG509"],
       touches=["program", "exec", "times"], never=["VG303"])
def another_program_runs(h):
    """ExecStart names another file since the last reload; the process of the old one, which has
    no libraries beside it, still runs."""
    old = "/srv/trial/ollama"
    h.copy(h.program, old)
    h.server_exe, h.cmdline = old, [old, "serve"]
    h.t_written, h.t_reload = h.started + 200, h.started + 260
    h.lose()


@neighbour("VG308", B, C_PATH)
def program_is_a_link(h):
    """ExecStart names a link; /proc/PID/exe says where it leads."""
    target = "/opt/ollama-app/bin/ollama"
    h.copy(h.program, target)
    h.remove(h.program)
    h.link(h.program, target)
    for path in [p for p in h.files if p.startswith("/usr/local/lib/ollama")]:
        entry = dict(h.files[path])
        entry.pop("path")
        kind = entry.pop("type")
        h.add(path.replace("/usr/local/lib/ollama", "/opt/ollama-app/lib/ollama"), kind, **entry)
    h.remove("/usr/local/lib/ollama")
    h.ollama_lib = "/opt/ollama-app/lib/ollama"
    h.server_exe = target


def _child(h, env, exe=None, words=None, objects=()):
    exe = exe or h.program
    libc = [model.LIBDIR + "/libc.so.6", model.LIBDIR + "/ld-linux-x86-64.so.2"]
    h.processes.append(model.Process(
        h.pid + 55, exe, words or [exe, "runner", "--model", "/usr/share/ollama/m", "--port",
                                   "40123"],
        env, ppid=h.pid, started=h.started + 120, objects=list(objects) + libc))
    h.ps = {"models": [{"name": "llama3.2:3b", "size": 3300000000, "size_vram": 0,
                        "context_length": 4096}]}


@fault("VG309", B, may=["VG504"], touches=["child"], confidence={"VG309": ["certain", "likely"]})
def runner_without_shims(h):
    """The server has the shims; the runner that it started has no LD_PRELOAD, and none of them."""
    env = {k: v for k, v in h.process_env.items() if k != "LD_PRELOAD"}
    _child(h, dict(env, LD_LIBRARY_PATH=h.ollama_lib + ":" + h.variant_dir))
    h.lose()


@fault("VG309", A, consequences=[], may=["VG504", "VG902"], touches=["child", "ps"],
       never=["VG704"])
def runner_without_shims_in_era_a(h):
    """The server found the GPU by itself; the runner of the loaded model has no shims, and the
    model is on the CPU."""
    env = {k: v for k, v in h.process_env.items() if k != "LD_PRELOAD"}
    _child(h, dict(env, LD_LIBRARY_PATH=h.ollama_lib + ":" + h.variant_dir))


@fault("VG309", C, may=["VG504"], touches=["child"])
def llama_server_without_shims(h):
    """llama-server lost LD_PRELOAD on its way."""
    env = {k: v for k, v in h.process_env.items() if k != "LD_PRELOAD"}
    exe = h.ollama_lib + "/llama-server"
    _child(h, env, exe, [exe, "--port", "50111", "--host", "127.0.0.1"])
    h.lose()


@neighbour("VG309", B, A)
def runner_with_shims(h):
    """A model is loaded, and its runner has what the server has."""
    _child(h, dict(h.process_env, LD_LIBRARY_PATH=h.ollama_lib + ":" + h.variant_dir),
           objects=h.mapped())
    h.ps["models"][0]["size_vram"] = 3300000000


@fault("VG310", B, C, consequences=["VG507", "VG704"], touches=["manager", "visible"])
def manager_hides_devices(h):
    """CUDA_VISIBLE_DEVICES=-1 was set with systemctl set-environment, for every unit."""
    h.manager_env["CUDA_VISIBLE_DEVICES"] = "-1"
    h.extra_environ["CUDA_VISIBLE_DEVICES"] = "-1"
    h.lose()


@fault("VG310", B_LATE, consequences=["VG401", "VG704"], may=["VG504"],
       touches=["manager", "preload", "shim.cuda"])
def manager_preloads_what_is_gone(h):
    """LD_PRELOAD comes from the manager, and names a CUDA shim that is not there."""
    value = h.env.pop("LD_PRELOAD")
    h.manager_env["LD_PRELOAD"] = value
    h.extra_environ["LD_PRELOAD"] = value
    h.remove(h.shim("cuda"))
    h.lose()


@fault("VG310", B, roots=[], notes=["VG310"], touches=["manager", "preload"])
def manager_preloads_all(h):
    """The whole right list comes from the manager, not from the unit: it works until reboot."""
    value = h.env.pop("LD_PRELOAD")
    h.manager_env["LD_PRELOAD"] = value
    h.extra_environ["LD_PRELOAD"] = value


@neighbour("VG310", B, B_REAL)
def manager_has_a_proxy(h):
    """The manager sets a proxy, which has nothing to do with the GPU."""
    h.manager_env["HTTPS_PROXY"] = "http://proxy.example:3128"
    h.extra_environ["HTTPS_PROXY"] = "http://proxy.example:3128"
